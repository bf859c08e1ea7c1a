"""The centre as PettingZoo's parallel environment: all counsellors at once."""

from typing import Any, ClassVar

from gymnasium.utils import EzPickle
from pettingzoo import ParallelEnv

from mhgym.envs.multi.game import Game, Seats
from mhgym.envs.multi.order import NOBODY
from mhgym.envs.screen import RENDER_FPS, RENDER_MODES
from mhgym.presets import ScenarioSampler
from mhgym.scenario import Scenario

Observations = dict[str, dict[str, Any]]


class CounsellorsParallel(Seats, ParallelEnv, EzPickle):  # type: ignore[misc]  # PettingZoo has no types
    """All counsellors answer at once, and their answers are heard in the order of turns of the AEC form.

    An answer counts until the first counsellor whose caller a colleague has taken by then, or who is asked a second
    time (having another free slot); they and all who have not been heard are asked again at the same instant, with
    `elapsed` 0. Whoever has declined, or has no turn, can only decline until time goes on.

    Args:
        scenario: See `Game`.
        **settings: See `Game`; `max_cycles` truncates all agents after so many steps.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "counsellors_v0",
        "render_modes": RENDER_MODES,
        "render_fps": RENDER_FPS,
    }

    game_class: ClassVar[type[Game]] = Game

    def __init__(self, scenario: Scenario | ScenarioSampler | str = "EranHeavy", **settings: Any) -> None:
        EzPickle.__init__(self, scenario, **settings)
        self.game = self.game_class(scenario, **settings)
        self.possible_agents = list(self.game.index)
        self.agents: list[str] = []
        self.render_mode = settings.get("render_mode")

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, dict[str, Any]]]:
        """Begin an episode; see `Game.reset`."""
        self.agents = self.game.reset(seed, options)
        self._cycles = 0
        return self._observe(self.agents), self.game.pay(self.agents)[1]

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[Observations, dict[str, Any], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Hear everybody; an agent without an action declines."""
        agents, game = self.agents, self.game
        self._hear({game.index[agent]: int(actions.get(agent, game.decline)) for agent in agents})
        self._cycles += 1
        over = game.turns.over
        cut = self._cycles == game.max_cycles or (over and game.core.cuts)
        terminations = dict.fromkeys(agents, over and not game.core.cuts)
        rewards, infos = game.pay(agents)
        if over or cut:
            self.agents = []
        game.screen.follow()
        return self._observe(agents), rewards, terminations, dict.fromkeys(agents, cut), infos

    def _hear(self, actions: dict[int, int]) -> None:
        """Carry out what can be of actions that all were chosen at this instant."""
        turns = self.game.turns
        contacts = {counsellor: turns.read(counsellor, action) for counsellor, action in actions.items()}
        answers = {counsellor: contact for counsellor, contact in contacts.items() if turns.in_play(counsellor)}
        instant = turns.instant
        while not turns.over and turns.instant == instant and turns.asked in answers:
            counsellor = turns.asked
            contact = answers.pop(counsellor)
            if contact != NOBODY and not turns.may_pull(counsellor, contact):
                return
            turns.answer(counsellor, contact)

    def _observe(self, agents: list[str]) -> Observations:
        return {agent: self.game.observe(agent) for agent in agents}

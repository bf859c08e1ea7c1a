"""The centre as PettingZoo's agent environment cycle: one counsellor at a time."""

from typing import Any, ClassVar

import numpy as np
from gymnasium.utils import EzPickle
from pettingzoo import AECEnv

from mhgym.envs.multi.game import Game, Seats
from mhgym.envs.screen import RENDER_FPS, RENDER_MODES
from mhgym.presets import ScenarioSampler
from mhgym.scenario import Scenario


class CounsellorsAEC(Seats, AECEnv, EzPickle):  # type: ignore[misc]  # PettingZoo has no types
    """Each counsellor in turn pulls one of the waiting callers or declines; `turns` says whose turn it is.

    Agents live from `reset` to the end of the episode: breaks and sign-outs mean no turn, not death. `rewards` and
    `infos` are of the last step; `last()` has the reward since the agent's last turn.

    Args:
        scenario: See `Game`.
        **settings: See `Game`; `max_cycles` truncates each agent after so many turns of its own.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "counsellors_v0",
        "render_modes": RENDER_MODES,
        "render_fps": RENDER_FPS,
        "is_parallelizable": False,  # by PettingZoo's wrapper; `parallel_env` is a form of its own
    }

    game_class: ClassVar[type[Game]] = Game

    def __init__(self, scenario: Scenario | ScenarioSampler | str = "EranHeavy", **settings: Any) -> None:
        EzPickle.__init__(self, scenario, **settings)
        super().__init__()
        self.game = self.game_class(scenario, **settings)
        self.possible_agents = list(self.game.index)
        self.agents: list[str] = []
        self.render_mode = settings.get("render_mode")

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin an episode; see `Game.reset`."""
        self.agents = self.game.reset(seed, options)
        self.rewards, self.infos = self.game.pay(self.agents)
        self._cumulative_rewards = {agent: self.game.nothing() for agent in self.agents}
        self.terminations, self.truncations = (dict.fromkeys(self.agents, False) for _ in range(2))
        self._cycles = dict.fromkeys(self.agents, 0)
        self._skip_agent_selection: str | None = None
        self.agent_selection = self.game.asked

    def step(self, action: np.int64 | int | None) -> None:
        """Let the agent whose turn it is pull or decline."""
        agent, game = self.agent_selection, self.game
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        assert action is not None, f"{agent} is alive and has to act"
        self._cumulative_rewards[agent] = game.nothing()
        self._cycles[agent] += 1
        counsellor = game.index[agent]
        contact = game.turns.read(counsellor, int(action))
        if self._cycles[agent] == game.max_cycles:
            game.turns.retire(counsellor)
            self.truncations[agent] = True
        game.turns.answer(counsellor, contact)
        self.rewards, self.infos = game.pay(self.agents)
        if game.turns.over:
            ends = self.truncations if game.core.cuts else self.terminations
            ends.update(dict.fromkeys(self.agents, True))
        self._accumulate_rewards()
        self.agent_selection = game.asked
        self._deads_step_first()
        game.screen.follow()

    def _accumulate_rewards(self) -> None:
        """Into fresh objects, since a vector that `last` has handed out must stay as it is."""
        for agent, reward in self.rewards.items():
            self._cumulative_rewards[agent] = self._cumulative_rewards[agent] + reward

    def _clear_rewards(self) -> None:
        self.rewards = {agent: self.game.nothing() for agent in self.rewards}

    def observe(self, agent: str) -> dict[str, Any]:
        """What an agent sees; only the one whose turn it is may act on it."""
        return self.game.observe(agent)

"""The game of two dispatchers in a centre with inboxes: one allocates requests, the other has their waits bridged.

The dispatcher of those with inboxes, `therapists`, is asked first at every decision epoch, then `volunteers`, each once
even if it has nothing but to decline. Each chooses a pair of its own kind, which is carried out at once, and is asked
again while it has one; a decline stands until the minute changes or both have declined, and then time goes on.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mhgym.envs.core import RoutingCore
from mhgym.envs.multi.aec import CounsellorsAEC
from mhgym.envs.multi.game import Game
from mhgym.envs.multi.order import NOBODY
from mhgym.envs.multi.parallel import CounsellorsParallel
from mhgym.envs.multi.turns import Turns
from mhgym.envs.screen import RENDER_FPS, RENDER_MODES
from mhgym.presets import ScenarioSampler
from mhgym.scenario import Scenario

PLAYERS = ("therapists", "volunteers")


class _ForBoth:
    """Both dispatchers get the centre's reward."""

    def begin(self, core: RoutingCore) -> None:
        """Nothing to prepare."""

    def divide(self, reward: NDArray[np.float64], core: RoutingCore) -> NDArray[np.float64]:
        """`[2, 4]` the reward, once for each."""
        return np.tile(reward, (len(PLAYERS), 1))


class DispatcherTurns(Turns):
    """The turns of both dispatchers; what one is given to do is a pair, `contact * C + counsellor`.

    Args:
        core: The centre.
    """

    def __init__(self, core: RoutingCore) -> None:
        super().__init__(core, _ForBoth())
        self._num_players = len(PLAYERS)

    def reset(self, rng: np.random.Generator, **chance: Any) -> None:
        """Begin an episode."""
        self._heard_at = [-1] * self._num_players  # the instant
        super().reset(rng, **chance)

    @property
    def decline(self) -> int:
        """The action that declines, the last one."""
        return self.core.actions.hold

    def mask(self, counsellor: int) -> NDArray[np.int8]:
        """`[N * C + 1]` which pairs a dispatcher may choose now, and the decline, in a fresh array."""
        mask = np.ones(self.decline + 1, dtype=np.int8)
        mask[:-1] = self._own[counsellor] & self._present[counsellor]
        return mask

    def in_play(self, counsellor: int) -> bool:
        """Whether a dispatcher is asked at this instant, now or after the other."""
        return bool(self._present[counsellor])

    def read(self, counsellor: int, action: int) -> int:
        """The pair that an action stands for; `NOBODY` for a decline, and for what is illegal, which is counted."""
        if 0 <= action < self.decline and self.mask(counsellor)[action]:
            slot, who = divmod(action, self._num_counsellors)
            return int(self._shown()[slot]) * self._num_counsellors + who
        self.illegal[counsellor] += int(action != self.decline)
        return NOBODY

    def may_pull(self, counsellor: int, contact: int) -> bool:
        """Whether a dispatcher may choose a pair now."""
        action = self._action(contact)
        return action != self.decline and bool(self.mask(counsellor)[action])

    def answer(self, counsellor: int, contact: int) -> None:
        """Carry out a pair that the dispatcher who is asked may choose, or `NOBODY`, and find who is asked next."""
        self._heard_at[counsellor] = self.instant
        if contact == NOBODY:
            self._declined[counsellor] = True
            self._look()
        else:
            self._go_on(self._action(contact))
        while self.asked == NOBODY and not (self.over or self._retired.all()):
            self._go_on(self.core.actions.hold)

    def _action(self, pair: int) -> int:
        """The centre's action for a pair; to decline if its contact is not shown."""
        contact, who = divmod(pair, self._num_counsellors)
        found = np.flatnonzero(self._shown() == contact)
        return int(found[0]) * self._num_counsellors + who if len(found) else self.decline

    def _look(self) -> None:
        """See who may choose what, and who is asked next."""
        roster = self.core.scenario.roster
        has_inbox = np.zeros(self._num_counsellors, dtype=np.bool_)
        has_inbox[: len(roster)] = roster.inboxes() > 0
        legal = self.core.mask()[:-1].reshape(self._num_slots, self._num_counsellors)
        self._own = [(legal * kind).ravel() for kind in (has_inbox, ~has_inbox)]
        self._present = ~(self._declined | self._retired)
        may = [
            bool(here) and (at != self.instant or bool(own.any()))
            for here, at, own in zip(self._present, self._heard_at, self._own, strict=True)
        ]
        self.asked = may.index(True) if any(may) else NOBODY


class DispatchGame(Game):
    """A centre with inboxes whose players are the dispatchers `therapists` and `volunteers`.

    As `Game`, but each sees all that one dispatcher would, acts in `Discrete(N * C + 1)`, pairs as a dispatcher's and
    the last one to decline, and gets the centre's reward.

    Raises:
        ValueError: If the centre has no inboxes, or the reward is not `shared`.
    """

    def _seat(self, reward: str) -> tuple[Turns, dict[str, int], int]:
        if not self.core.scenario.inboxes:
            raise ValueError(f"nobody has an inbox in {self.core.scenario.name}; use mhgym.envs.multi.counsellors_v0")
        if reward != "shared":
            raise ValueError(f"dispatchers have a 'shared' reward, got {reward!r}")
        players = {name: number for number, name in enumerate(PLAYERS)}
        return DispatcherTurns(self.core), players, self.core.observations.size

    def _see(self, player: int) -> NDArray[np.float32]:
        return self.core.observation()


class DispatchersAEC(CounsellorsAEC):
    """Each dispatcher in turn chooses a pair of its own kind or declines; see the module."""

    metadata: ClassVar[dict[str, Any]] = {**CounsellorsAEC.metadata, "name": "dispatchers_v0"}
    game_class: ClassVar[type[Game]] = DispatchGame

    def __init__(self, scenario: Scenario | ScenarioSampler | str = "Therapists", **settings: Any) -> None:
        super().__init__(scenario, **settings)


class DispatchersParallel(CounsellorsParallel):
    """Both dispatchers answer at once and are heard in the order of turns; who was not heard is asked again."""

    metadata: ClassVar[dict[str, Any]] = {
        "name": "dispatchers_v0",
        "render_modes": RENDER_MODES,
        "render_fps": RENDER_FPS,
    }
    game_class: ClassVar[type[Game]] = DispatchGame

    def __init__(self, scenario: Scenario | ScenarioSampler | str = "Therapists", **settings: Any) -> None:
        super().__init__(scenario, **settings)

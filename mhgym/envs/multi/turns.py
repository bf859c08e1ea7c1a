"""Whose turn it is: the counsellors of a centre are asked one after the other within a decision epoch.

Asked is who could take one of the callers shown and has not declined, the longest idle first (by the longest-idle free
slot, ties by index): the order in which first come, first served picks. A pull is carried out at once, and the one who
pulled is asked again while there is a free slot. A decline stands until the minute changes or everybody has declined;
then the centre holds, and time goes on.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhgym.envs.core import RoutingCore
from mhgym.envs.multi.order import NOBODY, next_asked
from mhgym.envs.multi.rewards import Division
from mhgym.mdp.slots import shown_rows

Floats = NDArray[np.float64]


class Turns:
    """The turns of one centre.

    Args:
        core: The centre.
        division: How what the centre is paid is divided among the counsellors.

    Attributes:
        asked: Who is asked.
        over: Whether the episode has ended.
        instant: Grows whenever declines lapse.
        illegal: `[C]` illegal actions of each counsellor.
    """

    def __init__(self, core: RoutingCore, division: Division) -> None:
        self.core = core
        self._division = division
        self.asked = NOBODY
        self._num_slots, self._num_counsellors = core.actions.num_slots, core.actions.num_counsellors
        self._num_players = self._num_counsellors

    def reset(self, rng: np.random.Generator, **chance: Any) -> None:
        """Begin an episode, as `RoutingCore.reset`.

        Where nobody could take anybody at the first epoch, or there is none, the first counsellor is asked, who can
        only decline: every episode has a turn.
        """
        self.core.reset(rng, **chance)
        self._division.begin(self.core)
        everybody = np.arange(self._num_players)
        self.over, self.illegal, self.instant = False, [0] * self._num_players, 0
        self._declined = np.zeros(self._num_players, dtype=np.bool_)
        self._retired = everybody >= len(self.core.scenario.roster)
        self._elapsed, self._paid = 0.0, np.zeros((self._num_players, 4))
        self._look()
        self.asked = max(self.asked, 0)

    @property
    def decline(self) -> int:
        """The action that declines, the last one."""
        return self._num_slots

    @property
    def minute(self) -> float:
        """Minute of the episode."""
        return float(self.core.centre.engine.now)

    def mask(self, counsellor: int) -> NDArray[np.int8]:
        """`[N + 1]` which callers shown a counsellor may pull now, and the decline, in a fresh array."""
        mask = np.ones(self._num_slots + 1, dtype=np.int8)
        mask[:-1] = self._legal[:, counsellor] & self._present[counsellor]
        return mask

    def in_play(self, counsellor: int) -> bool:
        """Whether a counsellor is asked at this instant, now or after others."""
        return counsellor == self.asked or bool(self.mask(counsellor)[:-1].any())

    def read(self, counsellor: int, action: int) -> int:
        """The contact that an action pulls; `NOBODY` for a decline, and for what is illegal, which is counted."""
        if 0 <= action < self._num_slots and self.mask(counsellor)[action]:
            return int(self._shown()[action])
        self.illegal[counsellor] += int(action != self._num_slots)
        return NOBODY

    def may_pull(self, counsellor: int, contact: int) -> bool:
        """Whether a counsellor may take a contact now."""
        return bool(self.mask(counsellor)[:-1][np.flatnonzero(self._shown() == contact)].any())

    def answer(self, counsellor: int, contact: int) -> None:
        """Give the counsellor who is asked a contact that they may take, or `NOBODY`, and find who is asked next."""
        if contact == NOBODY:
            self._declined[counsellor] = True
            self._look()
        else:
            slot = int(np.flatnonzero(self._shown() == contact)[0])
            self._go_on(slot * self._num_counsellors + counsellor)
        while self.asked == NOBODY and not (self.over or self._retired.all()):
            self._go_on(self.core.actions.hold)

    def retire(self, counsellor: int) -> None:
        """Ask a counsellor no more; with nobody left to ask, the episode stops where it is."""
        self._retired[counsellor] = True

    def collect(self) -> tuple[Floats, float]:
        """`[C, 4]` what every counsellor has been paid, and minutes gone by, since this was last called."""
        collected = self._paid, self._elapsed
        self._paid, self._elapsed = np.zeros_like(self._paid), 0.0
        return collected

    def _shown(self) -> NDArray[np.int64]:
        """The contacts in the slots."""
        waiting = self.core.centre.waiting
        return waiting[shown_rows(len(waiting), self._num_slots)]

    def _go_on(self, action: int) -> None:
        step = self.core.step(action)
        self.over = step.over
        self._paid += self._division.divide(step.reward, self.core)
        self._elapsed += step.elapsed
        if action == self.core.actions.hold or step.elapsed > 0.0:
            self._declined[:] = False
            self.instant += 1
        self._look()

    def _look(self) -> None:
        """See who may take whom, and who is asked next."""
        self._legal = self.core.mask()[:-1].reshape(self._num_slots, self._num_counsellors)
        self._present = ~(self._declined | self._retired)
        known = self.core.centre.idle_since
        idle = np.full(self._num_counsellors, np.nan)
        idle[: len(known)] = known
        self.asked = int(next_asked((self._legal.any(axis=0) & self._present)[None], idle[None])[0])

"""Actions: a pair of queue slot and counsellor, or HOLD."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhgym.mdp.slots import shown_rows
from mhgym.view import HOLD, CentreView, Pair


def without_hold(masks: NDArray[Any]) -> NDArray[Any]:
    """Masks `[B, N * C + 1]` that refuse HOLD wherever a pair can be assigned, in a fresh array."""
    stricter = masks.copy()
    stricter[:, -1] = ~masks[:, :-1].any(axis=1)
    return stricter


@dataclass(frozen=True)
class ActionLayout:
    """`Discrete(N * C + 1)`: action `slot * C + counsellor`, the last one HOLD.

    Attributes:
        num_slots: N queue slots.
        num_counsellors: C counsellors, padding included.
    """

    num_slots: int
    num_counsellors: int

    def __post_init__(self) -> None:
        if self.num_slots < 1 or self.num_counsellors < 1:
            raise ValueError(
                f"actions need at least 1 queue slot and 1 counsellor, got {self.num_slots} and {self.num_counsellors}"
            )

    @property
    def size(self) -> int:
        """Number of actions."""
        return self.num_slots * self.num_counsellors + 1

    @property
    def hold(self) -> int:
        """The action HOLD."""
        return self.size - 1

    def decode(self, action: int, view: CentreView) -> Pair:
        """The pair that an action stands for, or HOLD; a pair outside the view is returned as HOLD."""
        if not 0 <= action < self.hold:
            return HOLD
        slot, counsellor = divmod(action, self.num_counsellors)
        rows = shown_rows(len(view.waiting), self.num_slots)
        if slot >= len(rows) or counsellor >= len(view.staff):
            return HOLD
        return Pair(int(rows[slot]), counsellor)

    def encode(self, pair: Pair, view: CentreView) -> int:
        """The action that stands for a pair of the view; HOLD for a contact that no slot shows."""
        rows = shown_rows(len(view.waiting), self.num_slots)
        found = np.flatnonzero(rows == pair.row)
        if pair == HOLD or not len(found):
            return self.hold
        return int(found[0]) * self.num_counsellors + pair.counsellor

    def mask(self, view: CentreView) -> NDArray[np.int8]:
        """`[N * C + 1]` 1 for every legal action, in a fresh array; HOLD is always legal."""
        mask = np.zeros(self.size, dtype=np.int8)
        mask[-1] = 1
        rows = shown_rows(len(view.waiting), self.num_slots)
        grid = mask[:-1].reshape(self.num_slots, self.num_counsellors)
        grid[: len(rows), : len(view.staff)] = view.legal[rows]
        return mask

"""Rules that share contacts out among counsellors: the least loaded, each in turn, proportionally fair."""

from dataclasses import dataclass, field

import numpy as np

from agents.index_rules import floored_quality
from agents.selection import best_pair
from mhgym.scenario import Scenario
from mhgym.view import HOLD, CentreView, Pair


@dataclass
class LeastLoaded:
    """First come, first served, by whoever has least in hand and in the inbox for each contact of the capacity."""

    name: str = "least_loaded"

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: CentreView) -> Pair:
        """The first contact that somebody can take, to the least loaded of them."""
        place = -np.arange(len(view.waiting), dtype=np.float64)[:, None]
        return best_pair(view, place, -(view.staff.in_hand + view.staff.pending) / view.staff.capacity)


@dataclass
class RoundRobin:
    """First come, first served, by the counsellors in turn: who can take something next after the last one."""

    name: str = "round_robin"
    _last: int = field(default=-1, init=False, repr=False)

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Begin with the first counsellor."""
        self._last = -1

    def act(self, view: CentreView) -> Pair:
        """The first contact that somebody can take, to the next of them."""
        size = len(view.staff)
        place = -np.arange(len(view.waiting), dtype=np.float64)[:, None]
        steps = (np.arange(size) - self._last - 1) % size
        pair = best_pair(view, place, -steps.astype(np.float64))
        if pair != HOLD:
            self._last = pair.counsellor
        return pair


@dataclass
class ProportionalFair:
    """The largest predicted quality for what the counsellor has had so far: quality ÷ (contacts taken + 1).

    Where everybody has had as much, the best match; a counsellor who is new, or was passed over, gains on the others
    until matches decide again.

    Source: the scheduler of Viswanath, Tse & Laroia (2002), "Opportunistic beamforming using dumb antennas", with
    quality for the rate of a user and contacts for throughput.
    """

    name: str = "proportional_fair"

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: CentreView) -> Pair:
        """The pair with the largest index."""
        return best_pair(view, floored_quality(view) / (view.staff.taken + 1.0))

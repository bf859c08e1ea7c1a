"""The online matcher: at each epoch the best assignment of all who wait to all who are idle, or soon will be.

Callers `i` wait, columns `k` are free slots of counsellors now, and one slot of each fully occupied counsellor who is
predicted to be free within `look_ahead` minutes. With x[i, k] = 1 if caller i is assigned to slot k:

    maximise  sum of weight[i, k] x[i, k]
    subject to  sum over k of x[i, k] <= 1,  sum over i of x[i, k] <= 1,  x = 0 where the counsellor is not eligible.

The value of a pair is its predicted quality, less `price` a minute of service, less `wait_cost` a minute until the slot
is free, rounded to thousandths, so that all weights are whole numbers. `scipy.optimize.linear_sum_assignment` then is
exact: it only adds, subtracts and compares, and what it adds are signed weights along alternating paths of at most 2n
edges for n rows. Three such sums are checked to stay below 2^53, where float64 holds every whole number.

`IPMatcher` weighs (risk + 1) B + value, with B above any total of values: most severe first, then the best matches.
Sets of callers that can be served together form a transversal matroid, so that a set that is best in severity is also a
largest one, and cardinality needs no weight of its own. `Hungarian` weighs value alone, ties going to more pairs.

Source: WPI (2024), weekly matching of volunteers, whose one-stage weights these are; the online form is ours.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from agents.index_rules import check_at_least
from agents.soon_idle import StaffClock
from mhgym.scenario import Scenario
from mhgym.view import HOLD, Bools, CentreView, Pair

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNITS = 1000  # of value in one point of quality; predicted quality is a multiple of 250 units
_EXACT = 2**53


def severity_weights(value: Ints, eligible: Bools, risk: Ints) -> Ints:
    """`[n, m]` weights whose best assignment is best in severity, then in cardinality, then in value.

    Args:
        value: `[n, m]` units.
        eligible: `[n, m]`; what is not weighs 0.
        risk: `[n]` codes of `Risk`.
    """
    least = value.min(initial=0)
    above_all = min(value.shape) * (value.max(initial=0) - least) + 1
    return np.where(eligible, (risk[:, None] + 1) * above_all + value - least, 0)


def value_weights(value: Ints, eligible: Bools) -> Ints:
    """`[n, m]` weights whose best assignment is best in value, then in cardinality; a negative value counts as 0."""
    return np.where(eligible, np.maximum(value, 0) * (min(value.shape) + 1) + 1, 0)


def assign(weights: Ints) -> list[tuple[int, int]]:
    """Pairs of a row and a column with the largest total weight, by row; those that weigh 0 are left out.

    Raises:
        ValueError: If the weights are too large for float64 to be exact.
    """
    most = 3 * (2 * min(weights.shape) + 1) * int(weights.max(initial=0))
    if most >= _EXACT:
        raise ValueError(f"weights need sums below 2^53 to be exact in float64, got up to {most}")
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return [(int(i), int(k)) for i, k in zip(rows, columns, strict=True) if weights[i, k] > 0]


@dataclass
class Matcher(ABC):
    """Assigns at every epoch and routes the first pair, in queue order, whose counsellor is idle; else HOLD.

    Attributes:
        look_ahead: Minutes within which somebody busy must be predicted to be free. 0 for idle counsellors only.
        wait_cost: Quality that a minute of waiting for a busy counsellor costs. Default: assumption.
        price: Quality that a minute of service costs.
    """

    look_ahead: float = 5.0
    wait_cost: float = 0.05
    price: float = 0.0
    _clock: StaffClock | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        check_at_least(0.0, look_ahead=self.look_ahead, wait_cost=self.wait_cost, price=self.price)

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Read the roster."""
        del rng
        self._clock = StaffClock.of(scenario)

    def act(self, view: CentreView) -> Pair:
        """The first pair of the best assignment that can be routed now, or HOLD."""
        counsellor, rest = self.slots(view)
        soon = view.staff.risks[counsellor][:, view.waiting.risk].T & (view.waiting.inbox < 0)[:, None]
        eligible = np.where(rest == 0, view.legal[:, counsellor], soon)
        worth = view.quality[:, counsellor] - self.price * view.service_time[:, counsellor] - self.wait_cost * rest
        value = np.rint(UNITS * worth).astype(np.int64)
        for i, k in assign(self.weights(view, value, eligible)):
            if rest[k] == 0:
                return Pair(i, int(counsellor[k]))
        return HOLD

    def slots(self, view: CentreView) -> tuple[Ints, Floats]:
        """Counsellor of each slot, and predicted minutes until it is free: 0 for those free now, longest idle first."""
        if self._clock is None:
            raise RuntimeError("reset the matcher before it acts")
        staff = view.staff
        idle = np.flatnonzero(staff.can_take)
        idle = idle[np.argsort(staff.idle_since[idle], kind="stable")]
        now = np.repeat(idle, (staff.capacity - staff.in_hand)[idle])
        until = self._clock.minutes_until_free(view)
        soon = np.flatnonzero((until <= self.look_ahead) & np.isfinite(until) & (until > 0))
        return np.concatenate([now, soon]), np.concatenate([np.zeros(len(now)), until[soon]])

    @abstractmethod
    def weights(self, view: CentreView, value: Ints, eligible: Bools) -> Ints:
        """`[n, m]` weights of callers and slots."""


@dataclass
class IPMatcher(Matcher):
    """Lexicographic in severity, cardinality and value, see the module."""

    name: str = "ip_matcher"

    def weights(self, view: CentreView, value: Ints, eligible: Bools) -> Ints:
        """See `severity_weights`."""
        return severity_weights(value, eligible, view.waiting.risk)


@dataclass
class Hungarian(Matcher):
    """The assignment with the largest total value, whoever is at risk."""

    name: str = "hungarian"

    def weights(self, view: CentreView, value: Ints, eligible: Bools) -> Ints:
        """See `value_weights`."""
        return value_weights(value, eligible)

"""Index rules that may hold: better nobody now than this pair."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.index_rules import CMT, check_at_least, cmt_index, floored_quality
from agents.selection import best_pair
from agents.soon_idle import StaffClock
from mhgym.domain import Risk
from mhgym.engines.indices import NUM_LEVELS
from mhgym.engines.rules import Rule
from mhgym.policy import Weighed
from mhgym.scenario import Scenario
from mhgym.view import HOLD, Bools, CentreView, Pair

Floats = NDArray[np.float64]


@dataclass
class Waits:
    """What rules share in which a caller waits for a better counsellor who is busy now.

    A pair is passed over if the caller can expect more than `gain` times its quality of a counsellor who is predicted
    to be free within `longest` minutes: that one's predicted quality × 1 / (1 + rest / patience), the chance that an
    exponential patience outlasts an exponential rest with the predicted means.

    Attributes:
        gain: Ratio of qualities worth waiting for.
        longest: Predicted minutes; 0 to wait for nobody.
    """

    gain: float = math.inf
    longest: float = 0.0
    _clock: StaffClock | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        check_at_least(0.0, gain=self.gain, longest=self.longest)

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Read the roster."""
        del rng
        self._clock = StaffClock.of(scenario)

    def not_worth_waiting(self, view: CentreView) -> Bools:
        """`[n, C]` pairs that are not passed over."""
        return self._elsewhere(view)[:, None] <= self.gain * floored_quality(view)

    def _elsewhere(self, view: CentreView) -> Floats:
        """`[n]` the best quality to be expected of somebody busy; -infinite if there is nobody."""
        if self._clock is None:
            raise RuntimeError("reset the policy before it acts")
        rest = self._clock.minutes_until_free(view)
        soon = np.flatnonzero((rest <= self.longest) & np.isfinite(rest))
        if not len(soon) or not self.longest:
            return np.full(len(view.waiting), -np.inf)
        quality = view.quality[:, soon] / (1.0 + rest[soon] / view.waiting.patience[:, None])
        eligible = view.staff.risks[soon][:, view.waiting.risk].T
        return np.max(np.where(eligible, quality, -np.inf), axis=1)


@dataclass
class CMTWait(Waits):
    """CMT, but a caller waits for a better counsellor, see `Waits`. Defaults: assumption."""

    gain: float = 1.5
    longest: float = 10.0
    name: str = "cmt_wait"
    compiled_rule: ClassVar[Rule] = Rule.CMT_WAIT

    @property
    def compiled_params(self) -> tuple[float, ...]:
        """Gain and longest wait."""
        return self.gain, self.longest

    def act(self, view: CentreView) -> Pair:
        """The pair with the largest index of those not passed over, or HOLD."""
        return best_pair(view, self._index(view), among=self.not_worth_waiting(view))

    def weigh(self, view: CentreView) -> Weighed:
        """The indices of the pairs that are not passed over; HOLD where all are."""
        among = self.not_worth_waiting(view)
        hold = None if (view.legal & among).any() else 0.0
        return Weighed.of(view, CMT.measure, self._index(view), among=among, hold=hold)

    def _index(self, view: CentreView) -> Floats:
        return cmt_index(floored_quality(view), view.service_time, view.waiting.patience)


@dataclass
class BestMatch(Waits):
    """The best match first, and none below a threshold that depends on how many counsellors are idle.

    The index of a pair is its predicted quality less a price for the counsellor's time. Under a threshold the last idle
    counsellors are kept for better matches: the more are idle, the lower it should be. A caller may wait, see `Waits`.

    Attributes:
        price: Quality per predicted minute of service. 0 ranks by quality alone.
        thresholds: The least index routed with 1, 2, ... idle counsellors, at most 4 numbers of which the last holds
            for more as well, and the first for none (a request can wait in the inbox of somebody busy); idle is who
            can take something now. Empty for no threshold.
        lapse: Minutes before the horizon from which on there is no threshold, as nobody better is to come.
    """

    price: float = 0.0
    thresholds: Sequence[float] = ()
    lapse: float = 0.0
    name: str = "best_match"
    compiled_rule: ClassVar[Rule] = Rule.BEST_MATCH

    def __post_init__(self) -> None:
        self.thresholds = tuple(map(float, self.thresholds))
        if len(self.thresholds) > NUM_LEVELS:
            raise ValueError(f"thresholds has at most {NUM_LEVELS} levels, got {len(self.thresholds)}")
        if any(map(math.isnan, self.thresholds)):
            raise ValueError(f"thresholds must be numbers, got {self.thresholds}")
        super().__post_init__()
        check_at_least(0.0, price=self.price, lapse=self.lapse)

    @property
    def levels(self) -> tuple[float, ...]:
        """The thresholds with at most 1, with 2, 3 and at least 4 idle counsellors."""
        given = tuple(self.thresholds) or (-math.inf,)
        return given + given[-1:] * (NUM_LEVELS - len(given))

    @property
    def compiled_params(self) -> tuple[float, ...]:
        """Gain, longest wait, price, lapse and thresholds."""
        return self.gain, self.longest, self.price, self.lapse, *self.levels

    def act(self, view: CentreView) -> Pair:
        """The pair with the largest index, or HOLD."""
        index = self._index(view)
        pair = best_pair(view, index, among=self.not_worth_waiting(view))
        return pair if pair != HOLD and index[pair] >= self._threshold(view) else HOLD

    def weigh(self, view: CentreView) -> Weighed:
        """The indices of the pairs that are not passed over, and the threshold as what HOLD is worth."""
        among, least = self.not_worth_waiting(view), self._threshold(view)
        hold = (None if (view.legal & among).any() else 0.0) if math.isinf(least) else least
        measure = "predicted quality" if not self.price else f"predicted quality - {self.price:g} × service"
        return Weighed.of(view, measure, self._index(view), among=among, hold=hold)

    def _index(self, view: CentreView) -> Floats:
        return view.quality - self.price * view.service_time

    def _threshold(self, view: CentreView) -> float:
        """The least index routed now."""
        if view.now >= view.horizon - self.lapse:
            return -math.inf
        idle = int(view.staff.can_take.sum())
        return self.levels[min(max(idle, 1), NUM_LEVELS) - 1]


@dataclass
class ReserveHighRisk:
    """Most at risk first; others only while more than so many free slots could take a contact of high risk.

    Attributes:
        reserve: Slots kept free for high risk. 0 is `MostSevereFirst`.

    Source: trunk reservation, as in Gans, Koole & Mandelbaum (2003), "Telephone call centers: tutorial, review, and
    research prospects".
    """

    reserve: int = 1
    name: str = "reserve_high_risk"
    compiled_rule: ClassVar[Rule] = Rule.RESERVE

    def __post_init__(self) -> None:
        check_at_least(0, reserve=self.reserve)

    @property
    def compiled_params(self) -> tuple[float, ...]:
        """The reserve."""
        return (float(self.reserve),)

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: CentreView) -> Pair:
        """The first of the contacts at most risk that somebody may take, or HOLD."""
        staff, risk = view.staff, view.waiting.risk
        takes_high = staff.risks[:, Risk.HIGH]
        spare = (staff.capacity - staff.in_hand)[staff.can_take & takes_high].sum()
        among = (risk == Risk.HIGH)[:, None] | ~takes_high[None, :] | bool(spare > self.reserve)
        return best_pair(view, risk.astype(np.float64)[:, None], among=among)

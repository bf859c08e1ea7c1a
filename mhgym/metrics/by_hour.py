"""What a service pledge looks like hour by hour of the day: waits, the line, departures and unused slots.

The four questions are the panels A to D of Chiang, Law & Yip (2024). Everything comes from contact records and the
roster; counts and minutes are kept apart, so that replications and days are pooled by adding.
"""

import math
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import ContactLog, Outcome, Roster
from mhgym.domain.contact import Floats
from mhgym.metrics.waits import line_steps, waits

HOURS = 24
_HOUR = 60.0
_DAY = 1440.0


@dataclass(frozen=True)
class HourlyCounts:
    """Counts and minutes by hour of the day; every array is `[24]`, hour 0 begins at minute 0 of each day.

    Attributes:
        queued: Contacts first answered after a wait above 0, by hour of arrival.
        queued_long: Those of them that waited longer than the limit.
        minutes: Minutes observed.
        crowded: Minutes with more than one living contact in line, in the first queue or in transfer.
        left: Contacts that abandoned the first queue, by the hour in which they left.
        slots: Slot-minutes on duty, those closed to new contacts included.
        unused: Slot-minutes on duty with nothing in hand.
        full: Minutes with somebody on duty and no slot unused.
        manned: Minutes with somebody on duty.
    """

    queued: Floats
    queued_long: Floats
    minutes: Floats
    crowded: Floats
    left: Floats
    slots: Floats
    unused: Floats
    full: Floats
    manned: Floats

    def __add__(self, other: Self) -> Self:
        """Pool two observations."""
        return type(self)(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))

    @property
    def long_wait(self) -> Floats:
        """`[24]` panel A: share of the contacts answered from the queue that waited too long; NaN without any."""
        return _ratio(self.queued_long, self.queued)

    @property
    def crowded_share(self) -> Floats:
        """`[24]` panel B: share of the time with more than one in line; NaN in hours not observed."""
        return _ratio(self.crowded, self.minutes)

    @property
    def unused_share(self) -> Floats:
        """`[24]` panel C: share of the slots on duty with nothing in hand; NaN in hours without staff."""
        return _ratio(self.unused, self.slots)

    @property
    def full_share(self) -> Floats:
        """`[24]` share of the time with staff in which no slot is unused; NaN in hours without staff."""
        return _ratio(self.full, self.manned)

    @property
    def left_share(self) -> Floats:
        """`[24]` panel D: which share of all who left the first queue did so in each hour; NaN if nobody left."""
        return _ratio(self.left, np.full(HOURS, self.left.sum()))


def count_by_hour(log: ContactLog, roster: Roster, horizon: float, *, long_wait: float = 10.0) -> HourlyCounts:
    """Count one episode that starts at midnight.

    Args:
        log: Contact records.
        roster: The counsellors that they refer to.
        horizon: Minutes observed.
        long_wait: Longest wait, minutes, that is not too long.

    Raises:
        ValueError: If the horizon is not positive and finite, or the limit is negative.
    """
    if not 0 < horizon < math.inf:
        raise ValueError(f"horizon must be positive and finite minutes, got {horizon}")
    if not long_wait >= 0:
        raise ValueError(f"long_wait must be at least 0 minutes, got {long_wait}")
    waited = waits(log)
    queued = (log.outcome != Outcome.REJECTED) & ~np.isnan(log.answered_at) & (waited > 0)
    edges = np.minimum(_HOUR * np.arange(math.ceil(horizon / _HOUR) + 1), horizon)
    line_times, line = line_steps(log)
    times, on_duty, unused = _slots(log, roster, horizon)
    return HourlyCounts(
        queued=_by_hour(log.arrived_at[queued]),
        queued_long=_by_hour(log.arrived_at[queued & (waited > long_wait)]),
        minutes=_fold(np.diff(edges)),
        crowded=_integral(line_times, line > 1, edges),
        left=_by_hour(log.ended_at[log.outcome == Outcome.ABANDONED]),
        slots=_integral(times, on_duty, edges),
        unused=_integral(times, unused, edges),
        full=_integral(times, (on_duty > 0) & (unused == 0), edges),
        manned=_integral(times, on_duty > 0, edges),
    )


def _slots(log: ContactLog, roster: Roster, horizon: float) -> tuple[Floats, Floats, Floats]:
    """`[k]` times, and from each on the slots on duty and those of them with nothing in hand.

    Whoever works on after sign-out, or through a break, uses no slot that is on duty.
    """
    times, duty, hands = [np.empty(0)], [np.empty(0)], [np.empty(0)]
    for index, (person, intervals) in enumerate(zip(roster, roster.staffed_intervals(horizon), strict=True)):
        own = log.leg_counsellor == index
        starts, ends = log.leg_start[own], log.leg_end[own]
        for begin, finish in intervals:
            inside = (starts < finish) & (ends > begin)
            into, out = np.maximum(starts[inside], begin), np.minimum(ends[inside], finish)
            edge = np.array([begin, finish])
            times += [edge, into, out]
            duty += [person.capacity * np.array([1.0, -1.0]), np.zeros(2 * inside.sum())]
            hands += [np.zeros(2), np.ones(inside.sum()), -np.ones(inside.sum())]
    when = np.concatenate(times)
    order = np.argsort(when, kind="stable")
    on_duty = np.cumsum(np.concatenate(duty)[order])
    return when[order], on_duty, on_duty - np.cumsum(np.concatenate(hands)[order])


def _integral(times: Floats, values: Floats | NDArray[np.bool_], edges: Floats) -> Floats:
    """`[24]` the integral of a step function, `values[k]` from `times[k]` on and 0 at both ends, by hour of the day."""
    if not len(times):
        return np.zeros(HOURS)
    below = np.concatenate([[0.0], np.cumsum(values[:-1] * np.diff(times))])
    return _fold(np.diff(np.interp(edges, times, below)))


def _fold(by_hour: Floats) -> Floats:
    """`[24]` sums over the days of `[H]` hours from midnight."""
    return np.bincount(np.arange(len(by_hour)) % HOURS, weights=by_hour, minlength=HOURS).astype(np.float64)


def _by_hour(times: Floats) -> Floats:
    """`[24]` how many times lie in each hour of the day."""
    hours = (times % _DAY // _HOUR).astype(np.int64)
    return np.bincount(hours, minlength=HOURS).astype(np.float64)


def _ratio(part: Floats, whole: Floats) -> Floats:
    ratio = np.full(len(whole), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio

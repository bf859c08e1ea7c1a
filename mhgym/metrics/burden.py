"""The burden on counsellors, kept account by account as contacts come into hand and leave it.

Burden is our construct, not a validated scale. For counsellor j with `staffed_j` minutes on duty,

    b_j = max(0, occupancy_j - 0.85)^2 + (excess_j + overtime_j + multi_j) / staffed_j,    burden = -mean_j b_j,

and b_j = 0 for a counsellor who is never staffed. The reward feeds one meter while the episode runs, the KPIs feed
another from the records, and both read the same number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mhgym.domain.contact import Floats
from mhgym.domain.counsellor import Interval

Totals = tuple[float, float, float, float, float]  # busy, busy while staffed, excess, multi, longest streak


@dataclass(frozen=True)
class BurdenRule:
    """Constants of the burden. Assumptions of this project: nobody published or validated them.

    Args:
        occupancy_threshold: Share of staffed time in contact above which load starts to weigh.
        streak_minutes: Minutes of an unbroken streak that are free of burden.
        pause_minutes: Shortest pause, with nothing in hand, that breaks a streak.

    Raises:
        ValueError: If a constant is out of its range.
    """

    occupancy_threshold: float = 0.85
    streak_minutes: float = 90.0
    pause_minutes: float = 5.0

    def __post_init__(self) -> None:
        if not 0 <= self.occupancy_threshold <= 1:
            raise ValueError(f"occupancy_threshold must lie in [0, 1], got {self.occupancy_threshold}")
        if not self.streak_minutes >= 0:
            raise ValueError(f"streak_minutes must be at least 0, got {self.streak_minutes}")
        if not self.pause_minutes > 0:
            raise ValueError(f"pause_minutes must be positive, got {self.pause_minutes}")


@dataclass(frozen=True)
class BurdenAccounts:
    """The accounts of all counsellors at one time; every array is `[C]`, minutes unless it says otherwise.

    Attributes:
        occupancy: Share of staffed minutes with a contact in hand; 0 if never staffed.
        overtime: Busy outside the staffed intervals.
        streak_excess: Busy later than `streak_minutes` after the start of an unbroken streak.
        longest_streak: From the start of the longest streak to its last busy minute, short pauses included.
        multi_high_risk: With more than one high-risk contact in hand.
        busy: With at least one contact in hand.
        busy_staffed: Busy inside the staffed intervals.
        staffed: On duty, over the whole episode.
        b: Burden of each counsellor (no unit), at least 0.
    """

    occupancy: Floats
    overtime: Floats
    streak_excess: Floats
    longest_streak: Floats
    multi_high_risk: Floats
    busy: Floats
    busy_staffed: Floats
    staffed: Floats
    b: Floats


class _Account:
    """One counsellor's minutes, settled up to `settled_at`; whatever is in hand since then is still open."""

    __slots__ = (
        "busy_until", "contacts", "ends", "high_risk", "pointer", "settled_at", "staffed", "starts", "streak_start",
        "totals",
    )  # fmt: skip

    def __init__(self, intervals: Sequence[Interval]) -> None:
        self.starts = [start for start, _ in intervals]
        self.ends = [end for _, end in intervals]
        self.staffed = sum(end - start for start, end in intervals)
        self.pointer = 0  # first interval that ends after settled_at
        self.contacts = 0
        self.high_risk = 0
        self.settled_at = -math.inf
        self.busy_until = -math.inf
        self.streak_start = -math.inf
        self.totals: Totals = (0.0, 0.0, 0.0, 0.0, 0.0)

    def projected(self, now: float, rule: BurdenRule) -> Totals:
        """The totals if the account were settled at `now`; changes nothing."""
        begin = self.settled_at
        if not self.contacts or now <= begin:
            return self.totals
        busy, inside, excess, multi, longest = self.totals
        inside += self._staffed_between(begin, now)
        streak = now - self.streak_start
        if streak > rule.streak_minutes:
            excess += min(now - begin, streak - rule.streak_minutes)
        if self.high_risk > 1:
            multi += now - begin
        return busy + now - begin, inside, excess, multi, max(longest, streak)

    def _staffed_between(self, begin: float, end: float) -> float:
        """Staffed minutes from `begin`, not before `settled_at`, to `end`."""
        starts, ends, index = self.starts, self.ends, self.pointer
        if index < len(starts) and starts[index] <= begin and end <= ends[index]:  # the usual case, fast
            return end - begin
        minutes = 0.0
        while index < len(starts) and starts[index] < end:
            minutes += max(0.0, min(end, ends[index]) - max(begin, starts[index]))
            index += 1
        return minutes

    def settle(self, now: float, rule: BurdenRule) -> None:
        """Book the open minutes up to `now`."""
        if self.contacts and now > self.settled_at:
            self.totals = self.projected(now, rule)
            self.busy_until = now
        self.settled_at = now
        ends, index = self.ends, self.pointer
        while index < len(ends) and ends[index] <= now:
            index += 1
        self.pointer = index

    def burden(self, totals: Totals, rule: BurdenRule) -> float:
        """`b_j` for these totals."""
        staffed = self.staffed
        if not staffed:
            return 0.0
        busy, inside, excess, multi, _ = totals
        penalty = (excess + max(0.0, busy - inside) + multi) / staffed
        above = min(1.0, inside / staffed) - rule.occupancy_threshold
        return penalty + above * above if above > 0 else penalty


class BurdenMeter:
    """Exact running account of the burden, cheap enough to be fed at every event of an engine.

    A contact is in hand from the start of a leg of service to the end of its wrap-up, or while a zombie is open; it is
    a high-risk contact if its caller's risk is high, whatever the kind of the leg. The order of changes at one instant
    does not matter, as long as no count falls below 0 on the way.

    Args:
        staffed_intervals: For each counsellor the minutes on duty, in order and disjoint, over the whole episode.
        until: Minute at which all accounts close; nothing later counts.
        rule: Constants of the burden.

    Raises:
        ValueError: If there is no counsellor, or intervals are out of order, or `until` is NaN.
    """

    def __init__(
        self,
        staffed_intervals: Sequence[Sequence[Interval]],
        until: float = math.inf,
        rule: BurdenRule = BurdenRule(),
    ) -> None:
        if not staffed_intervals:
            raise ValueError("a burden meter needs at least one counsellor, got 0")
        if math.isnan(until):
            raise ValueError(f"until must be a number of minutes, got {until}")
        for intervals in staffed_intervals:
            _check_intervals(intervals)
        self._until = until
        self._rule = rule
        self._accounts = [
            _Account([(start, min(end, until)) for start, end in intervals if start < min(end, until)])
            for intervals in staffed_intervals
        ]
        self._settled = [0.0] * len(self._accounts)  # b_j at the last change of j
        self._busy: dict[int, _Account] = {}
        self._clock = -math.inf

    def change(self, counsellor: int, now: float, contacts: int, high_risk: int) -> None:
        """Put contacts into a counsellor's hands, or take them out.

        Args:
            counsellor: Index of the counsellor.
            now: Time in minutes; it never decreases for one counsellor.
            contacts: Change of the number of contacts in hand.
            high_risk: Change of the number of high-risk contacts in hand.

        Raises:
            IndexError: If there is no such counsellor.
            ValueError: If time runs back, or the counts would not satisfy 0 <= high-risk <= contacts.
        """
        if not 0 <= counsellor < len(self._accounts):
            raise IndexError(f"counsellor must lie in 0 to {len(self._accounts) - 1}, got {counsellor}")
        account = self._accounts[counsellor]
        now = min(now, self._until)  # in this order a NaN stays a NaN and is refused
        if not account.settled_at <= now < math.inf:
            raise ValueError(
                f"time never runs back and is finite: counsellor {counsellor} stands at {account.settled_at} minutes, "
                f"got {now}"
            )
        in_hand, high = account.contacts + contacts, account.high_risk + high_risk
        if not 0 <= high <= in_hand:
            raise ValueError(
                f"counsellor {counsellor} must hold 0 <= high-risk <= contacts, got {high} high-risk of {in_hand} "
                f"contacts at {now} minutes"
            )
        account.settle(now, self._rule)
        if account.contacts:
            self._settled[counsellor] = account.burden(account.totals, self._rule)
        if in_hand and not account.contacts:
            if now - account.busy_until >= self._rule.pause_minutes:
                account.streak_start = now
            self._busy[counsellor] = account
        elif account.contacts and not in_hand:
            del self._busy[counsellor]
        account.contacts, account.high_risk = in_hand, high
        self._clock = max(self._clock, now)

    def value(self, now: float) -> float:
        """The burden KPI, at most 0, if all accounts were settled at `now`; changes nothing.

        Args:
            now: Time in minutes, not before the last change.

        Raises:
            ValueError: If `now` lies before the last change, or is infinite while contacts are in hand.
        """
        now = self._check_now(now)
        total = sum(self._settled)
        for counsellor, account in self._busy.items():
            total += account.burden(account.projected(now, self._rule), self._rule) - self._settled[counsellor]
        return min(0.0, -total / len(self._accounts))

    def per_counsellor(self, now: float) -> BurdenAccounts:
        """The accounts of all counsellors if they were settled at `now`; changes nothing.

        Raises:
            ValueError: As `value`.
        """
        now = self._check_now(now)
        totals = [account.projected(now, self._rule) for account in self._accounts]
        busy, inside, excess, multi, longest = np.array(totals, dtype=np.float64).T
        staffed = np.array([account.staffed for account in self._accounts], dtype=np.float64)
        occupancy = np.divide(inside, staffed, out=np.zeros_like(staffed), where=staffed > 0)
        pairs = zip(self._accounts, totals, strict=True)
        return BurdenAccounts(
            occupancy=np.minimum(1.0, occupancy),
            overtime=np.maximum(0.0, busy - inside),
            streak_excess=excess,
            longest_streak=longest,
            multi_high_risk=multi,
            busy=busy,
            busy_staffed=inside,
            staffed=staffed,
            b=np.array([account.burden(row, self._rule) for account, row in pairs], dtype=np.float64),
        )

    def _check_now(self, now: float) -> float:
        """`now` cut at `until`, refused if the accounts cannot be settled then."""
        now = min(now, self._until)  # in this order a NaN stays a NaN and is refused
        if not now >= self._clock:
            raise ValueError(f"accounts cannot be settled before the last change at {self._clock} minutes, got {now}")
        if math.isinf(now) and self._busy:
            raise ValueError(f"accounts with contacts in hand need a finite time, got {now}")
        return now


def _check_intervals(intervals: Sequence[Interval]) -> None:
    """Refuse intervals that are not in order and disjoint."""
    previous = -math.inf
    for start, end in intervals:
        if not previous <= start <= end < math.inf:
            raise ValueError(f"staffed intervals must be finite, in order and disjoint, got {start} to {end}")
        previous = end

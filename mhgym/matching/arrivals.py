"""When people make themselves known during the week, and the week in which they do.

The report matches once, with everybody known. Everything here about time is therefore an assumption of ours. Time is
minutes since Monday 00:00 on the centre's clock; slots start on the hour.
"""

from dataclasses import dataclass, field, replace
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mhgym.matching.generator import CALIBRATED, WeekGenerator
from mhgym.matching.people import People, Week
from mhgym.matching.week import BLOCKS, DAYS, OPENING_HOUR, SLOTS

Floats = NDArray[np.float64]
_Kind = TypeVar("_Kind", bound=People)

HOUR, DAY = 60.0, 1440.0  # minutes, by definition
HORIZON = DAYS * DAY
#: `[T]` minute at which each slot starts.
STARTS: Floats = np.arange(SLOTS) // BLOCKS * DAY + (OPENING_HOUR + np.arange(SLOTS) % BLOCKS) * HOUR
STARTS.setflags(write=False)


class ArrivalLaw(Protocol):
    """Draws when people make themselves known."""

    def sample(self, size: int, rng: np.random.Generator) -> Floats:
        """`[size]` minutes in [0, HORIZON], in any order."""
        ...


@dataclass(frozen=True)
class AtStart:
    """Everybody is known when the week begins, as in the report."""

    def sample(self, size: int, rng: np.random.Generator) -> Floats:
        """See `ArrivalLaw.sample`."""
        return np.zeros(size)


@dataclass(frozen=True)
class UniformArrivals:
    """At any minute of the week with equal chance."""

    def sample(self, size: int, rng: np.random.Generator) -> Floats:
        """See `ArrivalLaw.sample`."""
        return rng.uniform(0.0, HORIZON, size)


@dataclass(frozen=True)
class RushArrivals:
    """A rush that decays after a disaster at the start of the week: exponential, given that it is within the week.

    Attributes:
        mean: Minutes, before the law is cut off at the end of the week; two days (assumption).

    Raises:
        ValueError: If the mean is not positive.
    """

    mean: float = 2 * DAY

    def __post_init__(self) -> None:
        if not self.mean > 0:
            raise ValueError(f"the mean of a rush must be positive, got {self.mean}; use AtStart for everybody at once")

    def sample(self, size: int, rng: np.random.Generator) -> Floats:
        """See `ArrivalLaw.sample`."""
        within = -np.expm1(-HORIZON / self.mean)
        minutes: Floats = -self.mean * np.log1p(-within * rng.random(size))
        return np.minimum(minutes, HORIZON)


@dataclass(frozen=True, eq=False)
class ArrivingWeek:
    """A week with the times at which people make themselves known, in order: all chance of an episode.

    Attributes:
        week: Everybody.
        patient_at: `[P]` minutes, not decreasing.
        volunteer_at: `[V]` minutes, not decreasing.

    Raises:
        ValueError: If times are not one for each person, outside the week, or not in order.
    """

    week: Week
    patient_at: Floats
    volunteer_at: Floats

    def __post_init__(self) -> None:
        for name, people in (("patient_at", self.week.patients), ("volunteer_at", self.week.volunteers)):
            at = getattr(self, name)
            if at.shape != (len(people),):
                raise ValueError(f"{name} must have one time for each of {len(people)} people, got shape {at.shape}")
            wrong = np.flatnonzero(~((at >= 0.0) & (at <= HORIZON)))
            if len(wrong):
                raise ValueError(
                    f"{name} must lie within the week, 0 to {HORIZON:g} minutes, got {at[wrong[0]]} for "
                    f"{people.ids[wrong[0]]!r}"
                )
            if (np.diff(at) < 0).any():
                raise ValueError(f"{name} must not decrease; use ArrivingWeek.in_order to sort the people by time")

    @classmethod
    def in_order(cls, week: Week, patient_at: Floats, volunteer_at: Floats) -> Self:
        """Sort people by the time of their arrival; equal times keep their order."""
        first, second = np.argsort(patient_at, kind="stable"), np.argsort(volunteer_at, kind="stable")
        ordered = replace(week, patients=week.patients.take(first), volunteers=week.volunteers.take(second))
        return cls(ordered, patient_at[first], volunteer_at[second])


@dataclass(frozen=True)
class Relief:
    """The online problem: who comes, when, and what may be offered.

    Attributes:
        generator: Of the people; their number is fixed.
        patient_arrivals: When patients come.
        volunteer_arrivals: When volunteers come, independently.
        notice: Minutes before its start by which a slot must have been offered (assumption).
        review_interval: Minutes from one decision epoch without an arrival to the next, the first at minute 0; the
            start of each day by default (assumption), None for arrivals only.
        most_offers: The report's k, offers a patient may have. Offers are not refused and hold the volunteer's hour.

    Raises:
        ValueError: If a number is out of range.
    """

    generator: WeekGenerator = CALIBRATED
    patient_arrivals: ArrivalLaw = field(default_factory=RushArrivals)
    volunteer_arrivals: ArrivalLaw = field(default_factory=RushArrivals)
    notice: float = HOUR
    review_interval: float | None = DAY
    most_offers: int = 1

    def __post_init__(self) -> None:
        if not self.notice >= 0.0:
            raise ValueError(f"notice must be at least 0 minutes, got {self.notice}")
        if self.review_interval is not None and not self.review_interval >= 1.0:
            raise ValueError(f"review_interval must be at least 1 minute, or None for none, got {self.review_interval}")
        if self.most_offers < 1:
            raise ValueError(f"most_offers must be at least 1, got {self.most_offers}")

    def sample(self, rng: np.random.Generator | int) -> ArrivingWeek:
        """Draw a week from a generator or a seed; people are numbered in the order in which they come."""
        rng = np.random.default_rng(rng)
        week = self.generator.sample(rng)
        patient_at = np.sort(self.patient_arrivals.sample(len(week.patients), rng))
        return ArrivingWeek(week, patient_at, np.sort(self.volunteer_arrivals.sample(len(week.volunteers), rng)))

    def hindsight(self, arriving: ArrivingWeek) -> Week:
        """The week as it could be matched by one who knew it all: slots that people came too late for are not free.

        Whatever two people have in common here can be offered at the decision epoch of the later one's arrival, so its
        optimum is the best that any policy can reach.
        """
        week = arriving.week
        return replace(
            week,
            patients=self._in_time(week.patients, arriving.patient_at),
            volunteers=self._in_time(week.volunteers, arriving.volunteer_at),
        )

    def _in_time(self, people: _Kind, arrived_at: Floats) -> _Kind:
        """People without the slots of which they came too late; their clock is the centre's from here on."""
        free = people.slots & (STARTS - self.notice >= arrived_at[:, None])
        return replace(people, free=free, zone=np.zeros_like(people.zone))

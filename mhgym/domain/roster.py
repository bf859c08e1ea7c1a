"""The counsellors of one scenario and when they are on duty."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mhgym.domain.counsellor import Counsellor, Interval


@dataclass(frozen=True)
class Roster:
    """The counsellors, in the order of their ids (`C` of them).

    Raises:
        ValueError: If there is nobody on it.
    """

    counsellors: tuple[Counsellor, ...]

    def __post_init__(self) -> None:
        if not self.counsellors:
            raise ValueError(
                "a roster needs at least one counsellor, got 0; a centre without staff has one without shifts"
            )

    def __len__(self) -> int:
        return len(self.counsellors)

    def __iter__(self) -> Iterator[Counsellor]:
        return iter(self.counsellors)

    def names(self) -> tuple[str, ...]:
        """A label for each counsellor: the given name, or role and index."""
        return tuple(
            person.name or f"{person.role.name.lower()}_{index}" for index, person in enumerate(self.counsellors)
        )

    def staffed_intervals(self, until: float = math.inf) -> tuple[tuple[Interval, ...], ...]:
        """For each counsellor the minutes on duty without breaks, cut at `until`."""
        return tuple(
            tuple(interval for shift in person.shifts for interval in shift.staffed_intervals(until))
            for person in self.counsellors
        )

    def staffed_minutes(self, until: float = math.inf) -> NDArray[np.float64]:
        """`[C]` minutes on duty without breaks, up to `until`."""
        return np.array(
            [sum(end - start for start, end in intervals) for intervals in self.staffed_intervals(until)],
            dtype=np.float64,
        )

    def new(self) -> NDArray[np.bool_]:
        """`[C]` whether each counsellor is new, if only for a time."""
        return np.array([person.new for person in self.counsellors], dtype=np.bool_)

    def new_until(self) -> NDArray[np.float64]:
        """`[C]` minute up to which each counsellor is new: minus infinity for those who never are."""
        return np.array([person.new_until if person.new else -math.inf for person in self.counsellors])

    def new_minutes(self, until: float = math.inf) -> NDArray[np.float64]:
        """`[C]` minutes on duty without breaks, up to `until`, while each counsellor was new."""
        ends = np.minimum(self.new_until(), until).tolist()
        return np.array(
            [
                sum(interval[1] - interval[0] for shift in person.shifts for interval in shift.staffed_intervals(end))
                for person, end in zip(self.counsellors, ends, strict=True)
            ],
            dtype=np.float64,
        )

    def new_share_of_time(self, until: float = math.inf) -> float:
        """Share that new counsellors have of the minutes on duty, up to `until`, of those who answer; 0 without any."""
        answers = self.answers()
        staffed = self.staffed_minutes(until)[answers].sum()
        return float(self.new_minutes(until)[self.new() & answers].sum() / staffed) if staffed else 0.0

    @property
    def has_inboxes(self) -> bool:
        """Whether contacts wait for a person, and not in one queue for all."""
        return any(person.inbox for person in self.counsellors)

    def answers(self) -> NDArray[np.bool_]:
        """`[C]` who answers contacts: where there are inboxes those who have one, elsewhere everybody."""
        return (self.inboxes() > 0) | (not self.has_inboxes)

    def inboxes(self) -> NDArray[np.int64]:
        """`[C]` contacts that may wait for each counsellor."""
        return np.array([person.inbox for person in self.counsellors], dtype=np.int64)

    def roles(self) -> NDArray[np.int64]:
        """`[C]` the code of each counsellor's `Role`."""
        return np.array([int(person.role) for person in self.counsellors], dtype=np.int64)

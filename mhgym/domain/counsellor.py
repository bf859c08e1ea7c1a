"""A counsellor: role, capacity, shifts and breaks, the risks they may take."""

import math
from dataclasses import dataclass, field
from enum import IntEnum

from mhgym.domain.caller import Risk

Interval = tuple[float, float]


class Role(IntEnum):
    """The counsellor's position in the centre."""

    VOLUNTEER = 0
    FULL_TIME = 1
    DUTY_OFFICER = 2
    THERAPIST = 3


ROLES = tuple(member.name.lower() for member in Role)


@dataclass(frozen=True)
class Shift:
    """One stretch of duty of one counsellor, in minutes from the start of the episode.

    Args:
        start: Sign-in.
        end: Sign-out.
        breaks: Intervals away from the queue, in order, inside the shift.
        closed: Intervals on duty in which nothing new is taken; the cut-off before sign-out is not listed here.
        cutoff: Minutes before sign-out in which nothing new is taken, where it differs from the centre's rule.
    """

    start: float
    end: float
    breaks: tuple[Interval, ...] = ()
    closed: tuple[Interval, ...] = ()
    cutoff: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.end) and self.start < self.end):
            raise ValueError(f"a shift must end after it starts, got start {self.start} and end {self.end} minutes")
        if self.start < 0:
            raise ValueError(f"a shift cannot start before minute 0 of the episode, got {self.start}")
        previous = self.start
        for begin, finish in self.breaks:
            if not previous <= begin < finish <= self.end:
                raise ValueError(
                    f"breaks must lie in order inside the shift {self.start} to {self.end}, got {begin} to {finish}"
                )
            previous = finish
        for begin, finish in self.closed:
            if not begin < finish:
                raise ValueError(f"a closed interval must end after it starts, got {begin} to {finish}")
        if self.cutoff is not None and not self.cutoff >= 0:
            raise ValueError(f"a shift's cutoff must be at least 0 minutes, got {self.cutoff}")

    def staffed_intervals(self, until: float = math.inf) -> tuple[Interval, ...]:
        """The shift without its breaks, cut at `until` minutes."""
        edges = [self.start, *(edge for pause in self.breaks for edge in pause), self.end]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return tuple((begin, min(finish, until)) for begin, finish in pairs if begin < min(finish, until))


@dataclass(frozen=True)
class Counsellor:
    """A person who helps.

    Args:
        role: Position in the centre.
        shifts: Stretches of duty in order, not overlapping.
        capacity: Concurrent contacts that this one person can hold.
        risks: Levels of risk that they may take.
        new: Whether they count as new to the service (fairness).
        name: Label in tables and pictures; empty means role and index.
        new_until: Minute of the episode at which they count no more, if they are new.
        inbox: Contacts that may wait for this one person; 0 for none. In a centre where somebody has an inbox, those
            without one answer nobody: they bridge the wait of contacts in inboxes.
    """

    role: Role
    shifts: tuple[Shift, ...]
    capacity: int = 1
    risks: frozenset[Risk] = field(default_factory=lambda: frozenset(Risk))
    new: bool = False
    name: str = ""
    new_until: float = math.inf
    inbox: int = 0

    def __post_init__(self) -> None:
        if self.capacity < 1:
            raise ValueError(f"a counsellor's capacity must be at least 1 contact, got {self.capacity}")
        if not self.risks:
            raise ValueError("a counsellor must be eligible for at least one level of risk, got none")
        if self.inbox < 0:
            raise ValueError(f"a counsellor's inbox must have room for at least 0 contacts, got {self.inbox}")
        if not self.new_until > 0:
            raise ValueError(f"new_until must be a minute after 0, got {self.new_until}")
        if not self.new and self.new_until < math.inf:
            raise ValueError(f"only somebody new has a new_until, got {self.new_until} minutes and new=False")
        for earlier, later in zip(self.shifts, self.shifts[1:], strict=False):
            if later.start < earlier.end:
                raise ValueError(
                    f"a counsellor's shifts must be in order and not overlap, "
                    f"got one until {earlier.end} and one from {later.start} minutes"
                )

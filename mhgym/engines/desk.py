"""The state of one counsellor in the reference engine."""

import math
from dataclasses import dataclass, field

from mhgym.domain import Counsellor, LegKind, Shift
from mhgym.scenario import Scenario
from mhgym.view import Phase


@dataclass(slots=True)
class Hand:
    """A contact in hand: the leg of service, zombie or bridge that began at `started_at`, and when it will be over.

    `service_end` is the end of service (or of opening a zombie, or of a bridge), `end` that of the wrap-up behind it.
    """

    contact: int
    kind: LegKind
    started_at: float
    service_end: float
    end: float
    predicted: float

    def phase(self, now: float) -> Phase:
        """What the counsellor does with it at `now`."""
        if self.kind != LegKind.SERVICE:
            return Phase(self.kind)
        return Phase.SERVICE if now < self.service_end else Phase.WRAP_UP


@dataclass(slots=True)
class Desk:
    """One counsellor during an episode.

    Attributes:
        index: Id of the counsellor.
        person: Who it is.
        shift: Number of the present or last shift; -1 before the first.
        on_duty: Signed in.
        on_break: Away.
        back_at: End of a break under way.
        break_due: Minutes of a break that waits until nothing is in hand.
        hands: Contacts in hand, by contact.
        free: Minutes at which each free slot became free, longest idle first; empty off duty and on a break.
        chats: Living contacts taken since sign-in.
        taken: Living contacts taken since the start of the episode.
        busy_since: Minute since which something has been in hand.
        takes_until: Minute from which nothing new is taken in this shift.
        closed: Intervals of this shift in which nothing new is taken either.
        pending: Contacts of the inbox, those whose wait is being bridged among them.
    """

    index: int
    person: Counsellor
    shift: int = -1
    on_duty: bool = False
    on_break: bool = False
    back_at: float = math.nan
    break_due: float = 0.0
    hands: dict[int, Hand] = field(default_factory=dict)
    free: list[float] = field(default_factory=list)
    chats: int = 0
    taken: int = 0
    busy_since: float = math.nan
    takes_until: float = -math.inf
    closed: tuple[tuple[float, float], ...] = ()
    pending: int = 0

    def present_shift(self) -> Shift:
        """The shift under way."""
        return self.person.shifts[self.shift]

    def begin_shift(self, number: int, scenario: Scenario) -> None:
        """Make a shift the present one and set until when it takes something new."""
        self.shift = number
        shift = self.present_shift()
        cutoff = scenario.rules.cutoff if shift.cutoff is None else shift.cutoff
        stays = scenario.rules.closing == "drain" and shift.end >= scenario.horizon
        self.takes_until = math.inf if stays else shift.end - cutoff
        self.closed = shift.closed

    def free_slots(self, now: float) -> list[float]:
        """Slots that become free at `now` when the counsellor starts or resumes."""
        return [now] * (self.person.capacity - len(self.hands))

    def can_take(self, now: float) -> bool:
        """Whether something new can be taken now."""
        return bool(self.free) and self.break_due == 0.0 and self._is_open(now)

    def room(self, now: float) -> int:
        """Further contacts that the inbox takes now."""
        return max(0, self.person.inbox - self.pending) if self.on_duty and self._is_open(now) else 0

    def _is_open(self, now: float) -> bool:
        return now < self.takes_until and not (self.closed and any(begin <= now < end for begin, end in self.closed))

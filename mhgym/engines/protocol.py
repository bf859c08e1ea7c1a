"""What every engine offers, and the order of simultaneous events."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from mhgym.domain import ContactLog
from mhgym.trace import Trace
from mhgym.view import CentreView, Phase


class EventKind(IntEnum):
    """Kinds of events; simultaneous ones happen in this order, then by id of contact or counsellor."""

    WRAP_UP_END = 0
    RETURN = 1
    SIGN_IN = 2
    ARRIVAL = 3
    ABANDONMENT = 4
    BREAK_START = 5
    SIGN_OUT = 6
    REVIEW = 7
    ASSIGNMENT = 8  # never scheduled: the record of a decision
    PICK_UP = 9  # never scheduled: somebody takes a contact out of the own inbox


#: One line of an engine's event record: minute, kind, contact or counsellor, counsellor of the last two kinds or -1.
EventRecord = tuple[float, EventKind, int, int]


@dataclass
class Tally:
    """Running counts behind the reward; an answered contact that is transferred is taken back.

    Attributes:
        answered: Contacts answered and not sent back.
        feedback: Sum of their feedback, each scaled to [0, 1].
        answered_by_new: Those held by new counsellors.
    """

    answered: int = 0
    feedback: float = 0.0
    answered_by_new: int = 0


@dataclass(frozen=True)
class KnownWaiting:
    """A contact that waits when a planner's future begins: its row in the trace and its realised rest.

    `remaining` and `predicted_rest` are true and predicted minutes of service left after a transfer, else NaN; `inbox`
    is whose it waits in, -1 for nobody's, and `bridges` how often its wait has been bridged.
    """

    contact: int
    joined_at: float
    transferred: bool
    zombie: bool
    leaves_at: float
    remaining: float
    predicted_rest: float
    inbox: int
    bridges: int


@dataclass(frozen=True)
class KnownHand:
    """A contact in hand when a planner's future begins. `service_end` equals `end` for a zombie and a bridge."""

    contact: int
    counsellor: int
    phase: Phase
    started_at: float
    service_end: float
    end: float
    predicted: float
    inbox: int
    bridges: int


@dataclass(frozen=True)
class Situation:
    """Where a planner's future begins; the trace's first contacts are those that are known.

    Attributes:
        now: Minute of the epoch.
        waiting: Contacts in the queue, in its order.
        in_hand: Contacts in hand.
        chats: `[C]` contacts taken since sign-in.
        taken: `[C]` contacts taken since the start.
        on_duty: `[C]` signed in.
        off_at: `[C]` minute of sign-out, NaN off duty.
        back_at: `[C]` end of a break under way, NaN otherwise.
        break_due: `[C]` minutes of a break that waits, 0 for none.
        idle_since: `[C]` minute at which the longest-idle free slot became free.
        busy_since: `[C]` minute since which something has been in hand, NaN otherwise.
        arrivals: Arrival minutes of all visits so far.
    """

    now: float
    waiting: tuple[KnownWaiting, ...] = ()
    in_hand: tuple[KnownHand, ...] = ()
    chats: tuple[int, ...] = ()
    taken: tuple[int, ...] = ()
    on_duty: tuple[bool, ...] = ()
    off_at: tuple[float, ...] = ()
    back_at: tuple[float, ...] = ()
    break_due: tuple[float, ...] = ()
    idle_since: tuple[float, ...] = ()
    busy_since: tuple[float, ...] = ()
    arrivals: tuple[float, ...] = ()

    @property
    def known(self) -> tuple[KnownWaiting | KnownHand, ...]:
        """All contacts that wait or are in hand."""
        return (*self.waiting, *self.in_hand)


class Meter(Protocol):
    """The running burden of a centre."""

    def value(self, now: float) -> float:
        """The burden KPI if nothing more were to happen after `now`."""
        ...


class Engine(Protocol):
    """Runs one trace of one scenario, asking for decisions at epochs."""

    @property
    def now(self) -> float:
        """Minute of the episode."""
        ...

    @property
    def settled_at(self) -> float:
        """Minute up to which the accounts of load are known: now, or the last wrap-up after a cut."""
        ...

    @property
    def tally(self) -> Tally:
        """Running counts of what has been answered."""
        ...

    @property
    def meter(self) -> Meter:
        """Running accounts of the counsellors' load."""
        ...

    def reset(self, trace: Trace) -> None:
        """Begin an episode from an empty centre."""
        ...

    def advance(self) -> bool:
        """Run to the next decision epoch; False when the episode is over."""
        ...

    def view(self) -> CentreView:
        """What can be known at this epoch."""
        ...

    def assign(self, row: int, counsellor: int) -> bool:
        """Give a waiting contact (row of the view) to a counsellor; False, and nothing happens, if that is illegal."""
        ...

    def hold(self) -> None:
        """Leave everybody waiting until the next epoch."""
        ...

    def log(self) -> ContactLog:
        """The contact records of an episode that is over."""
        ...

    def kpis(self) -> dict[str, float]:
        """The KPIs of an episode that is over, see `metrics.GLOSSARY`."""
        ...

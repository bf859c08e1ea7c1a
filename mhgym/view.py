"""What a dispatcher can know at a decision epoch, and nothing else.

A view holds copies: no engine, trace or seed can be reached from it. Predictions are the models' outputs; whether a
waiting contact is still there (`zombies: kept`), true patience, true durations and future arrivals are not in it.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Pair(NamedTuple):
    """A decision: the row of a waiting contact in the view, and the index of a counsellor."""

    row: int
    counsellor: int


#: The decision to leave everybody waiting until the next epoch.
HOLD = Pair(-1, -1)


class Phase(IntEnum):
    """What a counsellor is doing with a contact in hand."""

    SERVICE = 0
    WRAP_UP = 1
    ZOMBIE = 2
    BRIDGE = 3


@dataclass(frozen=True)
class Waiting:
    """Contacts that stand in the queue, in the order in which they joined it; all arrays `[n, ...]`.

    Attributes:
        contact: Running number of the visit.
        arrived_at: Arrival minute.
        joined_at: Minute at which the contact joined the queue, later than arrival after a transfer.
        transferred: Whether it was answered before.
        caller_type: Codes of `CallerType`.
        risk: Codes of `Risk`.
        attributes: `[n, 3]` codes, see `processes.population.Callers`.
        patience: Predicted minutes that the caller would wait in all.
        remaining: Predicted remaining minutes of service of a transferred contact; NaN for the others.
        inbox: Counsellor in whose inbox the contact waits; -1 for nobody's.
        bridges: Times that its wait has been bridged.
    """

    contact: Ints
    arrived_at: Floats
    joined_at: Floats
    transferred: Bools
    caller_type: Ints
    risk: Ints
    attributes: Ints
    patience: Floats
    remaining: Floats
    inbox: Ints
    bridges: Ints

    def __len__(self) -> int:
        return len(self.contact)


@dataclass(frozen=True)
class Staff:
    """The counsellors; all arrays `[C]` unless another shape is given.

    Attributes:
        role: Codes of `Role`.
        new: Whether new to the service now.
        capacity: Concurrent contacts.
        risks: `[C, 3]` whether each level of risk may be taken.
        on_duty: Signed in.
        on_break: Away within the shift.
        can_take: Whether something new can be taken now: on duty, free capacity, not closed to new contacts.
        in_hand: Contacts in hand.
        chats: Contacts taken since sign-in; fatigue grows with them.
        taken: Living contacts taken since the start of the episode.
        idle_since: Minute at which the longest-idle free slot became free; NaN with no free slot or off duty.
        busy_since: Minute since which something has been in hand; NaN if nothing is.
        off_at: Minute of the end of the present shift; NaN off duty.
        back_at: Minute at which a break under way ends; NaN otherwise.
        break_due: Minutes of a break that waits until nothing is in hand; 0 for none.
        effects: `[C, 5]` what the models know of each counsellor, columns in `processes.draws`; `[C, 9 + d]` with
            profiles, 0 for what is unknown.
        pending: Contacts of each one's inbox, those whose wait is being bridged among them.
        room: Further contacts that the inbox takes now; 0 for people without one.
    """

    role: Ints
    new: Bools
    capacity: Ints
    risks: Bools
    on_duty: Bools
    on_break: Bools
    can_take: Bools
    in_hand: Ints
    chats: Ints
    taken: Ints
    idle_since: Floats
    busy_since: Floats
    off_at: Floats
    back_at: Floats
    break_due: Floats
    effects: Floats
    pending: Ints
    room: Ints

    def __len__(self) -> int:
        return len(self.role)


@dataclass(frozen=True)
class InHand:
    """Contacts that counsellors have in hand, by contact number; all arrays `[k]`.

    Attributes:
        contact: Running number of the visit.
        counsellor: Who has it.
        phase: Codes of `Phase`.
        started_at: Minute at which this leg began.
        caller_type: Codes of `CallerType`.
        risk: Codes of `Risk`.
        attributes: `[k, 3]` codes, see `processes.population.Callers`.
        patience: Predicted patience, used if the contact is transferred.
        predicted: Predicted minutes of this leg at its start.
        remaining: Predicted remaining minutes of service, or the fixed rest of a wrap-up; of a bridge, which may end at
            any time, the mean.
        arrived_at: Arrival minute.
        inbox: Counsellor in whose inbox a contact is back after a bridge; -1 for nobody's.
        bridges: Times that its wait has been bridged, this one included.
    """

    contact: Ints
    counsellor: Ints
    phase: Ints
    started_at: Floats
    caller_type: Ints
    risk: Ints
    attributes: Ints
    patience: Floats
    predicted: Floats
    remaining: Floats
    arrived_at: Floats
    inbox: Ints
    bridges: Ints

    def __len__(self) -> int:
        return len(self.contact)


@dataclass(frozen=True)
class CentreView:
    """The centre at a decision epoch.

    Attributes:
        now: Minute of the episode.
        horizon: Minute at which arrivals stop.
        waiting: `n` waiting contacts.
        staff: `C` counsellors.
        in_hand: `k` contacts in hand.
        legal: `[n, C]` pairs that may be assigned now.
        quality: `[n, C]` predicted feedback, scaled to [0, 1]; 0 with those who only bridge a wait.
        service_time: `[n, C]` predicted minutes of service; the remaining minutes for transferred contacts, the mean of
            a bridge with those who only do that.
        arrivals: Arrival minutes of all visits so far.
    """

    now: float
    horizon: float
    waiting: Waiting
    staff: Staff
    in_hand: InHand
    legal: Bools
    quality: Floats
    service_time: Floats
    arrivals: Floats

    @property
    def wait(self) -> Floats:
        """`[n]` minutes since each contact joined the queue."""
        return self.now - self.waiting.joined_at

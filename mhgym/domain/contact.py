"""What happened to the contacts of one episode, or of a real log: one row a contact, one row a leg of service."""

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Outcome(IntEnum):
    """How a contact ended."""

    REJECTED = 0  # did not accept the terms of service; a visitor, not an offered contact
    ANSWERED = 1
    ABANDONED = 2  # left the first queue unanswered
    ABANDONED_IN_TRANSFER = 3  # answered, sent back to the queue, then left
    UNANSWERED = 4  # still waiting when the episode closed


class LegKind(IntEnum):
    """What a counsellor did in one leg."""

    SERVICE = 0
    WRAP_UP = 1
    ZOMBIE = 2  # opened a contact that had been abandoned
    BRIDGE = 3  # kept a contact company that waits for another counsellor


@dataclass(frozen=True)
class ContactLog:
    """Contact records: the only source of KPIs, beside the roster.

    The first block has one row a contact in order of arrival (`[n]`), the second one row a leg in order of its start
    (`[m]`). Times are minutes from the start of the episode. A counsellor has a contact *in hand* from the start of a
    leg of service to the end of the wrap-up behind it.

    Attributes:
        arrived_at: `[n]` arrival.
        outcome: `[n]` codes of `Outcome`.
        caller_type: `[n]` codes of `CallerType`.
        risk: `[n]` codes of `Risk`.
        answered_at: `[n]` first answer; NaN if there was none.
        ended_at: `[n]` end of service for answered contacts, departure for abandoned ones, the close for unanswered
            ones, arrival for rejected ones.
        counsellor: `[n]` who finished the contact; -1 unless answered.
        feedback: `[n]` feedback scaled to [0, 1]; NaN unless answered and known.
        transfers: `[n]` times the contact was sent back to the queue.
        leg_contact: `[m]` row of the contact.
        leg_counsellor: `[m]` index of the counsellor.
        leg_kind: `[m]` codes of `LegKind`.
        leg_start: `[m]` start.
        leg_end: `[m]` end.
    """

    arrived_at: Floats
    outcome: Ints
    caller_type: Ints
    risk: Ints
    answered_at: Floats
    ended_at: Floats
    counsellor: Ints
    feedback: Floats
    transfers: Ints
    leg_contact: Ints
    leg_counsellor: Ints
    leg_kind: Ints
    leg_start: Floats
    leg_end: Floats

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        for prefix in (True, False):
            block = {name: size for name, size in lengths.items() if name.startswith("leg_") is prefix}
            if len(set(block.values())) > 1:
                raise ValueError(f"the columns of a contact log must have one length, got {block}")

    def __len__(self) -> int:
        return len(self.arrived_at)

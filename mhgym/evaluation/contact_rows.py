"""From the rows of a recorded log to contact records; `contact_csv` documents the schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mhgym.domain import CALLER_TYPES, RISKS, ContactLog, LegKind, Outcome
from mhgym.domain.contact import Floats, Ints
from mhgym.evaluation.csv_cells import NO, YES, Clock, Row

ROW_OUTCOMES = ("rejected", "answered", "transferred", "abandoned", "unanswered", "zombie", "wrap_up", "bridge")
FILLED = {
    "rejected": (),
    "answered": ("answered_at", "ended_at", "counsellor"),
    "transferred": ("answered_at", "ended_at", "counsellor"),
    "abandoned": ("ended_at",),
    "unanswered": ("ended_at",),
    "zombie": ("answered_at", "ended_at", "counsellor"),
    "wrap_up": ("answered_at", "ended_at", "counsellor"),
    "bridge": ("answered_at", "ended_at", "counsellor"),
}
EMPTY = {
    "rejected": ("answered_at", "released_at", "counsellor", "feedback"),
    "answered": (),
    "transferred": ("feedback",),
    "abandoned": ("answered_at", "released_at", "counsellor", "feedback"),
    "unanswered": ("answered_at", "released_at", "counsellor", "feedback"),
    "zombie": ("released_at", "feedback"),
    "wrap_up": ("released_at", "feedback"),
    "bridge": ("released_at", "feedback"),
}
FINAL = {"rejected": Outcome.REJECTED, "answered": Outcome.ANSWERED, "unanswered": Outcome.UNANSWERED}
ONGOING = -1  # in place of an outcome while the contact is not over

Leg = tuple[int, int, float, float]  # counsellor, kind, start, end


@dataclass
class Contact:
    """One contact while its rows are read; attributes as in `ContactLog`."""

    arrived_at: float
    caller_type: int
    risk: int
    legs: list[Leg]
    outcome: int = ONGOING
    answered_at: float = np.nan
    ended_at: float = np.nan
    counsellor: int = -1
    feedback: float = np.nan
    transfers: int = 0

    @property
    def service(self) -> list[Leg]:
        """Its legs of service."""
        return [leg for leg in self.legs if leg[1] == LegKind.SERVICE]


def read_contacts(rows: Sequence[Row], clock: Clock, index: Mapping[str, int]) -> dict[str, Contact]:
    """Contacts by identifier, in the order of the file.

    Args:
        rows: Rows of the log.
        clock: How times become minutes.
        index: Index of each counsellor by name.

    Raises:
        ValueError: If a cell breaks the schema; names file, row, column, value and rule.
    """
    contacts: dict[str, Contact] = {}
    last: dict[str, Row] = {}
    for row in rows:
        identifier = row.required("contact_id")
        _check_cells(row)
        contact = contacts.get(identifier)
        if contact is None:
            contact = contacts[identifier] = _open(row, clock)
        _check_same(row, contact, clock)
        _add_row(row, contact, clock, index)
        last[identifier] = row
    for identifier, contact in contacts.items():
        if contact.outcome == ONGOING:
            raise last[identifier].error("outcome", f"the last visit of contact {identifier} must end it")
    return contacts


def _check_cells(row: Row) -> None:
    """Refuse a row whose filled and empty cells do not fit its outcome."""
    outcome = ROW_OUTCOMES[row.choice("outcome", ROW_OUTCOMES)]
    for column in FILLED[outcome]:
        row.required(column, f"must be filled where outcome is {outcome}")
    for column in EMPTY[outcome]:
        if row.text(column):
            raise row.error(column, f"must be empty where outcome is {outcome}")
    rejected = outcome == "rejected"
    accepted = row.choice("terms_accepted", (NO, YES), default=NO if rejected else YES) == 1
    if accepted is rejected:
        raise row.error("terms_accepted", f"must be no if and only if rejected, and outcome is {outcome}")


def _open(row: Row, clock: Clock) -> Contact:
    """A contact from its first row."""
    row.required("arrived_at")
    return Contact(
        arrived_at=clock.minutes(row, "arrived_at"),
        caller_type=row.choice("caller_type", CALLER_TYPES, default=CALLER_TYPES[0]),
        risk=row.choice("risk", RISKS, default=RISKS[0]),
        legs=[],
    )


def _check_same(row: Row, contact: Contact, clock: Clock) -> None:
    """Refuse a row that contradicts the first row of its contact."""
    arrived_at = clock.minutes(row, "arrived_at")
    if not np.isnan(arrived_at) and arrived_at != contact.arrived_at:
        raise row.error("arrived_at", f"must be minute {contact.arrived_at} in all rows of the contact")
    for column, names, code in (("caller_type", CALLER_TYPES, contact.caller_type), ("risk", RISKS, contact.risk)):
        if row.text(column) and row.choice(column, names) != code:
            raise row.error(column, f"must be {names[code]} in all rows of the contact")


def _add_row(row: Row, contact: Contact, clock: Clock, index: Mapping[str, int]) -> None:
    """Enter one visit into its contact."""
    outcome = row.text("outcome").lower()
    if outcome in {"zombie", "wrap_up", "bridge"}:
        _add_extra(row, contact, clock, index)
        return
    if contact.outcome != ONGOING:
        raise row.error(
            "outcome", f"the contact has ended as {Outcome(contact.outcome).name.lower()}, no visit can follow"
        )
    if outcome == "rejected" and contact.legs:
        raise row.error("outcome", "only the first visit of a contact can be rejected")
    earliest = contact.ended_at if contact.service else contact.arrived_at
    if outcome in {"answered", "transferred"}:
        contact.legs += _service(row, clock, index, earliest)
        contact.answered_at = contact.service[0][2]
    contact.ended_at = _time(row, "ended_at", clock, earliest) if row.text("ended_at") else earliest
    if outcome == "transferred":
        contact.transfers += 1
    elif outcome == "abandoned":
        contact.outcome = Outcome.ABANDONED_IN_TRANSFER if contact.transfers else Outcome.ABANDONED
    else:
        contact.outcome = FINAL[outcome]
    if outcome == "answered":
        contact.counsellor = index[row.text("counsellor")]
        contact.feedback = row.number_within("feedback", 0, 1)


def _add_extra(row: Row, contact: Contact, clock: Clock, index: Mapping[str, int]) -> None:
    """Enter the opening of a zombie, after-work on its own, or the bridge of a wait."""
    kind = LegKind[row.text("outcome").upper()]
    if kind == LegKind.ZOMBIE and contact.outcome not in {Outcome.ABANDONED, Outcome.ABANDONED_IN_TRANSFER}:
        raise row.error("outcome", "a zombie must follow the abandoned row of its contact")
    if kind == LegKind.WRAP_UP and not contact.service:
        raise row.error("outcome", "a wrap_up must follow a row of service of its contact")
    earliest = {
        LegKind.ZOMBIE: contact.ended_at,
        LegKind.WRAP_UP: contact.service[0][3] if contact.service else contact.arrived_at,
        LegKind.BRIDGE: contact.arrived_at,
    }
    start = _time(row, "answered_at", clock, earliest[kind])
    contact.legs.append((_counsellor(row, index), int(kind), start, _time(row, "ended_at", clock, start)))


def _service(row: Row, clock: Clock, index: Mapping[str, int], earliest: float) -> list[Leg]:
    """The leg of service of one row and its wrap-up, if any."""
    counsellor = _counsellor(row, index)
    start = _time(row, "answered_at", clock, earliest)
    end = _time(row, "ended_at", clock, start)
    legs = [(counsellor, int(LegKind.SERVICE), start, end)]
    if row.text("released_at"):
        legs.append((counsellor, int(LegKind.WRAP_UP), end, _time(row, "released_at", clock, end)))
    return legs


def _time(row: Row, column: str, clock: Clock, earliest: float) -> float:
    """The time in one cell, refused if time would run back."""
    minutes = clock.minutes(row, column)
    if minutes < earliest:
        raise row.error(column, f"time must not run back, here before minute {earliest}")
    return minutes


def _counsellor(row: Row, index: Mapping[str, int]) -> int:
    """Index of the counsellor of one row."""
    name = row.text("counsellor")
    if name not in index:
        raise row.error("counsellor", "must be on the roster")
    return index[name]


def contact_log(contacts: Sequence[Contact]) -> ContactLog:
    """The contact log of these contacts, given in order of arrival."""
    legs = [(row, *leg) for row, contact in enumerate(contacts) for leg in contact.legs]
    legs.sort(key=lambda leg: leg[3])

    def floats(values: list[float]) -> Floats:
        return np.array(values, dtype=np.float64)

    def ints(values: list[int]) -> Ints:
        return np.array(values, dtype=np.int64)

    return ContactLog(
        arrived_at=floats([contact.arrived_at for contact in contacts]),
        outcome=ints([contact.outcome for contact in contacts]),
        caller_type=ints([contact.caller_type for contact in contacts]),
        risk=ints([contact.risk for contact in contacts]),
        answered_at=floats([contact.answered_at for contact in contacts]),
        ended_at=floats([contact.ended_at for contact in contacts]),
        counsellor=ints([contact.counsellor for contact in contacts]),
        feedback=floats([contact.feedback for contact in contacts]),
        transfers=ints([contact.transfers for contact in contacts]),
        leg_contact=ints([leg[0] for leg in legs]),
        leg_counsellor=ints([leg[1] for leg in legs]),
        leg_kind=ints([leg[2] for leg in legs]),
        leg_start=floats([leg[3] for leg in legs]),
        leg_end=floats([leg[4] for leg in legs]),
    )

"""Recorded contacts as CSV: read a real log into a `ContactLog` and roster, and write a simulated one the same way.

One row is one visit to the queue. A contact that was transferred has one row a visit, in order, with one contact_id.

| column | content |
|---|---|
| contact_id | any text |
| arrived_at | arrival of the contact; in its later rows the same, or empty |
| terms_accepted | yes or no; no if and only if rejected; optional, yes |
| caller_type | non_repeat or repeat; optional, non_repeat |
| risk | low, medium or high; optional, low |
| outcome | of this row: rejected, answered, transferred, abandoned, unanswered, zombie, wrap_up or bridge |
| answered_at | when the counsellor took it up; empty for rejected, abandoned and unanswered |
| ended_at | end of service, departure of the caller, or the close; may be empty for rejected |
| released_at | end of the wrap-up that follows at once; optional, no wrap-up |
| counsellor | who took it up |
| feedback | from 0 to 1, for answered; optional, unknown |

Times are minutes as numbers, or ISO 8601 timestamps, which become minutes from the earliest midnight; one file uses one
form. After an abandoned row, each zombie row is one counsellor's opening of the abandoned contact (answered_at to
ended_at). A wrap_up row is after-work that did not follow its service at once; a bridge row is somebody's company while
the contact waited for another. The roster's schema is in `roster_csv`.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from mhgym.domain import CALLER_TYPES, RISKS, ContactLog, LegKind, Outcome, Roster
from mhgym.evaluation.contact_rows import Leg, contact_log, read_contacts
from mhgym.evaluation.csv_cells import NO, YES, find_clock, read_rows
from mhgym.evaluation.roster_csv import ROSTER_TIMES, build_roster, derive_roster, read_roster_rows, write_roster

LOG_COLUMNS = (
    "contact_id", "arrived_at", "terms_accepted", "caller_type", "risk", "outcome", "answered_at", "ended_at",
    "released_at", "counsellor", "feedback",
)  # fmt: skip
LOG_OPTIONAL = ("terms_accepted", "caller_type", "risk", "released_at", "feedback")
LOG_REQUIRED = tuple(column for column in LOG_COLUMNS if column not in LOG_OPTIONAL)
LOG_TIMES = ("arrived_at", "answered_at", "ended_at", "released_at")


@dataclass(frozen=True)
class RecordedLog:
    """What the files hold.

    Attributes:
        log: Contact records, contacts in order of arrival.
        roster: The counsellors.
        contact_ids: `[n]` the contact_id of each contact.
        roster_derived: Whether the roster was derived from the legs for want of a file.
        origin: The midnight that is minute 0; None where times were minutes.
    """

    log: ContactLog
    roster: Roster
    contact_ids: tuple[str, ...]
    roster_derived: bool
    origin: datetime | None


def read_contact_csv(path: str | Path, roster_path: str | Path | None = None) -> RecordedLog:
    """Read a recorded log, and its roster if there is a file of it; else the roster is derived from the legs.

    Args:
        path: The log, in the schema of this module.
        roster_path: The roster, in the schema of `roster_csv`.

    Raises:
        ValueError: If a file breaks the schema; the message names file, row, column, value and rule.
        OSError: If a file cannot be read.
    """
    path = Path(path)
    rows = read_rows(path, LOG_REQUIRED, LOG_OPTIONAL)
    duty = read_roster_rows(Path(roster_path)) if roster_path is not None else []
    times = [(row, column) for row in rows for column in LOG_TIMES]
    clock = find_clock(times + [(row, column) for row in duty for column in ROSTER_TIMES])
    known = build_roster(duty, clock) if duty else None
    names = list(known.names() if known else dict.fromkeys(filter(None, (row.text("counsellor") for row in rows))))
    contacts = read_contacts(rows, clock, {name: index for index, name in enumerate(names)})
    if not names:
        raise ValueError(f"{path}, column counsellor: names nobody to derive a roster from; give a roster file")
    contact_ids = sorted(contacts, key=lambda contact_id: contacts[contact_id].arrived_at)
    log = contact_log([contacts[contact_id] for contact_id in contact_ids])
    return RecordedLog(
        log=log,
        roster=known or derive_roster(log, names),
        contact_ids=tuple(contact_ids),
        roster_derived=known is None,
        origin=clock.origin,
    )


def write_contact_csv(path: str | Path, log: ContactLog, roster: Roster, roster_path: str | Path | None = None) -> Path:
    """Write a log and its roster; read back they give the same KPIs, for times are written to the last bit.

    Args:
        path: The log's file.
        log: Contact records; the row of a contact becomes its contact_id.
        roster: The counsellors, whose names must differ.
        roster_path: The roster's file; `<log>_roster.csv` beside the log if not given.

    Returns:
        The roster's file.

    Raises:
        ValueError: If two counsellors share a name, or a contact's columns contradict its legs.
        OSError: If a file cannot be written.
    """
    path = Path(path)
    roster_path = Path(roster_path) if roster_path is not None else path.with_name(f"{path.stem}_roster.csv")
    names = roster.names()
    if len(set(names)) < len(names):
        raise ValueError(f"counsellors need names that differ to be written, got {', '.join(names)}")
    legs: dict[int, list[Leg]] = defaultdict(list)
    columns = (log.leg_contact, log.leg_counsellor, log.leg_kind, log.leg_start, log.leg_end)
    for contact, *leg in zip(*(column.tolist() for column in columns), strict=True):
        legs[contact].append((leg[0], leg[1], leg[2], leg[3]))
    rows = [row for contact in range(len(log)) for row in _rows(log, contact, legs[contact], names)]
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, LOG_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_roster(roster_path, roster)
    return roster_path


def _rows(log: ContactLog, contact: int, legs: list[Leg], names: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """The rows of one contact, given its legs in order of start."""
    outcome = Outcome(log.outcome[contact])
    service = [leg for leg in legs if leg[1] == LegKind.SERVICE]
    _check_contact(log, contact, outcome, service)
    known: dict[str, object] = {
        "contact_id": contact,
        "arrived_at": float(log.arrived_at[contact]),
        "terms_accepted": NO if outcome == Outcome.REJECTED else YES,
        "caller_type": CALLER_TYPES[log.caller_type[contact]],
        "risk": RISKS[log.risk[contact]],
    }
    rest = [leg for leg in legs if leg[1] != LegKind.SERVICE]
    for position, (counsellor, _, start, end) in enumerate(service):
        row = {
            **known,
            "outcome": "transferred",
            "answered_at": start,
            "ended_at": end,
            "counsellor": names[counsellor],
        }
        wrap_up = next((leg for leg in rest if leg[:3] == (counsellor, LegKind.WRAP_UP, end)), None)
        if wrap_up:
            rest.remove(wrap_up)
            row["released_at"] = wrap_up[3]
        if position == len(service) - 1 and outcome == Outcome.ANSWERED:
            feedback = float(log.feedback[contact])
            row |= {"outcome": "answered", "feedback": "" if np.isnan(feedback) else feedback}
        yield row
    if outcome != Outcome.ANSWERED:
        label = "abandoned" if outcome == Outcome.ABANDONED_IN_TRANSFER else outcome.name.lower()
        yield {**known, "outcome": label, "ended_at": float(log.ended_at[contact])}
    for counsellor, kind, start, end in rest:
        label = LegKind(kind).name.lower()
        yield {**known, "outcome": label, "answered_at": start, "ended_at": end, "counsellor": names[counsellor]}


def _check_contact(log: ContactLog, contact: int, outcome: Outcome, service: list[Leg]) -> None:
    """Refuse a contact whose columns say something else than its legs of service, for the rows hold only the legs."""
    answered = outcome == Outcome.ANSWERED
    found = {
        "legs of service": len(service),
        "answered_at": service[0][2] if service else np.nan,
        "counsellor": service[-1][0] if service and answered else -1,
        "ended_at": service[-1][3] if service and answered else log.ended_at[contact],
    }
    told = {
        "legs of service": int(log.transfers[contact]) + answered,
        "answered_at": log.answered_at[contact],
        "counsellor": log.counsellor[contact],
        "ended_at": log.ended_at[contact],
    }
    for name, value in told.items():
        if not np.array_equal(value, found[name], equal_nan=True):
            raise ValueError(f"contact {contact} must agree with its legs, got {name} {value} against {found[name]}")

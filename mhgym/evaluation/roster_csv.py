"""The roster of a recorded log: read from CSV, written to it, or derived from the legs.

One row is one stretch of duty without a break:

| column | content |
|---|---|
| counsellor | name, as in the log; several rows with one name are several stretches, in order |
| role | volunteer, full_time, duty_officer or therapist |
| capacity | concurrent contacts, 1 if empty |
| new | yes or no, no if empty |
| new_until | time from which somebody new is new no more; empty for never |
| inbox | contacts that may wait for this one person, 0 if empty |
| start, end | times as in the log; both empty for someone who is never on duty |
"""

import csv
import math
from pathlib import Path

import numpy as np

from mhgym.domain import ROLES, ContactLog, Counsellor, Role, Roster, Shift
from mhgym.evaluation.csv_cells import MINUTES_PER_DAY, NO, YES, Clock, Row, read_rows

ROSTER_REQUIRED = ("counsellor", "role", "start", "end")
ROSTER_OPTIONAL = ("capacity", "new", "new_until", "inbox")
ROSTER_TIMES = ("start", "end", "new_until")
MOST_CONTACTS = 1000.0  # at once; a larger capacity is a slip of the pen


def read_roster_rows(path: Path) -> list[Row]:
    """The rows of a roster file.

    Raises:
        ValueError: If the file has no row or breaks the schema.
    """
    rows = read_rows(path, ROSTER_REQUIRED, ROSTER_OPTIONAL)
    if not rows:
        raise ValueError(f"{path}: a roster needs at least one counsellor, got 0")
    return rows


def build_roster(rows: list[Row], clock: Clock) -> Roster:
    """The roster of these rows, counsellors in the order of their first row.

    Raises:
        ValueError: If a cell breaks the schema; names file, row, column, value and rule.
    """
    stretches: dict[str, list[Row]] = {}
    for row in rows:
        stretches.setdefault(row.required("counsellor"), []).append(row)
    return Roster(tuple(_counsellor(name, own, clock) for name, own in stretches.items()))


def derive_roster(log: ContactLog, names: list[str]) -> Roster:
    """A stand-in where no roster is known: on duty from the first answer to the last release of each day.

    Roles are unknown, so all count as volunteers and none as new; capacity is the most contacts in hand at once. Days
    start at multiples of 1,440 minutes and a leg belongs to the day of its start. Idle time before the first answer
    and behind the last release is lost, so occupancy comes out too high.
    """
    return Roster(tuple(_derived(log, index, name) for index, name in enumerate(names)))


def write_roster(path: Path, roster: Roster) -> None:
    """Write the staffed intervals of a roster; closed intervals and eligibility by risk are not part of the schema."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("counsellor", "role", "capacity", "new", "new_until", "inbox", "start", "end"))
        for name, person, intervals in zip(roster.names(), roster, roster.staffed_intervals(), strict=True):
            new_until = person.new_until if math.isfinite(person.new_until) else ""
            new = (YES, new_until) if person.new else (NO, "")
            fixed = (name, ROLES[person.role], person.capacity, *new, person.inbox)
            for start, end in intervals or (("", ""),):
                writer.writerow((*fixed, start, end))


def _counsellor(name: str, rows: list[Row], clock: Clock) -> Counsellor:
    """One counsellor from their rows."""
    for column in ("role", *ROSTER_OPTIONAL):
        for row in rows:
            if row.text(column) != rows[0].text(column):
                raise row.error(column, f"must be {rows[0].text(column)!r} in all rows of counsellor {name}")
    new = rows[0].choice("new", (NO, YES), default=NO) == 1
    return Counsellor(
        role=Role(rows[0].choice("role", ROLES)),
        shifts=_shifts(rows, clock),
        capacity=_contacts(rows[0], "capacity", 1),
        new=new,
        name=name,
        new_until=_new_until(rows[0], new, clock),
        inbox=_contacts(rows[0], "inbox", 0),
    )


def _new_until(row: Row, new: bool, clock: Clock) -> float:
    """Minute at which somebody counts as new no more."""
    if not row.text("new_until"):
        return math.inf
    if not new:
        raise row.error("new_until", "must be empty for somebody who is not new")
    if not (until := clock.minutes(row, "new_until")) > 0:
        raise row.error("new_until", "must come after the first midnight")
    return until


def _shifts(rows: list[Row], clock: Clock) -> tuple[Shift, ...]:
    """The stretches of duty of one counsellor, refused if not in order or overlapping."""
    shifts: list[Shift] = []
    for row in rows:
        if not row.text("start") and not row.text("end"):
            continue
        row.required("start", "must be filled where end is")
        row.required("end", "must be filled where start is")
        start, end = clock.minutes(row, "start"), clock.minutes(row, "end")
        if not start < end:
            raise row.error("end", f"duty must end after it starts at {row.text('start')}")
        if shifts and start < shifts[-1].end:
            raise row.error("start", f"duty must not start before minute {shifts[-1].end}, the end of the duty before")
        shifts.append(Shift(start, end))
    return tuple(shifts)


def _contacts(row: Row, column: str, least: int) -> int:
    """A number of contacts, the least that may be if the cell is empty."""
    if not row.text(column):
        return least
    number = row.number_within(column, least, MOST_CONTACTS)
    if not number.is_integer():
        raise row.error(column, "must be a whole number of contacts")
    return int(number)


def _derived(log: ContactLog, index: int, name: str) -> Counsellor:
    """One counsellor's duty, and the most they held at once, from their legs."""
    own = log.leg_counsellor == index
    starts, ends = log.leg_start[own], log.leg_end[own]
    shifts: list[Shift] = []
    for day in np.unique(starts // MINUTES_PER_DAY):
        today = starts // MINUTES_PER_DAY == day
        start, end = float(starts[today].min()), float(ends[today].max())
        if shifts and start <= shifts[-1].end:  # still busy with a contact of the day before
            start, end = shifts[-1].start, max(shifts.pop().end, end)
        if start < end:
            shifts.append(Shift(start, end))
    times = np.concatenate([ends, starts])
    steps = np.repeat(np.array([-1, 1]), len(starts))
    held = np.cumsum(steps[np.argsort(times, kind="stable")]).max(initial=1)
    return Counsellor(role=Role.VOLUNTEER, shifts=tuple(shifts), capacity=int(held), name=name)

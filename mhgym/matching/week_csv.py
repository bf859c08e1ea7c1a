"""One's own week: patients and volunteers from CSV files, and offers to one.

One row is one person. Lists are separated by semicolons.

| column | of | content |
|---|---|---|
| id | both | a name that nobody else in the file has |
| languages | both | languages spoken, such as `english;spanish` |
| slots | both | free hours on the person's own clock, such as `Mon 08:00;Tue 21:00`; from 08:00 to 22:00 |
| zone | both, optional | whole hours by which that clock is ahead of the centre's, 0 if empty |
| severity | patients | 0 to 6 |
| age | patients | under_18, 18_to_35, 36_to_55 or over_55 |
| guardian_consent | patients, optional | yes or no, no if empty; those under 18 are not matched without |
| prefers_gender and so on | patients, optional | what would do, such as `woman;non_binary`; empty for no preference |
| gender, ethnicity, religion, orientation, age | volunteers | one option each, `other` if they would rather not say |
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mhgym.evaluation.csv_cells import NO, YES, Row, read_rows
from mhgym.matching.compatibility import fifths
from mhgym.matching.offers import Offers
from mhgym.matching.people import Patients, People, Volunteers, Week
from mhgym.matching.traits import AGE, AGES, MINOR, NO_PREFERENCE, QUESTIONS, SEVERITIES
from mhgym.matching.week import FURTHEST_ZONE, Bools, Ints, free_in, slot_name, slot_of

SEPARATOR = ";"
_PEOPLE = ("id", "languages", "slots")
_WISHES = tuple(f"prefers_{question.name}" for question in QUESTIONS)
_TRAITS = tuple(question.name for question in QUESTIONS)
PATIENT_COLUMNS = (*_PEOPLE, "severity", "age")
PATIENT_OPTIONAL = ("zone", "guardian_consent", *_WISHES)
VOLUNTEER_COLUMNS = (*_PEOPLE, *_TRAITS)
VOLUNTEER_OPTIONAL = ("zone",)
OFFER_COLUMNS = ("patient", "volunteer", "slot", "severity", "compatibility")


def read_week(patients: Path, volunteers: Path) -> Week:
    """Read a week from two files.

    A file with a header and no rows is a week without such people.

    Raises:
        ValueError: If a file breaks the schema; names file, row, column, value and rule.
        OSError: If a file cannot be read.
    """
    seekers = read_rows(patients, PATIENT_COLUMNS, PATIENT_OPTIONAL)
    helpers = read_rows(volunteers, VOLUNTEER_COLUMNS, VOLUNTEER_OPTIONAL)
    spoken = {name for row in (*seekers, *helpers) for name in _names(row, "languages")}
    languages = tuple(sorted(spoken))
    return Week(_patients(seekers, languages), _volunteers(helpers, languages), languages)


def write_week(week: Week, patients: Path, volunteers: Path) -> None:
    """Write a week to two files that `read_week` reads back."""
    seekers, helpers = week.patients, week.volunteers
    rows = [
        [
            *_cells(seekers, index, week.languages),
            *(str(seekers.severity[index]), AGES[seekers.age[index]], YES if seekers.consent[index] else NO),
            *(
                SEPARATOR.join(name for bit, name in enumerate(question.wishes) if wish >> bit & 1)
                for question, wish in zip(QUESTIONS, seekers.preferences[index].tolist(), strict=True)
            ),
        ]
        for index in range(len(seekers))
    ]
    _write(patients, (*_PEOPLE, "zone", "severity", "age", "guardian_consent", *_WISHES), rows)
    rows = [
        [
            *_cells(helpers, index, week.languages),
            *(
                question.options[trait]
                for question, trait in zip(QUESTIONS, helpers.traits[index].tolist(), strict=True)
            ),
        ]
        for index in range(len(helpers))
    ]
    _write(volunteers, (*_PEOPLE, "zone", *_TRAITS), rows)


def write_offers(week: Week, offers: Offers, path: Path) -> None:
    """Write offers with the people's ids, the hour on the centre's clock, and the compatibility from 0 to 1."""
    seekers, helpers = week.patients, week.volunteers
    worth = fifths(seekers, helpers)[offers.patient, offers.volunteer] / len(QUESTIONS)
    rows = [
        [seekers.ids[patient], helpers.ids[volunteer], slot_name(slot), str(seekers.severity[patient]), f"{score:.1f}"]
        for patient, volunteer, slot, score in zip(
            *(index.tolist() for index in (offers.patient, offers.volunteer, offers.slot, worth)), strict=True
        )
    ]
    _write(path, OFFER_COLUMNS, rows)


def _patients(rows: list[Row], languages: tuple[str, ...]) -> Patients:
    """The patients of these rows."""
    return Patients(
        ids=_ids(rows),
        languages=_languages(rows, languages),
        free=_free(rows),
        zone=_zones(rows),
        severity=np.array([_whole(row, "severity", 0, SEVERITIES - 1) for row in rows], dtype=np.int64),
        age=np.array([row.choice("age", AGES) for row in rows], dtype=np.int64),
        consent=np.array([row.choice("guardian_consent", (NO, YES), NO) for row in rows], dtype=np.bool_),
        preferences=np.array(
            [
                [_wish(row, column, question.wishes) for column, question in zip(_WISHES, QUESTIONS, strict=True)]
                for row in rows
            ],
            dtype=np.int64,
        ).reshape(-1, len(QUESTIONS)),
    )


def _volunteers(rows: list[Row], languages: tuple[str, ...]) -> Volunteers:
    """The volunteers of these rows."""
    for row in rows:
        if row.choice(QUESTIONS[AGE].name, AGES) == MINOR:
            raise row.error(QUESTIONS[AGE].name, "a volunteer must be an adult")
    return Volunteers(
        ids=_ids(rows),
        languages=_languages(rows, languages),
        free=_free(rows),
        zone=_zones(rows),
        traits=np.array(
            [[row.choice(question.name, question.options) for question in QUESTIONS] for row in rows], dtype=np.int64
        ).reshape(-1, len(QUESTIONS)),
    )


def _ids(rows: list[Row]) -> tuple[str, ...]:
    """The ids, refused if one is empty or there before."""
    first: dict[str, int] = {}
    for row in rows:
        name = row.required("id")
        if name in first:
            raise row.error("id", f"must be used once, and row {first[name]} has it; rename one of them")
        first[name] = row.number
    return tuple(first)


def _languages(rows: list[Row], languages: tuple[str, ...]) -> Bools:
    """`[N, L]`."""
    return np.array([[name in _names(row, "languages") for name in languages] for row in rows], dtype=np.bool_).reshape(
        len(rows), len(languages)
    )


def _free(rows: list[Row]) -> Bools:
    """`[N, T]`; an empty cell is somebody who is never free."""
    free = np.zeros((len(rows), len(free_in(()))), dtype=np.bool_)
    for index, row in enumerate(rows):
        names = [name.strip() for name in row.text("slots").split(SEPARATOR) if name.strip()]
        try:
            free[index] = free_in(slot_of(name) for name in names)
        except ValueError as error:
            raise row.error("slots", str(error)) from None
    return free


def _zones(rows: list[Row]) -> Ints:
    """`[N]` hours ahead of the centre."""
    zones = [_whole(row, "zone", -FURTHEST_ZONE, FURTHEST_ZONE) if row.text("zone") else 0 for row in rows]
    return np.array(zones, dtype=np.int64)


def _names(row: Row, column: str) -> list[str]:
    """The list in a cell, in small letters; nobody is refused for an empty one, they just cannot be matched."""
    return [name.strip().lower() for name in row.text(column).split(SEPARATOR) if name.strip()]


def _wish(row: Row, column: str, options: Sequence[str]) -> int:
    """A bit set of the options named in a cell."""
    wish = NO_PREFERENCE
    for name in _names(row, column):
        if name not in options:
            raise row.error(column, f"must name {', '.join(options)}, or nothing for no preference")
        wish |= 1 << list(options).index(name)
    return wish


def _whole(row: Row, column: str, low: int, high: int) -> int:
    """The cell as a whole number in [low, high]."""
    row.required(column)
    value = row.number_within(column, low, high)
    if not value.is_integer():
        raise row.error(column, f"must be a whole number from {low} to {high}")
    return int(value)


def _cells(people: People, index: int, languages: tuple[str, ...]) -> tuple[str, str, str, str]:
    """The cells that patients and volunteers share."""
    spoken = [name for name, speaks in zip(languages, people.languages[index], strict=True) if speaks]
    slots = [slot_name(slot) for slot in np.flatnonzero(people.free[index]).tolist()]
    return people.ids[index], SEPARATOR.join(spoken), SEPARATOR.join(slots), str(people.zone[index])


def _write(path: Path, header: Sequence[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)

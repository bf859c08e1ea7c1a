"""Patients and volunteers of one week, as arrays, and the problem that they pose.

`P` patients, `V` volunteers, `L` languages, `T` slots of the week.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mhgym.matching.traits import AGE, AGES, MINOR, QUESTIONS, SEVERITIES
from mhgym.matching.week import FURTHEST_ZONE, SLOTS, Bools, Ints, on_centre_clock

DEFAULT_LANGUAGES = ("english", "spanish")


@dataclass(frozen=True, eq=False)
class People:
    """What patients and volunteers share.

    Attributes:
        ids: A name for each, no two alike.
        languages: `[N, L]` languages spoken.
        free: `[N, T]` slots on their own clock.
        zone: `[N]` whole hours by which that clock is ahead of the centre's.
    """

    ids: tuple[str, ...]
    languages: Bools
    free: Bools
    zone: Ints

    def __post_init__(self) -> None:
        number = len(self.ids)
        for item in fields(self)[1:]:
            shape = getattr(self, item.name).shape
            if not shape or shape[0] != number:
                raise ValueError(f"{item.name} must have one row for each of {number} ids, got shape {shape}")
        if len(set(self.ids)) < number:
            twice = next(name for name in self.ids if self.ids.count(name) > 1)
            raise ValueError(f"an id must appear once, got {twice!r} {self.ids.count(twice)} times; rename one of them")
        if self.free.ndim != 2 or self.free.shape[1] != SLOTS:
            raise ValueError(f"free must have {SLOTS} slots for each person, got shape {self.free.shape}")
        _check_codes("zone", self.zone, self.ids, -FURTHEST_ZONE, FURTHEST_ZONE)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def slots(self) -> Bools:
        """`[N, T]` slots on the centre's clock: what can be matched."""
        return on_centre_clock(self.free, self.zone)

    def take(self, chosen: Ints | Bools) -> Self:
        """Those at the given indices, in that order, or where a mask holds."""
        rows = np.arange(len(self))[chosen]
        own = {item.name: getattr(self, item.name)[rows] for item in fields(self)[1:]}
        return type(self)(ids=tuple(self.ids[row] for row in rows), **own)

    def joined(self, others: Self) -> Self:
        """These, then the others."""
        arrays = {
            item.name: np.concatenate([getattr(self, item.name), getattr(others, item.name)])
            for item in fields(self)[1:]
        }
        return type(self)(ids=self.ids + others.ids, **arrays)


@dataclass(frozen=True, eq=False)
class Patients(People):
    """Those who seek help this week.

    Attributes:
        severity: `[P]` from 0 to 6.
        age: `[P]` index in `AGES`.
        consent: `[P]` whether a guardian has agreed; it matters for those under 18 only.
        preferences: `[P, 5]` bit sets over each question's `wishes`, empty for no preference.
    """

    severity: Ints
    age: Ints
    consent: Bools
    preferences: Ints

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_codes("severity", self.severity, self.ids, 0, SEVERITIES - 1)
        _check_codes("age", self.age, self.ids, 0, len(AGES) - 1)
        _check_questions("preferences", self.preferences)
        for index, question in enumerate(QUESTIONS):
            most = (1 << len(question.wishes)) - 1
            _check_codes(f"preferences of {question.name}", self.preferences[:, index], self.ids, 0, most)

    @cached_property
    def eligible(self) -> Bools:
        """`[P]` whether somebody may be matched at all: adults, and minors with a guardian's consent."""
        allowed: Bools = (self.age != MINOR) | self.consent
        return allowed


@dataclass(frozen=True, eq=False)
class Volunteers(People):
    """Those who offer help this week.

    Attributes:
        traits: `[V, 5]` index in each question's `options`.
    """

    traits: Ints

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_questions("traits", self.traits)
        for index, question in enumerate(QUESTIONS):
            fewest = MINOR + 1 if index == AGE else 0  # volunteers are adults
            _check_codes(question.name, self.traits[:, index], self.ids, fewest, len(question.options) - 1)


@dataclass(frozen=True, eq=False)
class Week:
    """One week's problem: whom to offer which volunteers at which hours.

    Attributes:
        patients: `P` of them.
        volunteers: `V` of them.
        languages: Names of the `L` languages.
    """

    patients: Patients
    volunteers: Volunteers
    languages: tuple[str, ...] = DEFAULT_LANGUAGES

    def __post_init__(self) -> None:
        for people in (self.patients, self.volunteers):
            if people.languages.ndim != 2 or people.languages.shape[1] != len(self.languages):
                raise ValueError(
                    f"{type(people).__name__.lower()} must have a column for each of {len(self.languages)} languages, "
                    f"got shape {people.languages.shape}"
                )


def _check_codes(what: str, values: NDArray[np.int64], ids: tuple[str, ...], low: int, high: int) -> None:
    """Refuse values outside [low, high], naming the person."""
    if values.ndim != 1:
        raise ValueError(f"{what} must have one value for each person, got shape {values.shape}")
    wrong = np.flatnonzero((values < low) | (values > high))
    if len(wrong):
        value, name = values[wrong[0]], ids[wrong[0]]
        raise ValueError(f"{what} must be a whole number from {low} to {high}, got {value} for {name!r}")


def _check_questions(what: str, values: Ints) -> None:
    """Refuse anything but one column for each question."""
    if values.ndim != 2 or values.shape[1] != len(QUESTIONS):
        raise ValueError(f"{what} must have {len(QUESTIONS)} columns, one for each question, got shape {values.shape}")

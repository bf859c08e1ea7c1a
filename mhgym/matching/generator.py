"""Synthetic weeks: every distribution of the report's Table 2 (WPI 2024, section 3.6.3), seeded.

The report leaves open how hours are rounded, which days people are free, and the Poisson rate; `CALIBRATED` fills the
gaps so that the counts of its Tables 5 to 10 lie within the spread over seeds. Several fillings fit as well, so it is a
calibrated assumption, not the truth; `WEEKDAYS` is another.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mhgym.matching.people import DEFAULT_LANGUAGES, Patients, Volunteers, Week
from mhgym.matching.traits import AGE, AGES, MINOR, OTHER, QUESTIONS, SEVERITIES
from mhgym.matching.week import BLOCKS, DAYS, SLOTS, Bools, Ints

Floats = NDArray[np.float64]

_WORKING_DAYS = 5  # of the week; the report leaves them open, calibrated
_ADULTS = np.arange(MINOR + 1, len(AGES))

#: Table 1, shares of each question's options without `other` in the order of `QUESTIONS`; age is drawn evenly.
TEXAS: tuple[tuple[float, ...], ...] = (
    (0.005, 0.49, 0.49, 0.005, 0.005, 0.005),
    (0.398, 0.002, 0.05, 0.117, 0.001, 0.432),
    (0.18, 0.77, 0.01, 0.01, 0.013, 0.012, 0.005),
    (0.0013, 0.023, 0.0141, 0.959, 0.0013, 0.0013),
)
TEXAS_LANGUAGES = (0.65, 0.35)  # the report's Table 1: English, Spanish; one each


class HoursLaw(Protocol):
    """Draws when people are free on one day."""

    def sample(self, shape: tuple[int, int], rng: np.random.Generator) -> tuple[Ints, Ints]:
        """First hour, 1 being 08:00 to 09:00, and number of hours, each of the given shape."""
        ...


@dataclass(frozen=True)
class NormalHours:
    """Both normal, rounded; a negative length is none. The defaults are the report's for patients."""

    start_mean: float = 7.0
    start_sd: float = 1.0
    length_mean: float = 2.0
    length_sd: float = 1.0
    truncated: bool = False  # whether lengths are cut to whole hours instead of rounded

    def sample(self, shape: tuple[int, int], rng: np.random.Generator) -> tuple[Ints, Ints]:
        """See `HoursLaw.sample`."""
        start = np.rint(rng.normal(self.start_mean, self.start_sd, shape))
        length = rng.normal(self.length_mean, self.length_sd, shape)
        whole = np.trunc(length) if self.truncated else np.rint(length)
        return start.astype(np.int64), np.maximum(whole, 0).astype(np.int64)


@dataclass(frozen=True)
class PoissonHours:
    """Spontaneous volunteers: a Poisson first hour and an exponential stay, rounded (Paret et al. 2021).

    Attributes:
        start_mean: Of the first hour; the report gives no rate (calibrated).
        length_mean: Hours: 1/γ with the report's γ = 0.5.
    """

    start_mean: float = 11.0
    length_mean: float = 2.0

    def sample(self, shape: tuple[int, int], rng: np.random.Generator) -> tuple[Ints, Ints]:
        """See `HoursLaw.sample`."""
        start = rng.poisson(self.start_mean, shape)
        return start, np.rint(rng.exponential(self.length_mean, shape)).astype(np.int64)


@dataclass(frozen=True)
class UniformHours:
    """Both uniform over whole hours, ends included.

    The defaults are those of the report's Tables 15 and 16: first hour 1 to 14, 1 to 6 hours.
    """

    latest: int = BLOCKS
    longest: int = 6

    def sample(self, shape: tuple[int, int], rng: np.random.Generator) -> tuple[Ints, Ints]:
        """See `HoursLaw.sample`."""
        return rng.integers(1, self.latest + 1, shape), rng.integers(1, self.longest + 1, shape)


@dataclass(frozen=True)
class WeekGenerator:
    """A distribution over weeks. The defaults are the report's base case (Table 5).

    Attributes:
        num_patients: Patients of a week.
        num_volunteers: Volunteers of a week.
        patient_hours: When patients are free on each of their days.
        volunteer_hours: When volunteers are.
        any_days: Whether everybody is free on five days of their own; else from Monday to Friday (calibrated).
        texas_patients: Whether the patients' languages follow Table 1; else all are equally likely.
        texas_volunteers: Whether the volunteers' languages and traits do.
        preferences: Whether patients have preferences, one option or none at random for each question.
        severity: Of every patient; None for any from 0 to 6 with equal chance.

    Raises:
        ValueError: If a number of people is negative or the severity is not one.
    """

    num_patients: int = 150
    num_volunteers: int = 15
    patient_hours: HoursLaw = field(default_factory=NormalHours)
    volunteer_hours: HoursLaw = field(default_factory=PoissonHours)
    any_days: bool = True
    texas_patients: bool = True
    texas_volunteers: bool = True
    preferences: bool = True
    severity: int | None = None

    def __post_init__(self) -> None:
        for name in ("num_patients", "num_volunteers"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        if self.severity is not None and not 0 <= self.severity < SEVERITIES:
            raise ValueError(f"severity must be from 0 to {SEVERITIES - 1}, or None for random, got {self.severity}")

    def sample(self, rng: np.random.Generator | int) -> Week:
        """Draw a week from a generator or a seed."""
        rng = np.random.default_rng(rng)
        return Week(self.sample_patients(rng), self.sample_volunteers(rng))

    def sample_patients(self, rng: np.random.Generator, first: int = 0) -> Patients:
        """Draw the patients of a week, called `p<first>` and so on."""
        size = self.num_patients
        severity = rng.integers(0, SEVERITIES, size)
        wishes = [rng.integers(0, len(question.wishes) + 1, size) for question in QUESTIONS]
        preferences = np.stack([np.where(wish > 0, 1 << np.maximum(wish - 1, 0), 0) for wish in wishes], axis=1)
        return Patients(
            ids=tuple(f"p{first + index}" for index in range(size)),
            languages=_languages(size, self.texas_patients, rng),
            free=self._free(size, self.patient_hours, rng),
            zone=np.zeros(size, dtype=np.int64),
            severity=severity if self.severity is None else np.full(size, self.severity),
            age=rng.choice(_ADULTS, size),
            consent=np.zeros(size, dtype=np.bool_),
            preferences=preferences if self.preferences else np.zeros_like(preferences),
        )

    def sample_volunteers(self, rng: np.random.Generator, first: int = 0) -> Volunteers:
        """Draw the volunteers of a week, called `v<first>` and so on."""
        size = self.num_volunteers
        traits = np.empty((size, len(QUESTIONS)), dtype=np.int64)
        for index, question in enumerate(QUESTIONS):
            if index == AGE:
                traits[:, index] = rng.choice(_ADULTS, size)
            else:
                options = len(question.options) - (OTHER in question.options)
                traits[:, index] = _draw(TEXAS[index] if self.texas_volunteers else np.ones(options), size, rng)
        return Volunteers(
            ids=tuple(f"v{first + index}" for index in range(size)),
            languages=_languages(size, self.texas_volunteers, rng),
            free=self._free(size, self.volunteer_hours, rng),
            zone=np.zeros(size, dtype=np.int64),
            traits=traits,
        )

    def _free(self, size: int, law: HoursLaw, rng: np.random.Generator) -> Bools:
        """`[size, T]` slots: a window on each active day, cut at the day's start and end."""
        start, length = law.sample((size, DAYS), rng)
        order = rng.permuted(np.tile(np.arange(DAYS), (size, 1)), axis=1) if self.any_days else np.arange(DAYS)
        active = np.broadcast_to(order < _WORKING_DAYS, (size, DAYS))
        hour = np.arange(1, BLOCKS + 1)
        within: Bools = (hour >= start[..., None]) & (hour < (start + length)[..., None]) & active[..., None]
        return within.reshape(size, SLOTS)


def _draw(shares: tuple[float, ...] | Floats, size: int, rng: np.random.Generator) -> Ints:
    """Indices in proportion to shares, which the report rounds so that they do not add up to 1 exactly."""
    weights = np.asarray(shares, dtype=np.float64)
    return rng.choice(len(weights), size, p=weights / weights.sum())


def _languages(size: int, texas: bool, rng: np.random.Generator) -> Bools:
    """`[size, L]` one language each."""
    spoken = _draw(TEXAS_LANGUAGES if texas else np.ones(len(DEFAULT_LANGUAGES)), size, rng)
    languages: Bools = spoken[:, None] == np.arange(len(DEFAULT_LANGUAGES))
    return languages


#: The report's base case as calibrated, and a second calibration that fits the report's counts as well.
CALIBRATED = WeekGenerator()
WEEKDAYS = WeekGenerator(
    any_days=False, patient_hours=NormalHours(truncated=True), volunteer_hours=PoissonHours(start_mean=10.5)
)

"""Callers and counsellors of the preset `Therapists`: profiles, languages, newcomers who learn.

Chanda's system published no data, so every number here is an assumption. Times in minutes, feedback in Likert points.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import CallerType, Roster
from mhgym.processes import draws
from mhgym.processes.outcomes import OutcomeLaw
from mhgym.processes.population import Callers, exponential_patience, new_keys, normal_service

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GENDERS = ("female", "male", "other")
AGE_BANDS = ("<=17", "18-24", "25-35", "36-49", "50-64", "65+")
LANGUAGES = ("first", "second", "third")  # by the number of callers who speak no other

# Shares of callers by gender, age band and language.
_SHARES = ((0.6, 0.35, 0.05), (0.15, 0.3, 0.25, 0.15, 0.1, 0.05), (0.7, 0.2, 0.1))
_CUMULATIVE = tuple(np.cumsum(shares)[:-1] for shares in _SHARES)
_RISK_SHARES = np.array((0.6, 0.3, 0.1))  # of callers at low, medium and high risk
_REPEAT_SHARE = 0.3  # of callers

_PATIENCE_BY_RISK = np.array((360.0, 300.0, 180.0))  # mean minutes at low, medium and high risk
_PATIENCE_BY_AGE = np.array((0.7, 0.8, 1.0, 1.1, 1.2, 1.3))  # ratios to that, by age band
_SERVICE_BY_RISK = np.array((50.0, 50.0, 60.0))  # mean minutes at low, medium and high risk
_FEEDBACK_BY_RISK = np.array((4.0, 4.0, 3.7))  # mean Likert points likewise
_SERVICE_ERROR_SD, _FEEDBACK_ERROR_SD = 10.0, 0.6  # minutes and Likert points, of the truth around its prediction
_CALLER_SHARE = 0.5  # of both error variances
_CALLER_SERVICE_SD = 5.0  # minutes, between callers

# A profile is a point in a space of traits, and languages. What a pair gains is the inner product: traits that point
# the same way add to feedback, and a caller whose language the counsellor does not speak loses by it.
_NUM_TRAITS = 4  # of a profile
_TRAIT_SD = 0.4  # of a counsellor's trait; those of callers are standard normal, so that a pair's gain has twice this
_NO_COMMON_LANGUAGE = 1.5  # Likert points lost without a common language
_SPEAKS = np.array((1.0, 0.4, 0.25))  # share of counsellors who speak each language

_FEEDBACK_SD, _SERVICE_SD = 0.3, 5.0  # Likert points and minutes, between counsellors, as known
_UNKNOWN_SD, _UNKNOWN_SD_NEW = 0.15, 0.5  # Likert points that nobody knows of counsellors, and of newcomers
_LEARNING_GAP, _LEARNING_ANSWERS = 1.0, 8.0  # Likert points at first; answers after which 1/e of them is left

THERAPIST_OUTCOMES = OutcomeLaw(
    pair_feedback_sd=0.5,
    pair_service_sd=5.0,
    feedback_per_chat=0.05,
    feedback_error_sd=_FEEDBACK_ERROR_SD * math.sqrt(1 - _CALLER_SHARE),
    service_error_sd=_SERVICE_ERROR_SD * math.sqrt(1 - _CALLER_SHARE),
    predicted_min=20.0,
    predicted_max=90.0,
    service_min=10.0,
    service_max=120.0,
)


@dataclass(frozen=True)
class TherapistCallers:
    """People who ask for a session, with a profile and a language."""

    attributes: ClassVar[tuple[str, ...]] = ("gender", "age_band", "language")

    def sample(self, size: int, rng: np.random.Generator) -> Callers:
        """See `Population.sample`."""
        uniforms = rng.random((len(_CUMULATIVE), size))
        attributes = np.column_stack([np.searchsorted(*pair) for pair in zip(_CUMULATIVE, uniforms, strict=True)])
        repeat = rng.random(size) < _REPEAT_SHARE
        caller_type = np.where(repeat, int(CallerType.REPEAT), int(CallerType.NON_REPEAT))
        risk = np.searchsorted(np.cumsum(_RISK_SHARES)[:-1], rng.random(size)).astype(np.int64)
        return Callers(
            accepted=np.ones(size, dtype=np.bool_),
            caller_type=caller_type,
            risk=risk,
            attributes=attributes,
            values=self.draw_values(caller_type, risk, attributes, rng),
            keys=new_keys(size, rng),
        )

    def draw_values(self, caller_type: Ints, risk: Ints, attributes: Ints, rng: np.random.Generator) -> Floats:
        """See `Population.draw_values`."""
        del caller_type
        size, own_share = len(risk), math.sqrt(_CALLER_SHARE)
        normals = rng.standard_normal((4 + _NUM_TRAITS, size))
        values = np.zeros((size, draws.NUM_CALLER_VALUES + TherapistStaff.profile_size))
        values[:, draws.FEEDBACK_MEAN] = _FEEDBACK_BY_RISK[risk]
        values[:, draws.SERVICE_MEAN] = _SERVICE_BY_RISK[risk] + _CALLER_SERVICE_SD * normals[0]
        values[:, draws.FEEDBACK_SHIFT] = _FEEDBACK_ERROR_SD * own_share * normals[1]
        values[:, draws.SERVICE_SHIFT] = _SERVICE_ERROR_SD * own_share * normals[2]
        values[:, draws.REMAINING_NOISE] = normals[3]
        values[:, draws.PATIENCE_MEAN] = _PATIENCE_BY_RISK[risk] * _PATIENCE_BY_AGE[attributes[:, 1]]
        values[:, draws.PATIENCE] = exponential_patience(values[:, draws.PATIENCE_MEAN], rng)
        profile = values[:, draws.NUM_CALLER_VALUES :]
        profile[:, :_NUM_TRAITS] = normals[4:].T
        profile[np.arange(size), _NUM_TRAITS + attributes[:, 2]] = 1.0
        return values

    def resample_service(
        self, predicted: Floats, elapsed: Floats, caller_type: Ints, risk: Ints, rng: np.random.Generator
    ) -> Floats:
        """See `Population.resample_service`: the prediction plus a normal error, cut off at the time elapsed."""
        del caller_type, risk
        law = THERAPIST_OUTCOMES
        return normal_service(predicted, elapsed, _SERVICE_ERROR_SD, law.service_min, law.service_max, rng)

    def resample_patience(self, mean: Floats, waited: Floats, rng: np.random.Generator) -> Floats:
        """See `Population.resample_patience`; memoryless."""
        return exponential_patience(mean, rng, waited)


@dataclass(frozen=True)
class TherapistStaff:
    """Counsellors with profiles and languages; those who are new learn, and nobody knows yet how good they are."""

    profile_size: ClassVar[int] = _NUM_TRAITS + len(LANGUAGES)

    def sample(self, roster: Roster, rng: np.random.Generator) -> Floats:
        """See `StaffLaw.sample`."""
        size, new = len(roster), roster.new()
        staff = np.zeros((size, draws.FIRST_PROFILE + self.profile_size))
        normals = rng.standard_normal((3 + _NUM_TRAITS, size))
        staff[:, draws.FEEDBACK_EFFECT] = _FEEDBACK_SD * normals[0]
        staff[:, draws.SERVICE_EFFECT] = _SERVICE_SD * normals[1]
        staff[:, draws.UNKNOWN_SD] = np.where(new, _UNKNOWN_SD_NEW, _UNKNOWN_SD)
        staff[:, draws.UNKNOWN_EFFECT] = staff[:, draws.UNKNOWN_SD] * normals[2]
        staff[:, draws.LEARNING_GAP] = np.where(new, _LEARNING_GAP, 0.0)
        staff[:, draws.LEARNING_ANSWERS] = _LEARNING_ANSWERS
        profile = staff[:, draws.FIRST_PROFILE :]
        profile[:, :_NUM_TRAITS] = _TRAIT_SD * normals[3:].T
        speaks = rng.random((size, len(LANGUAGES))) < _SPEAKS
        profile[:, _NUM_TRAITS:] = np.where(speaks, 0.0, -_NO_COMMON_LANGUAGE)
        return staff

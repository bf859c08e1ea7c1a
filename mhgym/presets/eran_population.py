"""Callers and counsellors of the ERAN hotline (Kleinerman, Rosenfeld & Rosemarin 2022), a calibrated population.

The paper's data are private. The model was fitted on the FCFS and CMT columns of its Tables 4 and 5 and on published
marginals, then frozen; what nobody published is marked *assumption*.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import CallerType, Roster
from mhgym.processes import draws
from mhgym.processes.outcomes import OutcomeLaw, RemainingTimeModel
from mhgym.processes.population import Callers, exponential_patience, new_keys, normal_service

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DEVICES = ("mobile", "desktop")
GENDERS = ("female", "male")
AGE_BANDS = ("<=17", "18-24", "25-35", "36-49", "50-64", "65+")

# Patience: Appendix B gives means in seconds by device, gender and two age bands; other bands are assumptions, the last
# and the device shares solved for one overall mean. Gender and age shares are assumptions.
_PATIENCE_SECONDS = ((266.0, 402.0), (344.1, 288.7), (290.0, 300.0, 305.0, 238.0, 520.0, 467.7))
_SHARES = ((0.5887, 0.4113), (0.6, 0.4), (0.15, 0.27, 0.26, 0.16, 0.10, 0.06))
_CUMULATIVE = tuple(np.cumsum(shares)[:-1] for shares in _SHARES)
_PATIENCE_OVERALL_SECONDS = 321.9  # derived from the shares

# Counsellors.
_AGE_MEAN, _AGE_SD, _AGE_CLIP = 52.0, 15.0, (22.0, 82.0)  # years; assumption
_SENIOR_AGE = 65.0  # years; the paper compares counsellors over 65
_AGE_ON_FEEDBACK = -0.526  # Likert per SD of age; Table 1, r = -.18
_MESSAGE_RATIO_ON_FEEDBACK = 0.416  # Likert per SD; Table 1, r = .16
_AGE_ON_SERVICE = 1.5  # minutes per SD of age; assumption (older counsellors type slower)
_COUNSELLOR_SERVICE_SD = 5.0  # minutes; Table 3, r = .178

# Pairs.
_FEEDBACK_MEAN = 4.47  # latent Likert; calibrated on FCFS Quality
_FEEDBACK_SD = 2.2  # latent Likert, all sources together; calibrated on the CMT column
_SERVICE_MEAN = 14.0  # predicted minutes; calibrated on FCFS Quantity
_CALLER_SERVICE_SD = 4.8  # minutes; Table 3, r = .136
_FEEDBACK_ERROR_SD = 0.475  # Likert; solves the balanced accuracy .758 of Table 2
_SERVICE_ERROR_SD = 25.6  # minutes before clipping; solves the MSE of 399.9 min²
_ERROR_CALLER_SHARE = 0.5  # of both error variances; assumption
_REPEAT_SHARE = 0.5  # assumption: callers who visited before; type has no effect in this population

#: Chance that a caller answers the survey, by feedback 1 to 5: a quarter in all (the paper), happier ones more often
#: (assumption), so that the survey mean is 4.19 while the mean over all answered is lower.
SURVEY_RESPONSE = (0.081, 0.12, 0.177, 0.262, 0.386)

ERAN_OUTCOMES = OutcomeLaw(
    pair_feedback_sd=math.sqrt(_FEEDBACK_SD**2 - _AGE_ON_FEEDBACK**2 - _MESSAGE_RATIO_ON_FEEDBACK**2),
    pair_service_sd=8.0,  # minutes; derived from the model's MSE of 399.9 min² against 455.2 (419 achieved)
    pair_correlation=-0.25,  # calibrated on the CMT column
    senior_bonus=0.55,  # Likert; the paper's 4.15 against 3.96
    feedback_per_chat=0.159,  # Likert; Table 1, r = -.145
    service_per_chat=1.3,  # minutes; Table 3, r = .10
    feedback_error_sd=_FEEDBACK_ERROR_SD * math.sqrt(1 - _ERROR_CALLER_SHARE),
    service_error_sd=_SERVICE_ERROR_SD * math.sqrt(1 - _ERROR_CALLER_SHARE),
    predicted_min=3.0,  # minutes; the authors' public fragment
    predicted_max=50.0,  # minutes; the same fragment of the authors
    service_min=3.0,  # minutes; the same fragment of the authors
    service_max=80.0,  # minutes; the same fragment of the authors
)

#: Appendix A's absolute errors as half-normal ones at the middle of each bucket of true remaining time; the first is
#: that of the authors' public fragment; that of 5-10 minutes is an assumption, and so are 30 minutes for the open last
#: bucket and the floor.
ERAN_REMAINING = RemainingTimeModel(knots=(2.5, 7.5, 15.0, 30.0), error_sd=(2.0, 3.0, 4.1, 18.0), floor=0.5)


def mean_patience(device: Ints, gender: Ints, age_band: Ints) -> Floats:
    """`[n]` predicted patience in minutes: the overall mean times the ratios of the three groups (product form)."""
    ratio = np.ones(len(device))
    for codes, means in zip((device, gender, age_band), _PATIENCE_SECONDS, strict=True):
        ratio *= np.array(means)[codes] / _PATIENCE_OVERALL_SECONDS
    return ratio * _PATIENCE_OVERALL_SECONDS / 60.0


@dataclass(frozen=True)
class EranPopulation:
    """Callers of the ERAN hotline."""

    attributes: ClassVar[tuple[str, ...]] = ("device", "gender", "age_band")

    def sample(self, size: int, rng: np.random.Generator) -> Callers:
        """See `Population.sample`."""
        uniforms = rng.random((len(_CUMULATIVE), size))
        attributes = np.column_stack([np.searchsorted(*pair) for pair in zip(_CUMULATIVE, uniforms, strict=True)])
        caller_type = np.where(rng.random(size) < _REPEAT_SHARE, int(CallerType.REPEAT), int(CallerType.NON_REPEAT))
        risk = np.zeros(size, dtype=np.int64)
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
        del caller_type, risk
        size = len(attributes)
        normals = rng.standard_normal((4, size))
        values = np.zeros((size, draws.NUM_CALLER_VALUES))
        values[:, draws.FEEDBACK_MEAN] = _FEEDBACK_MEAN
        values[:, draws.SERVICE_MEAN] = _SERVICE_MEAN + _CALLER_SERVICE_SD * normals[0]
        values[:, draws.SENIOR] = attributes[:, 2] == AGE_BANDS.index("65+")
        values[:, draws.FEEDBACK_SHIFT] = _FEEDBACK_ERROR_SD * math.sqrt(_ERROR_CALLER_SHARE) * normals[1]
        values[:, draws.SERVICE_SHIFT] = _SERVICE_ERROR_SD * math.sqrt(_ERROR_CALLER_SHARE) * normals[2]
        values[:, draws.REMAINING_NOISE] = normals[3]
        values[:, draws.PATIENCE_MEAN] = mean_patience(*attributes.T)
        values[:, draws.PATIENCE] = exponential_patience(values[:, draws.PATIENCE_MEAN], rng)
        return values

    def resample_service(
        self, predicted: Floats, elapsed: Floats, caller_type: Ints, risk: Ints, rng: np.random.Generator
    ) -> Floats:
        """See `Population.resample_service`: the prediction plus a normal error, cut off at the time elapsed."""
        del caller_type, risk
        least, longest = ERAN_OUTCOMES.service_min, ERAN_OUTCOMES.service_max
        return normal_service(predicted, elapsed, _SERVICE_ERROR_SD, least, longest, rng)

    def resample_patience(self, mean: Floats, waited: Floats, rng: np.random.Generator) -> Floats:
        """See `Population.resample_patience`; memoryless."""
        return exponential_patience(mean, rng, waited)


@dataclass(frozen=True)
class EranStaff:
    """Counsellors of the ERAN hotline, drawn anew for every shift."""

    def sample(self, roster: Roster, rng: np.random.Generator) -> Floats:
        """See `StaffLaw.sample`."""
        size = len(roster)
        staff = np.zeros((size, draws.NUM_STAFF_VALUES))
        age = np.clip(_AGE_MEAN + _AGE_SD * rng.standard_normal(size), *_AGE_CLIP)
        z = (age - _AGE_MEAN) / _AGE_SD
        staff[:, draws.AGE] = age
        staff[:, draws.STAFF_SENIOR] = age > _SENIOR_AGE
        staff[:, draws.MESSAGE_RATIO] = rng.standard_normal(size)
        staff[:, draws.FEEDBACK_EFFECT] = (
            _AGE_ON_FEEDBACK * z + _MESSAGE_RATIO_ON_FEEDBACK * staff[:, draws.MESSAGE_RATIO]
        )
        staff[:, draws.SERVICE_EFFECT] = _AGE_ON_SERVICE * z + _COUNSELLOR_SERVICE_SD * rng.standard_normal(size)
        return staff

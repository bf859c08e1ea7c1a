"""Who could meet whom and when, and how well they suit (WPI 2024, sections 3.6.1 and 3.6.3)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mhgym.matching.people import Patients, Volunteers, Week
from mhgym.matching.traits import ACCEPTED_AGES, AGE, NO_PREFERENCE, QUESTIONS
from mhgym.matching.week import Bools, Ints

_ALL = -1  # every bit of a set


def fifths(patients: Patients, volunteers: Volunteers) -> NDArray[np.int8]:
    """Compatibility in fifths: how many of a patient's five preferences each volunteer meets.

    No preference counts as met. The report's score m is this divided by 5; whole numbers keep sums exact.

    Returns:
        `[P, V]` from 0 to 5.
    """
    met = np.zeros((len(patients), len(volunteers)), dtype=np.int8)
    for index, question in enumerate(QUESTIONS):
        wish = patients.preferences[:, index]
        accepted = ACCEPTED_AGES[patients.age, wish] if index == AGE else wish
        accepted = np.where(wish == NO_PREFERENCE, _ALL, accepted)
        options = np.arange(len(question.options))
        meets = (accepted[:, None] >> options & 1).astype(np.int8)  # [P, options]
        met += meets[:, volunteers.traits[:, index]]
    return met


def common_language(patients: Patients, volunteers: Volunteers) -> Bools:
    """`[P, V]` whether they share a language: the report's l."""
    shared = np.zeros((len(patients), len(volunteers)), dtype=np.bool_)
    for index in range(patients.languages.shape[1]):
        shared |= patients.languages[:, index, None] & volunteers.languages[None, :, index]
    return shared


@dataclass(frozen=True, eq=False)
class Columns:
    """All possible assignments of a week, the columns of the report's model that can be anything but 0.

    Sorted by slot, patient and volunteer.

    Attributes:
        patient: `[n]` index.
        volunteer: `[n]` index.
        slot: `[n]` of the week, on the centre's clock.
        fifths: `[n]` compatibility of the pair, from 0 to 5.
    """

    patient: Ints
    volunteer: Ints
    slot: Ints
    fifths: Ints

    def __len__(self) -> int:
        return len(self.patient)

    def take(self, chosen: Ints | Bools) -> "Columns":
        """Those at the given indices, or where a mask holds."""
        return Columns(self.patient[chosen], self.volunteer[chosen], self.slot[chosen], self.fifths[chosen])


def columns(week: Week) -> Columns:
    """The assignments that constraints (4) to (6) leave: both free, a language in common, the patient eligible."""
    patients, volunteers = week.patients, week.volunteers
    allowed = common_language(patients, volunteers) & patients.eligible[:, None]
    scores = fifths(patients, volunteers)
    parts: list[tuple[Ints, Ints, Ints]] = []
    for slot in range(patients.slots.shape[1]):
        seekers, helpers = np.flatnonzero(patients.slots[:, slot]), np.flatnonzero(volunteers.slots[:, slot])
        if len(seekers) and len(helpers):
            row, column = np.nonzero(allowed[np.ix_(seekers, helpers)])
            parts.append((seekers[row], helpers[column], np.full(len(row), slot)))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Columns(none, none, none, none)
    patient, volunteer, slot_of_each = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Columns(patient, volunteer, slot_of_each, scores[patient, volunteer].astype(np.int64))

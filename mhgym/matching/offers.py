"""The answer to a week's problem: offers, what they are worth, and whether they keep the rules of the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mhgym.matching.compatibility import Columns, common_language, fifths
from mhgym.matching.people import Week
from mhgym.matching.traits import SEVERITIES
from mhgym.matching.week import Bools, Ints


@dataclass(frozen=True, eq=False)
class Offers:
    """Assignments, the report's x: patient, volunteer and slot of each.

    Attributes:
        patient: `[n]` index, not decreasing.
        volunteer: `[n]` index.
        slot: `[n]` of the week, on the centre's clock.
    """

    patient: Ints
    volunteer: Ints
    slot: Ints

    @classmethod
    def of(cls, columns: Columns, chosen: Ints | Bools) -> Self:
        """The chosen columns, in the order of patient and slot."""
        own = columns.take(chosen)
        order = np.lexsort((own.volunteer, own.slot, own.patient))
        return cls(own.patient[order], own.volunteer[order], own.slot[order])

    @classmethod
    def none(cls) -> Self:
        """No offer."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, empty, empty)

    def __len__(self) -> int:
        return len(self.patient)

    def take(self, chosen: Ints | Bools) -> Self:
        """Those at the given indices, or where a mask holds."""
        return type(self)(self.patient[chosen], self.volunteer[chosen], self.slot[chosen])

    def served(self, num_patients: int) -> Bools:
        """`[P]` whether each patient has an offer, the report's y."""
        return np.bincount(self.patient, minlength=num_patients) > 0


@dataclass(frozen=True)
class Objectives:
    """What offers are worth.

    Attributes:
        weighted_severity: The report's first objective, with its exponential coefficients; exact.
        fifths: Its second, the compatibility of all offers, in fifths; the report prints fifths / 5.
        patients: Its third, the number of patients with an offer.
        per_severity: Patients with an offer by severity, 0 to 6.
        severity_score: Severity summed over offers, as the report's tables have it (inferred).
        unassigned: Patients without an offer.
    """

    weighted_severity: int
    fifths: int
    patients: int
    per_severity: tuple[int, ...]
    severity_score: int
    unassigned: int

    @property
    def compatibility(self) -> float:
        """The second objective in the report's unit."""
        return self.fifths / 5

    @property
    def ranked(self) -> tuple[int, int, int]:
        """The three objectives in the order of their importance."""
        return self.weighted_severity, self.fifths, self.patients


def severity_coefficients(counts: Sequence[int] | Ints) -> tuple[int, ...]:
    """The report's c_s: no number of milder patients outweighs one of severity s.

    Args:
        counts: Patients of each severity, from the mildest.
    """
    coefficients: list[int] = []
    total = 1
    for count in counts:
        coefficients.append(total)
        total += int(count) * total
    return tuple(coefficients)


def objectives(week: Week, offers: Offers) -> Objectives:
    """The value of offers in a week."""
    severity = week.patients.severity
    served = offers.served(len(severity))
    counts = np.bincount(severity, minlength=SEVERITIES)
    per_severity = tuple(np.bincount(severity[served], minlength=SEVERITIES).tolist())
    weights = severity_coefficients(counts)
    return Objectives(
        weighted_severity=sum(weight * count for weight, count in zip(weights, per_severity, strict=True)),
        fifths=int(fifths(week.patients, week.volunteers)[offers.patient, offers.volunteer].sum()),
        patients=int(served.sum()),
        per_severity=per_severity,
        severity_score=int(severity[offers.patient].sum()),
        unassigned=int((~served).sum()),
    )


def violations(week: Week, offers: Offers, most_offers: int) -> list[str]:
    """Every rule that offers break, in words; empty if they are feasible.

    The rules are constraints (1) to (6) of the report, checked from the data and not from pruned columns, and the
    guardian's consent.

    Args:
        week: The problem.
        offers: An answer.
        most_offers: The report's k.
    """
    patients, volunteers = week.patients, week.volunteers
    patient, volunteer, slot = offers.patient, offers.volunteer, offers.slot
    speaks = common_language(patients, volunteers)
    per_patient = np.bincount(patient, minlength=len(patients))
    broken = {
        f"(1) a patient has at most {most_offers} offers": (per_patient > most_offers).any(),
        "(2) a volunteer has one patient at a time": _repeats(volunteer, slot),
        "(3) a patient has one volunteer at a time": _repeats(patient, slot),
        "(4) the patient is free": not patients.slots[patient, slot].all(),
        "(5) the volunteer is free": not volunteers.slots[volunteer, slot].all(),
        "(6) a pair has a language in common": not speaks[patient, volunteer].all(),
        "(6) a pair has one slot at most": _repeats(patient, volunteer),
        "a minor's guardian has agreed": not patients.eligible[patient].all(),
    }
    return [rule for rule, is_broken in broken.items() if is_broken]


def _repeats(first: Ints, second: Ints) -> bool:
    """Whether a pair of values occurs twice."""
    return len(np.unique(np.stack([first, second]), axis=1).T) < len(first)

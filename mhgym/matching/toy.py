"""Small weeks: one with a known optimum, and crowded ones in which every rule of the model binds."""

from collections.abc import Iterable

import numpy as np

from mhgym.matching.people import DEFAULT_LANGUAGES, Patients, Volunteers, Week
from mhgym.matching.traits import AGE, AGE_WISHES, AGES, MINOR, QUESTIONS
from mhgym.matching.week import SLOTS, Bools, Ints, free_in

#: Fifths of each patient of `fractional_week` with each volunteer, and what its model is worth with two offers or more:
#: in whole numbers, as a linear program, and without the rule that a pair has one slot at most.
FRACTIONAL_FIFTHS = ((3, 2, 0), (3, 3, 0), (4, 0, 3))
FRACTIONAL_WHOLE, FRACTIONAL_LINEAR, FRACTIONAL_WITHOUT_PAIRS = 12, 12.5, 13

_ZONES = (-1, 0, 0, 0, 1)  # hours; most people live where the centre is


def fractional_week() -> Week:
    """Three patients and three volunteers whose linear program has no whole optimum.

    The rule (6) that a pair has one slot at most crosses the patient-hour nodes of the flow, so matching
    several offers is no network flow. The patients are free in slots {0}, {0, 1}, {0, 1}, the volunteers in {0, 1},
    {0, 1}, {1}.
    """
    nobody = 1 << len(FRACTIONAL_FIFTHS)  # a trait that no volunteer has
    wishes = np.zeros((len(FRACTIONAL_FIFTHS), len(QUESTIONS)), dtype=np.int64)
    for patient, scores in enumerate(FRACTIONAL_FIFTHS):
        for question in range(AGE):
            liked = sum(1 << volunteer for volunteer, score in enumerate(scores) if question < score)
            wishes[patient, question] = liked or nobody
    wishes[:, AGE] = 1 << AGE_WISHES.index("older")  # than the oldest: never met
    number = len(FRACTIONAL_FIFTHS)
    english = np.tile(np.array([True, False]), (number, 1))
    here = np.zeros(number, dtype=np.int64)
    return Week(
        Patients(
            ids=("p0", "p1", "p2"),
            languages=english,
            free=np.stack([free_in((0,)), free_in((0, 1)), free_in((0, 1))]),
            zone=here,
            severity=here,
            age=np.full(number, AGES.index("over_55")),
            consent=np.zeros(number, dtype=np.bool_),
            preferences=wishes,
        ),
        Volunteers(
            ids=("v0", "v1", "v2"),
            languages=english,
            free=np.stack([free_in((0, 1)), free_in((0, 1)), free_in((1,))]),
            zone=here,
            traits=np.stack([np.arange(number)] * AGE + [np.full(number, MINOR + 1)], axis=1),
        ),
    )


def crowded_week(num_patients: int, num_volunteers: int, num_slots: int, rng: np.random.Generator) -> Week:
    """A random week crowded into a few slots, with bilinguals, several wishes, minors and other time zones.

    Args:
        num_patients: Patients.
        num_volunteers: Volunteers.
        num_slots: Slots of the week in which anybody is free, at most 98.
        rng: Of all chance.
    """
    slots = rng.choice(SLOTS, num_slots, replace=False)
    density, levels = rng.uniform(0.3, 1.0), rng.choice([1, 2, 7])

    def free(number: int) -> Bools:
        chosen = np.zeros((number, SLOTS), dtype=np.bool_)
        chosen[:, slots] = rng.random((number, num_slots)) < density
        return chosen

    def spoken(number: int) -> Bools:
        return rng.random((number, len(DEFAULT_LANGUAGES))) < 0.7

    def codes(low_high: Iterable[tuple[int, int]], number: int) -> Ints:
        return np.stack([rng.integers(low, high, number) for low, high in low_high], axis=1)

    return Week(
        Patients(
            ids=tuple(f"p{index}" for index in range(num_patients)),
            languages=spoken(num_patients),
            free=free(num_patients),
            zone=rng.choice(_ZONES, num_patients),
            severity=rng.integers(0, levels, num_patients),
            age=rng.integers(0, len(AGES), num_patients),
            consent=rng.random(num_patients) < 0.5,
            preferences=codes(((0, 1 << len(question.wishes)) for question in QUESTIONS), num_patients),
        ),
        Volunteers(
            ids=tuple(f"v{index}" for index in range(num_volunteers)),
            languages=spoken(num_volunteers),
            free=free(num_volunteers),
            zone=rng.choice(_ZONES, num_volunteers),
            traits=codes(
                ((MINOR + 1 if index == AGE else 0, len(question.options)) for index, question in enumerate(QUESTIONS)),
                num_volunteers,
            ),
        ),
    )

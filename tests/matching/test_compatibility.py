"""Compatibility, pruned columns and the rules, against definitions written out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhgym.matching import CALIBRATED, Offers, WeekGenerator, columns, common_language, fifths, objectives, violations
from mhgym.matching.offers import severity_coefficients
from mhgym.matching.toy import crowded_week
from mhgym.matching.traits import AGE, AGE_WISHES, AGES, QUESTIONS
from mhgym.matching.week import SLOTS

SIZES = st.tuples(st.integers(0, 7), st.integers(0, 5), st.integers(1, 4), st.integers(0, 2**32 - 1))


def week_of(sizes):
    *numbers, seed = sizes
    return crowded_week(*numbers, np.random.default_rng(seed))


def meets(question, wish, own_age, trait):
    """The prose of the report: no preference is met; else the volunteer is one of the options named."""
    named = [name for bit, name in enumerate(question.wishes) if wish >> bit & 1]
    if question.name != "age":
        return not named or question.options[trait] in named
    relation = "same" if trait == own_age else "older" if trait > own_age else "younger"
    return not named or relation in named


@given(SIZES)
def test_compatibility_counts_the_preferences_that_are_met(sizes):
    week = week_of(sizes)
    patients, volunteers = week.patients, week.volunteers

    expected = [
        [
            sum(
                meets(question, wish, age, trait)
                for question, wish, trait in zip(QUESTIONS, wishes, traits, strict=True)
            )
            for traits in volunteers.traits.tolist()
        ]
        for wishes, age in zip(patients.preferences.tolist(), patients.age.tolist(), strict=True)
    ]
    assert fifths(patients, volunteers).tolist() == expected


@pytest.mark.parametrize(
    ("own", "wish", "accepted"),
    [
        ("18_to_35", "younger", []),
        ("18_to_35", "older", ["36_to_55", "over_55"]),
        ("36_to_55", "same", ["36_to_55"]),
        ("over_55", "older", []),
        ("under_18", "older", ["18_to_35", "36_to_55", "over_55"]),
    ],
)
def test_age_is_asked_relative_to_ones_own(own, wish, accepted):
    week = WeekGenerator(num_patients=1, num_volunteers=3, preferences=False).sample(0)
    preferences = np.zeros((1, 5), dtype=np.int64)
    preferences[0, AGE] = 1 << AGE_WISHES.index(wish)
    patients = replace(week.patients, age=np.array([AGES.index(own)]), preferences=preferences)
    traits = week.volunteers.traits.copy()
    traits[:, AGE] = [1, 2, 3]

    met = fifths(patients, replace(week.volunteers, traits=traits))[0]

    assert met.tolist() == [5 if age in accepted else 4 for age in AGES[1:]]


@given(SIZES)
def test_columns_are_all_that_the_printed_constraints_leave(sizes):
    """(4), (5) and the zero rows of (6), and the guardian's consent, for every triple one by one."""
    week = week_of(sizes)
    patients, volunteers = week.patients, week.volunteers
    left = set()
    for p in range(len(patients)):
        for v in range(len(volunteers)):
            shared = any(a and b for a, b in zip(patients.languages[p], volunteers.languages[v], strict=True))
            if shared and (AGES[patients.age[p]] != "under_18" or patients.consent[p]):
                left |= {(p, v, t) for t in range(SLOTS) if patients.slots[p, t] and volunteers.slots[v, t]}

    found = columns(week)

    triples = list(zip(found.patient.tolist(), found.volunteer.tolist(), found.slot.tolist(), strict=True))
    assert set(triples) == left
    assert len(triples) == len(left)
    assert found.fifths.tolist() == [fifths(patients, volunteers)[p, v] for p, v, _ in triples]


def test_pruning_leaves_few_columns():
    """400 × 25 × 98 = 980,000 become about 3,400; over ten seeds, within a third of that."""
    counts = [len(columns(WeekGenerator(num_patients=400, num_volunteers=25).sample(seed))) for seed in range(10)]

    assert 3400 * 2 / 3 < np.mean(counts) < 3400 * 4 / 3


def offers_of(*triples):
    return Offers(*(np.array(column, dtype=np.int64) for column in zip(*triples, strict=True)))


def test_every_broken_rule_is_named():
    week = WeekGenerator(num_patients=4, num_volunteers=3, preferences=False).sample(0)
    patients, volunteers = week.patients, week.volunteers
    english = np.tile([True, False], (4, 1))
    always = np.ones((4, SLOTS), dtype=bool)
    always[3, 50:] = False
    busy = np.ones((3, SLOTS), dtype=bool)
    busy[2, 60:] = False
    languages = english[:3].copy()
    languages[1] = ~languages[1]
    ages = np.array([1, 1, 0, 1])
    week = replace(
        week,
        patients=replace(patients, languages=english, free=always, age=ages),
        volunteers=replace(volunteers, languages=languages, free=busy),
    )

    cases = {
        "(1) a patient has at most 2 offers": [(0, 0, 1), (0, 2, 2), (0, 0, 3)],
        "(2) a volunteer has one patient at a time": [(0, 0, 1), (1, 0, 1)],
        "(3) a patient has one volunteer at a time": [(0, 0, 1), (0, 2, 1)],
        "(4) the patient is free": [(3, 0, 50)],
        "(5) the volunteer is free": [(0, 2, 60)],
        "(6) a pair has a language in common": [(0, 1, 4)],
        "(6) a pair has one slot at most": [(0, 0, 1), (0, 0, 2)],
        "a minor's guardian has agreed": [(2, 0, 1)],
    }
    for rule, triples in cases.items():
        assert rule in violations(week, offers_of(*triples), 2)
    assert violations(week, offers_of((0, 0, 1), (0, 2, 2), (1, 0, 2), (3, 0, 49)), 2) == []


@given(st.lists(st.integers(0, 30), min_size=7, max_size=7))
def test_coefficients_follow_the_printed_algorithm(counts):
    coefficients = [1]
    for i in range(1, 7):
        current = 1
        for j in range(i):
            current += counts[j] * coefficients[j]
        coefficients.append(current)

    assert list(severity_coefficients(counts)) == coefficients


def test_objectives_are_sums_over_offers_and_patients():
    week = CALIBRATED.sample(0)
    scores = fifths(week.patients, week.volunteers)
    offers = offers_of((2, 3, 1), (2, 4, 5), (7, 3, 6))
    severity = week.patients.severity

    value = objectives(week, offers)

    assert value.fifths == scores[2, 3] + scores[2, 4] + scores[7, 3]
    assert value.compatibility == value.fifths / 5
    assert value.severity_score == 2 * severity[2] + severity[7]
    assert (value.patients, value.unassigned, sum(value.per_severity)) == (2, 148, 2)
    weights = severity_coefficients(np.bincount(severity, minlength=7))
    assert value.weighted_severity == weights[severity[2]] + weights[severity[7]]


def test_a_shared_language_is_any_of_several():
    week = crowded_week(6, 5, 3, np.random.default_rng(1))

    shared = common_language(week.patients, week.volunteers)

    both = week.patients.languages.astype(int) @ week.volunteers.languages.T.astype(int)
    assert shared.tolist() == (both > 0).tolist()
    assert 0 < shared.sum() < shared.size

"""The exact weekly matcher: equal to the printed model, and the theory that makes it fast."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("highspy", reason="the extra 'opt' is not installed")

from agents import weekly_columns
from agents.weekly_columns import Ample, Master, solve_ample
from agents.weekly_levels import Graph, assign, dense, nested_matchings
from agents.weekly_matcher import match_week, offer_exactly, offer_most_severe
from agents.weekly_oracle import offer_as_printed
from mhgym.matching import CALIBRATED, Week, WeekGenerator, columns, objectives, violations
from mhgym.matching.generator import UniformHours
from mhgym.matching.rounds import play_rounds
from mhgym.matching.toy import (
    FRACTIONAL_FIFTHS,
    FRACTIONAL_LINEAR,
    FRACTIONAL_WHOLE,
    FRACTIONAL_WITHOUT_PAIRS,
    crowded_week,
    fractional_week,
)
from mhgym.matching.week import SLOTS

OFFERS = st.integers(1, 4)


@st.composite
def weeks(draw, most_patients=8, most_volunteers=5, most_slots=5):
    """Crowded weeks, nobody and one person included."""
    sizes = [draw(st.integers(low, most)) for low, most in ((0, most_patients), (0, most_volunteers), (1, most_slots))]
    return crowded_week(*sizes, np.random.default_rng(draw(st.integers(0, 2**32 - 1))))


def ample(week: Week, most_offers: int) -> Ample:
    """All columns of a week in which everybody can be served."""
    possible = columns(week)
    graph = Graph.of(possible, week.patients.severity)
    assert len(assign(graph)) == len(week.patients)
    meeting, pair = (
        possible.patient * SLOTS + possible.slot,
        possible.patient * len(week.volunteers) + possible.volunteer,
    )
    keys = (dense(key)[1] for key in (possible.patient, graph.hour, meeting, pair))
    return Ample(*keys, fifths=possible.fifths, most_offers=most_offers, start=assign(graph))


# ------------------------------------------------------------------------------------------ equal to the printed model


@settings(max_examples=200)
@given(weeks(), OFFERS)
def test_the_fast_matcher_equals_the_printed_model(week, most_offers):
    """All three objectives and the counts by severity; both answers keep every rule."""
    fast = match_week(week, most_offers)
    printed = offer_as_printed(week, most_offers)

    assert violations(week, fast.offers, most_offers) == []
    assert violations(week, printed, most_offers) == []
    assert fast.objectives.ranked == objectives(week, printed).ranked
    assert fast.objectives.per_severity == objectives(week, printed).per_severity
    assert fast.optimal


@pytest.mark.parametrize("seed", range(3))
def test_generated_weeks_equal_the_printed_model(seed):
    """With small increasing coefficients: the report's own exceed the solver's precision at this size."""
    week = WeekGenerator(num_patients=40, num_volunteers=8).sample(seed)

    printed = offer_as_printed(week, 3, coefficients=range(1, 8))

    assert match_week(week, 3).objectives.ranked == objectives(week, printed).ranked


@settings(max_examples=100)
@given(weeks(most_patients=20, most_volunteers=8, most_slots=7))
def test_one_offer_each_is_one_assignment_problem_over_all_columns(week):
    possible = columns(week)
    graph = Graph.of(possible, week.patients.severity)
    chosen = assign(graph)

    fast = match_week(week, 1)

    assert fast.objectives.fifths == possible.fifths[chosen].sum()
    assert fast.objectives.per_severity == tuple(
        np.bincount(week.patients.severity[possible.patient[chosen]], minlength=7).tolist()
    )


def test_a_large_week_is_solved_feasibly_to_its_bound():
    week = WeekGenerator(num_patients=1000, num_volunteers=80).sample(5)

    match = match_week(week, 3)

    assert match.optimal
    assert violations(week, match.offers, 3) == []
    assert match.served.sum() == match.objectives.patients == sum(match.certificate.per_severity) > 300


# ------------------------------------------------------------------------------------------------------- the theory


@settings(max_examples=30)
@given(weeks(), OFFERS)
def test_the_third_objective_changes_nothing(week, most_offers):
    """A set of patients with the most severity is also a largest one."""
    two = objectives(week, offer_as_printed(week, most_offers, objectives=2))
    three = objectives(week, offer_as_printed(week, most_offers))

    assert two == replace(three, severity_score=two.severity_score)  # offers worth nothing may differ


@settings(max_examples=30)
@given(weeks(), OFFERS, st.lists(st.integers(1, 50), min_size=7, max_size=7))
def test_any_increasing_coefficients_have_the_same_optimum(week, most_offers, steps):
    """The sets of patients that can be served together form a matroid."""
    any_weights = objectives(week, offer_as_printed(week, most_offers, coefficients=np.cumsum(steps).tolist()))
    printed = objectives(week, offer_as_printed(week, most_offers))

    assert any_weights.per_severity == printed.per_severity
    assert any_weights.ranked == printed.ranked


@settings(max_examples=150)
@given(weeks(most_patients=20, most_volunteers=8, most_slots=7), OFFERS)
def test_a_second_round_that_books_hours_gains_nothing(week, most_offers):
    first, second = play_rounds(week, offer_exactly, most_offers=most_offers, consume=True)

    assert len(second.week.patients) == len(week.patients) - len(first.picked)
    assert len(second.picked) == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_second_round_gains_only_where_hours_are_booked_twice(seed):
    week = CALIBRATED.sample(seed)

    once = [len(played.picked) for played in play_rounds(week, offer_exactly, consume=True)]
    twice = [len(played.picked) for played in play_rounds(week, offer_exactly, consume=False)]

    assert once[0] == twice[0] > 0
    assert once[1] == 0 < twice[1]


@pytest.mark.parametrize("most_offers", [2, 3])
def test_one_slot_a_pair_breaks_integrality(most_offers):
    """The linear program is worth 12.5, whole numbers 12, and 13 without the rule (6)."""
    week = fractional_week()
    problem = ample(week, most_offers)

    def linear(of: Ample) -> float:
        master = Master(of)
        master.add(np.arange(len(of.patient)))
        while True:
            values, _, optimum = master.solve()
            if not master.cut(values):
                return optimum

    without_pairs = replace(problem, pair=np.arange(len(problem.pair)))
    assert linear(problem) == pytest.approx(FRACTIONAL_LINEAR, abs=1e-6)
    assert linear(without_pairs) == pytest.approx(FRACTIONAL_WITHOUT_PAIRS, abs=1e-6)
    match = match_week(week, most_offers)
    assert match.objectives.fifths == FRACTIONAL_WHOLE
    assert match.certificate.method == "integer program over the columns generated"
    assert objectives(week, offer_as_printed(week, most_offers)).fifths == FRACTIONAL_WHOLE


def test_the_fractional_week_is_what_it_says():
    possible = columns(fractional_week())

    scores = {(p, v): m for p, v, m in zip(possible.patient, possible.volunteer, possible.fifths, strict=True)}
    assert scores == {
        (p, v): m for p, row in enumerate(FRACTIONAL_FIFTHS) for v, m in enumerate(row) if (p, v) != (0, 2)
    }  # p0 is free in slot 0 only, v2 in slot 1 only


@settings(max_examples=60)
@given(weeks(most_patients=14, most_volunteers=7, most_slots=6))
def test_nested_matchings_split_off_what_is_scarce(week):
    """Scarce hours are all used for one offer each; in the ample part everybody is served."""
    possible = columns(week)
    graph = Graph.of(possible, week.patients.severity)
    levels = nested_matchings(graph)
    offers = match_week(week, 3).offers
    used = set(zip(offers.volunteer.tolist(), offers.slot.tolist(), strict=True))
    per_patient = np.bincount(offers.patient, minlength=len(week.patients))

    scarce, plenty = possible.take(levels.scarce), possible.take(levels.ample)

    assert not (levels.scarce & levels.ample).any()
    assert set(zip(scarce.volunteer.tolist(), scarce.slot.tolist(), strict=True)) <= used
    assert (per_patient[scarce.patient] <= 1).all()
    assert (per_patient[plenty.patient] >= 1).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_last_resort_is_exact(seed, monkeypatch):
    """Where the generated columns do not reach the bound, all that could matter are tried.

    In 6,000 random weeks it never came to that, so the columns are taken away.
    """
    week = WeekGenerator(num_patients=30, num_volunteers=20, volunteer_hours=UniformHours()).sample(seed)
    problem = ample(replace(week, patients=week.patients.take(assigned(week))), 3)
    best = solve_ample(problem)
    original = weekly_columns._linear_optimum

    def poor(of: Ample):
        _, _, gains, optimum = original(of)
        master = Master(of)
        master.add(of.start)
        return master, np.full(len(of.start), 0.5), gains, optimum

    monkeypatch.setattr(weekly_columns, "_linear_optimum", poor)
    last = solve_ample(problem)

    assert best.bound == last.bound == problem.fifths[last.chosen].sum() > problem.fifths[problem.start].sum()
    assert last.method == "integer program over all columns that could matter"


def assigned(week: Week):
    """The patients who can all be served together."""
    return np.unique(offer_most_severe(week, 1).patient)


@settings(max_examples=60)
@given(weeks(most_patients=20, most_volunteers=8, most_slots=7))
def test_the_first_objective_alone_serves_the_same_severities(week):
    first = objectives(week, offer_most_severe(week, 1))

    assert first.per_severity == match_week(week, 3).objectives.per_severity


# ------------------------------------------------------------------------------------------------- at the edges


def changed(week: Week, **arrays) -> Week:
    return replace(week, patients=replace(week.patients, **arrays))


def test_nobody_is_matched_without_availability_language_or_consent():
    week = CALIBRATED.sample(0)
    patients = week.patients
    strangers = replace(week.volunteers, languages=np.zeros_like(week.volunteers.languages))
    minors = changed(week, age=np.zeros_like(patients.age))

    for empty in (
        changed(week, free=np.zeros_like(patients.free)),
        replace(week, volunteers=strangers),
        minors,
    ):
        match = match_week(empty, 3)
        assert match.optimal
        assert len(match.offers) == 0
        assert match.objectives.unassigned == len(patients)
    agreed = changed(minors, consent=np.ones_like(patients.consent))
    assert match_week(agreed, 3).objectives.per_severity == match_week(week, 3).objectives.per_severity


@pytest.mark.parametrize(("num_patients", "num_volunteers"), [(0, 5), (5, 0), (0, 0), (1, 1), (3, 60)])
def test_any_numbers_of_people_can_be_matched(num_patients, num_volunteers):
    """More volunteers than patients, one, or none."""
    week = WeekGenerator(num_patients=num_patients, num_volunteers=num_volunteers).sample(1)

    match = match_week(week, 3)

    assert match.optimal
    assert len(match.offers) <= 3 * num_patients
    assert len(match.offers) > 0 or num_patients * num_volunteers <= 1


@pytest.mark.parametrize("most_offers", [0, -1, 2.5, True])
def test_a_number_of_offers_is_at_least_one(most_offers):
    with pytest.raises(ValueError, match=f"most_offers must be a whole number of at least 1, got {most_offers}"):
        match_week(CALIBRATED.sample(0), most_offers)


def test_the_printed_model_refuses_coefficients_beyond_its_precision():
    with pytest.raises(ValueError, match=r"coefficients of severity may add up to 1000000 .*, got \d+; use the fast"):
        offer_as_printed(CALIBRATED.sample(0), 3)

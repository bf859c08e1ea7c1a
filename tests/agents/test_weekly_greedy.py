"""Simple weekly matchers: feasible, in their order, and never better than the optimum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("highspy", reason="the extra 'opt' is not installed")

from agents.weekly_greedy import offer_by_compatibility, offer_by_severity, offer_first_come, ranking
from agents.weekly_matcher import match_week
from mhgym.matching import CALIBRATED, columns, objectives, violations
from mhgym.matching.toy import crowded_week, fractional_week
from mhgym.matching.week import SLOTS

MATCHERS = {
    "severity": offer_by_severity,
    "compatibility": offer_by_compatibility,
    "first come": offer_first_come,
    "ranking": ranking(3),
}


@pytest.mark.parametrize("name", MATCHERS)
@given(seed=st.integers(0, 2**32 - 1), most_offers=st.integers(1, 4))
def test_a_simple_matcher_is_feasible_maximal_and_no_better_than_the_optimum(name, seed, most_offers):
    rng = np.random.default_rng(seed)
    week = crowded_week(*rng.integers(1, (16, 8, 7)).tolist(), rng)
    best = match_week(week, most_offers).objectives

    offers = MATCHERS[name](week, most_offers)

    assert violations(week, offers, most_offers) == []
    reached = objectives(week, offers)
    assert reached.ranked <= best.ranked
    assert 2 * reached.patients >= best.patients  # maximal among patients, so at least half
    possible = columns(week)
    used = set((offers.volunteer * SLOTS + offers.slot).tolist())
    idle = np.array([hour not in used for hour in (possible.volunteer * SLOTS + possible.slot).tolist()], dtype=bool)
    assert offers.served(len(week.patients))[possible.patient[idle]].all()


def test_the_most_compatible_pair_first_can_leave_somebody_out():
    """By hand: 4 for p2 with v0 in slot 0 and 3 for p1 with v1 in slot 0 leave nothing for p0, who has slot 0 only.

    In order, p0 has v0 (3), p1 has v1 (3) and p2 has v0 in slot 1 (4).
    """
    week = fractional_week()

    fifths = {name: objectives(week, matcher(week, 1)).fifths for name, matcher in MATCHERS.items()}

    assert (fifths["compatibility"], fifths["first come"], fifths["severity"]) == (7, 10, 10)
    assert offer_by_compatibility(week, 1).served(3).tolist() == [False, True, True]


def test_greedy_by_severity_serves_the_most_severe_and_ranking_depends_on_its_seed_only():
    week = CALIBRATED.sample(2)
    best = match_week(week, 1).objectives.per_severity

    by_severity = objectives(week, offer_by_severity(week, 1)).per_severity
    by_order = objectives(week, offer_first_come(week, 1)).per_severity

    assert by_severity[6] > by_order[6]
    assert 0.8 * best[6] <= by_severity[6] <= best[6]
    once, again, other = ranking(1)(week, 1), ranking(1)(week, 1), ranking(2)(week, 1)
    assert once.slot.tolist() == again.slot.tolist()
    assert once.slot.tolist() != other.slot.tolist()

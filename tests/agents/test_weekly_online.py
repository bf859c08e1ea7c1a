"""Policies for the week in which people arrive: none beats hindsight, which can be reached; exact if all is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("highspy", reason="the extra 'opt' is not installed")

from agents.weekly_matcher import match_week
from agents.weekly_online import (
    GreedyWeek,
    RankingWeek,
    RollingHorizon,
    at_once,
    by_arrival,
    by_compatibility,
    by_severity,
    hindsight_optimum,
    plan_known,
    play,
    unserved,
    when_due,
)
from mhgym.matching import ArrivingWeek, Relief, WeekGenerator, fifths, objectives, violations
from mhgym.matching.arrivals import AtStart, RushArrivals, UniformArrivals
from mhgym.matching.env import DisasterReliefEnv
from mhgym.matching.online import HOLD, Offer, OnlineWeek, WeekPolicy
from mhgym.matching.scoring import Worth
from mhgym.matching.toy import crowded_week, fractional_week

POLICIES = [
    GreedyWeek("by severity", by_severity),
    GreedyWeek("by compatibility", by_compatibility),
    GreedyWeek("first come", by_arrival),
    RankingWeek(),
    RollingHorizon("re-solved", at_once),
    GreedyWeek("by severity, late", by_severity, when_due),
    RollingHorizon("re-solved, late"),
]
ALL_POLICIES = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
GENERATOR = WeekGenerator(num_patients=60, num_volunteers=10)
LAWS = {
    "rush": Relief(GENERATOR),
    "uniform, hourly reviews": Relief(GENERATOR, UniformArrivals(), UniformArrivals(), review_interval=60.0),
    "volunteers first, no reviews": Relief(GENERATOR, RushArrivals(), AtStart(), review_interval=None),
    "half a day's notice": Relief(GENERATOR, notice=720.0),
    "all at once": Relief(GENERATOR, AtStart(), AtStart(), review_interval=None),
    "two offers": Relief(GENERATOR, most_offers=2),
}
SEEDS = st.integers(0, 2**32 - 1)


def own_rng():
    return np.random.default_rng(5)


def objective(relief, arriving, offers):
    """The sum of the rewards of some offers."""
    week = arriving.week
    worth, reached = Worth.of(week, relief.most_offers), objectives(week, offers)
    served = (week.patients.severity[offers.served(len(week.patients))] + 1).sum()
    return worth.weights @ [served / worth.severity, reached.fifths / worth.fifths]


def crowded(seed):
    rng = np.random.default_rng(seed)
    week = crowded_week(*rng.integers(1, (16, 8, 30)).tolist(), rng)
    return ArrivingWeek.in_order(
        week, *(UniformArrivals().sample(len(p), rng) for p in (week.patients, week.volunteers))
    )


# --------------------------------------------------------------------------------------------------- hindsight bounds


@ALL_POLICIES
@pytest.mark.parametrize("law", LAWS)
def test_no_policy_beats_hindsight_in_any_week(law, policy):
    """In the report's order of objectives and in the sum of rewards; offers keep all rules."""
    relief = LAWS[law]
    for seed in range(4):
        arriving = relief.sample(seed)
        best = hindsight_optimum(relief, arriving)

        week = play(relief, arriving, policy, own_rng())

        assert violations(arriving.week, week.offers, relief.most_offers) == []
        assert objectives(arriving.week, week.offers).ranked <= objectives(arriving.week, best).ranked
        assert week.kpis()["objective"] <= objective(relief, arriving, best) + 1e-12
        assert len(week.offers) > 5


@settings(max_examples=60)
@given(SEEDS, st.integers(1, 3), st.sampled_from([None, 1440.0, 120.0]), st.sampled_from(POLICIES))
def test_no_policy_beats_hindsight_in_crowded_weeks(seed, most_offers, review_interval, policy):
    relief = Relief(review_interval=review_interval, most_offers=most_offers)
    arriving = crowded(seed)
    best = hindsight_optimum(relief, arriving)

    week = play(relief, arriving, policy, own_rng())

    assert objectives(arriving.week, week.offers).ranked <= objectives(arriving.week, best).ranked
    assert week.kpis()["objective"] <= objective(relief, arriving, best) + 1e-12


@pytest.mark.parametrize("law", LAWS)
def test_hindsight_can_be_reached(law):
    """One who knew it all makes each offer when the later one comes: the bound is the best there is."""
    relief = LAWS[law]
    for seed in range(4):
        arriving = relief.sample(seed)
        best = hindsight_optimum(relief, arriving)
        wanted = set(zip(best.patient.tolist(), best.volunteer.tolist(), best.slot.tolist(), strict=True))
        week = OnlineWeek(relief, arriving)
        while not week.over:
            view = week.view()
            options = [view.offer(option) for option in range(len(view.options))]
            week.decide(next((offer for offer in options if tuple(offer) in wanted), HOLD))

        assert len(week.offers) == len(best) > 5
        assert week.kpis()["objective"] == pytest.approx(objective(relief, arriving, best), abs=1e-12)


# ------------------------------------------------------------------------------------------------------- re-solving


@pytest.mark.parametrize("when", [at_once, when_due])
@settings(max_examples=25)
@given(seed=SEEDS)
def test_re_solving_is_exact_where_all_is_known(when, seed):
    """With everybody there at the start, acting at once and acting late both reach the optimum."""
    relief = Relief(WeekGenerator(num_patients=25, num_volunteers=5), AtStart(), AtStart())
    arriving = relief.sample(seed)

    week = play(relief, arriving, RollingHorizon(when=when), own_rng())

    best = hindsight_optimum(relief, arriving)
    assert objectives(arriving.week, week.offers).ranked == objectives(arriving.week, best).ranked


@settings(max_examples=25)
@given(SEEDS)
def test_one_assignment_problem_plans_as_the_exact_matcher_does(seed):
    """At any epoch of any week: the same counts by severity and the same compatibility as the week that is left."""
    relief = Relief()
    rng = np.random.default_rng(seed)
    week = OnlineWeek(relief, crowded(seed))
    while not week.over:
        view = week.view()
        plan, (seekers, left) = plan_known(view), unserved(view)
        scores = fifths(view.week.patients, view.week.volunteers)
        best = match_week(left, 1).objectives
        severity = view.week.patients.severity[[offer.patient for offer in plan]]
        assert tuple(np.bincount(severity, minlength=7).tolist()) == best.per_severity
        assert sum(int(scores[offer.patient, offer.volunteer]) for offer in plan) == best.fifths
        assert set(seekers.tolist()) >= {offer.patient for offer in plan}
        week.decide(plan[0] if plan and rng.random() < 0.5 else HOLD)


def test_late_re_solving_offers_only_what_would_be_lost():
    relief = LAWS["rush"]
    week = OnlineWeek(relief, relief.sample(0))
    policy = RollingHorizon()
    policy.reset(relief, own_rng())
    offered = held = 0
    while not week.over:
        view = week.view()
        offer = policy.act(view)
        due = {view.offer(option) for option in np.flatnonzero(view.due).tolist()}
        assert offer == HOLD or offer in due
        offered, held = offered + (offer in due), held + (offer == HOLD)
        assert week.decide(offer).made == (offer != HOLD)
    assert min(offered, held) > 5


@pytest.mark.parametrize("when", [at_once, when_due])
def test_a_patient_gets_all_offers_at_one_instant(when):
    relief = Relief(WeekGenerator(num_patients=10, num_volunteers=15), most_offers=3)
    week = OnlineWeek(relief, relief.sample(1))
    policy = RollingHorizon(when=when)
    policy.reset(relief, own_rng())
    instants = {}
    while not week.over:
        now, offer = week.now, policy.act(week.view())
        if week.decide(offer).made:
            instants.setdefault(offer.patient, []).append(now)
    assert max(len(set(at)) for at in instants.values()) == 1
    assert max(len(at) for at in instants.values()) > 1


# ------------------------------------------------------------------------------------------------------ simple rules


def toy_view(severity=(0, 0, 0)):
    """Everybody of the toy week at once: slots {0}, {0, 1}, {0, 1} and {0, 1}, {0, 1}, {1}, no notice."""
    week = fractional_week()
    week = replace(week, patients=replace(week.patients, severity=np.array(severity)))
    return OnlineWeek(Relief(notice=0.0), ArrivingWeek(week, np.zeros(3), np.zeros(3))).view()


def test_each_order_offers_its_first_by_hand():
    """Fifths [[3, 2, 0], [3, 3, 0], [4, 0, 3]]; p1 is the most severe."""
    view = toy_view(severity=(1, 2, 0))

    offers = {
        name: GreedyWeek(name, order).act(view)
        for name, order in (("severity", by_severity), ("compatibility", by_compatibility), ("arrival", by_arrival))
    }

    assert offers == {"severity": Offer(1, 0, 0), "compatibility": Offer(2, 0, 0), "arrival": Offer(0, 0, 0)}


def test_nothing_is_offered_before_it_is_due():
    """At minute 0 the next review is on Tuesday; both slots are on Monday and due, unless there is a review before."""
    late = GreedyWeek("late", by_severity, when_due)
    view = toy_view()

    assert late.act(view) != HOLD
    assert late.act(replace(view, next_review=480.0)) == HOLD


def test_nobody_has_a_second_offer_before_a_first():
    relief = replace(LAWS["two offers"], patient_arrivals=AtStart(), volunteer_arrivals=AtStart())
    week = OnlineWeek(relief, relief.sample(3))
    given = []
    while not week.over:
        view = week.view()
        offer = GreedyWeek("severity", by_severity).act(view)
        able = {patient for patient in view.options.patient.tolist() if view.given[patient] == 0}
        given.append(int(view.given[offer.patient]))
        assert given[-1] == 0 or not able
        week.decide(offer)
    assert given == sorted(given)
    assert given[-1] == 1


def test_ranking_keeps_the_place_of_an_hour_when_others_come():
    relief = LAWS["rush"]
    policy = RankingWeek()
    policy.reset(relief, own_rng())
    week, ranks = OnlineWeek(relief, relief.sample(2)), []
    while not week.over:
        week.decide(policy.act(week.view()))
        ranks.append(policy._rank)
    sizes = [len(rank) for rank in ranks]
    assert sizes[0] < sizes[-1]
    assert all((rank == ranks[-1][: len(rank)]).all() for rank in ranks)


@ALL_POLICIES
@pytest.mark.parametrize("law", ["rush", "all at once"])
def test_policies_forget_the_week_before(law, policy):
    """Twice the same, with another week between; also where all is decided at one and the same minute."""
    relief = LAWS[law]

    first, _, again = (play(relief, relief.sample(seed), policy, own_rng()).kpis() for seed in (4, 5, 4))

    assert isinstance(policy, WeekPolicy)
    assert first == again
    assert first["matched"] > 5


def test_a_policy_plays_through_the_environment_as_it_does_without():
    """With enough shown, actions stand for every offer."""
    relief = LAWS["rush"]
    env = DisasterReliefEnv(relief, num_patients=60, num_options=98)
    policy = RollingHorizon()
    policy.reset(relief, own_rng())
    env.reset(options={"week_seed": 3})
    total, over = 0.0, False
    while not over:
        action = env.layout.encode_action(policy.act(env.view), env.view, env.layout.show(env.view))
        _, reward, over, _, info = env.step(np.int64(action))
        total += reward

    assert info["kpis"] == play(relief, relief.sample(3), policy, own_rng()).kpis()
    assert total == pytest.approx(info["kpis"]["objective"], abs=1e-9)

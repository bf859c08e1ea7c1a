"""The week in which people arrive: arrival laws, decision epochs, what is seen, the reward, and the environment."""

from dataclasses import replace
from itertools import pairwise

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhgym.matching import ArrivingWeek, Relief, Week, WeekGenerator, columns, objectives, violations
from mhgym.matching.arrivals import DAY, HORIZON, STARTS, AtStart, RushArrivals, UniformArrivals
from mhgym.matching.env import DisasterReliefEnv
from mhgym.matching.layout import GLOBAL_FEATURES, OPTION_FEATURES, PATIENT_FEATURES, WeekLayout, rivals
from mhgym.matching.online import HOLD, Offer, OnlineWeek
from mhgym.matching.scoring import Worth
from mhgym.matching.toy import crowded_week, fractional_week
from mhgym.matching.week import slot_of
from mhgym.testing import assert_views_equal

SMALL = Relief(generator=WeekGenerator(num_patients=40, num_volunteers=8))
SEEDS = st.integers(0, 2**32 - 1)


def crowded(seed, law=None):
    """A small crowded week with arrivals."""
    rng = np.random.default_rng(seed)
    week = crowded_week(*rng.integers(1, (16, 8, 40)).tolist(), rng)
    law = law or UniformArrivals()
    times = (law.sample(len(people), rng) for people in (week.patients, week.volunteers))
    return ArrivingWeek.in_order(week, *times)


def walk(week, rng, share_held=0.5):
    """Decide at random; yield each view with the decision."""
    while not week.over:
        view = week.view()
        offer = HOLD if rng.random() < share_held else view.offer(int(rng.integers(len(view.options))))
        yield view, offer
        week.decide(offer)


def triples(columns_or_offers):
    return list(
        zip(*(getattr(columns_or_offers, name).tolist() for name in ("slot", "patient", "volunteer")), strict=True)
    )


# -------------------------------------------------------------------------------------------------------- arrivals


def test_slots_start_on_the_hour_from_monday():
    assert STARTS[slot_of("Mon 08:00")] == 480.0
    assert STARTS[slot_of("Sun 21:00")] == 6 * 1440 + 21 * 60


@pytest.mark.parametrize(
    ("law", "share"), [(UniformArrivals(), 1 / 7), (RushArrivals(DAY), (1 - np.exp(-1)) / (1 - np.exp(-7)))]
)
def test_the_share_of_the_first_day_is_the_law_s(law, share):
    """Of 20,000 people; five standard errors."""
    times = law.sample(20_000, np.random.default_rng(0))

    assert times.min() >= 0.0
    assert times.max() <= HORIZON
    assert np.mean(times < DAY) == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / 20_000))


def test_everybody_can_be_there_at_the_start():
    assert not AtStart().sample(5, np.random.default_rng(0)).any()


def test_a_week_is_drawn_from_a_seed_in_the_order_of_arrival():
    once, again, other = SMALL.sample(3), SMALL.sample(3), SMALL.sample(4)

    assert once.patient_at.tolist() == again.patient_at.tolist() != other.patient_at.tolist()
    assert (np.diff(once.volunteer_at) >= 0).all()
    np.testing.assert_array_equal(once.week.patients.free, again.week.patients.free)


def test_people_are_put_in_order_with_their_times():
    week = fractional_week()

    arriving = ArrivingWeek.in_order(week, np.array([30.0, 10.0, 20.0]), np.array([5.0, 5.0, 0.0]))

    assert arriving.week.patients.ids == ("p1", "p2", "p0")
    assert arriving.week.volunteers.ids == ("v2", "v0", "v1")
    assert arriving.patient_at.tolist() == [10.0, 20.0, 30.0]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0.0, 1.0], r"patient_at must have one time for each of 3 people, got shape \(2,\)"),
        ([0.0, 1.0, 10081.0], "patient_at must lie within the week, 0 to 10080 minutes, got 10081.0 for 'p2'"),
        ([0.0, np.nan, 1.0], "got nan for 'p1'"),
        ([0.0, 2.0, 1.0], "patient_at must not decrease; use ArrivingWeek.in_order"),
    ],
)
def test_times_outside_the_week_or_out_of_order_are_refused(times, message):
    with pytest.raises(ValueError, match=message):
        ArrivingWeek(fractional_week(), np.array(times), np.zeros(3))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"notice": -1.0}, "notice must be at least 0 minutes, got -1.0"),
        ({"review_interval": 0.0}, "review_interval must be at least 1 minute, or None for none, got 0.0"),
        ({"most_offers": 0}, "most_offers must be at least 1, got 0"),
    ],
)
def test_rules_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Relief(**settings)


def test_a_rush_takes_time():
    with pytest.raises(ValueError, match=r"the mean of a rush must be positive, got 0\.0; use AtStart"):
        RushArrivals(0.0)


# ----------------------------------------------------------------------------------------------- epochs and options


@given(SEEDS, st.integers(1, 3), st.sampled_from([0.0, 60.0, 600.0]))
def test_options_follow_from_the_view_alone_and_lie_ahead(seed, most_offers, notice):
    """Those that the report's rules leave among the people who are there, minus what offers rule out and what is past.

    The offers of the whole week keep all rules.
    """
    relief = Relief(notice=notice, most_offers=most_offers)
    week = OnlineWeek(relief, crowded(seed))
    for view, _ in walk(week, np.random.default_rng(seed)):
        assert view.week.patients.ids == week.arriving.week.patients.ids[: len(view.patient_at)]
        assert (view.patient_at <= view.now).all()
        assert (view.volunteer_at <= view.now).all()
        made = triples(view.offers)
        expected = [
            (slot, patient, volunteer)
            for slot, patient, volunteer in triples(columns(view.week))
            if STARTS[slot] - notice >= view.now
            and sum(other == patient for _, other, _ in made) < most_offers
            and not any(
                (slot == t and (patient == p or volunteer == v)) or (patient == p and volunteer == v)
                for t, p, v in made
            )
        ]
        assert triples(view.options) == expected != []
        assert view.due.tolist() == [STARTS[slot] - notice < view.next_review for slot, _, _ in expected]
        np.testing.assert_array_equal(
            view.given, [sum(p == other for _, other, _ in made) for p in range(len(view.given))]
        )
    assert violations(week.arriving.week, week.offers, most_offers) == []
    assert violations(relief.hindsight(week.arriving), week.offers, most_offers) == []


@pytest.mark.parametrize("review_interval", [None, DAY, 240.0])
def test_epochs_are_arrivals_and_reviews(review_interval):
    """With HOLD alone every instant comes once at most, in order, and each at which something can be offered."""
    relief = replace(SMALL, review_interval=review_interval)
    arriving = relief.sample(1)
    reviews = [] if review_interval is None else np.arange(0.0, HORIZON, review_interval).tolist()
    whole = columns(relief.hindsight(arriving))
    known_at = np.maximum(arriving.patient_at[whole.patient], arriving.volunteer_at[whole.volunteer])
    last_call = STARTS[whole.slot] - relief.notice
    times = sorted({*arriving.patient_at, *arriving.volunteer_at, *reviews})

    views = [view for view, _ in walk(OnlineWeek(relief, arriving), np.random.default_rng(0), share_held=1.0)]

    assert [view.now for view in views] == [now for now in times if ((known_at <= now) & (last_call >= now)).any()]
    for view in views:
        assert view.next_review == min((at for at in reviews if at > view.now), default=np.inf)


def test_the_next_question_is_at_the_same_instant_until_nothing_is_left():
    week = OnlineWeek(SMALL, SMALL.sample(2))
    seen = []
    for view, _ in walk(week, np.random.default_rng(0), share_held=0.0):
        seen.append((view.now, len(view.options)))

    assert len({now for now, _ in seen}) < len(seen)
    for (now, before), (later, after) in pairwise(seen):
        assert later > now or after < before


@given(SEEDS)
def test_views_know_nothing_of_those_to_come(seed):
    """Redraw everybody who has not come: the views up to then stay, field by field, and so does their number."""
    rng = np.random.default_rng(seed)
    arriving, other = SMALL.sample(seed), SMALL.sample(seed + 1)
    until = float(rng.uniform(0.0, HORIZON))
    redrawn = ArrivingWeek(
        Week(
            _continued(arriving.week.patients, arriving.patient_at, other.week.patients, other.patient_at, until),
            _continued(
                arriving.week.volunteers, arriving.volunteer_at, other.week.volunteers, other.volunteer_at, until
            ),
        ),
        *(
            np.concatenate([own[own <= until], new[new > until]])
            for own, new in (
                (arriving.patient_at, other.patient_at),
                (arriving.volunteer_at, other.volunteer_at),
            )
        ),
    )
    first, second = OnlineWeek(SMALL, arriving), OnlineWeek(SMALL, redrawn)
    layout = WeekLayout(8, 4)
    for view, offer in walk(first, np.random.default_rng(seed)):
        if view.now > until:
            break
        twin = second.view()
        assert_views_equal(view, twin)
        np.testing.assert_array_equal(layout.encode(view, layout.show(view)), layout.encode(twin, layout.show(twin)))
        second.decide(offer)
    assert second.over or second.now > until


def _continued(people, at, others, other_at, until):
    """Those who have come, then those of another week who come later, under new names."""
    later = others.take(np.flatnonzero(other_at > until))
    renamed = replace(later, ids=tuple(f"{name}, redrawn" for name in later.ids))
    return people.take(np.flatnonzero(at <= until)).joined(renamed)


# ------------------------------------------------------------------------------------------------------------ reward


@given(SEEDS, st.integers(1, 3))
def test_one_unit_of_severity_outweighs_all_compatibility(seed, most_offers):
    """Rewards order weeks as the sum of severity + 1 does, then by compatibility."""
    rng = np.random.default_rng(seed)
    week = crowded(seed).week
    worth = Worth.of(week, most_offers)
    most = 5 * most_offers * len(week.patients)
    severity, fifths = int(rng.integers(7)), int(rng.integers(6))

    one, more = (worth.weights @ worth.pay(level, fifths, first=True) for level in (severity, severity + 1))
    all_compatible = worth.weights @ worth.pay(0, most, first=False)

    assert more - one > all_compatible > 0
    assert worth.weights.sum() == pytest.approx(1.0)
    assert worth.weights @ worth.pay(severity, 5, first=False) == pytest.approx(5 / most * worth.weights[1])


def play_randomly(env, seed, nerve=0.2, **options):
    """Random actions, a share of them from all actions; the summed rewards and vectors, and the last info."""
    rng = np.random.default_rng([seed, 1])
    _, info = env.reset(options=options or {"week_seed": seed})
    total, vector, over = 0.0, np.zeros(2), env.week.over
    while not over:
        pool = np.arange(env.action_space.n) if rng.random() < nerve else np.flatnonzero(info["action_mask"])
        _, reward, over, _, info = env.step(rng.choice(pool))
        total, vector = total + reward, vector + info["reward_vector"]
    return total, vector, info


@pytest.mark.parametrize("most_offers", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_rewards_add_up_to_the_kpis(seed, most_offers):
    """To 1e-9; the KPIs are computed from the offers alone, and agree with the report's objectives."""
    env = DisasterReliefEnv(SMALL, most_offers=most_offers, num_patients=8, num_options=4)

    total, vector, info = play_randomly(env, seed)

    kpis = info["kpis"]
    week, offers = env.week.arriving.week, env.week.offers
    reached = objectives(week, offers)
    assert total == pytest.approx(kpis["objective"], abs=1e-9)
    assert vector == pytest.approx([kpis["severity_share"], kpis["compatibility_share"]], abs=1e-9)
    assert kpis["matched"] == reached.patients > 5
    assert kpis["matched"] + kpis["unassigned"] == kpis["patients"] == 40
    assert kpis["matched_share"] == reached.patients / 40
    assert kpis["severity_score"] == reached.severity_score
    assert kpis["compatibility"] == reached.compatibility
    left = np.bincount(week.patients.severity[~offers.served(40)], minlength=7)
    assert [kpis[f"unassigned_severity_{level}"] for level in range(7)] == left.tolist()
    assert 0.0 <= kpis["minutes_to_offer"] <= kpis["minutes_to_meeting"] - 60.0
    assert info["illegal_actions"] > 0


def test_the_kpis_of_one_offer_by_hand():
    """p2 (severity 0, as all) comes at 100 and is offered v0 at 200 for Monday 09:00 (slot 1): 4 of 5."""
    relief = Relief(notice=0.0, review_interval=100.0)
    week = OnlineWeek(relief, ArrivingWeek.in_order(fractional_week(), np.array([9e3, 9e3, 100.0]), np.zeros(3)))
    assert week.now == 100.0
    week.decide(HOLD)
    assert week.now == 200.0
    assert week.view().week.patients.ids == ("p2",)

    outcome = week.decide(Offer(0, 0, 1))

    assert outcome.made
    assert outcome.reward.tolist() == [1 / 3, 4 / 15]
    assert week.over
    kpis = week.kpis()
    assert kpis["minutes_to_offer"] == 100.0
    assert kpis["minutes_to_meeting"] == 9 * 60 - 100
    assert kpis["unassigned_severity_0"] == 2
    assert kpis["mean_compatibility"] == 0.8
    assert kpis["objective"] == pytest.approx((16 * 1 + 4) / (16 * 3 + 15))


# ------------------------------------------------------------------------------------------------------- environment


def test_every_action_that_is_masked_in_is_an_offer_and_every_other_a_hold():
    env = DisasterReliefEnv(SMALL, num_patients=6, num_options=3)
    kinds = set()
    for action in range(env.action_space.n):
        _, info = env.reset(options={"week_seed": 5})
        for number in range(12):
            legal = np.flatnonzero(info["action_mask"])
            *_, info = env.step(legal[0] if number % 3 else legal[-1])
        minute, illegal, legal = info["minute"], info["illegal_actions"], bool(info["action_mask"][action])
        made = len(env.week.offers)
        expected = env.layout.decode(action, env.view, env.layout.show(env.view))
        *_, over, _, after = env.step(np.int64(action))
        kinds.add(legal)
        offered = legal and action != env.layout.hold
        assert len(env.week.offers) == made + offered
        assert after["illegal_actions"] == illegal + (not legal)
        assert after["elapsed"] == after["minute"] - minute
        if offered:
            assert (expected.slot, expected.patient, expected.volunteer) in triples(env.week.offers)
        else:
            assert after["minute"] > minute or over
    assert kinds == {True, False}


def test_an_illegal_action_is_a_hold():
    held, wrong = (DisasterReliefEnv(SMALL) for _ in range(2))
    _, info = held.reset(options={"week_seed": 3})
    wrong.reset(options={"week_seed": 3})
    over, number = False, 0
    while not over:
        illegal = np.append(np.flatnonzero(info["action_mask"] == 0), [-1, 10**6])
        observation, reward, over, _, info = held.step(held.action_space.n - 1)
        other = wrong.step(illegal[number % len(illegal)])
        np.testing.assert_array_equal(observation, other[0])
        assert (reward, over) == other[1:3]
        number += 1
    assert info["illegal_actions"] == 0
    assert other[4]["illegal_actions"] == number > 20


def test_the_layout_shows_what_is_about_to_be_lost_and_counts_the_rest():
    """Offers that are shown go to an action and back, others to HOLD; blocks agree with the view."""
    layout = WeekLayout(5, 3)
    assert layout.size == len(GLOBAL_FEATURES) + 5 * len(PATIENT_FEATURES) + 15 * len(OPTION_FEATURES)
    week = OnlineWeek(SMALL, SMALL.sample(8))
    most = 0
    for view, _ in walk(week, np.random.default_rng(8)):
        shown, own = layout.show(view), view.options
        blocks = layout.split(layout.encode(view, shown))
        able = set(own.patient.tolist())
        loses = {patient for patient, due in zip(own.patient.tolist(), view.due.tolist(), strict=True) if due}
        severity = view.week.patients.severity
        expected = sorted(able, key=lambda patient: (patient not in loses, -severity[patient], patient))
        assert shown.patients.tolist() == expected[:5]
        overflow = dict(zip(GLOBAL_FEATURES, blocks["globals"].tolist(), strict=True))["overflow"]
        assert overflow == pytest.approx(min(10.0, max(0, len(able) - 5) / 5))
        for option in range(len(own)):
            place = layout.encode_action(view.offer(option), view, shown)
            assert (place == layout.hold) == (option not in shown.options)
            if place != layout.hold:
                assert layout.decode(place, view, shown) == view.offer(option)
                row, column = divmod(place, 3)
                features = dict(zip(OPTION_FEATURES, blocks["options"][row, column].tolist(), strict=True))
                assert features["compatibility"] == pytest.approx(own.fifths[option] / 5)
                assert features["due"] == view.due[option]
                assert features["days_ahead"] == pytest.approx((STARTS[own.slot[option]] - view.now) / DAY)
                assert blocks["patients"][row, 1] == pytest.approx(severity[own.patient[option]] / 6)
        most = max(most, len(able))
    assert most > 5  # more than are shown


@given(SEEDS)
def test_rivals_are_the_others_who_could_have_the_hour(seed):
    week = OnlineWeek(Relief(), crowded(seed, AtStart()))
    if week.over:
        return
    view = week.view()
    own, severity = view.options, view.week.patients.severity
    number, most = rivals(view)
    for option in range(len(own)):
        same = (own.volunteer == own.volunteer[option]) & (own.slot == own.slot[option])
        others = [int(severity[p]) for p in own.patient[same] if p != own.patient[option]]
        assert number[option] == len(others)
        assert most[option] == max(others, default=0)


@pytest.mark.parametrize("sizes", [(0, 0), (0, 5), (5, 0)])
def test_a_week_without_patients_or_volunteers_is_over_at_once(sizes):
    env = DisasterReliefEnv(generator=WeekGenerator(*sizes))

    observation, info = env.reset(seed=1)
    after, reward, over, _, last = env.step(np.int64(0))

    assert env.observation_space.contains(observation)
    assert env.observation_space.contains(after)
    assert np.flatnonzero(info["action_mask"]).tolist() == [env.layout.hold]
    assert (reward, over) == (0.0, True)
    assert last["kpis"]["matched_share"] == last["kpis"]["objective"] == 0.0


def test_a_week_and_its_seed_are_the_same_episode():
    env = DisasterReliefEnv(SMALL)
    by_seed = play_randomly(env, 21)
    by_week = play_randomly(env, 21, week=SMALL.sample(21))
    first, _ = env.reset(seed=7)
    second, _ = env.reset()
    again, _ = env.reset(seed=7)

    assert by_seed[2]["kpis"] == by_week[2]["kpis"]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)


def test_one_s_own_rules_come_through_gymnasium():
    env = gymnasium.make("mhgym/DisasterRelief-v0", notice=0.0, volunteer_arrivals=AtStart(), num_patients=4).unwrapped

    env.reset(seed=0)

    assert env.relief.notice == 0.0
    assert len(env.view.week.volunteers) == 15
    assert env.action_space.n == 4 * 6 + 1


def test_unknown_settings_are_refused_by_name():
    with pytest.raises(ValueError, match="unknown setting 'notise'; did you mean 'notice'"):
        DisasterReliefEnv(notise=5.0)
    with pytest.raises(ValueError, match="a layout shows at least 1 patient with 1 option, got 0 and 6"):
        DisasterReliefEnv(num_patients=0)
    env = DisasterReliefEnv(SMALL)
    with pytest.raises(RuntimeError, match=r"no week is under way; call reset\(\) first"):
        env.step(np.int64(0))
    with pytest.raises(ValueError, match="unknown reset option 'week_sed'; did you mean 'week_seed'"):
        env.reset(options={"week_sed": 1})
    with pytest.raises(TypeError, match="option 'week' must be an ArrivingWeek, got Week"):
        env.reset(options={"week": fractional_week()})

"""A planner's futures agree with what the view shows, follow the laws given it, and know nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from agents import make_agent
from mhgym.engines.posterior import resample_remaining
from mhgym.engines.reference import ReferenceEngine
from mhgym.engines.simulator import Simulator
from mhgym.presets import make_scenario
from mhgym.presets.eran_population import ERAN_OUTCOMES
from mhgym.processes import draws
from mhgym.processes.outcomes import RemainingTimeModel
from mhgym.scenario import Scenario
from mhgym.testing import Witness, assert_views_equal, redraw_hidden
from mhgym.testing.redraw import replay_view
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Phase

P_VALUE = 0.001  # of each goodness-of-fit test; seeds are fixed, so a right law fails with one choice in a thousand


def witness_at(scenario: Scenario, seed: int, decisions: int, hold_every: int = 3) -> Witness:
    """An episode led to an epoch by first come, first served with some holding; queues form, hands are full."""
    witness = Witness(scenario, Trace.sample(scenario, seed))
    policy = make_agent("fcfs")
    for number in range(decisions):
        assert witness.advance()
        witness.decide(HOLD if number % hold_every == 0 else policy.act(witness.view()))
    assert witness.advance()
    return witness


CASES = [
    ("EranHeavy", {}, 8),
    ("EranHeavy", {"review_interval": 1.0}, 9),
    ("EranDay", {}, 60),
    ("OpenUp", {}, 100),
    ("OpenUp", {"zombies": "evicted", "feedback": "by_role"}, 120),
    ("OpenUp", {"horizon": 2880.0, "flow": "heavy"}, 300),
    ("Therapists", {}, 60),
    ("Therapists", {"zombies": "kept", "flow": "heavy"}, 60),
]
PRESETS = pytest.mark.parametrize(("preset", "overrides", "decisions"), CASES)


def first_view(view: CentreView, scenario: Scenario, seed: int) -> CentreView:
    engine = Simulator.from_view(view, scenario, np.random.default_rng(seed)).start()
    assert engine.advance()
    return engine.view()


@PRESETS
@pytest.mark.parametrize("seed", [0, 1])
def test_a_future_begins_with_the_view_it_was_drawn_from(
    preset: str, overrides: dict[str, object], decisions: int, seed: int
) -> None:
    """Queue, staff, legality and predictions; contacts are numbered anew."""
    scenario = make_scenario(preset, **overrides)
    view = witness_at(scenario, seed, decisions).view()

    future = first_view(view, scenario, seed)

    assert len(view.waiting) >= 1
    assert len(view.in_hand) >= 1
    assert future.now == view.now
    for part, names in {
        "waiting": (
            "joined_at", "transferred", "caller_type", "risk", "attributes", "patience", "remaining", "inbox",
            "bridges",
        ),
        "staff": (
            "role", "new", "capacity", "risks", "on_duty", "on_break", "can_take", "in_hand", "chats", "taken",
            "off_at", "back_at", "break_due", "effects", "idle_since", "pending", "room",
        ),
        "in_hand": (
            "counsellor", "phase", "started_at", "caller_type", "risk", "attributes", "patience", "predicted", "inbox",
            "bridges",
        ),
    }.items():  # fmt: skip
        for name in names:
            expected, found = getattr(getattr(view, part), name), getattr(getattr(future, part), name)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9, err_msg=f"{part}.{name}")
    np.testing.assert_array_equal(future.legal, view.legal)
    np.testing.assert_allclose(future.quality, view.quality, rtol=0, atol=1e-12)
    np.testing.assert_allclose(future.service_time, view.service_time, rtol=0, atol=1e-9)


@PRESETS
def test_a_future_shows_the_predicted_remaining_times_of_the_view(
    preset: str, overrides: dict[str, object], decisions: int
) -> None:
    """A planner that simulates a policy which reads `in_hand.remaining` must show it what the view shows."""
    scenario = make_scenario(preset, **overrides)
    view = witness_at(scenario, 0, decisions).view()

    future = first_view(view, scenario, 0)

    np.testing.assert_allclose(future.in_hand.remaining, view.in_hand.remaining, rtol=0, atol=1e-6)


@PRESETS
def test_a_future_keeps_how_long_counsellors_have_been_busy(
    preset: str, overrides: dict[str, object], decisions: int
) -> None:
    scenario = make_scenario(preset, **overrides)
    view = witness_at(scenario, 0, decisions).view()

    np.testing.assert_allclose(first_view(view, scenario, 0).staff.busy_since, view.staff.busy_since, rtol=0, atol=1e-9)


@PRESETS
def test_a_future_keeps_when_contacts_arrived(preset: str, overrides: dict[str, object], decisions: int) -> None:
    """Policies may use the history of arrivals and the age of a contact inside a simulation, too."""
    scenario = make_scenario(preset, **overrides)
    view = witness_at(scenario, 0, decisions).view()

    future = first_view(view, scenario, 0)

    np.testing.assert_allclose(future.waiting.arrived_at, view.waiting.arrived_at, rtol=0, atol=1e-9)


@PRESETS
def test_futures_run_to_the_end_and_differ(preset: str, overrides: dict[str, object], decisions: int) -> None:
    scenario = make_scenario(preset, **overrides)
    view = witness_at(scenario, 2, decisions).view()
    policy = make_agent("cmt")
    answered = []
    for seed in range(6):
        engine = Simulator.from_view(view, scenario, np.random.default_rng(seed)).start()
        while engine.advance():
            pair = policy.act(engine.view())
            assert engine.assign(*pair)
        kpis = engine.kpis()
        assert all(np.isfinite(value) for value in kpis.values())
        answered.append((kpis["answered"], kpis["offered"], kpis["mean_wait"]))
    assert len(set(answered)) >= 3


@pytest.mark.parametrize(("preset", "overrides", "decisions"), [CASES[0], CASES[3], CASES[4]])
def test_futures_do_not_depend_on_hidden_truth(preset: str, overrides: dict[str, object], decisions: int) -> None:
    """The same planner's randomness on a trace whose hidden part is redrawn gives the same future."""
    scenario = make_scenario(preset, **overrides)
    witness = witness_at(scenario, 3, decisions)
    view = witness.view()
    for seed in range(3):
        other = redraw_hidden(witness, np.random.default_rng([seed, 1]))
        seen = replay_view(scenario, other, witness.decisions)
        assert_views_equal(view, seen)

        one = Simulator.from_view(view, scenario, np.random.default_rng(seed))
        two = Simulator.from_view(seen, scenario, np.random.default_rng(seed))

        # The two views agree up to the rounding of a solved noise, and so do the futures.
        for name in ("arrived_at", "values", "staff", "known"):
            np.testing.assert_allclose(getattr(one.trace, name), getattr(two.trace, name), rtol=0, atol=1e-7)
        np.testing.assert_array_equal(one.trace.keys, two.trace.keys)
        ends = [[hand.end for hand in future.situation.in_hand] for future in (one, two)]
        np.testing.assert_allclose(*ends, rtol=0, atol=1e-7)


def test_future_arrivals_lie_ahead() -> None:
    scenario = make_scenario("EranHeavy")
    view = witness_at(scenario, 4, 6).view()
    known = len(view.waiting) + len(view.in_hand)
    counts = []
    for seed in range(200):
        trace = Simulator.from_view(view, scenario, np.random.default_rng(seed)).trace
        ahead = trace.arrived_at[known:]
        assert ((ahead > view.now) & (ahead < scenario.horizon)).all()
        counts.append(len(ahead))
        assert len(view.arrivals) + len(ahead) >= 10  # heavy flow: at least 10 calls in the hour
    assert len(set(counts)) > 3


# ---------------------------------------------------------------------- what remains of contacts in service


def resample(scenario: Scenario, predicted: np.ndarray, remaining: np.ndarray, elapsed: np.ndarray, seed: int):  # type: ignore[no-untyped-def]
    zeros = np.zeros(len(predicted), dtype=np.int64)
    rng = np.random.default_rng(seed)
    return resample_remaining(scenario, predicted, remaining, elapsed, zeros, zeros, 1, rng)[0]


def true_totals(predicted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Service minutes by the published form: the prediction plus N(0, 25.6), clipped to 3 and 80."""
    error_sd = 25.6  # minutes; eran-presets.json, duration_error_sd_preclip
    return np.clip(predicted + error_sd * rng.standard_normal(len(predicted)), 3.0, 80.0)


@pytest.mark.parametrize(("predicted", "elapsed"), [(20.0, 0.5), (20.0, 12.0), (8.0, 30.0), (45.0, 20.0)])
def test_the_rest_without_a_prediction_of_it_follows_the_conditional_law(predicted: float, elapsed: float) -> None:
    """Kolmogorov-Smirnov against service times drawn and kept only if longer than the time elapsed."""
    scenario = replace(make_scenario("EranHeavy"), remaining=RemainingTimeModel())
    size = 4000
    drawn = true_totals(np.full(60 * size, predicted), np.random.default_rng(1))
    kept = (drawn[drawn > elapsed] - elapsed)[:size]
    assert len(kept) == size

    found = resample(scenario, np.full(size, predicted), np.zeros(size), np.full(size, elapsed), 2)

    assert (found > 0).all()
    assert found.max() <= ERAN_OUTCOMES.service_max - elapsed + 1e-9
    # Both have an atom where the clip is, which makes the test conservative.
    assert stats.ks_2samp(found, kept).pvalue > P_VALUE


@pytest.mark.parametrize(("shortest", "longest"), [(0.0, 3.0), (3.0, 15.0), (15.0, 40.0)])
def test_the_rest_is_calibrated_given_its_prediction(shortest: float, longest: float) -> None:
    """The truth ranks uniformly among posterior draws, over cases as they occur in service, by the time elapsed.

    Nine draws a case and ten ranks; where the clip of service to 3 or 80 minutes makes ties, they are broken at random.
    """
    scenario = make_scenario("EranHeavy")
    rng = np.random.default_rng(5)
    size, number = 4000, 9
    predicted = np.clip(14.0 + 11.0 * rng.standard_normal(size), 3.0, 50.0)
    total, elapsed = true_totals(predicted, rng), rng.uniform(shortest, longest, size)
    alive = total > elapsed
    predicted, total, elapsed = predicted[alive], total[alive], elapsed[alive]
    truth = total - elapsed
    knots, error_sd = scenario.remaining.arrays()
    shown = np.array(
        [
            draws.predict_remaining(knots, error_sd, scenario.remaining.floor, rest, noise, 0.0, 0.0)
            for rest, noise in zip(truth, rng.standard_normal(len(truth)), strict=True)
        ]
    )

    posterior = np.array([resample(scenario, predicted, shown, elapsed, 100 + k) for k in range(number)])

    below, tied = (posterior < truth - 1e-9).sum(axis=0), (abs(posterior - truth) <= 1e-9).sum(axis=0)
    rank = below + rng.integers(0, tied + 1)
    counts = np.bincount(rank, minlength=number + 1)
    assert counts.sum() > 1000
    assert stats.chisquare(counts).pvalue > P_VALUE, counts


def test_a_good_prediction_narrows_the_rest() -> None:
    """Knowing the predicted rest leaves much less error than knowing the predicted total only."""
    scenario = make_scenario("EranHeavy")
    rng = np.random.default_rng(6)
    predicted = np.full(2000, 20.0)
    total = true_totals(predicted, rng)
    alive = (total > 10.0) & (total < 25.0)
    rest, predicted, elapsed = total[alive] - 10.0, predicted[alive], np.full(int(alive.sum()), 10.0)

    informed = resample(scenario, predicted, rest, elapsed, 7)
    ignorant = resample(replace(scenario, remaining=RemainingTimeModel()), predicted, rest, elapsed, 8)

    assert np.mean((informed - rest) ** 2) < 0.25 * np.mean((ignorant - rest) ** 2)


# ---------------------------------------------------------------------- who is still there


def test_with_zombies_kept_the_alive_share_is_the_survival_function() -> None:
    """Each waiting contact is alive with probability exp(−wait / mean patience), over many futures."""
    scenario = make_scenario("OpenUp", flow=60.0)
    view = witness_at(scenario, 1, 40, hold_every=1).view()
    survival = np.exp(-view.wait / view.waiting.patience)
    assert ((survival > 0.05) & (survival < 0.95)).sum() >= 4  # a queue of all ages
    number = 1500

    alive = np.zeros(len(view.waiting))
    for seed in range(number):
        situation = Simulator.from_view(view, scenario, np.random.default_rng(seed)).situation
        alive += [not contact.zombie for contact in situation.waiting]
        assert all(contact.zombie == (contact.leaves_at <= view.now) for contact in situation.waiting)

    low, high = stats.binom.ppf(P_VALUE / 20, number, survival), stats.binom.ppf(1 - P_VALUE / 20, number, survival)
    assert ((low <= alive) & (alive <= high)).all(), np.column_stack([survival, alive / number])


def test_with_zombies_evicted_everybody_is_alive_and_patience_is_memoryless() -> None:
    scenario = make_scenario("EranHeavy")
    view = witness_at(scenario, 1, 8, hold_every=2).view()
    assert len(view.waiting) >= 1
    rests = []
    for seed in range(2000):
        contact = Simulator.from_view(view, scenario, np.random.default_rng(seed)).situation.waiting[0]
        assert not contact.zombie
        rests.append(contact.leaves_at - view.now)

    assert stats.kstest(rests, stats.expon(scale=view.waiting.patience[0]).cdf).pvalue > P_VALUE


def test_a_future_ends_no_contact_before_now() -> None:
    """Contacts in service end later than now; wrap-ups and zombies end when the view says, to the minute."""
    scenario = make_scenario("OpenUp")
    for seed in range(3):
        view = witness_at(scenario, seed, 90).view()
        situation = Simulator.from_view(view, scenario, np.random.default_rng(seed)).situation
        fixed = view.in_hand.phase != Phase.SERVICE
        ends = np.array([hand.end for hand in situation.in_hand])
        assert (np.array([hand.service_end for hand in situation.in_hand])[~fixed] > view.now).all()
        np.testing.assert_allclose(ends[fixed], view.now + view.in_hand.remaining[fixed], rtol=0, atol=1e-9)


def test_the_engine_of_a_future_is_an_engine() -> None:
    scenario = make_scenario("EranHeavy")
    view = witness_at(scenario, 0, 4).view()

    assert isinstance(Simulator.from_view(view, scenario, np.random.default_rng(0)).start(), ReferenceEngine)

"""The planner: it simulates what the reference engine would do, spends what it may, and knows only what is seen."""

import numpy as np
import pytest

from agents import make_agent
from agents.candidates import candidate_pairs
from agents.forgetting import MODELS, Forgetful
from agents.index_rules import CMT
from agents.index_rules_holding import BestMatch
from agents.mcts import MCTS
from mhgym.engines.futures import Futures
from mhgym.engines.posterior import draw_futures
from mhgym.engines.rules import NO_PARAMS, Rule
from mhgym.engines.simulator import Simulator
from mhgym.evaluation.rollout import run_episodes
from mhgym.policy import Policy, policy_rng
from mhgym.presets import make_scenario
from mhgym.scenario import Scenario
from mhgym.testing import Witness, redraw_hidden
from mhgym.testing.redraw import replay_view
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Pair


def witness_at(scenario: Scenario, seed: int, decisions: int) -> Witness:
    """An episode led by first come, first served with some holding to an epoch with several candidates."""
    witness = Witness(scenario, Trace.sample(scenario, seed))
    policy = make_agent("fcfs")
    for number in range(decisions):
        assert witness.advance()
        witness.decide(HOLD if number % 3 == 0 else policy.act(witness.view()))
    assert witness.advance()
    return witness


def decide(policy: Policy, view: CentreView, scenario: Scenario, seed: int = 0) -> Pair:
    policy.reset(scenario, np.random.default_rng(seed))
    return policy.act(view)


@pytest.mark.parametrize(("preset", "decisions"), [("EranHeavy", 6), ("EranDay", 40), ("OpenUp", 90)])
def test_a_simulation_is_what_the_reference_engine_does(preset: str, decisions: int) -> None:
    """Each candidate in each future: the first decision on the reference engine, then CMT, gives the same counts."""
    scenario = make_scenario(preset)
    view = witness_at(scenario, 2, decisions).view()
    drawn = draw_futures(view, scenario, np.random.default_rng(1), 4)
    futures = Futures(view, scenario, drawn)
    cmt = CMT()
    pairs = candidate_pairs(view, cmt.act(view), 16)
    assert len(pairs) >= 2
    assert HOLD in pairs
    for row, counsellor in pairs:
        found = futures.evaluate(range(4), row, counsellor, Rule.CMT, NO_PARAMS)
        for number in range(4):
            engine = Simulator.of(view, scenario, drawn, number).start()
            assert engine.advance()
            if row < 0:
                engine.hold()
            else:
                assert engine.assign(row, counsellor)
            while engine.advance():
                engine.assign(*cmt.act(engine.view()))
            assert found[number, 0] == engine.tally.answered
            assert found[number, 1] == pytest.approx(engine.tally.feedback, abs=1e-9)
            assert found[number, 2] == pytest.approx(engine.meter.value(engine.settled_at), abs=1e-9)
            assert found[number, 3] == engine.tally.answered_by_new


@pytest.mark.parametrize("preset", ["EranHeavy", "EranStandard", "OpenUp"])
@pytest.mark.parametrize("rollout", [CMT(), BestMatch(price=0.01, thresholds=(0.5, 0.2))])
def test_without_simulations_it_is_its_rollout(preset: str, rollout: Policy) -> None:
    scenario = make_scenario(preset)
    for episode, own in zip(
        run_episodes(scenario, MCTS(simulations=0, rollout=rollout), range(4), "compiled"),
        run_episodes(scenario, rollout, range(4), "compiled"),
        strict=True,
    ):
        assert episode.kpis == own.kpis
        assert episode.decisions == own.decisions


@pytest.mark.parametrize("root", ["halving", "uniform"])
def test_threads_change_nothing(root: str) -> None:
    scenario = make_scenario("EranHeavy")
    one, three = (
        run_episodes(scenario, MCTS(simulations=900, root=root, threads=threads), range(8), "compiled")
        for threads in (1, 3)
    )
    assert [episode.kpis for episode in one] == [episode.kpis for episode in three]


@pytest.mark.parametrize("root", ["halving", "uniform", "uct"])
@pytest.mark.parametrize("simulations", [2, 7, 14, 30, 33, 50, 300])
def test_no_search_overdraws_its_budget(root: str, simulations: int) -> None:
    """At most the budget, and at least half of it where rounding is small beside it."""
    scenario = make_scenario("EranHeavy")
    view = witness_at(scenario, 2, 6).view()
    policy = MCTS(simulations=simulations, root=root)
    decide(policy, view, scenario)
    assert policy.simulated <= simulations
    if simulations >= 50:
        assert policy.simulated >= simulations / 2, policy.simulated
    generous = MCTS(simulations=simulations, root=root, per_candidate=True)
    decide(generous, view, scenario)
    assert policy.simulated < generous.simulated <= 16 * simulations


def test_a_budget_in_time_is_spent() -> None:
    scenario = make_scenario("EranHeavy")
    view = witness_at(scenario, 2, 6).view()
    hurried, patient = MCTS(milliseconds=1e-3), MCTS(milliseconds=200.0)
    for policy in (hurried, patient):
        decide(policy, view, scenario)  # compiles on first use
        decide(policy, view, scenario)
    assert patient.simulated > 2 * hurried.simulated


def test_a_small_budget_in_time_is_kept_to_one_round_of_futures() -> None:
    scenario = make_scenario("EranHeavy")
    view = witness_at(scenario, 2, 6).view()
    policy = MCTS(milliseconds=1e-3)
    decide(policy, view, scenario)
    assert 0 < policy.simulated <= 16 * 8


def test_a_caution_that_nothing_can_meet_leaves_the_rollout() -> None:
    scenario = make_scenario("EranHeavy")
    for simulations in (4, 30, 300):
        careful = run_episodes(scenario, MCTS(simulations=simulations, caution=1e9), range(3), "compiled")
        plain = run_episodes(scenario, CMT(), range(3), "compiled")
        assert [episode.kpis for episode in careful] == [episode.kpis for episode in plain]


@pytest.mark.parametrize(("preset", "decisions"), [("EranHeavy", 8), ("OpenUp", 100)])
def test_decisions_do_not_depend_on_hidden_truth(preset: str, decisions: int) -> None:
    """The same planner's randomness on an episode whose hidden part is redrawn gives the same decision."""
    scenario = make_scenario(preset)
    witness = witness_at(scenario, 3, decisions)
    for seed in range(4):
        other = redraw_hidden(witness, np.random.default_rng([seed, 1]))
        seen = replay_view(scenario, other, witness.decisions)
        policy = MCTS(simulations=100, look_ahead=60.0)
        assert decide(policy, witness.view(), scenario, seed) == decide(policy, seen, scenario, seed)


def test_planning_beats_first_come_and_more_of_it_does_not_hurt() -> None:
    """Paired over 40 heavy shifts: above FCFS beyond doubt, and 300 simulations not clearly below 30."""
    scenario = make_scenario("EranHeavy")
    fcfs, few, many = (
        np.array(
            [episode.kpis["objective_per_arrival"] for episode in run_episodes(scenario, policy, seeds, "compiled")]
        )
        for seeds in [range(40)]
        for policy in (make_agent("fcfs"), MCTS(simulations=30), MCTS(simulations=300))
    )
    gain, more = many - fcfs, many - few
    assert gain.mean() > 3.3 * gain.std(ddof=1) / np.sqrt(len(gain))
    assert more.mean() > -3.3 * more.std(ddof=1) / np.sqrt(len(more))


def test_what_is_certain_to_be_best_is_chosen() -> None:
    """One caller, one idle counsellor and nobody to come: serving is worth more than holding, in every future."""
    scenario = make_scenario("EranHeavy", staffing=1, newcomers=0)
    witness = Witness(scenario, Trace.sample(scenario, 0))
    assert witness.advance()
    view = witness.view()
    last = CentreView(**{**view.__dict__, "now": 59.99, "arrivals": np.linspace(0, 59.0, 12)})
    assert decide(MCTS(simulations=50), last, scenario) == Pair(0, 0)


@pytest.mark.parametrize("model", MODELS)
def test_planning_works_without_each_model(model: str) -> None:
    scenario = make_scenario("EranHeavy")
    view = witness_at(scenario, 2, 6).view()
    forget = Forgetful((model,))
    believed = forget.scenario(scenario)
    seen = forget.view(view)
    shown = {
        "feedback": seen.quality,
        "service_time": seen.service_time,
        "patience": seen.waiting.patience,
        "remaining": seen.in_hand.remaining
        - np.maximum(0.5, view.in_hand.predicted - view.now + view.in_hand.started_at),
    }[model]
    assert np.ptp(shown) == 0.0
    assert believed.roster == scenario.roster
    episodes = run_episodes(scenario, MCTS(simulations=60, without=(model,)), range(2), "compiled")
    assert all(np.isfinite(list(episode.kpis.values())).all() for episode in episodes)


def test_the_randomness_is_the_planners_own() -> None:
    scenario = make_scenario("EranHeavy")
    view = witness_at(scenario, 2, 6).view()
    trace = Trace.sample(scenario, 2)
    policy = MCTS(simulations=40)
    policy.reset(scenario, policy_rng(trace.hash, policy.name))
    first = policy.act(view)
    policy.reset(scenario, policy_rng(trace.hash, policy.name))
    assert policy.act(view) == first


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"simulations": -1}, "at least 0, got -1"),
        ({"candidates": 0}, "got 0"),
        ({"milliseconds": 0.0}, "milliseconds must be positive or null, got 0"),
        ({"look_ahead": -5.0}, "look_ahead must be positive or null, got -5"),
        ({"root": "puct"}, "halving, uniform, uct, got 'puct'"),
        ({"objective": "speed"}, "per_arrival, served, got 'speed'"),
        ({"without": ("weather",)}, "no prediction model 'weather'"),
        ({"rollout": make_agent("random")}, "compiled rule"),
    ],
)
def test_bad_settings_are_refused_by_name(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MCTS(**settings)  # type: ignore[arg-type]


def test_what_it_cannot_plan_for_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"fairness, got a weight of 0\.5"):
        MCTS().reset(make_scenario("EranHeavy", weights={"quality": 0.5, "fairness": 0.5}), rng)
    with pytest.raises(ValueError, match="without zombies"):
        MCTS(objective="served").reset(make_scenario("OpenUp"), rng)


def test_a_budget_too_small_to_tell_is_not_acted_on() -> None:
    """With 10 simulations no candidate meets 16 futures, so the planner is its rollout rule."""
    scenario = make_scenario("EranHeavy")
    hurried = run_episodes(scenario, MCTS(simulations=10), range(3), "compiled")
    rash = run_episodes(scenario, MCTS(simulations=10, least_futures=1), range(3), "compiled")
    plain = run_episodes(scenario, CMT(), range(3), "compiled")
    assert [episode.kpis for episode in hurried] == [episode.kpis for episode in plain]
    assert [episode.kpis for episode in rash] != [episode.kpis for episode in plain]

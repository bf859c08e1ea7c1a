"""The clairvoyant bound: equal to a search through every decision, reached by its schedule, above every policy."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from agents import make_agent
from agents.bound import Answer, Bound, ClairvoyantBound
from agents.bound_grid import TimeIndexedBound
from agents.bound_penalty import Penalised
from agents.bound_routes import Terms
from mhgym.domain import ContactLog, Counsellor, Risk, Role, Roster, Shift
from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.episodes import run_rule
from mhgym.engines.rules import params_of
from mhgym.evaluation.rollout import run_episode, run_episodes
from mhgym.presets import make_scenario
from mhgym.processes import draws
from mhgym.processes.outcomes import OutcomeLaw
from mhgym.processes.population import Callers
from mhgym.scenario import Rules, Scenario, Weights
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Pair

EQUAL = 1e-9  # of the objective, whose least step is 1 / (8 N)
HEAVY = make_scenario("EranHeavy")
COMPILED = (
    "fcfs", "lcfs", "most_severe_first", "cmt", "cmt_wait", "cmu", "cmu_theta", "cmu_h", "quality_mu", "max_weight",
    "fastest_server", "best_match", "reserve_high_risk",
)  # fmt: skip
PYTHON = ("random", "ip_matcher", "hungarian")


def objective(scenario: Scenario, kpis: dict[str, float]) -> float:
    return scenario.weights.quality * kpis["quality"] + scenario.weights.quantity * kpis["quantity"]


def tallied(engine: CompiledEngine, trace: Trace) -> float:
    """The objective of an episode that is over, from the engine's counts: much faster than all KPIs."""
    tally, weights = engine.tally, engine.scenario.weights
    return (weights.quality * tally.feedback + weights.quantity * tally.answered) / max(1, trace.offered)


# ------------------------------------------------------------------ tiny centres


def tiny(rng: np.random.Generator, *, law: OutcomeLaw, whole: bool) -> tuple[Scenario, Trace]:
    """A centre of 2 counsellors and up to 5 callers within 12 minutes, one of whom may reject the terms.

    With `whole`, all times are whole minutes, so that many events coincide and a grid of minutes loses nothing.
    """
    size = int(rng.integers(1, 6))

    def minutes(low: float, high: float, *shape: int) -> Any:
        drawn = rng.uniform(low, high, shape)
        return np.rint(drawn) if whole else drawn

    begins, ends = minutes(0, 4, 2), minutes(8, 20, 2)
    low_risk_only = frozenset({Risk.LOW})
    people = tuple(
        Counsellor(Role.VOLUNTEER, (Shift(float(begin), float(end)),), risks=risks)
        for begin, end, risks in zip(begins, ends, (frozenset(Risk), low_risk_only), strict=True)
    )
    scenario = HEAVY.replace(
        roster=Roster(people),
        outcomes=law,
        horizon=12.0,
        rules=Rules(on_sign_out="finish", closing="drain", cutoff=1.0, wrap_up=float(rng.integers(0, 2))),
        weights=Weights(0.5, 0.5) if rng.random() < 0.5 else Weights(0.3, 1.0),
    )
    values = np.zeros((size, draws.NUM_CALLER_VALUES))
    values[:, draws.FEEDBACK_MEAN] = rng.uniform(0, 6, size)
    values[:, draws.SERVICE_MEAN] = minutes(1, 7, size)
    values[:, draws.PATIENCE_MEAN] = 3.0
    values[:, draws.PATIENCE] = minutes(0, 7, size)
    staff = np.zeros((2, draws.NUM_STAFF_VALUES))
    staff[:, draws.FEEDBACK_EFFECT] = rng.uniform(-1.5, 1.5, 2)
    staff[:, draws.SERVICE_EFFECT] = minutes(0, 3, 2)
    callers = Callers(
        accepted=np.arange(size) != rng.integers(0, 10),
        caller_type=np.zeros(size, dtype=np.int64),
        risk=rng.integers(0, 2, size),
        attributes=np.zeros((size, 3), dtype=np.int64),
        values=values,
        keys=rng.integers(0, 2**64, size=(size, 2), dtype=np.uint64),
    )
    return scenario, Trace.compose(scenario, np.sort(minutes(0, 11.9, size)), callers, staff)


def paid(log: ContactLog, terms: Terms) -> float:
    """What the terms of the offline problem make of contact records."""
    total, chats = terms.constant, np.zeros(len(log.counsellor) + 2, dtype=np.int64)
    for contact in np.argsort(log.answered_at)[: int((~np.isnan(log.answered_at)).sum())].tolist():
        counsellor = int(log.counsellor[contact])
        total += terms.of_pair(contact, counsellor, int(chats[counsellor]))[0]
        total -= float(terms.per_minute[contact] * (log.answered_at[contact] - log.arrived_at[contact]))
        chats[counsellor] += 1
    return total


def best_of_all_decisions(scenario: Scenario, trace: Trace, terms: Terms | None = None) -> float:
    """The most that any sequence of decisions, HOLD among them, makes the engine pay: every one of them is played."""
    engine = CompiledEngine(scenario)
    engine.reset(trace)

    def best() -> float:
        if not engine.advance():
            return tallied(engine, trace) if terms is None else paid(engine.log(), terms)
        saved, pairs = engine.save(), [tuple(pair) for pair in np.argwhere(engine.view().legal).tolist()]
        most = -np.inf
        for pair in [HOLD, *pairs]:
            engine.restore(saved)
            if pair == HOLD:
                engine.hold()
            else:
                assert engine.assign(*pair)
            most = max(most, best())
        return most

    return best()


FRESH = OutcomeLaw(pair_feedback_sd=1.0, pair_service_sd=2.0, service_min=1.0, predicted_min=1.0)
TIRING = replace(FRESH, feedback_per_chat=0.7, service_per_chat=0.9, feedback_error_sd=0.5, service_error_sd=1.0)
WARMING_UP = replace(TIRING, feedback_per_chat=-0.7, service_per_chat=-0.9)
WHOLE = OutcomeLaw(pair_feedback_sd=1.0, service_min=1.0)


@pytest.mark.parametrize("law", [FRESH, TIRING, WARMING_UP, WHOLE], ids=["fresh", "tiring", "warming_up", "whole"])
@pytest.mark.parametrize("seed", range(12))
def test_the_bound_is_the_best_of_all_decisions(seed: int, law: OutcomeLaw) -> None:
    scenario, trace = tiny(np.random.default_rng(seed), law=law, whole=law is WHOLE)
    best = best_of_all_decisions(scenario, trace)

    bound = ClairvoyantBound(scenario).solve(trace)

    assert bound.solved
    assert bound.value == pytest.approx(best, abs=EQUAL)
    assert bound.upper == pytest.approx(best, abs=EQUAL)
    assert TimeIndexedBound(scenario, step=0.5).solve(trace).upper >= best - EQUAL
    if law is WHOLE:  # nothing is lost on the grid, and there is no fatigue to relax
        assert TimeIndexedBound(scenario, step=1.0).solve(trace).upper == pytest.approx(best, abs=EQUAL)


@pytest.mark.parametrize("seed", range(8))
def test_a_bound_without_room_for_routes_still_holds(seed: int) -> None:
    """Without the list of routes what is left is Lagrange's bound, and a schedule that may not be optimal."""
    scenario, trace = tiny(np.random.default_rng(seed), law=TIRING, whole=False)
    best = ClairvoyantBound(scenario).solve(trace).value

    bound = ClairvoyantBound(scenario, most_routes=1, offers=1).solve(trace)

    assert bound.value - EQUAL <= best <= bound.upper + EQUAL
    assert bound.gap == bound.upper - bound.value


def test_nobody_to_answer_is_worth_nothing() -> None:
    trace = Trace.sample(HEAVY, 0)
    nobody = {name: getattr(trace, name)[:0] for name in ("arrived_at", "values", "keys", "risk", "attributes")}
    empty = replace(trace, **nobody, accepted=trace.accepted[:0], caller_type=trace.caller_type[:0])

    assert ClairvoyantBound(HEAVY).solve(empty) == Bound(0.0, 0.0)
    assert TimeIndexedBound(HEAVY).solve(empty) == Bound(0.0, 0.0)


# ------------------------------------------------------------------ the ERAN presets


@dataclass
class Follow:
    """Plays a schedule: not a policy that can be had, since its schedule knows the trace."""

    schedule: tuple[Answer, ...]
    name: str = "follow"

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        del scenario, rng

    def act(self, view: CentreView) -> Pair:
        rows = {contact: row for row, contact in enumerate(view.waiting.contact.tolist())}
        for answer in self.schedule:
            if answer.at == view.now and answer.contact in rows:
                pair = rows[answer.contact], answer.counsellor
                if view.legal[pair]:  # the counsellor may sign in, or become free, later in this minute
                    return pair
        return HOLD


def play(scenario: Scenario, trace: Trace, bound: Bound) -> None:
    """The reference engine answers as the schedule says, to the last minute, and pays the bound's value."""
    episode = run_episode(scenario, Follow(bound.schedule), trace)

    assert objective(scenario, episode.kpis) == pytest.approx(bound.value, abs=EQUAL)
    assert {(answer.contact, answer.at) for answer in bound.schedule} == {
        (contact, at) for contact, at in enumerate(episode.log.answered_at.tolist()) if not np.isnan(at)
    }


@pytest.mark.parametrize(("preset", "number"), [("EranHeavy", 10), ("EranStandard", 5)])
def test_the_engine_plays_the_schedule(preset: str, number: int) -> None:
    scenario = make_scenario(preset)
    for seed in range(number):
        trace = Trace.sample(scenario, seed)
        bound = ClairvoyantBound(scenario).solve(trace)

        assert bound.solved
        play(scenario, trace, bound)


def test_the_bound_is_above_every_policy() -> None:
    """60 hours of heavy flow; the rules that hold are among them."""
    traces = [Trace.sample(HEAVY, seed) for seed in range(60)]
    bounds = [ClairvoyantBound(HEAVY).solve(trace) for trace in traces]
    assert all(bound.solved for bound in bounds)
    upper = [bound.upper for bound in bounds]

    engine = CompiledEngine(HEAVY)
    for name in COMPILED:
        policy: Any = make_agent(name)
        for trace, most in zip(traces, upper, strict=True):
            run_rule(engine, trace, policy.compiled_rule, params_of(policy))
            assert 0.0 < tallied(engine, trace) <= most + EQUAL, name
    for name in PYTHON:
        for trace, most in zip(traces[:6], upper, strict=False):
            kpis = run_episode(HEAVY, make_agent(name), trace, "compiled").kpis
            assert objective(HEAVY, kpis) <= most + EQUAL, name
    for trace, most in zip(traces[:6], upper, strict=False):
        assert TimeIndexedBound(HEAVY).solve(trace).upper >= most - EQUAL


def test_a_day_has_a_bound_with_a_gap() -> None:
    """126 callers and 18 counsellors: not solved in seconds, yet above every policy and played by the engine."""
    scenario = make_scenario("EranDay")
    trace = Trace.sample(scenario, 0)
    bound = ClairvoyantBound(scenario).solve(trace, time_limit=5.0)

    for name in COMPILED:
        assert objective(scenario, run_episode(scenario, make_agent(name), trace, "compiled").kpis) <= bound.upper
    assert 0.0 < bound.value <= bound.upper < 1.0
    play(scenario, trace, bound)


# ------------------------------------------------------------------ penalties


@pytest.mark.parametrize("seed", range(12))
def test_the_penalised_bound_is_the_best_of_all_decisions(seed: int) -> None:
    """With a cost of waiting, values that may rise with fatigue, and no unit."""
    scenario, trace = tiny(np.random.default_rng(seed), law=TIRING, whole=False)
    payoffs = Penalised(per_minute=0.1, per_caller=0.4)

    bound = ClairvoyantBound(scenario, payoffs).solve(trace)

    best = best_of_all_decisions(scenario, trace, payoffs.terms(scenario, trace))
    assert bound.upper == pytest.approx(best, abs=EQUAL)


def test_every_policy_with_its_penalty_is_below_the_penalised_bound() -> None:
    """Trace by trace; and without any penalty the bound is the plain one."""
    none = Penalised(feedback=False, per_minute=0.0, per_caller=0.0)
    for seed in range(5):
        trace = Trace.sample(HEAVY, seed)
        upper = ClairvoyantBound(HEAVY, Penalised()).solve(trace).upper
        for name in ("fcfs", "cmt", "best_match"):
            log = run_episode(HEAVY, make_agent(name), trace, "compiled").log
            assert paid(log, Penalised().terms(HEAVY, trace)) <= upper + EQUAL
        plain = ClairvoyantBound(HEAVY).solve(trace).upper
        assert ClairvoyantBound(HEAVY, none).solve(trace).upper == pytest.approx(plain, abs=EQUAL)


@pytest.mark.parametrize(
    "payoffs",
    [
        Penalised(feedback=True, per_minute=0.0, per_caller=0.0),
        Penalised(feedback=False, per_minute=0.02, per_caller=0.0),
        Penalised(feedback=False, per_minute=0.0, per_caller=0.4),
    ],
    ids=["feedback", "service", "patience"],
)
@pytest.mark.parametrize("name", ["fcfs", "cmt"])
def test_penalties_have_mean_zero_for_policies(name: str, payoffs: Penalised) -> None:
    """Over 600 hours of heavy flow, within 4 standard errors: 6 false alarms in 100,000."""
    episodes = run_episodes(HEAVY, make_agent(name), range(600), "compiled")
    penalties = np.array(
        [
            objective(HEAVY, episode.kpis) - paid(episode.log, payoffs.terms(HEAVY, Trace.sample(HEAVY, episode.seed)))
            for episode in episodes
        ]
    )

    assert penalties.std() > 0.001
    assert abs(penalties.mean()) < 4 * penalties.std() / np.sqrt(len(penalties))


def test_the_errors_that_penalties_assume_are_those_of_the_preset() -> None:
    """Over 50,000 callers, whose sample deviation has a standard error of 0.3 %: within 1.3 %."""
    values = HEAVY.population.sample(50_000, np.random.default_rng(0)).values
    feedback = np.hypot(values[:, draws.FEEDBACK_SHIFT].std(), HEAVY.outcomes.feedback_error_sd)
    service = np.hypot(values[:, draws.SERVICE_SHIFT].std(), HEAVY.outcomes.service_error_sd)

    assert feedback == pytest.approx(Penalised().feedback_error_sd, rel=0.013)
    assert service == pytest.approx(Penalised().service_error_sd, rel=0.013)


# ------------------------------------------------------------------ refusals


def with_shift(shift: Shift, **settings: Any) -> Scenario:
    return HEAVY.replace(roster=Roster((Counsellor(Role.VOLUNTEER, (shift,), **settings),)))


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        (HEAVY.replace(zombies="kept"), "zombies 'evicted', got 'kept'"),
        (HEAVY.replace(closing="cut"), "closing 'drain', got 'cut'"),
        (HEAVY.replace(on_sign_out="transfer"), "on_sign_out 'finish', got 'transfer'"),
        (HEAVY.replace(weights=Weights(0.5, 0.5, burden=0.1)), "weight of 0 for burden, got 0.1"),
        (HEAVY.replace(weights=Weights(0.5, 0.5, fairness=0.2)), "weight of 0 for fairness, got 0.2"),
        (with_shift(Shift(0, 60), capacity=2), "capacity 1, got 2 of counsellor 0"),
        (with_shift(Shift(0, 60, breaks=((10, 20),))), "without breaks or closed intervals, got (10, 20) of 0"),
        (with_shift(Shift(0, 60, closed=((10, 20),))), "without breaks or closed intervals, got (10, 20) of 0"),
        (
            HEAVY.replace(roster=Roster((Counsellor(Role.VOLUNTEER, (Shift(0, 20), Shift(30, 60))),))),
            "one shift for each, got 2 of counsellor 0",
        ),
        (make_scenario("OpenUp"), "the bound needs"),
    ],
)
@pytest.mark.parametrize("kind", [ClairvoyantBound, TimeIndexedBound])
def test_scenarios_without_a_bound_are_refused_by_name(kind: type, scenario: Scenario, message: str) -> None:
    with pytest.raises(ValueError, match="the bound needs") as caught:
        kind(scenario)

    assert message in str(caught.value)


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="most_routes must be at least 1, got 0"):
        ClairvoyantBound(HEAVY, most_routes=0)
    with pytest.raises(ValueError, match="step must be positive, got 0"):
        TimeIndexedBound(HEAVY, step=0.0)
    with pytest.raises(ValueError, match="per_minute must be at least 0, got -1"):
        Penalised(per_minute=-1.0)
    with pytest.raises(ValueError, match="service_error_sd must be positive, got 0"):
        Penalised(service_error_sd=0.0)
    with pytest.raises(ValueError, match="time_limit must be positive, got 0"):
        ClairvoyantBound(HEAVY).solve(Trace.sample(HEAVY, 0), time_limit=0.0)
    fewer = make_scenario("EranHeavy", staffing=3)
    with pytest.raises(ValueError, match="the trace has 4 counsellors and the roster 3"):
        ClairvoyantBound(fewer).solve(Trace.sample(HEAVY, 0))

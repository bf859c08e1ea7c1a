"""Both engines give the same events at the same times, to the last bit, and the same views, records and burden."""

import os
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import AGENTS, make_agent
from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.episodes import run_rule
from mhgym.engines.reference import ReferenceEngine
from mhgym.engines.registry import ENGINES
from mhgym.engines.rules import params_of
from mhgym.evaluation.rollout import run_episodes
from mhgym.policy import Policy, policy_rng
from mhgym.presets import PRESETS, make_scenario
from mhgym.scenario import Scenario
from mhgym.testing.strategies import scenarios
from mhgym.trace import Trace
from mhgym.view import HOLD

ONE_DAY = 1440.0
RECORDING = "../shared/data/open-up-interarrivals-2020-11.csv"
MONTH = Path(os.environ.get("MHGYM_OPEN_UP_MONTH", RECORDING))
POLICIES = ("fcfs", "cmt", "random")
RULES = tuple(name for name, agent in AGENTS.items() if hasattr(agent, "compiled_rule"))


def assert_same(a: Any, b: Any, where: str) -> None:
    """Two records are equal array by array, to the last bit."""
    for item in fields(a):
        x, y = getattr(a, item.name), getattr(b, item.name)
        if is_dataclass(x):
            assert_same(x, y, f"{where}.{item.name}")
        else:
            np.testing.assert_array_equal(x, y, err_msg=f"{where}.{item.name}")


def assert_equal_episodes(
    reference: ReferenceEngine, compiled: CompiledEngine, trace: Trace, policy: Policy, wildness: float, views: int
) -> None:
    """Play one trace on both engines with the same decisions, some of them HOLD or illegal."""
    reference.reset(trace)
    compiled.reset(trace)
    policy.reset(reference.scenario, policy_rng(trace.hash, policy.name))
    rng = np.random.default_rng([trace.seed, 7])
    decisions = 0
    while True:
        asking = reference.advance()
        assert compiled.advance() == asking
        if decisions % views == 0 or not asking:
            assert_same(reference.view(), compiled.view(), f"view {decisions}")
            running = reference.meter.value(reference.settled_at), compiled.meter.value(compiled.settled_at)
            assert running[0] == pytest.approx(running[1], abs=1e-12)
            assert reference.tally == compiled.tally
        if not asking:
            break
        if rng.random() < wildness:
            pair = int(rng.integers(-1, 5)), int(rng.integers(-1, 5))
        else:
            row, counsellor = policy.act(reference.view())
            pair = row, counsellor
        taken = reference.assign(*pair)
        assert compiled.assign(*pair) == taken
        if not taken:
            reference.hold()
            compiled.hold()
        decisions += 1
    assert reference.events == compiled.events
    assert_same(reference.log(), compiled.log(), "log")


def play_preset(name: str, traces: int, **overrides: Any) -> None:
    scenario = make_scenario(name, **overrides)
    reference, compiled = ReferenceEngine(scenario, record=True), CompiledEngine(scenario, record=True)
    for seed in range(traces):
        policy = make_agent(POLICIES[seed % len(POLICIES)])
        assert_equal_episodes(reference, compiled, Trace.sample(scenario, seed), policy, wildness=0.1, views=7)


@pytest.mark.parametrize("name", list(PRESETS))
def test_presets_are_equal_on_20_traces(name: str) -> None:
    """On 1,000 by `make verify`."""
    play_preset(name, 20)


@pytest.mark.parametrize(
    "overrides",
    [
        {"zombies": "evicted", "on_sign_out": "finish", "on_break": "postpone", "review_interval": 7.0},
        {"queue_discipline": "paper", "cutoff": 10.0},
        {"closing": "drain", "flow": 30.0, "staffing": 1},
    ],
)
def test_other_rules_are_equal(overrides: dict[str, Any]) -> None:
    play_preset("OpenUpPaper", 6, **overrides)


@given(scenario=scenarios(), seed=st.integers(0, 2**32), wildness=st.sampled_from([0.0, 0.3, 1.0]))
@settings(max_examples=150)
def test_random_scenarios_are_equal(scenario: Scenario, seed: int, wildness: float) -> None:
    """Ties, zero patience and service of no length are common among these."""
    engines = ReferenceEngine(scenario, record=True), CompiledEngine(scenario, record=True)
    assert_equal_episodes(*engines, Trace.sample(scenario, seed), make_agent("random"), wildness, views=1)


@given(scenario=scenarios(), seed=st.integers(0, 2**32), cut=st.integers(0, 20))
@settings(max_examples=30)
def test_a_restored_centre_continues_identically(scenario: Scenario, seed: int, cut: int) -> None:
    engine = CompiledEngine(scenario, record=True)
    engine.reset(Trace.sample(scenario, seed))
    decisions = 0
    while decisions < cut and engine.advance():
        legal = np.argwhere(engine.view().legal)
        engine.assign(*map(int, legal[decisions % len(legal)]))
        decisions += 1
    saved = engine.save()

    def finish() -> Any:
        while engine.advance():
            engine.assign(*map(int, np.argwhere(engine.view().legal)[-1]))
        return engine.log(), engine.events

    log, events = finish()
    engine.reset(Trace.sample(scenario, seed + 1))
    engine.restore(saved)
    again, repeated = finish()
    assert events == repeated
    assert_same(log, again, "log")


@given(scenario=scenarios(), seed=st.integers(0, 2**32), name=st.sampled_from(RULES))
@settings(max_examples=100)
def test_compiled_rules_decide_as_their_policies(scenario: Scenario, seed: int, name: str) -> None:
    policy = make_agent(name)
    trace = Trace.sample(scenario, seed)
    reference, compiled = ReferenceEngine(scenario, record=True), CompiledEngine(scenario, record=True)
    reference.reset(trace)
    policy.reset(scenario, policy_rng(trace.hash, policy.name))
    decisions = 0
    while reference.advance():
        pair = policy.act(reference.view())
        if pair == HOLD:
            reference.hold()
        else:
            assert reference.assign(*pair)
        decisions += 1
    assert run_rule(compiled, trace, policy.compiled_rule, params_of(policy)) == decisions
    assert reference.events == compiled.events
    assert_same(reference.log(), compiled.log(), "log")


@pytest.mark.parametrize("name", ["EranHeavy", "OpenUp"])
def test_evaluation_gives_the_same_on_every_engine(name: str) -> None:
    scenario = make_scenario(name)
    for agent in set(AGENTS) - {"mcts", "learned", "guided_search"}:  # slow, or in need of a network
        slow, fast = (run_episodes(scenario, make_agent(agent), range(3), engine) for engine in ENGINES)
        assert [episode.kpis for episode in slow] == [episode.kpis for episode in fast]
        assert [episode.decisions for episode in slow] == [episode.decisions for episode in fast]


@pytest.mark.verify
@pytest.mark.parametrize("name", list(PRESETS))
def test_presets_are_equal_on_1000_traces(name: str) -> None:
    play_preset(name, 1000, **({"horizon": ONE_DAY} if name.startswith("OpenUp") else {}))


@pytest.mark.verify
def test_the_real_month_is_equal() -> None:
    if not MONTH.is_file():
        pytest.skip(f"the recording of November 2020 is not at {MONTH}; set MHGYM_OPEN_UP_MONTH to its path")
    recorded = {"horizon": 43_200.0, "arrivals": "replay", "arrivals_path": str(MONTH)}
    for name in ("OpenUp", "OpenUpPaper"):
        play_preset(name, 3, **recorded)

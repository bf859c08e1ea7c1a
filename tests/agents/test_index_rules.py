"""Index rules: compiled and in Python they decide alike, and each does what its formula says."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import AGENTS, make_agent
from agents.index_rules import cmt_index, cmu_h_index, cmu_theta_index
from mhgym.domain import Counsellor, Role, Roster, Shift
from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.episodes import run_rule
from mhgym.engines.reference import ReferenceEngine
from mhgym.engines.rules import NUM_PARAMS, Rule, pack_params, params_of
from mhgym.evaluation.rollout import run_episode
from mhgym.policy import Policy
from mhgym.presets import PRESETS, make_scenario
from mhgym.scenario import Scenario
from mhgym.testing.strategies import scenarios
from mhgym.trace import Trace
from mhgym.view import HOLD

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in AGENTS if hasattr(AGENTS[name], "compiled_rule")),
    ("cmu", {"costs": (3, 1, 0)}),
    ("cmu_theta", {"penalty": 7.5}),
    ("cmu_h", {"growth": 2.0, "shape": 1.25}),
    ("max_weight", {"head_start": 0.0}),
    ("best_match", {"price": 0.02}),
    ("best_match", {"thresholds": (0.75,)}),
    ("best_match", {"price": 0.01, "thresholds": (0.8, 0.6, 0.2, -1.0), "lapse": 12.0}),
    ("best_match", {"price": 0.02, "thresholds": (0.2, -1.0), "gain": 1.8, "longest": 20.0}),
    ("reserve_high_risk", {"reserve": 0}),
    ("reserve_high_risk", {"reserve": 3}),
    ("cmt_wait", {"gain": 1.0, "longest": 30.0}),
    ("cmt_wait", {"gain": 0.0, "longest": math.inf}),
    ("cmt_wait", {"gain": math.inf}),
    ("cmt_wait", {"longest": 0.0}),
    ("newest_within", {"longest": 2.0}),
    ("likely_there", {"least": 0.3}),
    ("likely_there", {"least": 0.1, "high_risk_first": True}),
    ("likely_there", {"least": 0.02, "oldest_first": True}),
]
IDS = [f"{name}{list(values.values()) or ''}" for name, values in SETTINGS]


def assert_compiled_decides_alike(scenario: Scenario, policy: Policy, trace: Trace, engine: Any) -> int:
    """The policy on views, and its compiled rule, take the same decisions at the same times; how often it held."""
    compiled = CompiledEngine(scenario, record=True)
    engine.reset(trace)
    policy.reset(scenario, np.random.default_rng(0))
    decisions = held = 0
    while engine.advance():
        pair = policy.act(engine.view())
        if pair == HOLD:
            engine.hold()
            held += 1
        else:
            assert engine.assign(*pair)
        decisions += 1
    assert run_rule(compiled, trace, policy.compiled_rule, params_of(policy)) == decisions
    assert compiled.events == engine.events
    return held


@pytest.mark.parametrize(("name", "values"), SETTINGS, ids=IDS)
@pytest.mark.parametrize("preset", list(PRESETS))
def test_compiled_rules_decide_alike_on_presets(preset: str, name: str, values: dict[str, Any]) -> None:
    overrides = {} if preset.startswith("Eran") else {"horizon": 360.0}
    scenario = make_scenario(preset, **overrides)
    for seed in range(5):
        engine = CompiledEngine(scenario, record=True)
        assert_compiled_decides_alike(scenario, make_agent(name, **values), Trace.sample(scenario, seed), engine)


@given(scenario=scenarios(), seed=st.integers(0, 2**32), chosen=st.sampled_from(SETTINGS))
@settings(max_examples=200)
def test_compiled_rules_decide_alike_anywhere(
    scenario: Scenario, seed: int, chosen: tuple[str, dict[str, Any]]
) -> None:
    """Ties are common among these scenarios; the policy plays on the reference engine."""
    name, values = chosen
    engine = ReferenceEngine(scenario, record=True)
    assert_compiled_decides_alike(scenario, make_agent(name, **values), Trace.sample(scenario, seed), engine)


@pytest.mark.parametrize(
    ("name", "values", "preset"),
    [
        ("best_match", {"thresholds": (0.75,)}, "EranHeavy"),
        ("cmt_wait", {"gain": 1.0, "longest": 30.0}, "EranHeavy"),
        ("reserve_high_risk", {"reserve": 1}, "OpenUp"),
        ("likely_there", {"least": 0.3}, "OpenUp"),
    ],
)
def test_rules_that_may_hold_do_hold(name: str, values: dict[str, Any], preset: str) -> None:
    """So that the equality above is not one of rules that never hold."""
    scenario = make_scenario(preset)
    policy, engine = make_agent(name, **values), CompiledEngine(scenario, record=True)
    assert sum(
        assert_compiled_decides_alike(scenario, policy, Trace.sample(scenario, seed), engine) for seed in range(3)
    )


def test_special_cases_coincide() -> None:
    """Where two rules are one by definition they decide alike."""
    scenario = make_scenario("OpenUp", horizon=600.0)
    same = [
        (("cmt_wait", {"gain": math.inf}), ("cmt", {})),
        (("cmt_wait", {"gain": 0.0, "longest": 0.0}), ("cmt", {})),
        (("reserve_high_risk", {"reserve": 0}), ("most_severe_first", {})),
        (("best_match", {"thresholds": (-math.inf,)}), ("best_match", {})),
    ]
    for pair in same:
        first, second = (
            [run_episode(scenario, make_agent(name, **values), Trace.sample(scenario, seed)).kpis for seed in range(2)]
            for name, values in pair
        )
        assert first == second, pair


def test_the_first_threshold_holds_when_nobody_is_idle() -> None:
    """A request may then wait in the inbox of somebody busy; with one counsellor no other threshold ever counts."""
    alone = Roster((Counsellor(Role.VOLUNTEER, (Shift(0.0, 60.0),), inbox=2),))
    scenario = replace(make_scenario("EranHeavy"), roster=alone)
    plain, first_only, never = (
        run_episode(scenario, make_agent("best_match", thresholds=levels), Trace.sample(scenario, 0)).kpis
        for levels in ((), (-math.inf, math.inf), (math.inf, -math.inf))
    )
    assert plain == first_only
    assert plain["answered"] > 0.0 == never["answered"]


def test_indices_are_their_formulas() -> None:
    """By hand: quality .5 and 1, 10 and 20 minutes, patience 4."""
    quality, minutes, patience = np.array([[0.5, 1.0]]), np.array([[10.0, 20.0]]), np.array([4.0])
    assert cmt_index(quality, minutes, patience).tolist() == [[0.0125, 0.0125]]
    assert cmu_theta_index(quality, minutes, patience).tolist() == [[0.2, 0.2]]
    assert cmu_theta_index(quality, minutes, patience, penalty=6.0).tolist() == [[0.5, 0.5]]
    # Waited 2 minutes: marginal cost 1 + .5 * 2 = 2; hazard 3 / (2 * 4 + 2) = .3; .5 * 2 / (.3 * 10) = 1/3.
    index = cmu_h_index(quality, minutes, patience, np.array([2.0]), growth=0.5, shape=3.0)
    np.testing.assert_allclose(index, [[1 / 3, 1 / 3]], rtol=1e-15)
    # A penalty beyond all waiting leaves quality·μ.
    np.testing.assert_allclose(cmu_theta_index(quality, minutes, patience, 1e12) / 1e12, quality / minutes, rtol=1e-9)
    # A large shape and no growth give the cμ/θ rule.
    limit = cmu_h_index(quality, minutes, patience, np.array([2.0]), growth=0.0, shape=1e12)
    np.testing.assert_allclose(limit, cmu_theta_index(quality, minutes, patience), rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "values", "named"),
    [
        ("cmu", {"costs": (1.0, 2.0)}, "3 levels of risk, got 2"),
        ("cmu", {"costs": (1.0, -2.0, 1.0)}, "cost at medium risk must be at least 0, got -2"),
        ("cmu_theta", {"penalty": -1.0}, "penalty must be at least 0, got -1"),
        ("cmu_h", {"shape": 1.0}, "shape must be above 1"),
        ("max_weight", {"head_start": -0.1}, "head_start must be at least 0"),
        ("best_match", {"thresholds": (0, 0, 0, 0, 0)}, "at most 4 levels, got 5"),
        ("best_match", {"thresholds": (math.nan,)}, "must be numbers"),
        ("reserve_high_risk", {"reserve": -1}, "reserve must be at least 0"),
        ("cmt_wait", {"gain": -1.0}, "gain must be at least 0"),
        ("fcsf", {}, "unknown agent 'fcsf'"),
    ],
)
def test_impossible_settings_are_refused_by_name(name: str, values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        make_agent(name, **values)


def test_parameters_fit_the_room_for_them() -> None:
    assert pack_params((1.0, 2.0)).tolist() == [1.0, 2.0, *[0.0] * (NUM_PARAMS - 2)]
    with pytest.raises(ValueError, match="at most 8 parameters, got 9"):
        pack_params(range(9))


def test_every_compiled_rule_has_its_policy() -> None:
    assert {AGENTS[name].compiled_rule for name, _ in SETTINGS} == set(Rule)

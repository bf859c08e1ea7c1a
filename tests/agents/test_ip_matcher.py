"""The online matcher: its assignments are exact, and it routes what can be routed now."""

from dataclasses import replace
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest

from agents import make_agent
from agents.ip_matcher import assign, severity_weights, value_weights
from mhgym.domain import Counsellor, Risk, Role, Roster, Shift
from mhgym.engines.reference import ReferenceEngine
from mhgym.evaluation.rollout import run_episode
from mhgym.presets import make_scenario
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Phase


def all_assignments(eligible: Any) -> list[list[tuple[int, int]]]:
    """Every set of eligible pairs in which no row and no column stands twice."""
    n, m = eligible.shape
    found = []
    for size in range(min(n, m) + 1):
        for rows in combinations(range(n), size):
            for columns in permutations(range(m), size):
                pairs = list(zip(rows, columns, strict=True))
                if all(eligible[pair] for pair in pairs):
                    found.append(pairs)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_assignments_are_lexicographic_optima(seed: int) -> None:
    """Against every assignment there is: severity first, then cardinality, then value; and value, then cardinality."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 5, 2)
    value, risk = rng.integers(-300, 1001, (n, m)), rng.integers(0, 3, n)
    eligible = rng.random((n, m)) < 0.7
    ways = all_assignments(eligible)

    def by_severity(pairs: list[tuple[int, int]]) -> tuple[int, ...]:
        levels = [sum(risk[i] == level for i, _ in pairs) for level in (2, 1, 0)]
        return (*levels, len(pairs), sum(int(value[pair]) for pair in pairs))

    def by_value(pairs: list[tuple[int, int]]) -> tuple[int, int]:
        return sum(max(0, int(value[pair])) for pair in pairs), len(pairs)

    assert by_severity(assign(severity_weights(value, eligible, risk))) == max(map(by_severity, ways))
    assert by_value(assign(value_weights(value, eligible))) == max(map(by_value, ways))


@pytest.mark.parametrize("seed", range(20))
def test_assignments_are_exact_just_below_the_limit(seed: int) -> None:
    """Weights near 2^48 that differ by single units; totals by Python's integers."""
    rng = np.random.default_rng(seed)
    weights = 2**48 - rng.integers(1, 4, (4, 4))
    best = max(sum(int(weights[i, k]) for i, k in enumerate(way)) for way in permutations(range(4)))
    assert sum(int(weights[pair]) for pair in assign(weights)) == best


def test_weights_too_large_for_float64_are_refused() -> None:
    with pytest.raises(ValueError, match="2\\^53"):
        assign(np.full((4, 4), 2**50))


def pair_of_counsellors(**rules: Any) -> Scenario:
    scenario = make_scenario("EranHeavy")
    people = tuple(Counsellor(Role.VOLUNTEER, (Shift(0.0, 60.0),), 1, frozenset(Risk)) for _ in range(2))
    return scenario.replace(roster=Roster(people), **rules)


def view_with_one_busy(rest: float, quality: tuple[float, float]) -> tuple[Scenario, CentreView]:
    """One caller waits; counsellor 0 is idle, counsellor 1 has a contact with so many minutes left."""
    scenario = pair_of_counsellors()
    engine = ReferenceEngine(scenario)
    engine.reset(Trace.sample(scenario, 2))
    assert engine.advance()
    engine.assign(0, 1)
    assert engine.advance()
    view = engine.view()
    assert (len(view.waiting), view.staff.can_take.tolist(), len(view.in_hand)) == (1, [True, False], 1)
    hand = replace(view.in_hand, remaining=np.array([rest]), phase=np.array([int(Phase.SERVICE)]))
    return scenario, replace(view, in_hand=hand, quality=np.array([quality]), now=20.0)


@pytest.mark.parametrize("name", ["ip_matcher", "hungarian"])
@pytest.mark.parametrize(
    ("rest", "quality", "holds"),
    [
        (4.0, (0.25, 1.0), True),  # 1 - 4 * .05 = .8 is more than .25
        (4.0, (0.75, 0.75), False),  # .75 - 4 * .05 is less than .75
        (4.0, (0.75, 1.0), True),  # .8 is more than .75
        (5.01, (0.25, 1.0), False),  # beyond the look-ahead
        (45.0, (0.0, 1.0), False),
    ],
)
def test_waits_for_a_better_counsellor_at_the_stated_cost(
    name: str, rest: float, quality: tuple[float, float], holds: bool
) -> None:
    scenario, view = view_with_one_busy(rest, quality)
    matcher = make_agent(name, look_ahead=5.0, wait_cost=0.05)
    matcher.reset(scenario, np.random.default_rng(0))
    assert (matcher.act(view) == HOLD) == holds


@pytest.mark.parametrize("name", ["ip_matcher", "hungarian"])
@pytest.mark.parametrize("preset", ["EranHeavy", "OpenUp"])
def test_never_holds_without_a_look_ahead_and_is_always_legal(name: str, preset: str) -> None:
    scenario = make_scenario(preset)
    matcher, engine = make_agent(name, look_ahead=0.0), ReferenceEngine(scenario)
    for seed in range(3):
        engine.reset(Trace.sample(scenario, seed))
        matcher.reset(scenario, np.random.default_rng(0))
        while engine.advance():
            assert engine.assign(*matcher.act(engine.view()))


def test_the_most_severe_caller_is_served_though_another_matches_better() -> None:
    scenario = make_scenario("OpenUp", horizon=600.0)
    engine, differs = ReferenceEngine(scenario), 0
    matcher, rival = make_agent("ip_matcher", look_ahead=0.0), make_agent("hungarian", look_ahead=0.0)
    engine.reset(Trace.sample(scenario, 1))
    for policy in (matcher, rival):
        policy.reset(scenario, np.random.default_rng(0))
    while engine.advance():
        view = engine.view()
        chosen = matcher.act(view)
        only = view.staff.can_take.sum() == 1 and (view.staff.capacity - view.staff.in_hand)[view.staff.can_take] == 1
        if only:
            able = view.legal.any(axis=1)
            assert view.waiting.risk[chosen.row] == view.waiting.risk[able].max()
            differs += view.waiting.risk[rival.act(view).row] < view.waiting.risk[able].max()
        engine.assign(*chosen)
    assert differs > 0


def test_is_scored_like_any_policy() -> None:
    scenario = make_scenario("EranHeavy")
    episode = run_episode(scenario, make_agent("ip_matcher"), Trace.sample(scenario, 0), "compiled")
    assert episode.illegal == 0
    assert episode.decisions > 0


@pytest.mark.parametrize("setting", ["look_ahead", "wait_cost", "price"])
def test_negative_settings_are_refused_by_name(setting: str) -> None:
    with pytest.raises(ValueError, match=f"{setting} must be at least 0, got -1"):
        make_agent("ip_matcher", **{setting: -1.0})

"""Policies that say why: what they chose is the best of what they weighed, and asking changes nothing."""

import numpy as np
import pytest

from agents import make_agent
from mhgym.engines.registry import make_engine
from mhgym.engines.rules import QUALITY_FLOOR
from mhgym.policy import Explains, Policy, policy_rng
from mhgym.presets import make_scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Pair

SAY_NOTHING = ("random", "ip_matcher", "hungarian", "newest_within", "reserve_high_risk")
WEIGH = {
    "fcfs": {},
    "lcfs": {},
    "most_severe_first": {},
    "likely_there": {"least": 0.3},
    "cmt": {},
    "cmt_wait": {"gain": 0.5},
    "cmu": {},
    "cmu_theta": {},
    "cmu_h": {},
    "quality_mu": {},
    "max_weight": {},
    "fastest_server": {},
    "best_match": {"thresholds": [0.7, 0.4], "gain": 1.1, "longest": 10.0},
    "fair_share": {"rule": "cmt"},
    "mcts": {"simulations": 40, "least_futures": 1, "root": "uniform"},
    "learned": {"network": "ppo_eran_heavy"},
}


def play(policy: Policy, *, ask: bool) -> list[tuple[CentreView, Pair]]:
    """The views and decisions of a crowded hour."""
    scenario = make_scenario("EranHeavy", flow=40, staffing=3, newcomers=1)
    engine, trace = make_engine("simpy", scenario), Trace.sample(scenario, 5)
    engine.reset(trace)
    policy.reset(scenario, policy_rng(trace.hash, policy.name))
    played = []
    while engine.advance():
        view = engine.view()
        pair = policy.act(view)
        if ask and isinstance(policy, Explains):
            weighed = policy.weigh(view)
            assert weighed.measure
            assert len(weighed.pairs) == len(weighed.values) == len(set(weighed.pairs))
            assert all(other == HOLD or view.legal[other] for other in weighed.pairs)
            assert weighed.values[weighed.pairs.index(pair)] == max(weighed.values)
        played.append((view, pair))
        if pair == HOLD or not engine.assign(*pair):
            engine.hold()
    return played


@pytest.mark.parametrize("name", WEIGH)
def test_the_choice_is_the_best_of_what_was_weighed_and_asking_changes_nothing(name: str) -> None:
    policy = make_agent(name, **WEIGH[name])
    assert isinstance(policy, Explains)
    asked, unasked = play(policy, ask=True), play(make_agent(name, **WEIGH[name]), ask=False)
    assert len(asked) >= 8
    assert [pair for _, pair in asked] == [pair for _, pair in unasked]


def test_some_decisions_of_the_rules_above_are_to_hold() -> None:
    """So that the law above covers HOLD."""
    for name in ("cmt_wait", "best_match", "likely_there"):
        assert any(pair == HOLD for _, pair in play(make_agent(name, **WEIGH[name]), ask=False)), name


def test_the_values_of_cmt_are_its_index() -> None:
    policy = make_agent("cmt")
    view, _ = max(play(policy, ask=False), key=lambda pair: pair[0].legal.sum())
    weighed = policy.weigh(view)
    index = np.maximum(view.quality, QUALITY_FLOOR) / (view.service_time * view.waiting.patience[:, None])
    assert len(weighed.pairs) == view.legal.sum() > 1
    assert weighed.values == pytest.approx([index[pair] for pair in weighed.pairs])


@pytest.mark.parametrize("name", SAY_NOTHING)
def test_a_policy_need_not_say_why(name: str) -> None:
    assert not isinstance(make_agent(name), Explains)

"""A fair share for newcomers: without a weight nothing changes, with a large one they come first while short."""

import numpy as np
import pytest

from agents import make_agent
from agents.fair_share import FairShare
from mhgym.domain import ContactLog
from mhgym.engines.reference import ReferenceEngine
from mhgym.evaluation.rollout import run_episode
from mhgym.policy import Policy
from mhgym.presets import make_scenario
from mhgym.trace import Trace
from mhgym.view import HOLD

SCENARIO = make_scenario("EranStandard")
TRACES = [Trace.sample(SCENARIO, seed) for seed in range(8)]


def logs(policy: Policy) -> list[ContactLog]:
    return [run_episode(SCENARIO, policy, trace).log for trace in TRACES]


def same(one: list[ContactLog], other: list[ContactLog]) -> bool:
    columns = [(a.counsellor, b.counsellor) for a, b in zip(one, other, strict=True)]
    times = [(a.leg_start, b.leg_start) for a, b in zip(one, other, strict=True)]
    return all(np.array_equal(a, b) for a, b in columns + times)


@pytest.mark.parametrize("name", ["cmt", "best_match"])
def test_without_a_weight_the_rule_decides_as_it_did(name: str) -> None:
    rule = make_agent(name)
    assert same(logs(FairShare(rule, 0.0)), logs(rule))
    assert not same(logs(FairShare(rule, 10.0)), logs(rule))


def test_a_rule_that_reads_no_quality_is_not_moved() -> None:
    assert same(logs(FairShare(make_agent("fcfs"), 10.0)), logs(make_agent("fcfs")))


def test_with_a_large_weight_newcomers_come_first_exactly_while_they_are_short() -> None:
    """The shortfall is counted here from the decisions themselves; without thresholds nobody is held back."""
    policy, plain = FairShare(make_agent("best_match"), 1e6), make_agent("best_match")
    short = 0
    for trace in TRACES:
        engine = ReferenceEngine(SCENARIO)
        engine.reset(trace)
        policy.reset(SCENARIO, np.random.default_rng(0))
        plain.reset(SCENARIO, np.random.default_rng(0))
        taken = np.zeros(len(SCENARIO.roster))
        while engine.advance():
            view = engine.view()
            pair, new = policy.act(view), view.staff.new
            lacking = new.mean() * (taken.sum() + 1) - taken[new].sum()  # all are on duty all the time
            assert policy.shortfall(view) == pytest.approx(max(0.0, lacking), abs=1e-9)
            assert pair != HOLD
            if lacking > 1e-9 and view.legal[:, new].any():
                assert new[pair.counsellor]
                short += not new[plain.act(view).counsellor]
            elif lacking < -1e-9:
                assert pair == plain.act(view)
            taken[pair.counsellor] += 1
            assert engine.assign(*pair)
    assert short > 5  # decisions that were others than the rule's


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="weight must be at least 0, got -1"):
        make_agent("fair_share", weight=-1.0)
    with pytest.raises(ValueError, match="rule takes a name and settings, got price"):
        make_agent("fair_share", rule={"price": 1.0})
    with pytest.raises(RuntimeError, match="reset the policy"):
        FairShare(make_agent("cmt")).act(None)  # type: ignore[arg-type]

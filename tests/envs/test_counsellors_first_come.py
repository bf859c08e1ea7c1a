"""Counsellors who pull the longest-waiting caller make first come, first served, in both forms of the game."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from agents import make_agent
from mhgym.domain import ContactLog
from mhgym.envs.multi.aec import CounsellorsAEC
from mhgym.envs.multi.parallel import CounsellorsParallel
from mhgym.evaluation.rollout import run_episode
from mhgym.presets import make_scenario
from mhgym.scenario import Scenario
from mhgym.testing.strategies import scenarios
from mhgym.trace import Trace


def oldest(seen: dict[str, Any]) -> int:
    """The first caller shown that may be pulled; to decline if there is none."""
    return int(np.argmax(seen["action_mask"]))


def play_cycle(scenario: Scenario, trace: Trace, engine: str, num_slots: int) -> ContactLog:
    env = CounsellorsAEC(scenario, engine=engine, num_slots=num_slots)
    env.reset(options={"trace": trace})
    while not (any(env.terminations.values()) or any(env.truncations.values())):
        env.step(oldest(env.observe(env.agent_selection)))
    return env.game.core.centre.engine.log()


def play_parallel(scenario: Scenario, trace: Trace, engine: str, num_slots: int) -> ContactLog:
    env = CounsellorsParallel(scenario, engine=engine, num_slots=num_slots)
    observations, _ = env.reset(options={"trace": trace})
    while env.agents:
        observations, *_ = env.step({agent: oldest(seen) for agent, seen in observations.items()})
    return env.game.core.centre.engine.log()


def assert_same(one: ContactLog, other: ContactLog) -> None:
    """Every contact: same outcome, same counsellor, same times, same legs."""
    for field in fields(ContactLog):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
@pytest.mark.parametrize(
    ("preset", "overrides", "seeds"),
    [
        ("EranHeavy", {}, range(10)),
        ("EranStandard", {}, range(10)),
        ("EranHeavy", {"flow": 30.0, "review_interval": 1.0}, range(3)),
        ("OpenUp", {"horizon": 720.0}, range(3)),
        ("OpenUpPaper", {"horizon": 720.0, "on_break": "transfer"}, range(2)),
    ],
)
def test_pulling_the_oldest_is_first_come(preset: str, overrides: dict[str, Any], seeds: range, engine: str) -> None:
    scenario = make_scenario(preset, **overrides)
    for seed in seeds:
        trace = Trace.sample(scenario, seed)
        expected = run_episode(scenario, make_agent("fcfs"), trace, "compiled").log

        assert (expected.counsellor >= 0).sum() >= 3
        assert_same(play_cycle(scenario, trace, engine, 32), expected)
        assert_same(play_parallel(scenario, trace, engine, 32), expected)


@given(scenarios(inboxes=False))
@settings(max_examples=60)
def test_pulling_the_oldest_is_first_come_in_any_centre(scenario: Scenario) -> None:
    """Random centres: eligibility by risk, several slots, breaks, transfers, events at the same minute.

    Whether callers choose by idle time or counsellors by waiting time, both by a list common to all, one matching alone
    is stable, and both find it: the first caller whom somebody may take and the longest-idle who may take them want
    each other most.
    """
    trace = Trace.sample(scenario, 1)
    expected = run_episode(scenario, make_agent("fcfs"), trace).log

    assert_same(play_cycle(scenario, trace, "simpy", 64), expected)
    assert_same(play_parallel(scenario, trace, "simpy", 64), expected)

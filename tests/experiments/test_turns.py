"""Latencies are those of decisions, without what the first trace compiles, and all policies meet the same traces."""

import time

import numpy as np
import pytest

from agents import make_agent
from experiments.turns import milliseconds
from mhgym.presets import make_scenario
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair

_PAUSE = 0.05  # seconds


class Slow:
    """First come, first served, with a pause: at every decision, or in its first episode alone."""

    def __init__(self, name: str, always: bool, turns: list[str]) -> None:
        self.name = name
        self.arrivals: list[int] = []
        self._always, self._turns, self._fcfs = always, turns, make_agent("fcfs")

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        self._turns.append(self.name)
        self.arrivals.append(0)
        self._fcfs.reset(scenario, rng)

    def act(self, view: CentreView) -> Pair:
        self.arrivals[-1] = len(view.arrivals)
        if self._always or len(self.arrivals) == 1:
            time.sleep(_PAUSE)
        return self._fcfs.act(view)


def test_decisions_are_timed_and_the_first_trace_is_not_counted() -> None:
    turns: list[str] = []
    slow, warming = Slow("slow", always=True, turns=turns), Slow("warming", always=False, turns=turns)
    times = milliseconds({"slow": slow, "warming": warming}, make_scenario("EranHeavy"), range(9), decisions=12)
    assert times["slow"] > 1e3 * _PAUSE
    assert times["warming"] < 0.2e3 * _PAUSE
    assert slow.arrivals == warming.arrivals
    assert 2 <= len(slow.arrivals) < 9
    assert turns == ["slow", "warming"] * len(slow.arrivals)


def test_one_trace_is_too_few() -> None:
    with pytest.raises(ValueError, match="at least 2 traces, the first of which is not counted, got 1"):
        milliseconds({"fcfs": make_agent("fcfs")}, make_scenario("EranHeavy"), range(1))

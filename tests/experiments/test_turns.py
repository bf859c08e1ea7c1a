"""Latencies are those of decisions, without what the first trace compiles, and all policies meet the same traces."""

import time

import numpy as np

from agents import make_agent
from experiments.turns import milliseconds
from mhgym.presets import make_scenario
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair

_PAUSE = 0.02  # seconds


class Slow:
    """First come, first served, with a pause: at every decision, or in its first episode alone."""

    def __init__(self, always: bool) -> None:
        self.name = "slow"
        self.arrivals: list[int] = []
        self._always, self._fcfs = always, make_agent("fcfs")

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        self.arrivals.append(0)
        self._fcfs.reset(scenario, rng)

    def act(self, view: CentreView) -> Pair:
        self.arrivals[-1] = len(view.arrivals)
        if self._always or len(self.arrivals) == 1:
            time.sleep(_PAUSE)
        return self._fcfs.act(view)


def test_decisions_are_timed_and_the_first_trace_is_not_counted() -> None:
    slow, warming = Slow(always=True), Slow(always=False)
    times = milliseconds({"slow": slow, "warming": warming}, make_scenario("EranHeavy"), range(9), decisions=12)
    assert times["slow"] > 1e3 * _PAUSE
    assert times["warming"] < 0.5e3 * _PAUSE
    assert slow.arrivals == warming.arrivals
    assert 2 <= len(slow.arrivals) < 9

"""The checks of one's own policy and scenario find what was put there to be found, and nothing else."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from agents import make_agent
from mhgym.presets import make_scenario
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.testing import policy_check, scenario_check
from mhgym.view import Pair


class Base:
    """Serves whom it finds first."""

    name = "mine"

    def __init__(self) -> None:
        self.past = 0

    def reset(self, scenario: Any, rng: np.random.Generator) -> None:
        self.rng = rng

    def act(self, view: Any) -> Any:
        row, counsellor = np.argwhere(view.legal)[0]
        return Pair(row, counsellor)


class Raises(Base):
    def act(self, view: Any) -> Any:
        raise KeyError("mood")


class Nonsense(Base):
    def act(self, view: Any) -> Any:
        return 0.5, 1


class Illegal(Base):
    def act(self, view: Any) -> Any:
        return Pair(0, len(view.staff) + 3)


class Writes(Base):
    def act(self, view: Any) -> Any:
        view.quality[:] = 1.0
        return super().act(view)


class GlobalRandom(Base):
    def act(self, view: Any) -> Any:
        pairs = np.argwhere(view.legal)
        return Pair(*pairs[_GLOBAL.integers(len(pairs))])


_GLOBAL = np.random.default_rng(0)


class Remembers(Base):
    """Learns from trace to trace: the same order gives the same decisions, another order does not."""

    def reset(self, scenario: Any, rng: np.random.Generator) -> None:
        self.past = hash((self.past, int(rng.integers(2**30)))) % 97

    def act(self, view: Any) -> Any:
        pairs = np.argwhere(view.legal)
        return Pair(*pairs[self.past % len(pairs)])


class Unpicklable(Base):
    def reset(self, scenario: Any, rng: np.random.Generator) -> None:
        self.decide = lambda view: Pair(*np.argwhere(view.legal)[0])


class Nameless(Base):
    name = ""


WRONG = {
    Raises: r"act, trace 0, minute \d+\.\d: KeyError: 'mood'",
    Nonsense: r"it answered \(0\.5, 1\); a row of the queue and a counsellor",
    Illegal: r"(\d+) of \1 decisions were illegal, and counted as HOLD",
    Writes: "it wrote into the view",
    GlobalRandom: "decided otherwise when it played the same traces again",
    Remembers: "decided otherwise",
    Unpicklable: "cannot be sent to another process",
    Nameless: "its name is ''",
}


@pytest.mark.parametrize("kind", WRONG, ids=lambda kind: kind.__name__)
def test_what_is_wrong_with_a_policy_is_told(kind: type[Base]) -> None:
    found = policy_check(kind())
    assert found
    with pytest.raises(AssertionError, match=WRONG[kind]):
        raise AssertionError("; ".join(found))


@pytest.mark.parametrize("name", ["random", "fcfs", "cmt"])
def test_good_policies_pass(name: str) -> None:
    assert policy_check(make_agent(name)) == []
    assert policy_check(Base(), make_scenario("OpenUp", horizon=120.0), (0,)) == []


@pytest.mark.parametrize("preset", ["EranHeavy", "OpenUp"])
def test_presets_pass(preset: str) -> None:
    assert scenario_check(make_scenario(preset, horizon=60.0)) == []


@dataclass(frozen=True)
class Moody(PoissonArrivals):
    """Draws from a generator of its own."""

    def sample(self, horizon: float, rng: np.random.Generator) -> Any:
        return super().sample(horizon, _GLOBAL)


@dataclass(frozen=True)
class Failing(PoissonArrivals):
    """Cannot be drawn from."""

    def sample(self, horizon: float, rng: np.random.Generator) -> Any:
        raise KeyError("spring")


def test_what_is_wrong_with_a_scenario_is_told() -> None:
    scenario = make_scenario("EranHeavy")
    (raised,) = scenario_check(replace(scenario, arrivals=Failing(HourlyRates((14.0,) * 24))))
    assert raised == "a trace cannot be drawn, a law raised KeyError: 'spring'"
    (found,) = scenario_check(replace(scenario, arrivals=PoissonArrivals(HourlyRates((0.0,) * 24))))
    assert "nobody arrives in 2 traces" in found
    moody = scenario_check(replace(scenario, arrivals=Moody(HourlyRates((14.0,) * 24))))
    assert "trace 0 comes out otherwise when drawn again" in moody[0]
    leaking = scenario_check(make_scenario("OpenUpPaper", horizon=120.0, queue_discipline="paper"))
    assert any("show which of the waiting have left" in words for words in leaking)

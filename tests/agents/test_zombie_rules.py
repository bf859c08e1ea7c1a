"""Orders for a queue that holds zombies: what they pick, what they leave, and that eviction is what they approach."""

import math
from dataclasses import replace

import numpy as np
import pytest

from agents.first_come import FirstCome, LastCome
from agents.zombie_rules import LikelyThere, NewestWithin, log_probability_there
from mhgym.domain import Counsellor, Risk, Role, Roster, Shift
from mhgym.engines.reference import ReferenceEngine
from mhgym.evaluation.rollout import run_episode
from mhgym.presets import make_scenario
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.processes.markovian import ExponentialPopulation
from mhgym.processes.outcomes import OutcomeLaw
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView

RNG = np.random.default_rng(0)


def view_of(waits: list[float], patience: list[float], risks: list[Risk]) -> CentreView:
    """Contacts who have waited so long, and one idle counsellor for all risks; from a view of an engine."""
    scenario = Scenario(
        name="queue",
        roster=Roster((Counsellor(Role.FULL_TIME, (Shift(60.0, 120.0),)),)),
        arrivals=PoissonArrivals(HourlyRates((60.0, 0.0))),
        population=ExponentialPopulation(mean_service=10.0, mean_patience=5.0),
        outcomes=OutcomeLaw(),
        horizon=120.0,
    ).replace(zombies="kept")
    engine = ReferenceEngine(scenario)
    engine.reset(Trace.sample(scenario, 0))
    assert engine.advance()
    view = engine.view()
    size = len(waits)
    assert len(view.waiting) >= size
    waiting = replace(
        view.waiting,
        **{
            name: getattr(view.waiting, name)[:size]
            for name in ("contact", "arrived_at", "transferred", "caller_type", "attributes", "remaining")
        },
        joined_at=view.now - np.array(waits),
        patience=np.array(patience),
        risk=np.array(risks, dtype=np.int64),
    )
    return replace(
        view,
        waiting=waiting,
        legal=view.legal[:size],
        quality=view.quality[:size],
        service_time=view.service_time[:size],
    )


LOW = [Risk.LOW] * 4


@pytest.mark.parametrize(("longest", "row"), [(0.0, 0), (2.0, 0), (3.0, 3), (9.0, 3), (100.0, 3)])
def test_newest_within_else_oldest(longest: float, row: int) -> None:
    view = view_of([20.0, 9.0, 8.0, 3.0], [5.0] * 4, LOW)
    assert NewestWithin(longest).act(view).row == row


def test_newest_within_covers_first_and_last_come() -> None:
    """Within 0 minutes there is somebody only at the instant of arrival, whom FCFS serves too if nobody else waits."""
    view = view_of([20.0, 9.0, 8.0, 3.0], [5.0] * 4, LOW)
    assert NewestWithin(0.0).act(view) == FirstCome().act(view)
    assert NewestWithin(math.inf).act(view) == LastCome().act(view)


def test_probability_there_is_the_survival_function() -> None:
    there = np.exp(log_probability_there(np.array([0.0, 5.0]), np.array([3.0, 5.0])))
    assert there == pytest.approx([1.0, math.exp(-1.0)])
    with pytest.raises(ValueError, match=r"a patience must be positive, got 0\.0 minutes"):
        log_probability_there(np.array([1.0]), np.array([0.0]))
    with pytest.raises(ValueError, match=r"a wait must be at least 0 minutes, got -1\.0"):
        log_probability_there(np.array([-1.0]), np.array([1.0]))


def test_the_likeliest_is_not_always_the_newest() -> None:
    """5 minutes of a patience of 20 leave exp(-0.25), 2 minutes of one of 3 leave exp(-0.67)."""
    view = view_of([5.0, 2.0], [20.0, 3.0], LOW[:2])
    assert LikelyThere().act(view).row == 0
    assert LastCome().act(view).row == 1


def test_the_unlikely_are_left() -> None:
    view = view_of([50.0, 10.0], [5.0, 5.0], LOW[:2])  # there with e^-10 and e^-2 = .135
    assert LikelyThere(least=0.1).act(view).row == 1
    assert LikelyThere(least=0.2).act(view) == HOLD
    assert LikelyThere(least=0.0).act(view).row == 1
    days = view_of([40_000.0, 10_000.0], [5.0, 5.0], LOW[:2])  # the chances of both underflow
    assert LikelyThere().act(days).row == 1


def test_high_risk_goes_first_unless_too_unlikely() -> None:
    view = view_of([10.0, 1.0], [5.0, 5.0], [Risk.HIGH, Risk.LOW])
    assert LikelyThere(least=0.1, high_risk_first=True).act(view).row == 0
    assert LikelyThere(least=0.2, high_risk_first=True).act(view).row == 1
    assert LikelyThere(least=0.1).act(view).row == 1


def test_the_oldest_goes_first_if_not_too_unlikely() -> None:
    view = view_of([50.0, 9.0, 3.0], [5.0] * 3, LOW[:3])  # there with e^-10, e^-1.8 = .165 and e^-.6 = .55
    assert LikelyThere(least=0.1, oldest_first=True).act(view).row == 1
    assert LikelyThere(least=0.3, oldest_first=True).act(view).row == 2
    assert LikelyThere(oldest_first=True).act(view) == FirstCome().act(view)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_wrong_mean_of_patience_is_another_threshold(factor: float) -> None:
    """exp(-w / f m) >= p where exp(-w / m) >= p^f: the study of zombies stands on it."""
    waits = np.linspace(0.25, 30.0, 60)
    for wait in waits:
        wrong = view_of([wait, wait / 2], [factor * 5.0, factor * 3.0], LOW[:2])
        right = view_of([wait, wait / 2], [5.0, 3.0], LOW[:2])
        assert LikelyThere(least=0.1).act(wrong) == LikelyThere(least=0.1**factor).act(right)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: NewestWithin(-1.0), "longest must be at least 0 minutes, got -1.0"),
        (lambda: LikelyThere(1.5), r"least must be a probability in \[0, 1\], got 1.5"),
    ],
)
def test_impossible_settings_are_refused(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_leaving_the_unlikely_wins_most_of_what_eviction_wins() -> None:
    """Two days of Open Up: over FCFS a gain, in fewer minutes on zombies; eviction has none to spend."""
    scenario = make_scenario("OpenUp", horizon=1440.0)
    traces = [Trace.sample(scenario, seed) for seed in range(2)]

    def answered(policy, centre: Scenario = scenario) -> tuple[float, float]:
        kpis = [run_episode(centre, policy, trace, "compiled").kpis for trace in traces]
        return sum(row["answered"] for row in kpis), sum(row["zombie_minutes"] for row in kpis)

    first, held = answered(FirstCome()), answered(LikelyThere(0.1))
    evicted = answered(FirstCome(), scenario.replace(zombies="evicted"))
    assert held[0] - first[0] > 0.5 * (evicted[0] - first[0]) > 0
    assert first[1] > 2 * held[1] > 0
    assert evicted[1] == 0

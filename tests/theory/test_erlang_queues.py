"""The reference engine reproduces M/M/n+M and M/M/n under first come, first served."""

import math
from functools import lru_cache

import numpy as np
import pytest
from scipy import stats

from agents import make_agent
from mhgym.domain import Counsellor, Role, Roster, Shift
from mhgym.evaluation.rollout import run_episode
from mhgym.metrics import QueueMeasures, erlang_a, erlang_c
from mhgym.metrics.waits import waits
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.processes.markovian import ExponentialPopulation
from mhgym.processes.outcomes import OutcomeLaw
from mhgym.scenario import Rules, Scenario
from mhgym.trace import Trace

CONFIDENCE = 0.999  # each; 11 intervals in the suite, so a right engine fails with about one choice of seeds in 90
# Minutes. The slowest queue below (M/M/5 at load .7) relaxes with a time constant of 26 minutes, 1 / nμ(1 − √ρ)², so
# what the empty start leaves behind after 150 minutes is small against the intervals' width.
WARM_UP, MEASURED, TAIL = 150.0, 500.0, 60.0


def centre(rate: float, service: float, patience: float, people: int, capacity: int) -> Scenario:
    """A centre of `people` counsellors with `capacity` slots each: n = people × capacity servers."""
    end = WARM_UP + MEASURED + TAIL
    return Scenario(
        name="textbook",
        roster=Roster(tuple(Counsellor(Role.VOLUNTEER, (Shift(0.0, end),), capacity) for _ in range(people))),
        arrivals=PoissonArrivals(HourlyRates((60.0 * rate,))),
        population=ExponentialPopulation(service, patience),
        outcomes=OutcomeLaw(),
        horizon=end,
        rules=Rules(closing="cut"),
    )


@lru_cache(maxsize=1)
def replicate(scenario: Scenario, replications: int) -> dict[str, np.ndarray]:
    """`[replications]` each measure over the callers who arrive after the warm-up and well before the end.

    The tail of 60 minutes is many times the longest wait, so that nobody measured is cut off by the end.
    """
    rows = []
    for seed in range(1000, 1000 + replications):
        log = run_episode(scenario, make_agent("fcfs"), Trace.sample(scenario, seed)).log
        measured = (log.arrived_at >= WARM_UP) & (log.arrived_at < WARM_UP + MEASURED)
        waited, answered = waits(log)[measured], ~np.isnan(log.answered_at)[measured]
        assert answered.sum() + (log.outcome[measured] == 2).sum() == measured.sum()
        rows.append(((waited > 0).mean(), 1.0 - answered.mean(), waited.mean(), waited[answered].mean()))
    return dict(zip(("p_wait", "abandonment", "mean_wait", "asa"), np.array(rows).T, strict=True))


def assert_inside(values: np.ndarray, expected: float) -> None:
    """The closed form lies in Student's interval around the mean of independent replications."""
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1) * stats.sem(values)
    assert values.mean() - half <= expected <= values.mean() + half


def assert_measures(values: dict[str, np.ndarray], expected: QueueMeasures, names: tuple[str, ...]) -> None:
    for name in names:
        assert_inside(values[name], getattr(expected, name))


def check_erlang_a(rate: float, service: float, patience: float, people: int, capacity: int, replications: int) -> None:
    expected = erlang_a(rate, 1.0 / service, 1.0 / patience, people * capacity)

    values = replicate(centre(rate, service, patience, people, capacity), replications)

    assert_measures(values, expected, ("p_wait", "abandonment", "mean_wait", "asa"))


def test_waits_and_abandonment_match_erlang_a() -> None:
    """Five counsellors at critical load."""
    check_erlang_a(1.0, 5.0, 4.0, 5, 1, replications=30)


def test_a_wrong_yardstick_is_noticed() -> None:
    """The same intervals are narrow enough to tell this centre from one with 15 % less load."""
    values = replicate(centre(1.0, 5.0, 4.0, 5, 1), 30)

    for name in ("p_wait", "abandonment", "mean_wait", "asa"):
        with pytest.raises(AssertionError):
            assert_inside(values[name], getattr(erlang_a(0.85, 0.2, 0.25, 5), name))


def test_slots_of_one_counsellor_are_servers() -> None:
    """One counsellor with four slots is M/M/4+M."""
    check_erlang_a(0.6, 6.0, 6.0, 1, 4, replications=30)


def check_erlang_c(replications: int) -> None:
    expected = erlang_c(1.0, 1.0 / 3.5, 5)

    values = replicate(centre(1.0, 3.5, math.inf, 5, 1), replications)

    assert (values["abandonment"] == 0).all()
    assert_measures(values, expected, ("p_wait", "mean_wait", "asa"))


def test_waits_match_erlang_c_with_infinite_patience() -> None:
    check_erlang_c(replications=30)


@pytest.mark.verify
@pytest.mark.parametrize(
    ("rate", "service", "patience", "people", "capacity"),
    [
        (1.0, 5.0, 4.0, 5, 1),  # critical load
        (1.5, 4.0, 3.0, 2, 2),  # overloaded, two slots each
        (0.5, 8.0, 20.0, 5, 1),  # light abandonment
    ],
)
def test_erlang_a_with_narrow_intervals(
    rate: float, service: float, patience: float, people: int, capacity: int
) -> None:
    check_erlang_a(rate, service, patience, people, capacity, replications=150)


@pytest.mark.verify
def test_erlang_c_with_narrow_intervals() -> None:
    check_erlang_c(replications=150)

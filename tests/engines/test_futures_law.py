"""What really happens after a view is, over many episodes, one more draw from a planner's futures of it.

The rank of the real rest of an episode among the futures is uniform if the futures have the law of the rest given the
view (the probability integral transform; simulation-based calibration, Talts et al. 2018), whatever the history.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from mhgym.engines import columns as col
from mhgym.engines import rules
from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.futures import Futures
from mhgym.engines.posterior import draw_futures
from mhgym.engines.rules import NO_PARAMS, Rule
from mhgym.presets import make_scenario
from mhgym.processes import draws
from mhgym.processes.arrivals import ConditionedPoisson, PoissonArrivals
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import CentreView

PRESET, MINUTE = "EranHeavy", 25.0
NUM_EPISODES, NUM_FUTURES, NUM_BINS = 600, 49, 10
OUTCOMES = ("arrivals", "answered", "feedback")
P_RIGHT = 0.001  # of each outcome: a right law fails with at most three choices of the seeds in a thousand
P_WRONG = 1e-6  # of the outcome that a wrong law gets wrong


@dataclass(frozen=True)
class Case:
    """A view, and what really happened after it in the order of `OUTCOMES`, contacts in hand included."""

    view: CentreView
    rest: NDArray[np.float64]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Episodes under first come, first served, seen at their first epoch at or after `MINUTE`."""
    engine = CompiledEngine(make_scenario(PRESET))
    found = []
    for seed in range(NUM_EPISODES):
        engine.reset(Trace.sample(engine.scenario, seed))
        centre = engine.plan, engine.chance, engine.state, 0
        while engine.advance() and engine.now < MINUTE:
            engine.assign(*rules.choose(*centre, int(Rule.FIRST_COME), NO_PARAMS))
        if engine.state.clock_i[0, col.ASKING]:
            view = engine.view()
            rules.finish(*centre, int(Rule.FIRST_COME), NO_PARAMS, math.inf)
            log = engine.log()
            later = log.ended_at > view.now  # this centre has no wrap-up: in hand, waiting or yet to come
            feedback = log.feedback[later & ~np.isnan(log.feedback)]
            arrivals = (log.arrived_at > view.now).sum()
            found.append(Case(view, np.array([arrivals, len(feedback), feedback.sum()])))
    assert len(found) > 0.95 * NUM_EPISODES
    return found


def p_values(cases: list[Case], scenario: Scenario) -> dict[str, float]:
    """Of the uniformity of ranks, by a chi-squared test, for each outcome."""
    rng = np.random.default_rng(0)
    ranks = np.empty((len(cases), len(OUTCOMES)), dtype=np.int64)
    for number, case in enumerate(cases):
        drawn = draw_futures(case.view, scenario, rng, NUM_FUTURES)
        answered, feedback = Futures(case.view, scenario, drawn).finish(Rule.FIRST_COME)
        futures = np.column_stack([drawn.counts, answered, feedback])
        below = (futures < case.rest - 1e-9).sum(axis=0)
        equal = (np.abs(futures - case.rest) <= 1e-9).sum(axis=0)
        ranks[number] = below + rng.integers(equal + 1)  # ties at random
    bins = ranks * NUM_BINS // (NUM_FUTURES + 1)
    counts = [np.bincount(bins[:, k], minlength=NUM_BINS) for k in range(len(OUTCOMES))]
    return {name: float(stats.chisquare(count).pvalue) for name, count in zip(OUTCOMES, counts, strict=True)}


def with_views(cases: list[Case], change: Callable[[CentreView], CentreView]) -> list[Case]:
    return [replace(case, view=change(case.view)) for case in cases]


def test_the_rest_of_an_episode_is_one_more_future(cases: list[Case]) -> None:
    found = p_values(cases, make_scenario(PRESET))

    assert min(found.values()) > P_RIGHT, found


def test_futures_with_too_few_arrivals_are_found_out(cases: list[Case]) -> None:
    """Plain Poisson arrivals of the same rate, where a heavy hour has at least ten."""
    scenario = make_scenario(PRESET)
    assert isinstance(scenario.arrivals, ConditionedPoisson)

    found = p_values(cases, replace(scenario, arrivals=PoissonArrivals(scenario.arrivals.rate)))

    assert found["arrivals"] < P_WRONG, found


def test_futures_with_slow_counsellors_are_found_out(cases: list[Case]) -> None:
    """Those in service take twice the time that is predicted."""

    def slow(view: CentreView) -> CentreView:
        return replace(view, in_hand=replace(view.in_hand, remaining=2 * view.in_hand.remaining))

    found = p_values(with_views(cases, slow), make_scenario(PRESET))

    assert found["answered"] < P_WRONG, found


def test_futures_with_pleased_callers_are_found_out(cases: list[Case]) -> None:
    """Those who wait are predicted to give the best feedback, whoever answers."""

    def pleased(view: CentreView) -> CentreView:
        return replace(view, quality=np.ones_like(view.quality))

    found = p_values(with_views(cases, pleased), make_scenario(PRESET))

    assert found["feedback"] < P_WRONG, found


def patience_ranks(preset: str, minute: float, episodes: int, factor: float = 1.0) -> NDArray[np.int64]:
    """Rank of the minute at which each waiting contact really leaves among 49 that a planner draws.

    Args:
        preset: With zombies evicted or kept; kept ones may have left already, which neither the planner nor the rank
            knows.
        minute: Of the view, the first epoch at or after it.
        episodes: Seeds.
        factor: By which the predicted patience is wrong.
    """
    engine, rng = CompiledEngine(make_scenario(preset)), np.random.default_rng(0)
    ranks: list[NDArray[np.int64]] = []
    for seed in range(episodes):
        trace = Trace.sample(engine.scenario, seed)
        engine.reset(trace)
        centre = engine.plan, engine.chance, engine.state, 0
        while engine.advance() and engine.now < minute:
            engine.assign(*rules.choose(*centre, int(Rule.FIRST_COME), NO_PARAMS))
        view = engine.view()
        waiting = replace(view.waiting, patience=factor * view.waiting.patience)
        drawn = draw_futures(replace(view, waiting=waiting), engine.scenario, rng, NUM_FUTURES).leaves_at
        truth = view.waiting.joined_at + trace.values[view.waiting.contact, draws.PATIENCE]
        ranks.append((drawn < truth).sum(axis=0))
    return np.concatenate(ranks)


@pytest.mark.parametrize(("preset", "minute", "episodes"), [("EranHeavy", 25.0, 600), ("OpenUp", 1290.0, 150)])
def test_waiting_contacts_leave_as_planners_expect(preset: str, minute: float, episodes: int) -> None:
    """Uniform ranks, by a chi-squared test; with patience off by a half, far from it."""
    for factor, right in ((1.0, True), (1.5, False)):
        ranks = patience_ranks(preset, minute, episodes, factor)
        assert len(ranks) > 300
        p = stats.chisquare(np.bincount(ranks * NUM_BINS // (NUM_FUTURES + 1), minlength=NUM_BINS)).pvalue
        assert p > P_RIGHT if right else p < P_WRONG, (factor, p)

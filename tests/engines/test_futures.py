"""A planner's futures run the same on both engines, event by event, and do not depend on hidden truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import make_agent
from mhgym.engines import columns as col
from mhgym.engines.futures import Futures
from mhgym.engines.posterior import draw_futures
from mhgym.engines.protocol import EventKind
from mhgym.engines.reference import ReferenceEngine
from mhgym.engines.rules import Rule
from mhgym.engines.simulator import Simulator
from mhgym.presets import make_scenario
from mhgym.processes import draws
from mhgym.scenario import Scenario
from mhgym.testing.strategies import scenarios
from mhgym.trace import Trace
from mhgym.view import CentreView

POLICY = "cmt"


def view_after(scenario: Scenario, seed: int, decisions: int) -> CentreView | None:
    """The view at some decision of an episode; None if it ends before."""
    engine = ReferenceEngine(scenario)
    engine.reset(Trace.sample(scenario, seed))
    for number in range(decisions + 1):
        if not engine.advance():
            return None
        if number < decisions:
            legal = np.argwhere(engine.view().legal)
            engine.assign(*map(int, legal[seed % len(legal)]))
    return engine.view()


def assert_same_future(view: CentreView, scenario: Scenario) -> None:
    drawn = draw_futures(view, scenario, np.random.default_rng(3), 3)
    futures = Futures(view, scenario, drawn, record=True)
    answered, feedback = futures.finish(Rule.CMT)
    for e in range(3):
        simulator = Simulator.of(view, scenario, drawn, e)
        engine = ReferenceEngine(scenario, record=True)
        engine.reset(simulator.trace, simulator.situation)
        policy = make_agent(POLICY)
        while engine.advance():
            engine.assign(*policy.act(engine.view()))
        size = futures.state.clock_i[e, col.NUM_EVENTS]
        times, idents = futures.state.event_f[e, :size].tolist(), futures.state.event_i[e, :size].tolist()
        assert engine.events == [
            (time, EventKind(kind), a, b) for time, (kind, a, b) in zip(times, idents, strict=True)
        ]
        assert engine.tally.answered == answered[e]
        assert engine.tally.feedback == feedback[e]


@given(scenario=scenarios(), seed=st.integers(0, 2**32), decisions=st.integers(0, 15))
@settings(max_examples=80)
def test_random_scenarios_have_the_same_futures_on_both_engines(scenario: Scenario, seed: int, decisions: int) -> None:
    view = view_after(scenario, seed, decisions)
    if view is not None:
        assert_same_future(view, scenario)


@pytest.mark.parametrize("name", ["EranHeavy", "EranDay", "OpenUp", "Therapists"])
@pytest.mark.parametrize("decisions", [1, 6, 60])
def test_presets_have_the_same_futures_on_both_engines(name: str, decisions: int) -> None:
    scenario = make_scenario(name)
    view = view_after(scenario, 4, min(decisions, 8) if name == "EranHeavy" else decisions)
    assert view is not None
    assert_same_future(view, scenario)


def test_planners_draw_what_nobody_knows_of_a_counsellor_anew() -> None:
    """The view shows 0; futures differ by the law's spread, which is larger of newcomers."""
    scenario = make_scenario("Therapists", horizon=720.0)
    view = view_after(scenario, 1, 3)
    assert view is not None
    assert not view.staff.effects[:, draws.UNKNOWN_EFFECT].any()
    staff = draw_futures(view, scenario, np.random.default_rng(0), 4000).staff
    spread = staff[:, :, draws.UNKNOWN_EFFECT].std(axis=0)
    np.testing.assert_allclose(spread, view.staff.effects[:, draws.UNKNOWN_SD], rtol=0.05, atol=1e-12)
    therapists = scenario.roster.inboxes() > 0
    assert spread[view.staff.new].min() > 2 * spread[therapists & ~view.staff.new].max()


def test_futures_tell_a_good_decision_from_a_bad_one() -> None:
    """Over 4,000 futures of one view CMT is worth more than first come, first served, as it is over whole shifts."""
    scenario = make_scenario("EranHeavy")
    view = view_after(scenario, 1, 3)
    assert view is not None
    rng = np.random.default_rng(0)
    futures = Futures(view, scenario, draw_futures(view, scenario, rng, 4000))
    cmt, fcfs = (futures.finish(rule) for rule in (Rule.CMT, Rule.FIRST_COME))
    gain = (cmt[0] + cmt[1]) - (fcfs[0] + fcfs[1])
    # Paired over futures; 4 standard errors leave a chance of error of 3 in 100,000.
    assert gain.mean() > 4 * gain.std(ddof=1) / np.sqrt(len(gain))

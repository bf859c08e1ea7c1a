"""What happens where contacts wait for a person, on traces made by hand. Both engines must tell the same story."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from mhgym.domain import ContactLog, Counsellor, LegKind, Outcome, Risk, Role, Roster, Shift
from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.reference import ReferenceEngine
from mhgym.presets import make_scenario
from mhgym.processes import draws
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.processes.markovian import ExponentialPopulation
from mhgym.processes.outcomes import OutcomeLaw
from mhgym.processes.population import Callers
from mhgym.scenario import Rules, Scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Pair

THERAPIST, VOLUNTEER = 0, 1
ALL_DAY = (Shift(0.0, 600.0),)
MEAN = 4.0  # minutes of a bridge
Decide = Callable[[CentreView], Pair]


@dataclass
class Story:
    """What happened."""

    trace: Trace
    log: ContactLog
    kpis: dict[str, float]
    views: list[CentreView]

    def legs(self, contact: int) -> list[tuple[int, LegKind, float, float]]:
        log = self.log
        rows = np.flatnonzero((log.leg_contact == contact) & (log.leg_kind != LegKind.WRAP_UP))
        columns = log.leg_counsellor[rows], log.leg_kind[rows], log.leg_start[rows], log.leg_end[rows]
        return [(int(j), LegKind(kind), float(a), float(b)) for j, kind, a, b in zip(*columns, strict=True)]


def therapist(**settings: Any) -> Counsellor:
    return Counsellor(Role.THERAPIST, settings.pop("shifts", ALL_DAY), **{"inbox": 2, **settings})


def allocate(view: CentreView) -> Pair:
    """The first request that some therapist gets, else HOLD."""
    for row, counsellor in np.argwhere(view.legal).tolist():
        if view.staff.role[counsellor] == Role.THERAPIST:
            return Pair(row, counsellor)
    return HOLD


def anything(view: CentreView) -> Pair:
    row, counsellor = np.argwhere(view.legal)[0].tolist()
    return Pair(row, counsellor)


@pytest.fixture(params=[ReferenceEngine, CompiledEngine], ids=["reference", "compiled"])
def tell(request: pytest.FixtureRequest) -> Callable[..., Story]:
    """Run a hand-made centre: calls are (arrival, service, patience)."""

    def run(
        people: list[Counsellor], calls: list[tuple[float, float, float]], *, decide: Decide = allocate, **rules: Any
    ) -> Story:
        scenario = Scenario(
            name="by hand",
            roster=Roster(tuple(people)),
            arrivals=PoissonArrivals(HourlyRates((0.0,))),
            population=ExponentialPopulation(1.0),
            outcomes=OutcomeLaw(),
            horizon=600.0,
            rules=Rules(**{"bridges": 1, "bridge_minutes": MEAN, "closing": "cut", **rules}),
        )
        trace = trace_of(scenario, calls)
        engine = request.param(scenario)
        engine.reset(trace)
        views = []
        while engine.advance():
            view = engine.view()
            views.append(view)
            pair = decide(view)
            if pair == HOLD:
                engine.hold()
            else:
                assert engine.assign(*pair)
        return Story(trace, engine.log(), engine.kpis(), views)

    return run


def trace_of(scenario: Scenario, calls: list[tuple[float, float, float]]) -> Trace:
    size = len(calls)
    at, service, patience = (np.array(column) for column in zip(*calls, strict=True))
    values = np.zeros((size, draws.NUM_CALLER_VALUES))
    values[:, draws.FEEDBACK_MEAN], values[:, draws.PATIENCE_MEAN] = 5.0, 5.0
    values[:, draws.SERVICE_MEAN], values[:, draws.PATIENCE] = service, patience
    low = np.full(size, int(Risk.LOW))
    keys = np.arange(1, 2 * size + 1, dtype=np.uint64).reshape(size, 2) * np.uint64(0x9E3779B97F4A7C15)
    callers = Callers(np.ones(size, dtype=np.bool_), low, low, np.full((size, 3), -1), values, keys)
    return Trace.compose(scenario, at.astype(np.float64), callers, np.zeros((len(scenario.roster), 5)))


def test_who_arrived_first_is_taken_out_of_the_inbox_first_without_any_decision(tell: Any) -> None:
    story = tell([therapist()], [(0.0, 10.0, 99.0), (1.0, 10.0, 99.0), (2.0, 10.0, 99.0)])

    assert [story.legs(contact)[0][2:] for contact in range(3)] == [(0.0, 10.0), (10.0, 20.0), (20.0, 30.0)]
    assert len(story.views) == 3  # one allocation each, and nothing asked when a slot becomes free


def test_a_full_inbox_takes_nothing_until_there_is_room(tell: Any) -> None:
    calls = [(float(minute), 10.0, 99.0) for minute in range(5)]
    story = tell([therapist()], calls)

    # The fourth arrives when one is in service and two wait; both that are left over get room one by one.
    assert [view.now for view in story.views] == [0.0, 1.0, 2.0, 10.0, 20.0]
    assert [int(view.staff.room[THERAPIST]) for view in story.views] == [2, 2, 1, 1, 1]
    assert [story.legs(contact)[0][2] for contact in range(5)] == [0.0, 10.0, 20.0, 30.0, 40.0]


def test_a_bridge_renews_patience_and_brings_back(tell: Any) -> None:
    """The second would leave at minute 9; bridged from 1 on, it waits 8 minutes more from the end of the bridge."""
    people = [therapist(), Counsellor(Role.VOLUNTEER, ALL_DAY)]
    story = tell(people, [(0.0, 10.0, 99.0), (1.0, 10.0, 8.0)], decide=anything)

    minutes = story.trace.bridge_minutes(MEAN, 1, VOLUNTEER, 0)
    assert 3.0 < 1.0 + minutes < 9.0  # else the story is another one
    assert story.legs(1) == [
        (VOLUNTEER, LegKind.BRIDGE, 1.0, 1.0 + minutes),
        (THERAPIST, LegKind.SERVICE, 10.0, 20.0),
    ]
    assert story.kpis["bridges"] == 1
    assert story.kpis["answered"] == 2
    bridged = [view for view in story.views if len(view.waiting) and view.waiting.bridges[0]]
    assert not any(view.legal[0, VOLUNTEER] for view in bridged)  # once is the limit


def test_without_a_bridge_patience_runs_out_in_the_inbox_and_makes_room(tell: Any) -> None:
    story = tell([therapist(inbox=1)], [(0.0, 20.0, 99.0), (1.0, 10.0, 8.0), (2.0, 10.0, 90.0)])

    assert story.log.outcome.tolist() == [Outcome.ANSWERED, Outcome.ABANDONED, Outcome.ANSWERED]
    assert story.log.ended_at[1] == 9.0
    assert [view.now for view in story.views] == [0.0, 1.0, 9.0]  # asked about the third when there is room


def test_a_zombie_in_an_inbox_costs_its_opening(tell: Any) -> None:
    calls = [(0.0, 20.0, 99.0), (1.0, 10.0, 8.0), (2.0, 10.0, 90.0)]
    story = tell([therapist()], calls, zombies="kept", zombie_wrap_up=3.0)

    assert story.legs(1) == [(THERAPIST, LegKind.ZOMBIE, 20.0, 23.0)]
    assert story.legs(2)[0][2] == 23.0


def test_an_inbox_is_emptied_at_sign_out_and_patience_runs_on(tell: Any) -> None:
    """Who waits for the first therapist is given to the second, who comes later, as long as patience lasts."""
    people = [therapist(shifts=(Shift(0.0, 10.0),)), therapist(shifts=(Shift(15.0, 100.0),))]
    calls = [(0.0, 30.0, 99.0), (1.0, 5.0, 13.0), (2.0, 5.0, 14.0)]
    story = tell(people, calls, on_sign_out="finish")

    assert story.log.outcome.tolist() == [Outcome.ANSWERED, Outcome.ABANDONED, Outcome.ANSWERED]
    assert story.log.ended_at[1] == 14.0
    assert story.legs(2) == [(1, LegKind.SERVICE, 15.0, 20.0)]


def test_a_volunteer_who_leaves_ends_the_bridge_where_contacts_are_transferred(tell: Any) -> None:
    people = [therapist(), Counsellor(Role.VOLUNTEER, (Shift(0.0, 2.0),))]
    story = tell(people, [(0.0, 50.0, 99.0), (1.0, 10.0, 8.0)], decide=anything)

    assert story.legs(1) == [(VOLUNTEER, LegKind.BRIDGE, 1.0, 2.0)]
    assert story.log.ended_at[1] == 10.0  # patience in full from minute 2


def test_newcomers_are_new_for_a_time(tell: Any) -> None:
    """T counts staffed minutes while they are new, of those who answer; S the answers begun while they were new."""
    volunteer = Counsellor(Role.VOLUNTEER, (Shift(0.0, 600.0),), risks=frozenset({Risk.HIGH}))
    people = [therapist(new=True, new_until=60.0), volunteer]
    story = tell(people, [(0.0, 10.0, 99.0), (59.0, 10.0, 99.0), (60.0, 10.0, 99.0), (80.0, 10.0, 99.0)])

    assert story.kpis["new_share_of_time"] == pytest.approx(60.0 / 600.0)
    assert story.kpis["new_share_of_answered"] == pytest.approx(2 / 4)
    assert [bool(view.staff.new[0]) for view in story.views] == [True, True, False, False]


@pytest.mark.parametrize("make", [ReferenceEngine, CompiledEngine])
def test_predictions_for_a_newcomer_follow_the_learning_curve(make: Any) -> None:
    """What a view shows is the latent prediction less gap × exp(-answers / scale), rounded as feedback is."""
    scenario = make_scenario("Therapists")
    trace = Trace.sample(scenario, 3)
    newcomers = np.flatnonzero(scenario.roster.new())
    engine, seen = make(scenario), set()
    engine.reset(trace)
    while engine.advance():
        view = engine.view()
        for row, contact in enumerate(view.waiting.contact.tolist()):
            for j in newcomers.tolist():
                answers, chats = int(view.staff.taken[j]), int(view.staff.chats[j])
                arrays = trace.law, trace.values, trace.keys, trace.staff, trace.known
                latent, _ = draws.latent_pair(*arrays, contact, j)
                gap, scale = trace.staff[j, draws.LEARNING_GAP], trace.staff[j, draws.LEARNING_ANSWERS]
                expected = latent - gap * math.exp(-answers / scale) - scenario.outcomes.feedback_per_chat * chats
                found = 1.0 + 4.0 * view.quality[row, j]
                if min(abs(expected % 1.0 - 0.5), abs(found - 1.0), abs(found - 5.0)) > 1e-9:
                    assert found == np.rint(expected)
                seen.add(answers)
        legal = np.argwhere(view.legal)
        engine.assign(*legal[np.isin(legal[:, 1], newcomers).argmax()].tolist())
    assert {0, 1, 2, 3, 4, 5} <= seen


def test_profiles_and_languages_move_the_predictions() -> None:
    """A caller whose language a therapist does not speak is predicted to be less content, all else equal."""
    scenario = make_scenario("Therapists")
    trace = Trace.sample(scenario, 0)
    language = trace.attributes[:, scenario.population.attributes.index("language")]
    profile = trace.staff[:, draws.FIRST_PROFILE :]
    spoken = profile[:, -3:] == 0.0
    gain = trace.values[:, draws.NUM_CALLER_VALUES :] @ profile.T
    assert gain[spoken[:, language].T].mean() > gain[~spoken[:, language].T].mean() + 1.0
    quality, _ = trace.predict(np.arange(len(trace)), np.zeros(len(trace.staff), dtype=np.int64))
    assert np.corrcoef(quality.ravel(), gain.ravel())[0, 1] > 0.5

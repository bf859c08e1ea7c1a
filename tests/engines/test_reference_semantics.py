"""What happens in the centre, minute by minute, on traces made by hand. Both engines must tell the same story."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from agents import make_agent
from mhgym.domain import ContactLog, Counsellor, LegKind, Outcome, Risk, Role, Roster, Shift
from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.protocol import EventKind
from mhgym.engines.reference import ReferenceEngine
from mhgym.processes import draws
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.processes.markovian import ExponentialPopulation
from mhgym.processes.outcomes import OutcomeLaw
from mhgym.processes.population import Callers
from mhgym.scenario import Rules, Scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Pair

FOREVER = math.inf
Decide = Callable[[CentreView], Pair]
FCFS = make_agent("fcfs").act


@dataclass(frozen=True)
class Call:
    """One contact of a hand-made trace, minutes."""

    at: float
    service: float
    patience: float = FOREVER
    risk: Risk = Risk.LOW
    feedback: float = 5.0
    accepted: bool = True


@dataclass
class Story:
    """What happened."""

    log: ContactLog
    events: list[Any]
    kpis: dict[str, float]
    epochs: list[float] = field(default_factory=list)
    views: list[CentreView] = field(default_factory=list)

    def legs(self, contact: int) -> list[tuple[int, LegKind, float, float]]:
        """Counsellor, kind, start and end of each leg, without wrap-ups of no length."""
        log = self.log
        nothing = (log.leg_kind == LegKind.WRAP_UP) & (log.leg_end == log.leg_start)
        rows = np.flatnonzero((log.leg_contact == contact) & ~nothing)
        return [
            (
                int(self.log.leg_counsellor[row]),
                LegKind(int(self.log.leg_kind[row])),
                float(self.log.leg_start[row]),
                float(self.log.leg_end[row]),
            )
            for row in rows
        ]

    def outcome(self, contact: int) -> Outcome:
        return Outcome(int(self.log.outcome[contact]))


@pytest.fixture(params=[ReferenceEngine, CompiledEngine], ids=["reference", "compiled"])
def tell(request: pytest.FixtureRequest) -> Callable[..., Story]:
    """Run a hand-made centre: counsellors, calls, rules."""

    def run(
        people: list[Counsellor],
        calls: list[Call],
        *,
        decide: Decide = FCFS,
        horizon: float = 100.0,
        effects: list[float] | None = None,
        **rules: Any,
    ) -> Story:
        scenario = Scenario(
            name="by hand",
            roster=Roster(tuple(people)),
            arrivals=PoissonArrivals(HourlyRates((0.0,))),
            population=ExponentialPopulation(1.0),
            outcomes=OutcomeLaw(),
            horizon=horizon,
            rules=Rules(**rules),
        )
        engine = request.param(scenario, record=True)
        engine.reset(trace_of(scenario, calls, effects))
        epochs, views = [], []
        while engine.advance():
            view = engine.view()
            epochs.append(view.now)
            views.append(view)
            pair = decide(view)
            if pair == HOLD:
                engine.hold()
            else:
                assert engine.assign(*pair)
        return Story(engine.log(), engine.events, engine.kpis(), epochs, views)

    return run


def trace_of(scenario: Scenario, calls: list[Call], effects: list[float] | None) -> Trace:
    size = len(calls)
    values = np.zeros((size, draws.NUM_CALLER_VALUES))
    values[:, draws.FEEDBACK_MEAN] = [call.feedback for call in calls]
    values[:, draws.SERVICE_MEAN] = [call.service for call in calls]
    values[:, draws.PATIENCE] = [call.patience for call in calls]
    values[:, draws.PATIENCE_MEAN] = 5.0
    staff = np.zeros((len(scenario.roster), draws.NUM_STAFF_VALUES))
    staff[:, draws.FEEDBACK_EFFECT] = effects or 0.0
    callers = Callers(
        accepted=np.array([call.accepted for call in calls], dtype=np.bool_),
        caller_type=np.zeros(size, dtype=np.int64),
        risk=np.array([int(call.risk) for call in calls], dtype=np.int64),
        attributes=np.full((size, 3), -1, dtype=np.int64),
        values=values,
        keys=np.zeros((size, 2), dtype=np.uint64),
    )
    return Trace.compose(scenario, np.array([call.at for call in calls], dtype=np.float64), callers, staff)


def person(*shifts: Shift, **settings: Any) -> Counsellor:
    return Counsellor(Role.VOLUNTEER, shifts, **settings)


def hold(view: CentreView) -> Pair:
    return HOLD


DAY = Shift(0.0, 100.0)


# ---------------------------------------------------------------------- service and wrap-up


def test_service_then_wrap_up_then_free(tell: Callable[..., Story]) -> None:
    story = tell([person(DAY)], [Call(1, 10), Call(2, 5)], wrap_up=2.0)

    assert story.legs(0) == [(0, LegKind.SERVICE, 1, 11), (0, LegKind.WRAP_UP, 11, 13)]
    assert story.legs(1) == [(0, LegKind.SERVICE, 13, 18), (0, LegKind.WRAP_UP, 18, 20)]
    assert story.log.ended_at.tolist() == [11, 18]
    assert story.log.answered_at.tolist() == [1, 13]
    assert story.epochs == [1, 13]


def test_concurrent_contacts_up_to_the_capacity(tell: Callable[..., Story]) -> None:
    story = tell([person(DAY, capacity=2)], [Call(0, 10), Call(1, 4), Call(2, 4)])

    assert [leg[2:] for contact in range(3) for leg in story.legs(contact)] == [(0, 10), (1, 5), (5, 9)]
    assert story.kpis["occupancy"] == pytest.approx(0.10)


def test_a_counsellor_answers_only_the_risks_they_may_take(tell: Callable[..., Story]) -> None:
    low, high = person(DAY, risks=frozenset({Risk.LOW})), person(DAY, risks=frozenset({Risk.HIGH}))
    story = tell([low, high], [Call(0, 9, risk=Risk.HIGH), Call(1, 9, risk=Risk.HIGH), Call(2, 9)])

    assert [story.legs(contact)[0][0] for contact in range(3)] == [1, 1, 0]
    assert story.legs(1)[0][2] == 9


def test_a_visitor_who_rejects_the_terms_asks_nothing(tell: Callable[..., Story]) -> None:
    story = tell([person(DAY)], [Call(1, 5, accepted=False), Call(2, 5)])

    assert story.outcome(0) == Outcome.REJECTED
    assert story.log.ended_at[0] == 1
    assert story.epochs == [2]
    assert story.views[0].arrivals.tolist() == [1, 2]
    assert story.kpis["offered"] == 1
    assert story.kpis["conversion"] == 0.5


def test_the_longest_idle_is_the_one_who_became_free_first(tell: Callable[..., Story]) -> None:
    story = tell([person(DAY), person(DAY)], [Call(0, 8), Call(1, 3), Call(20, 1), Call(30, 1)])

    assert [story.legs(contact)[0][0] for contact in range(4)] == [0, 1, 1, 0]
    assert story.views[2].staff.idle_since.tolist() == [8, 4]


# ---------------------------------------------------------------------- abandonment and zombies


def test_a_caller_leaves_when_patience_runs_out(tell: Callable[..., Story]) -> None:
    story = tell([person(DAY)], [Call(0, 10), Call(2, 5, patience=3.5)])

    assert story.outcome(1) == Outcome.ABANDONED
    assert story.log.ended_at[1] == 5.5
    assert story.legs(1) == []
    assert story.kpis["abandonment_first_queue"] == 0.5


def test_who_is_freed_at_the_minute_of_an_abandonment_still_answers(tell: Callable[..., Story]) -> None:
    """The end of a wrap-up comes before an abandonment of the same minute."""
    story = tell([person(DAY)], [Call(0, 8), Call(3, 5, patience=7)], wrap_up=2.0)

    assert story.legs(1)[0] == (0, LegKind.SERVICE, 10, 15)


@pytest.mark.parametrize("zombies", ["kept", "evicted"])
def test_a_zombie_costs_its_own_wrap_up(tell: Callable[..., Story], zombies: str) -> None:
    """One that left the first queue costs 1 minute, one that left in transfer the 4 minutes of a wrap-up."""
    people = [person(Shift(0.0, 10.0)), person(DAY)]
    calls = [Call(0, 14), Call(2, 20, patience=3), Call(5, 5, patience=2)]

    def second_first(view: CentreView) -> Pair:
        counsellor = 1 if view.now == 0 else int(np.flatnonzero(view.legal[0])[0])
        return Pair(0, counsellor)

    story = tell(people, calls, decide=second_first, zombies=zombies, zombie_wrap_up=1.0, wrap_up=4.0)

    assert [story.outcome(contact) for contact in range(3)] == [
        Outcome.ANSWERED,
        Outcome.ABANDONED_IN_TRANSFER,
        Outcome.ABANDONED,
    ]
    assert story.log.ended_at.tolist() == [14, 13, 7]
    assert story.legs(1)[0] == (0, LegKind.SERVICE, 2, 10)
    if zombies == "kept":
        assert story.legs(2) == [(1, LegKind.ZOMBIE, 18, 19)]
        assert story.legs(1)[1:] == [(1, LegKind.ZOMBIE, 19, 23)]
        assert story.kpis["zombie_minutes"] == 5
    else:
        assert story.legs(2) == []
        assert story.legs(1)[1:] == []
    assert math.isnan(story.log.feedback[1])
    assert story.log.counsellor[1] == -1
    assert story.kpis["quantity"] == pytest.approx(1 / 3)


def test_zombies_look_like_any_other_in_the_queue(tell: Callable[..., Story]) -> None:
    story = tell([person(DAY)], [Call(0, 10), Call(1, 5, patience=2), Call(2, 5)], zombies="kept", zombie_wrap_up=1.0)

    view = story.views[1]
    assert view.now == 10
    assert view.waiting.contact.tolist() == [1, 2]
    assert view.wait.tolist() == [9, 8]
    assert view.legal.all()
    assert story.legs(2)[0][2] == 11


# ---------------------------------------------------------------------- sign-out, transfer, overtime


def transfer(tell: Callable[..., Story], **rules: Any) -> Story:
    """Contact 1 is in service with counsellor 0 at the sign-out at 10; counsellor 1 is busy until 12."""
    people = [person(Shift(0.0, 10.0)), person(DAY)]
    calls = [Call(0, 12), Call(2, 20, patience=3)]

    def apart(view: CentreView) -> Pair:
        return Pair(0, 1 if view.now in (0, 12) else 0)

    return tell(people, calls, decide=apart, effects=[0.0, -2.0], **rules)


def test_a_transferred_contact_keeps_its_remaining_work_and_renews_its_patience(tell: Callable[..., Story]) -> None:
    story = transfer(tell)

    assert story.legs(1) == [(0, LegKind.SERVICE, 2, 10), (1, LegKind.SERVICE, 12, 24)]
    assert story.outcome(1) == Outcome.ANSWERED
    assert story.log.transfers.tolist() == [0, 1]
    assert story.log.answered_at[1] == 2
    assert story.log.ended_at[1] == 24


def test_the_view_shows_a_transferred_contact_with_its_rest(tell: Callable[..., Story]) -> None:
    view = transfer(tell).views[-1]

    assert view.now == 12
    assert view.waiting.transferred.tolist() == [True]
    assert view.waiting.arrived_at.tolist() == [2]
    assert view.waiting.joined_at.tolist() == [10]
    assert view.wait.tolist() == [2]
    assert view.waiting.remaining.tolist() == [12]  # predicted 20 less the 8 minutes served
    assert view.service_time.tolist() == [[12, 12]]


def test_feedback_belongs_to_the_finisher(tell: Callable[..., Story]) -> None:
    """Counsellor 1 earns two points less: 3 of 5, which is one half."""
    story = transfer(tell)

    assert story.log.counsellor[1] == 1
    assert story.log.feedback[1] == 0.5
    assert story.kpis["quality"] == 0.5


def test_finish_is_overtime(tell: Callable[..., Story]) -> None:
    """Service to 22 and wrap-up to 23 after a sign-out at 10: 13 minutes of overtime, and no transfer."""
    story = transfer(tell, on_sign_out="finish", wrap_up=1.0)

    assert story.legs(1) == [(0, LegKind.SERVICE, 2, 22), (0, LegKind.WRAP_UP, 22, 23)]
    assert story.log.counsellor[1] == 0
    assert story.kpis["overtime_minutes"] == 13
    assert story.kpis["transfers"] == 0


def test_a_transferred_contact_is_offered_at_once_to_an_idle_colleague(tell: Callable[..., Story]) -> None:
    people = [person(Shift(0.0, 10.0)), person(DAY)]
    story = tell(people, [Call(2, 20, patience=3)])

    assert story.legs(0) == [(0, LegKind.SERVICE, 2, 10), (1, LegKind.SERVICE, 10, 22)]
    assert story.epochs == [2, 10]


def test_sign_out_during_a_wrap_up_ends_it_without_a_transfer(tell: Callable[..., Story]) -> None:
    story = tell([person(Shift(0.0, 10.0))], [Call(2, 7)], wrap_up=5.0)

    assert story.legs(0) == [(0, LegKind.SERVICE, 2, 9), (0, LegKind.WRAP_UP, 9, 10)]
    assert story.log.transfers.tolist() == [0]


def test_nothing_new_within_the_cut_off(tell: Callable[..., Story]) -> None:
    """Taken just before, refused from the minute of the cut-off on; a shift's own cut-off replaces the rule."""
    calls = [Call(24.5, 1), Call(25, 1, patience=50)]
    people = [person(Shift(0.0, 30.0), capacity=2)]
    story = tell(people, calls, cutoff=5.0)
    assert [story.outcome(contact) for contact in range(2)] == [Outcome.ANSWERED, Outcome.ABANDONED]
    assert story.epochs == [24.5]

    own = [person(Shift(0.0, 30.0, cutoff=1.0), capacity=2)]
    assert tell(own, calls, cutoff=5.0).epochs == [24.5, 25]


def test_closed_intervals_shut_out_new_contacts_only(tell: Callable[..., Story]) -> None:
    """What is in hand goes on; the end of the interval is no epoch of its own, the next one serves."""
    shift = Shift(0.0, 100.0, closed=((10.0, 20.0),))
    story = tell([person(shift, capacity=2)], [Call(5, 12), Call(10, 1), Call(30, 1)])

    assert story.legs(0)[0] == (0, LegKind.SERVICE, 5, 17)
    assert story.legs(1)[0][2] == 30


def test_back_to_back_shifts_do_not_interrupt(tell: Callable[..., Story]) -> None:
    """The second sign-in comes before the first sign-out; chats count anew from it, chats in all do not."""
    people = [person(Shift(0.0, 10.0), Shift(10.0, 40.0), capacity=2)]
    story = tell(people, [Call(1, 2), Call(5, 10), Call(20, 1)])

    assert story.legs(1)[0] == (0, LegKind.SERVICE, 5, 15)
    assert story.log.transfers.tolist() == [0, 0, 0]
    assert [view.staff.chats.tolist() for view in story.views] == [[0], [1], [0]]
    assert [view.staff.taken.tolist() for view in story.views] == [[0], [1], [2]]


def test_a_shift_begun_while_finishing_has_no_more_slots_than_its_capacity(tell: Callable[..., Story]) -> None:
    """Signed out at 10 with a contact until 15, signed in again at 12: the slot is free at 15, not before."""
    people = [person(Shift(0.0, 10.0), Shift(12.0, 40.0))]
    story = tell(people, [Call(5, 10), Call(11, 2)], on_sign_out="finish")

    assert story.legs(0)[0] == (0, LegKind.SERVICE, 5, 15)
    assert story.legs(1)[0] == (0, LegKind.SERVICE, 15, 17)
    assert story.kpis["overtime_minutes"] == 2


# ---------------------------------------------------------------------- breaks


BREAK = Shift(0.0, 100.0, breaks=((10.0, 20.0),))


def test_a_break_that_transfers_sends_contacts_to_the_back(tell: Callable[..., Story]) -> None:
    """Contact 0 (7 minutes left) rejoins at 10 behind contact 1, which joined at 6."""
    story = tell([person(BREAK)], [Call(5, 12), Call(6, 3)])

    assert story.legs(0) == [
        (0, LegKind.SERVICE, 5, 10),
        (0, LegKind.SERVICE, 23, 30),
    ]
    assert story.legs(1)[0] == (0, LegKind.SERVICE, 20, 23)


def test_a_break_that_is_postponed_starts_when_nothing_is_in_hand(tell: Callable[..., Story]) -> None:
    """Service to 17, wrap-up to 18, then the whole 10 minutes of break; nothing new is taken in between."""
    story = tell([person(BREAK, capacity=2)], [Call(5, 12), Call(11, 3)], on_break="postpone", wrap_up=1.0)

    assert story.legs(0) == [(0, LegKind.SERVICE, 5, 17), (0, LegKind.WRAP_UP, 17, 18)]
    assert story.legs(1)[0] == (0, LegKind.SERVICE, 28, 31)


def test_an_idle_counsellor_breaks_on_time(tell: Callable[..., Story]) -> None:
    story = tell([person(BREAK)], [Call(12, 3)], on_break="postpone")

    assert story.legs(0)[0] == (0, LegKind.SERVICE, 20, 23)


# ---------------------------------------------------------------------- the end


def test_cut_lets_contacts_in_service_finish_and_starts_nothing(tell: Callable[..., Story]) -> None:
    shift = Shift(0.0, 20.0)
    story = tell([person(shift)], [Call(15, 10), Call(16, 1)], horizon=20.0, closing="cut", wrap_up=3.0)

    assert story.legs(0) == [(0, LegKind.SERVICE, 15, 25), (0, LegKind.WRAP_UP, 25, 28)]
    assert [story.outcome(contact) for contact in range(2)] == [Outcome.ANSWERED, Outcome.UNANSWERED]
    assert story.log.ended_at.tolist() == [25, 20]
    assert story.kpis["overtime_minutes"] == 0  # accounts close at the horizon
    assert story.kpis["occupancy"] == 0.25


def test_drain_serves_who_waits_and_nobody_signs_out(tell: Callable[..., Story]) -> None:
    shift = Shift(0.0, 20.0)
    story = tell([person(shift)], [Call(15, 10), Call(16, 1)], horizon=20.0, closing="drain", wrap_up=3.0, cutoff=10.0)

    assert story.legs(0)[0] == (0, LegKind.SERVICE, 15, 25)
    assert story.legs(1)[0] == (0, LegKind.SERVICE, 28, 29)
    assert story.kpis["overtime_minutes"] == 12  # from 20 to 32


def test_who_waits_for_ever_closes_unanswered(tell: Callable[..., Story]) -> None:
    """Patience without end, nobody on duty any more: the episode still ends."""
    story = tell([person(Shift(0.0, 10.0))], [Call(12, 1)], horizon=20.0)

    assert story.outcome(0) == Outcome.UNANSWERED
    assert story.epochs == []
    assert story.kpis["unanswered"] == 1.0


# ---------------------------------------------------------------------- epochs and ties


def test_epochs_after_a_hold(tell: Callable[..., Story]) -> None:
    """Arrivals, ends of wrap-up, sign-ins and returns ask again; abandonments and rejected visitors do not."""
    people = [person(BREAK), person(Shift(30.0, 60.0))]
    calls = [Call(1, 1), Call(2, 1, patience=1), Call(4, 1, accepted=False), Call(5, 1)]

    story = tell(people, calls, decide=hold)

    assert story.epochs == [1, 2, 5, 20, 30]


def test_a_review_timer_adds_epochs(tell: Callable[..., Story]) -> None:
    """Every 5 minutes while somebody waits: the caller who arrives at 2 leaves at 19."""
    story = tell([person(DAY)], [Call(2, 5, patience=17)], decide=hold, review_interval=5.0)

    assert story.epochs == [2, 5, 10, 15]


def test_simultaneous_events_come_by_kind_then_id(tell: Callable[..., Story]) -> None:
    """Everything at minute 10; the record has them in the published order."""
    people = [
        person(DAY),  # busy with contact 0 until 10
        person(Shift(0.0, 100.0, breaks=((5.0, 10.0),))),  # returns
        person(Shift(10.0, 60.0)),  # signs in
        person(BREAK),  # breaks
        person(Shift(0.0, 10.0)),  # signs out
    ]
    calls = [Call(0, 10), Call(3, 5, patience=7), Call(10, 1), Call(10, 1)]

    def only_the_first(view: CentreView) -> Pair:
        return Pair(0, 0) if view.now == 0 else HOLD

    story = tell(people, calls, decide=only_the_first, review_interval=10.0)

    at_ten = [(kind, ident) for time, kind, ident, _ in story.events if time == 10.0]
    assert at_ten == [
        (EventKind.WRAP_UP_END, 0),
        (EventKind.RETURN, 1),
        (EventKind.SIGN_IN, 2),
        (EventKind.ARRIVAL, 2),
        (EventKind.ARRIVAL, 3),
        (EventKind.ABANDONMENT, 1),
        (EventKind.BREAK_START, 3),
        (EventKind.SIGN_OUT, 4),
        (EventKind.REVIEW, 0),
    ]


def test_service_of_no_length_ends_at_once(tell: Callable[..., Story]) -> None:
    story = tell([person(DAY)], [Call(3, 0), Call(3, 0), Call(3, 2)])

    assert [story.legs(contact)[0][2:] for contact in range(3)] == [(3, 3), (3, 3), (3, 5)]
    assert story.kpis["quantity"] == 1.0
    assert story.kpis["occupancy"] == pytest.approx(0.02)

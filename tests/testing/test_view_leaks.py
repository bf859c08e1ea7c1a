"""Views give nothing hidden away, and the test that says so catches what does."""

import gc
import types
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import simpy

from agents import make_agent
from mhgym.domain import Counsellor, Role, Roster, Shift
from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.reference import ReferenceEngine
from mhgym.presets import make_scenario
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.processes.markovian import ExponentialPopulation
from mhgym.scenario import Rules, Scenario
from mhgym.testing import Witness, assert_no_leak, assert_views_equal, redraw_hidden
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Pair, Phase


class Sleepy:
    """First come, first served, but holds at every third epoch: queues form and HOLD is exercised."""

    name = "sleepy"

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        self._count = 0
        self._inner = make_agent("fcfs")
        self._inner.reset(scenario, rng)

    def act(self, view: CentreView) -> Pair:
        self._count += 1
        return HOLD if self._count % 3 == 0 else self._inner.act(view)


CASES = {
    "heavy": (make_scenario("EranHeavy"), 1),
    "heavy, review timer": (make_scenario("EranHeavy", review_interval=1.0), 1),
    "day": (make_scenario("EranDay"), 9),
    "open up, kept": (make_scenario("OpenUp"), 23),
    "open up, evicted": (make_scenario("OpenUp", zombies="evicted"), 23),
    "open up, by role": (make_scenario("OpenUp", feedback="by_role", flow="heavy"), 37),
    "open up, cut-offs of the paper": (make_scenario("OpenUpPaper"), 37),
    "therapists": (make_scenario("Therapists"), 29),
    "therapists, kept": (make_scenario("Therapists", zombies="kept", flow="heavy", horizon=1440.0), 29),
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("policy", [Sleepy(), make_agent("cmt"), make_agent("lcfs")], ids=lambda policy: policy.name)
def test_views_do_not_change_when_the_hidden_is_redrawn(case: str, policy: Any, seed: int) -> None:
    scenario, every = CASES[case]

    covered = assert_no_leak(scenario, policy, seed, every=every, redraws=1)

    assert covered.epochs >= 4
    assert covered.waiting >= 4
    assert covered.in_service >= 4
    assert covered.future >= 4


@pytest.mark.parametrize("case", CASES)
def test_the_compiled_engine_leaks_nothing_either(case: str) -> None:
    scenario, every = CASES[case]

    covered = assert_no_leak(scenario, Sleepy(), 3, every=every, redraws=1, engine=CompiledEngine)

    assert covered.epochs >= 4


@pytest.mark.parametrize("zombies", ["kept", "evicted"])
def test_transferred_contacts_were_among_those_redrawn(zombies: str) -> None:
    """The check above is not idle where it is hardest: contacts that wait with work left."""
    scenario = make_scenario("OpenUp", zombies=zombies, flow="heavy")

    covered = [assert_no_leak(scenario, Sleepy(), seed, every=31, redraws=1) for seed in range(3)]

    assert sum(check.transferred for check in covered) >= 5


def test_bridges_were_among_those_redrawn() -> None:
    covered = [assert_no_leak(make_scenario("Therapists"), make_agent("fcfs"), seed, every=19) for seed in range(3)]

    assert sum(check.bridged for check in covered) >= 5


class TrueBridge(ReferenceEngine):
    """Shows when a bridge will be over."""

    def view(self) -> CentreView:
        view = super().view()
        ends = {hand.contact: hand.end for desk in self.desks for hand in desk.hands.values()}
        true = np.array([ends[contact] - self.now for contact in view.in_hand.contact.tolist()])
        bridges = view.in_hand.phase == Phase.BRIDGE
        remaining = np.where(bridges, true, view.in_hand.remaining)
        return replace(view, in_hand=replace(view.in_hand, remaining=remaining))


class TrueSkill(ReferenceEngine):
    """Shows what nobody knows yet of counsellors."""

    def view(self) -> CentreView:
        view = super().view()
        return replace(view, staff=replace(view.staff, effects=self.trace.staff.copy()))


@pytest.mark.parametrize(("engine", "field"), [(TrueBridge, "in_hand.remaining"), (TrueSkill, "staff.effects")])
def test_views_that_tell_of_bridges_or_skill_are_caught(engine: type[ReferenceEngine], field: str) -> None:
    with pytest.raises(AssertionError, match=field):
        assert_no_leak(make_scenario("Therapists"), make_agent("fcfs"), 1, every=5, engine=engine)


def test_a_redrawn_trace_differs_in_what_is_hidden() -> None:
    """A redraw that changed nothing would pass every leak test."""
    scenario = make_scenario("EranHeavy")
    witness = Witness(scenario, Trace.sample(scenario, 3))
    for _ in range(6):
        assert witness.advance()
        witness.decide(make_agent("fcfs").act(witness.view()))
    assert witness.advance()
    view, trace = witness.view(), witness.trace

    other = redraw_hidden(witness, np.random.default_rng(0))

    held, past = view.in_hand.contact, len(view.arrivals)
    counsellors = view.in_hand.counsellor
    assert len(held) >= 2
    assert not np.array_equal(other.arrived_at[past:], trace.arrived_at[past:])
    np.testing.assert_array_equal(other.arrived_at[:past], trace.arrived_at[:past])
    for contact, counsellor in zip(held.tolist(), counsellors.tolist(), strict=True):
        assert other.realise(contact, counsellor, 0)[1] != trace.realise(contact, counsellor, 0)[1]
        assert other.patience(contact) != trace.patience(contact)
    for contact in view.waiting.contact.tolist():
        assert other.patience(contact) != trace.patience(contact)
        assert other.patience(contact) > view.now - other.arrived_at[contact]


# ---------------------------------------------------------------------- views that cheat on purpose


class TruePatience(ReferenceEngine):
    """Shows true patience for predicted patience."""

    def view(self) -> CentreView:
        view = super().view()
        truth = np.array([self.trace.patience(contact) for contact in view.waiting.contact])
        return replace(view, waiting=replace(view.waiting, patience=truth))


class ArrivalsAhead(ReferenceEngine):
    """Hides the number of contacts still to come in the horizon."""

    def view(self) -> CentreView:
        view = super().view()
        return replace(view, horizon=view.horizon + 1e-6 * len(self.trace))


class AliveFirst(ReferenceEngine):
    """Shows living contacts before zombies, a consistent view but for the order."""

    def view(self) -> CentreView:
        self.queue.sort(key=lambda contact: (self.book.is_zombie(contact), contact))
        return super().view()


class TrueRest(ReferenceEngine):
    """Shows the true remaining time of contacts in service."""

    def view(self) -> CentreView:
        view = super().view()
        ends = {hand.contact: hand.end for desk in self.desks for hand in desk.hands.values()}
        rest = np.array([ends[contact] - self.now for contact in view.in_hand.contact.tolist()])
        return replace(view, in_hand=replace(view.in_hand, remaining=rest))


class TrueQuality(ReferenceEngine):
    """Shows what feedback will be."""

    def view(self) -> CentreView:
        view = super().view()
        truth = [
            [self.trace.realise(contact, j, int(view.staff.chats[j]))[0] for j in range(len(view.staff))]
            for contact in view.waiting.contact.tolist()
        ]
        return replace(view, quality=np.array(truth).reshape(view.quality.shape))


@pytest.mark.parametrize(
    ("engine", "preset", "field"),
    [
        (TruePatience, "EranHeavy", "waiting.patience"),
        (ArrivalsAhead, "EranHeavy", "horizon"),
        (AliveFirst, "OpenUp", "waiting.contact"),
        (TrueRest, "EranHeavy", "in_hand.remaining"),
        (TrueRest, "OpenUp", "in_hand.remaining"),
        (TrueQuality, "EranHeavy", "quality"),
    ],
)
def test_a_view_that_cheats_is_caught(engine: type[ReferenceEngine], preset: str, field: str) -> None:
    every = 1 if preset == "EranHeavy" else 5

    with pytest.raises(AssertionError, match=f"view field '{field}' differs"):
        assert_no_leak(make_scenario(preset), Sleepy(), 1, every=every, engine=engine)


def test_the_queue_discipline_of_the_paper_is_caught() -> None:
    """It moves a contact to the back of the queue when it abandons: its order tells who has left."""
    scenario = make_scenario("OpenUpPaper", queue_discipline="paper")

    assert scenario.leaks
    with pytest.raises(AssertionError, match=r"view field 'waiting\.contact' differs"):
        assert_no_leak(scenario, Sleepy(), 1, every=5)


def test_a_review_timer_after_the_horizon_does_not_tell_who_is_still_there() -> None:
    """Zombies kept and the centre draining: epochs must not depend on whether those who wait are alive.

    One counsellor, busy callers, and a timer; the policy holds so that the queue is still full at the horizon.
    """
    scenario = Scenario(
        name="review after the horizon",
        roster=Roster((Counsellor(Role.VOLUNTEER, (Shift(0.0, 30.0),)),)),
        arrivals=PoissonArrivals(HourlyRates((30.0,))),
        population=ExponentialPopulation(5.0, 4.0),
        outcomes=make_scenario("OpenUp").outcomes,
        horizon=30.0,
        rules=Rules(zombies="kept", closing="drain", review_interval=2.0),
    )

    class Holder(Sleepy):
        def act(self, view: CentreView) -> Pair:
            return HOLD

    for seed in range(4):
        assert_no_leak(scenario, Holder(), seed, every=1, redraws=2)


def test_views_that_differ_are_told_apart_by_name() -> None:
    scenario = make_scenario("EranHeavy")
    witness = Witness(scenario, Trace.sample(scenario, 0))
    assert witness.advance()
    view = witness.view()

    assert_views_equal(view, witness.view())
    with pytest.raises(AssertionError, match=r"'staff\.chats' differs"):
        assert_views_equal(view, replace(view, staff=replace(view.staff, chats=view.staff.chats + 1)))
    with pytest.raises(AssertionError, match="'arrivals' differs"):
        assert_views_equal(view, replace(view, arrivals=view.arrivals[:0]))


# ---------------------------------------------------------------------- what can be reached from a view


def reachable(root: object) -> list[object]:
    """All objects that can be reached from `root` through attributes, containers and the bases of arrays.

    Types, modules and functions are left out: they are the library's code, which a policy may import anyway.
    """
    seen: dict[int, object] = {}
    ahead = [root]
    while ahead:
        item = ahead.pop()
        if id(item) in seen or isinstance(item, type | types.ModuleType | types.FunctionType):
            continue
        seen[id(item)] = item
        ahead.extend(gc.get_referents(item))
        if isinstance(item, np.ndarray) and item.base is not None:
            ahead.append(item.base)
    return list(seen.values())


def base_bytes(array: np.ndarray) -> int:
    """Size of the memory behind an array: its own, another array's, or immutable bytes."""
    base = array.base
    if base is None:
        return array.nbytes
    return len(base) if isinstance(base, bytes) else base.nbytes


@pytest.mark.parametrize("preset", ["EranHeavy", "OpenUp"])
def test_no_engine_trace_or_randomness_is_reachable_from_a_view(preset: str) -> None:
    scenario = make_scenario(preset)
    trace = Trace.sample(scenario, 5)
    witness = Witness(scenario, trace)
    policy = make_agent("fcfs")
    for _ in range(8):
        assert witness.advance()
        witness.decide(policy.act(witness.view()))
    assert witness.advance()

    found = reachable(witness.view())

    forbidden = (ReferenceEngine, Trace, Scenario, simpy.Environment, simpy.Event, np.random.Generator)
    assert not [item for item in found if isinstance(item, forbidden)]
    hidden = (trace.arrived_at, trace.values, trace.keys)
    arrays = [item for item in found if isinstance(item, np.ndarray)]
    assert len(arrays) > 30  # the walk did reach the fields
    assert not any(np.shares_memory(array, secret) for array in arrays for secret in hidden)
    assert all(base_bytes(array) <= array.nbytes for array in arrays)


def test_a_policy_cannot_change_an_engine_through_its_view() -> None:
    """Whatever a policy writes into a view, the next view is what it would have been."""
    scenario = make_scenario("OpenUp")
    trace = Trace.sample(scenario, 2)
    honest, vandal = Witness(scenario, trace), Witness(scenario, trace)
    for _ in range(5):
        assert honest.advance()
        assert vandal.advance()
        for item in reachable(vandal.view()):
            if isinstance(item, np.ndarray) and item.flags.writeable and item.size:
                item[...] = 0
        assert_views_equal(honest.view(), vandal.view())
        pair = make_agent("fcfs").act(honest.view())
        honest.decide(pair)
        vandal.decide(pair)

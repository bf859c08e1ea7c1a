"""From the reference engine's state to a view: copies of what can be known, predictions in place of truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import Risk, Roster
from mhgym.engines.desk import Hand
from mhgym.processes import draws
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import Bools, CentreView, InHand, Phase, Staff, Waiting

if TYPE_CHECKING:
    from mhgym.engines.reference import ReferenceEngine


@dataclass(frozen=True)
class FixedStaff:
    """What never changes about the counsellors of a roster; read-only, so that views may share it."""

    role: draws.Ints
    new_until: draws.Floats
    capacity: draws.Ints
    risks: Bools
    inbox: draws.Ints

    @classmethod
    def of(cls, roster: Roster) -> FixedStaff:
        """Read a roster."""
        capacity = np.array([person.capacity for person in roster], dtype=np.int64)
        risks = np.array([[risk in person.risks for risk in Risk] for person in roster], dtype=np.bool_)
        arrays = roster.roles(), roster.new_until(), capacity, risks, roster.inboxes()
        return cls(*(_frozen(array) for array in arrays))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A copy over immutable bytes, which nobody can make writeable again."""
    return np.frombuffer(array.tobytes(), dtype=array.dtype).reshape(array.shape)


def known_effects(staff: draws.Floats) -> draws.Floats:
    """What the models know of counsellors, rows of `processes.draws` with 0 for the unknown, in a fresh array."""
    effects = staff.copy()
    effects[:, draws.UNKNOWN_EFFECT : draws.UNKNOWN_EFFECT + 1] = 0.0
    return effects


def legal_pairs(scenario: Scenario, fixed: FixedStaff, waiting: Waiting, staff: Staff) -> Bools:
    """`[n, C]` pairs that may be assigned now."""
    takes = staff.can_take[None, :]
    if scenario.inboxes:
        free = waiting.inbox[:, None] < 0
        into = free & (takes | (staff.room > 0))
        bridged = ~free & (waiting.bridges[:, None] < scenario.rules.bridges) & takes
        takes = np.where(fixed.inbox > 0, into, bridged)
    legal: Bools = takes & staff.risks[:, waiting.risk].T
    return legal


def predictions(
    scenario: Scenario, trace: Trace, fixed: FixedStaff, waiting: Waiting, staff: Staff
) -> tuple[draws.Floats, draws.Floats]:
    """What the models predict for every pair: feedback scaled to [0, 1] and minutes, each `[n, C]`."""
    quality, minutes = trace.predict(waiting.contact, staff.chats, staff.taken)
    rest = waiting.remaining[:, None]
    minutes = np.where(np.isnan(rest), minutes, rest)
    if scenario.inboxes:
        only_bridge = fixed.inbox == 0
        quality[:, only_bridge], minutes[:, only_bridge] = 0.0, scenario.rules.bridge_minutes
    return quality, minutes


def predicted_remaining(engine: ReferenceEngine, hand: Hand) -> float:
    """What the remaining-time model says of a contact in service at this minute."""
    model = engine.scenario.remaining
    knots, error_sd = model.arrays()
    noise = float(engine.trace.values[hand.contact, draws.REMAINING_NOISE])
    remaining, elapsed = hand.service_end - engine.now, engine.now - hand.started_at
    return float(draws.predict_remaining(knots, error_sd, model.floor, remaining, noise, hand.predicted, elapsed))


def _waiting(engine: ReferenceEngine, rows: draws.Ints) -> Waiting:
    trace = engine.trace
    queue = engine.queue
    return Waiting(
        contact=rows,
        arrived_at=trace.arrived_at[rows],
        joined_at=np.array([engine.book.joined_at[contact] for contact in queue], dtype=np.float64),
        transferred=np.array([engine.book.transfers[contact] > 0 for contact in queue], dtype=np.bool_),
        caller_type=trace.caller_type[rows],
        risk=trace.risk[rows],
        attributes=trace.attributes[rows],
        patience=trace.values[rows, draws.PATIENCE_MEAN],
        remaining=np.array([engine.book.predicted_rest[contact] for contact in queue], dtype=np.float64),
        inbox=np.array([engine.inboxes.owner[contact] for contact in queue], dtype=np.int64),
        bridges=np.array([engine.inboxes.bridges[contact] for contact in queue], dtype=np.int64),
    )


def _staff(engine: ReferenceEngine) -> Staff:
    desks, now, fixed = engine.desks, engine.now, engine.fixed
    off_at = [desk.present_shift().end if desk.on_duty else math.nan for desk in desks]
    return Staff(
        role=fixed.role,
        new=now < fixed.new_until,
        capacity=fixed.capacity,
        risks=fixed.risks,
        on_duty=np.array([desk.on_duty for desk in desks], dtype=np.bool_),
        on_break=np.array([desk.on_break for desk in desks], dtype=np.bool_),
        can_take=np.array([desk.can_take(now) for desk in desks], dtype=np.bool_),
        in_hand=np.array([len(desk.hands) for desk in desks], dtype=np.int64),
        chats=np.array([desk.chats for desk in desks], dtype=np.int64),
        taken=np.array([desk.taken for desk in desks], dtype=np.int64),
        idle_since=np.array([desk.free[0] if desk.free else math.nan for desk in desks]),
        busy_since=np.array([desk.busy_since for desk in desks]),
        off_at=np.array(off_at),
        back_at=np.array([desk.back_at for desk in desks]),
        break_due=np.array([desk.break_due for desk in desks]),
        effects=known_effects(engine.trace.staff),
        pending=np.array([desk.pending for desk in desks], dtype=np.int64),
        room=np.array([desk.room(now) for desk in desks], dtype=np.int64),
    )


def _in_hand(engine: ReferenceEngine) -> InHand:
    trace, now = engine.trace, engine.now
    held = [(desk.index, hand, hand.phase(now)) for desk in engine.desks for hand in desk.hands.values()]
    rows = np.array([hand.contact for _, hand, _ in held], dtype=np.int64)
    remaining = [_remaining(engine, hand, phase) for _, hand, phase in held]
    return InHand(
        contact=rows,
        counsellor=np.array([index for index, _, _ in held], dtype=np.int64),
        phase=np.array([int(phase) for _, _, phase in held], dtype=np.int64),
        started_at=np.array([hand.started_at for _, hand, _ in held], dtype=np.float64),
        caller_type=trace.caller_type[rows],
        risk=trace.risk[rows],
        attributes=trace.attributes[rows],
        patience=trace.values[rows, draws.PATIENCE_MEAN],
        predicted=np.array([hand.predicted for _, hand, _ in held], dtype=np.float64),
        remaining=np.array(remaining, dtype=np.float64),
        arrived_at=trace.arrived_at[rows],
        inbox=np.array([engine.inboxes.owner[contact] for contact in rows], dtype=np.int64),
        bridges=np.array([engine.inboxes.bridges[contact] for contact in rows], dtype=np.int64),
    )


def _remaining(engine: ReferenceEngine, hand: Hand, phase: Phase) -> float:
    if phase == Phase.SERVICE:
        return predicted_remaining(engine, hand)
    return hand.predicted if phase == Phase.BRIDGE else hand.end - engine.now


def take_view(engine: ReferenceEngine) -> CentreView:
    """What can be known of an engine's centre at this minute."""
    rows = np.array(engine.queue, dtype=np.int64)
    waiting, staff = _waiting(engine, rows), _staff(engine)
    scenario, fixed = engine.scenario, engine.fixed
    quality, service_time = predictions(scenario, engine.trace, fixed, waiting, staff)
    return CentreView(
        now=engine.now,
        horizon=scenario.horizon,
        waiting=waiting,
        staff=staff,
        in_hand=_in_hand(engine),
        legal=legal_pairs(scenario, fixed, waiting, staff),
        quality=quality,
        service_time=service_time,
        arrivals=engine.arrivals_so_far(),
    )

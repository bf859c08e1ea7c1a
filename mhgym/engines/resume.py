"""Putting the reference engine into a planner's situation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mhgym.domain import LegKind, Risk
from mhgym.engines.desk import Desk, Hand
from mhgym.engines.protocol import EventKind, Situation
from mhgym.metrics.burden import BurdenMeter
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import Phase

if TYPE_CHECKING:
    from mhgym.engines.reference import ReferenceEngine


def first_review(scenario: Scenario, now: float) -> float:
    """Minute of the next review after `now`; infinite where there are none."""
    interval = scenario.rules.review_interval
    return interval * (math.floor(now / interval) + 1) if interval else math.inf


RosterEvent = tuple[int, int, int]  # kind, counsellor, number of the shift


def past_events(scenario: Scenario, start: Situation, events: list[RosterEvent]) -> int:
    """How many of the present minute's roster events, in their order, came before the epoch, as far as a view tells."""
    for passed, event in enumerate(events):
        if not _is_past(scenario, start, *event):
            return passed
    return len(events)


def _is_past(scenario: Scenario, start: Situation, kind: int, j: int, number: int) -> bool:
    end = scenario.roster.counsellors[j].shifts[number].end
    if kind == EventKind.SIGN_IN:
        return start.on_duty[j] and start.off_at[j] == end
    if not start.on_duty[j]:
        return True
    if kind == EventKind.BREAK_START:
        return not math.isnan(start.back_at[j]) or start.break_due[j] > 0
    return start.off_at[j] != end


def resume(engine: ReferenceEngine, start: Situation) -> None:
    """Put an emptied engine into a situation; the trace's arrivals up to `now` are the known contacts."""
    engine.num_arrived = engine.num_known = int(np.searchsorted(engine.trace.arrived_at, start.now, side="right"))
    engine.seen = np.array(start.arrivals)
    for desk in engine.desks:
        resume_desk(desk, start, engine.scenario)
    resume_meter(engine.meter, start, engine.trace)
    for held in start.in_hand:
        desk = engine.desks[held.counsellor]
        kind = LegKind.SERVICE if held.phase == Phase.WRAP_UP else LegKind(held.phase)
        hand = Hand(held.contact, kind, held.started_at, held.service_end, held.end, held.predicted)
        desk.hands[held.contact] = hand
        engine.await_wrap_up_end(desk, hand)
        if kind == LegKind.ZOMBIE:
            engine.book.abandon(held.contact, start.now)
        elif kind == LegKind.SERVICE:
            feedback, _ = engine.trace.realise(held.contact, desk.index, 0, desk.taken)
            engine.book.credit(held.contact, desk, feedback, held.started_at)
    for waiting in start.waiting:
        engine.queue.append(waiting.contact)
        engine.book.joined_at[waiting.contact] = waiting.joined_at
        engine.book.transfers[waiting.contact] = int(waiting.transferred)
        engine.book.remaining[waiting.contact] = waiting.remaining
        engine.book.predicted_rest[waiting.contact] = waiting.predicted_rest
        if waiting.zombie:
            engine.book.abandon(waiting.contact, waiting.leaves_at)
        else:
            engine.await_abandonment(waiting.contact, waiting.leaves_at)
    for known in start.known:
        engine.inboxes.bridges[known.contact] = known.bridges
        engine.inboxes.put(known.contact, known.inbox)
    for desk in engine.desks:
        if desk.on_break:
            engine.await_return(desk)
    engine.asking = True


def resume_desk(desk: Desk, start: Situation, scenario: Scenario) -> None:
    """Put a counsellor into a planner's situation, hands excepted."""
    j = desk.index
    desk.on_duty, desk.chats, desk.taken = start.on_duty[j], start.chats[j], start.taken[j]
    desk.on_break = not math.isnan(start.back_at[j])
    desk.back_at, desk.break_due = start.back_at[j], start.break_due[j]
    begun = [number for number, shift in enumerate(desk.person.shifts) if shift.start <= start.now]
    if desk.on_duty and begun:
        desk.begin_shift(begun[-1], scenario)
    desk.busy_since = start.busy_since[j]
    held = sum(hand.counsellor == j for hand in start.in_hand)
    if desk.on_duty and not desk.on_break:
        spare = desk.person.capacity - held
        since = start.idle_since[j]
        desk.free = [start.now if math.isnan(since) else since] * spare


def resume_meter(meter: BurdenMeter, start: Situation, trace: Trace) -> None:
    """Open the accounts of load with what is in hand, and with the unbroken contact that led to it."""
    for j, since in enumerate(start.busy_since):
        hands = sorted((hand.started_at, hand.contact) for hand in start.in_hand if hand.counsellor == j)
        if not hands:
            continue
        meter.change(j, min(since, hands[0][0]), 1, 0)  # contacts that are over by now
        for begun, contact in hands:
            meter.change(j, begun, 1, int(trace.risk[contact] == Risk.HIGH))
        meter.change(j, hands[-1][0], -1, 0)

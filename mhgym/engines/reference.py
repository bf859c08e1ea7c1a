"""The reference engine: what happens in the centre, on SimPy.

Events are SimPy events with a callback each, put on SimPy's own heap at absolute times and ordered by (time, kind, id).
Nothing here draws: every number comes from the trace.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import simpy
from numpy.typing import NDArray

from mhgym.domain import ContactLog, LegKind, Outcome, Risk
from mhgym.engines.book import ContactBook
from mhgym.engines.clock import CentreEnvironment, cancel
from mhgym.engines.desk import Desk, Hand
from mhgym.engines.inboxes import Inboxes
from mhgym.engines.protocol import EventKind, EventRecord, Situation, Tally
from mhgym.engines.resume import first_review, past_events, resume
from mhgym.engines.snapshot import FixedStaff, predicted_remaining, take_view
from mhgym.metrics import kpis
from mhgym.metrics.burden import BurdenMeter
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import CentreView, Phase


class ReferenceEngine:
    """Runs one trace of a scenario; see `engines.protocol.Engine`.

    Args:
        scenario: The centre.
        record: Whether to keep the record of events in `events`.
    """

    def __init__(self, scenario: Scenario, *, record: bool = False) -> None:
        self.scenario = scenario
        self.record = record
        self.fixed = FixedStaff.of(scenario.roster)
        self._risks = self.fixed.risks.tolist()
        self._staffed = scenario.roster.staffed_intervals(scenario.horizon)

    def reset(self, trace: Trace, start: Situation | None = None) -> None:
        """Begin an episode, from an empty centre or from a situation."""
        if len(trace.staff) != len(self.scenario.roster):
            raise ValueError(
                f"the trace has {len(trace.staff)} counsellors and the roster {len(self.scenario.roster)}; "
                "draw the trace from this scenario"
            )
        self.trace = trace
        self._risk: list[int] = trace.risk.tolist()
        self.env = CentreEnvironment(start.now if start else 0.0)
        self.now = self.env.now
        self.events: list[EventRecord] = []
        self.meter = BurdenMeter(self._staffed, until=self.scenario.until)
        self.desks = [Desk(index, person) for index, person in enumerate(self.scenario.roster)]
        self.queue: list[int] = []  # waiting contacts, zombies among them, in the order of the queue
        self.book = ContactBook(trace)
        self.inboxes = Inboxes(self.scenario, self.desks, len(trace))
        self._abandonments: dict[int, simpy.Event] = {}
        self._wrap_up_ends: dict[int, simpy.Event] = {}
        self._returns: dict[int, simpy.Event] = {}
        self.num_arrived = self.num_known = 0
        self.seen = np.empty(0)
        self.asking = False
        self._over = False
        self._last_end = 0.0
        self._schedule_roster(start)
        if start:
            resume(self, start)
        self._schedule_review(first_review(self.scenario, self.now))
        self._schedule_arrival()

    def advance(self) -> bool:
        """Run to the next decision epoch; False when the episode is over."""
        cut = self.scenario.rules.closing == "cut"
        while not self._over:
            if self.asking and self.env.departure_follows():
                self.env.step()
                continue
            while self.asking and (first := self.inboxes.first(self.queue, self.now)):
                self._note(EventKind.PICK_UP, first[0], first[1].index)
                self._take(*first)
            if self.asking and self._pair_exists():
                return True
            self.asking = False
            following = self.env.peek()
            if following == math.inf or (cut and following >= self.scenario.horizon):
                self._close(self.scenario.horizon if cut else self.now)
            else:
                self.env.step()
        return False

    @property
    def tally(self) -> Tally:
        """Running counts of what has been answered."""
        return self.book.tally

    @property
    def settled_at(self) -> float:
        """Minute up to which the accounts of load are known: now, or the last wrap-up after a cut."""
        return max(self.now, self._last_end)

    def arrivals_so_far(self) -> NDArray[np.float64]:
        """Arrival minutes of all visits so far, in a fresh array."""
        return np.concatenate([self.seen, self.trace.arrived_at[self.num_known : self.num_arrived]])

    def view(self) -> CentreView:
        """What can be known at this epoch."""
        return take_view(self)

    def assign(self, row: int, counsellor: int) -> bool:
        """Give the waiting contact in `row` of the queue to a counsellor, or into the inbox; False if it is illegal."""
        if not (self.asking and 0 <= row < len(self.queue) and 0 <= counsellor < len(self.desks)):
            return False
        contact, desk = self.queue[row], self.desks[counsellor]
        if not (self.inboxes.admit(contact, desk, self.now) and self._risks[counsellor][self._risk[contact]]):
            return False
        self._note(EventKind.ASSIGNMENT, contact, counsellor)
        if desk.person.inbox:
            self.inboxes.put(contact, desk.index)
        else:
            self._take(contact, desk)
        return True

    def hold(self) -> None:
        """Leave everybody waiting until the next epoch."""
        self.asking = False

    def _at(self, time: float, kind: EventKind, ident: int, callback: Callable[[], None]) -> simpy.Event:
        """Schedule a callback that first sets the clock and takes a note."""

        def happen() -> None:
            self.now = time
            self._note(kind, ident)
            callback()

        return self.env.schedule_at(time, kind, ident, happen)

    def _note(self, kind: EventKind, ident: int, other: int = -1) -> None:
        if self.record:
            self.events.append((self.now, kind, ident, other))

    def _schedule_roster(self, start: Situation | None) -> None:
        stays = self.scenario.rules.closing == "drain"
        events: list[tuple[float, EventKind, int, int, Callable[[], None]]] = []
        for j, desk in enumerate(self.desks):
            for number, shift in enumerate(desk.person.shifts):
                events.append((shift.start, EventKind.SIGN_IN, j, number, partial(self._sign_in, desk, number)))
                for begin, end in shift.breaks:
                    begins = partial(self._break_start, desk, number, end)
                    events.append((begin, EventKind.BREAK_START, j, number, begins))
                if not (stays and shift.end >= self.scenario.horizon):
                    events.append((shift.end, EventKind.SIGN_OUT, j, number, partial(self._sign_out, desk, number)))
        events.sort(key=lambda event: event[:3])
        ends, horizon = EventKind.SIGN_OUT, self.scenario.horizon
        ahead = [event for event in events if event[0] >= self.now and (event[0] < horizon or event[1] == ends)]
        if start:
            present = [(int(event[1]), *event[2:4]) for event in ahead if event[0] == start.now]
            ahead = ahead[past_events(self.scenario, start, present) :]
        for time, kind, j, _, callback in ahead:
            self._at(time, kind, j, callback)

    def _schedule_arrival(self) -> None:
        if self.num_arrived < len(self.trace):
            contact = self.num_arrived
            self._at(float(self.trace.arrived_at[contact]), EventKind.ARRIVAL, contact, partial(self._arrive, contact))

    # ------------------------------------------------------------------ callers

    def _arrive(self, contact: int) -> None:
        self.num_arrived += 1
        self._schedule_arrival()
        if self.trace.accepted[contact]:
            self._join(contact)
        else:
            self.book.outcome[contact] = Outcome.REJECTED
            self.book.ended_at[contact] = self.now

    def _join(self, contact: int) -> None:
        self.book.joined_at[contact] = self.now
        self.queue.append(contact)
        self.await_abandonment(contact, self.now + self.trace.patience(contact))
        self.asking = True

    def await_abandonment(self, contact: int, leaves_at: float) -> None:
        """Have a waiting contact leave at a minute, if it ever does."""
        if leaves_at < math.inf:
            self._abandonments[contact] = self._at(
                leaves_at, EventKind.ABANDONMENT, contact, partial(self._abandon, contact)
            )

    def _abandon(self, contact: int) -> None:
        del self._abandonments[contact]
        self.book.abandon(contact, self.now)
        if self.scenario.rules.zombies == "evicted":
            self.queue.remove(contact)
            if self.inboxes.owner[contact] >= 0:  # where there is room for another now
                self.inboxes.put(contact, -1)
                self.asking = True
        elif self.scenario.rules.queue_discipline == "paper":
            self.queue.remove(contact)
            self.queue.append(contact)

    # ------------------------------------------------------------------ service

    def _take(self, contact: int, desk: Desk) -> None:
        """Take a waiting contact in hand: answer it, or bridge its wait for another, unless it turns out to be gone."""
        self.queue.remove(contact)
        gone, bridges = self.book.is_zombie(contact), self.inboxes.exist and not desk.person.inbox
        if gone or not bridges:
            self.inboxes.put(contact, -1)
        if gone:
            self._open_zombie(contact, desk)
        elif bridges:
            self._bridge(contact, desk)
        else:
            self._answer(contact, desk)

    def _bridge(self, contact: int, desk: Desk) -> None:
        cancel(self._abandonments.pop(contact, None))
        mean = self.scenario.rules.bridge_minutes
        end = self.now + self.trace.bridge_minutes(mean, contact, desk.index, self.inboxes.bridges[contact])
        self.inboxes.bridges[contact] += 1
        self._take_in_hand(desk, Hand(contact, LegKind.BRIDGE, self.now, end, end, mean))

    def _answer(self, contact: int, desk: Desk) -> None:
        cancel(self._abandonments.pop(contact, None))
        feedback, minutes = self.trace.realise(contact, desk.index, desk.chats, desk.taken)
        if self.book.transfers[contact]:
            minutes = self.book.remaining[contact]
        predicted = self._predicted_minutes(contact, desk)
        self.book.credit(contact, desk, feedback, self.now)
        desk.chats += 1
        desk.taken += 1
        service_end = self.now + minutes
        end = service_end + self.scenario.rules.wrap_up
        self._take_in_hand(desk, Hand(contact, LegKind.SERVICE, self.now, service_end, end, predicted))

    def _predicted_minutes(self, contact: int, desk: Desk) -> float:
        """Predicted minutes of service of a pair, or of the rest after a transfer."""
        if self.book.transfers[contact]:
            return self.book.predicted_rest[contact]
        return self.trace.predict_pair(contact, desk.index, desk.chats, desk.taken)[1]

    def _open_zombie(self, contact: int, desk: Desk) -> None:
        rules = self.scenario.rules
        in_transfer = self.book.outcome[contact] == Outcome.ABANDONED_IN_TRANSFER
        minutes = rules.wrap_up if in_transfer else rules.zombie_wrap_up
        end = self.now + minutes
        self._take_in_hand(desk, Hand(contact, LegKind.ZOMBIE, self.now, end, end, minutes))

    def _take_in_hand(self, desk: Desk, hand: Hand) -> None:
        if not desk.hands:
            desk.busy_since = self.now
        del desk.free[0]
        desk.hands[hand.contact] = hand
        self.meter.change(desk.index, self.now, 1, int(self._risk[hand.contact] == Risk.HIGH))
        self.await_wrap_up_end(desk, hand)

    def await_wrap_up_end(self, desk: Desk, hand: Hand) -> None:
        """Have a contact in hand be over at its end."""
        self._wrap_up_ends[hand.contact] = self._at(
            hand.end, EventKind.WRAP_UP_END, hand.contact, partial(self._wrap_up_end, desk, hand)
        )

    def _wrap_up_end(self, desk: Desk, hand: Hand) -> None:
        self._release(desk, hand)
        if hand.kind == LegKind.BRIDGE:
            self._join(hand.contact)
        if desk.on_duty and not desk.on_break:
            desk.free.append(self.now)
            if desk.break_due and not desk.hands:
                self._leave_for_break(desk, self.now + desk.break_due)
            self.asking = True

    def _release(self, desk: Desk, hand: Hand) -> None:
        """Take a contact out of hand at the present minute and write down its legs."""
        del desk.hands[hand.contact], self._wrap_up_ends[hand.contact]
        if not desk.hands:
            desk.busy_since = math.nan
        self.meter.change(desk.index, self.now, -1, -int(self._risk[hand.contact] == Risk.HIGH))
        self.book.write_legs(desk, hand, self.now)

    # ------------------------------------------------------------------ counsellors

    def _sign_in(self, desk: Desk, number: int) -> None:
        desk.begin_shift(number, self.scenario)
        desk.on_duty, desk.chats = True, 0
        if not desk.on_break:
            desk.free = desk.free_slots(self.now)
        self.asking = True

    def _sign_out(self, desk: Desk, number: int) -> None:
        if desk.shift != number or not desk.on_duty:
            return
        cancel(self._returns.pop(desk.index, None))
        desk.on_duty, desk.on_break, desk.back_at, desk.break_due, desk.free = False, False, math.nan, 0.0, []
        if desk.pending:
            self.inboxes.empty(desk)
            self.asking = True
        if self.scenario.rules.on_sign_out == "transfer":
            self._interrupt(desk)

    def _break_start(self, desk: Desk, number: int, end: float) -> None:
        if desk.shift != number or not desk.on_duty:
            return
        if self.scenario.rules.on_break == "transfer":
            self._leave_for_break(desk, end)
            self._interrupt(desk)
        elif desk.hands or desk.on_break:
            desk.break_due += end - self.now
        else:
            self._leave_for_break(desk, end)

    def _leave_for_break(self, desk: Desk, end: float) -> None:
        desk.on_break, desk.back_at, desk.break_due, desk.free = True, end, 0.0, []
        self.await_return(desk)

    def await_return(self, desk: Desk) -> None:
        """Have a counsellor come back from a break."""
        self._returns[desk.index] = self._at(desk.back_at, EventKind.RETURN, desk.index, partial(self._return, desk))

    def _return(self, desk: Desk) -> None:
        desk.on_break, desk.back_at = False, math.nan
        desk.free = desk.free_slots(self.now)
        if desk.break_due:
            self._leave_for_break(desk, self.now + desk.break_due)
        self.asking = True

    def _interrupt(self, desk: Desk) -> None:
        """End everything in hand: contacts go back to the queue, those in service with their remaining work."""
        for contact, hand in sorted(desk.hands.items()):
            cancel(self._wrap_up_ends[contact])
            phase = hand.phase(self.now)
            self._release(desk, hand)
            if phase == Phase.SERVICE:
                self.book.send_back(contact, hand.service_end - self.now, predicted_remaining(self, hand))
            if phase in (Phase.SERVICE, Phase.BRIDGE):
                self._join(contact)

    def _review(self) -> None:
        self.asking = True
        self._schedule_review(self.now + self.scenario.rules.review_interval)

    def _schedule_review(self, time: float) -> None:
        if time < self.scenario.horizon:
            self._at(time, EventKind.REVIEW, 0, self._review)

    # ------------------------------------------------------------------ decisions and the end

    def _pair_exists(self) -> bool:
        if self.inboxes.exist:
            pairs = ((contact, desk) for contact in self.queue for desk in self.desks)
            return any(self._risks[d.index][self._risk[c]] and self.inboxes.admit(c, d, self.now) for c, d in pairs)
        waiting = {self._risk[contact] for contact in self.queue}
        return bool(waiting) and any(
            desk.can_take(self.now) and any(self._risks[desk.index][risk] for risk in waiting) for desk in self.desks
        )

    def _close(self, now: float) -> None:
        """End the episode: contacts in service finish, waiting ones close as unanswered.

        Queue and hands stay as they are at this minute, so that the last view shows what a cut interrupts.
        """
        self._over = True
        self.now = now
        for desk in self.desks:
            for hand in sorted(desk.hands.values(), key=lambda hand: (hand.end, hand.contact)):
                high = int(self._risk[hand.contact] == Risk.HIGH)
                self.meter.change(desk.index, hand.end, -1, -high)
                self.book.write_legs(desk, hand, hand.end)
                if hand.kind == LegKind.BRIDGE:
                    self.book.ended_at[hand.contact] = now
                self._last_end = max(self._last_end, hand.end)
        for contact in self.queue:
            if not self.book.is_zombie(contact):
                self.book.ended_at[contact] = now

    def log(self) -> ContactLog:
        """The contact records of an episode that is over.

        Raises:
            RuntimeError: If it is not over yet.
        """
        if not self._over:
            raise RuntimeError(f"contact records are complete at the end of the episode; it is at minute {self.now}")
        return self.book.log()

    def kpis(self) -> dict[str, float]:
        """The KPIs of an episode that is over, see `metrics.GLOSSARY`."""
        return kpis(
            self.log(),
            self.scenario.roster,
            horizon=self.scenario.horizon,
            until=self.scenario.until,
            service_level_minutes=self.scenario.service_level_minutes,
        )

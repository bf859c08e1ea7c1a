"""A planner's futures in compiled code: drawn from a view, run to the end without any Python per event.

`engines.posterior` draws them; here they are put into the packed arrays, as `engines.resume` does for the reference
engine, and run under a rule. Both engines give the same events from the same future.
"""

import math

import numpy as np

from mhgym.domain import LegKind, Outcome, Risk
from mhgym.engines import columns as col
from mhgym.engines import kernels, load
from mhgym.engines.columns import Chance, Floats, Plan, State
from mhgym.engines.lookahead import NUM_OUTCOMES, RULE_DECIDES, begin, play
from mhgym.engines.packing import make_chance, make_plan, make_state, with_arrivals
from mhgym.engines.posterior import Drawn
from mhgym.engines.protocol import Situation
from mhgym.engines.resume import first_review, past_events
from mhgym.engines.rules import NO_PARAMS, Rule
from mhgym.engines.situation import situation_of
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Phase


def load_situation(scenario: Scenario, plan: Plan, chance: Chance, state: State, e: int, start: Situation) -> None:
    """Put centre `e` into a situation, which `lookahead.begin` completes; its chance must have been loaded."""
    kernels.reset(plan, state, e)
    clock_f, clock_i = state.clock_f[e], state.clock_i[e]
    clock_f[col.NOW] = clock_f[col.DECIDED_AT] = start.now
    review = first_review(scenario, start.now)
    clock_f[col.NEXT_REVIEW] = review if review < scenario.horizon else math.inf
    clock_i[col.NUM_ARRIVED] = len(start.waiting) + len(start.in_hand)
    clock_i[col.NEXT_ROSTER] = _next_roster(scenario, plan, start)
    clock_i[col.ASKING] = 1
    for j in range(len(plan.people_i)):
        _load_desk(scenario, plan, state, e, j, start)
        _load_hands(plan, chance, state, e, j, start)
    contact_f, contact_i = state.contact_f[e], state.contact_i[e]
    for known in start.known:
        contact_i[known.contact, col.BRIDGES], contact_i[known.contact, col.INBOX] = known.bridges, known.inbox
        if known.inbox >= 0:
            state.desk_i[e, known.inbox, col.PENDING] += 1
    for waiting in start.waiting:
        i = waiting.contact
        state.queue[e, clock_i[col.NUM_QUEUE]] = i
        clock_i[col.NUM_QUEUE] += 1
        contact_f[i, col.JOINED_AT] = waiting.joined_at
        contact_i[i, col.TRANSFERS] = int(waiting.transferred)
        contact_f[i, col.REMAINING], contact_f[i, col.PREDICTED_REST] = waiting.remaining, waiting.predicted_rest
        if waiting.zombie:
            contact_i[i, col.OUTCOME] = Outcome.ABANDONED_IN_TRANSFER if waiting.transferred else Outcome.ABANDONED
            contact_f[i, col.ENDED_AT] = waiting.leaves_at
        else:
            contact_f[i, col.LEAVES_AT] = waiting.leaves_at


def _next_roster(scenario: Scenario, plan: Plan, start: Situation) -> int:
    """Row of the first roster event that is still to come."""
    times = plan.timeline_f[:, col.AT]
    first, last = (int(np.searchsorted(times, start.now, side=side)) for side in ("left", "right"))
    events = [(kind, j, number) for kind, j, number in plan.timeline_i[first:last].tolist()]
    return first + past_events(scenario, start, events)


def _load_desk(scenario: Scenario, plan: Plan, state: State, e: int, j: int, start: Situation) -> None:
    desk_f, desk_i = state.desk_f[e, j], state.desk_i[e, j]
    desk_i[col.ON_DUTY], desk_i[col.CHATS], desk_i[col.TAKEN] = start.on_duty[j], start.chats[j], start.taken[j]
    desk_i[col.ON_BREAK] = not math.isnan(start.back_at[j])
    desk_f[col.BACK_AT], desk_f[col.BREAK_DUE] = start.back_at[j], start.break_due[j]
    desk_f[col.BUSY_SINCE] = start.busy_since[j]
    shifts = scenario.roster.counsellors[j].shifts
    begun = [number for number, shift in enumerate(shifts) if shift.start <= start.now]
    if start.on_duty[j] and begun:
        desk_i[col.SHIFT] = begun[-1]
        desk_f[col.TAKES_UNTIL] = plan.shifts_f[plan.first_shift[j] + begun[-1], col.SHIFT_TAKES_UNTIL]
    if start.on_duty[j] and not desk_i[col.ON_BREAK]:
        held = sum(hand.counsellor == j for hand in start.in_hand)
        desk_i[col.NUM_FREE] = plan.people_i[j, col.CAPACITY] - held
        since = start.idle_since[j]
        state.free[e, j, : desk_i[col.NUM_FREE]] = start.now if math.isnan(since) else since


def _load_hands(plan: Plan, chance: Chance, state: State, e: int, j: int, start: Situation) -> None:
    """Fill a counsellor's hands, and open the accounts with the unbroken contact that led to them."""
    hands = [hand for hand in start.in_hand if hand.counsellor == j]
    desk_i = state.desk_i[e, j]
    if hands:
        order = sorted((hand.started_at, hand.contact) for hand in hands)
        load.settle(plan, state, e, j, min(start.busy_since[j], order[0][0]))
        desk_i[col.NUM_HANDS] = 1  # contacts that are over by now
        for begun, contact in order:
            load.settle(plan, state, e, j, begun)
            desk_i[col.NUM_HANDS] += 1
            desk_i[col.HIGH_RISK] += chance.callers_i[e, contact, col.RISK] == Risk.HIGH
        load.settle(plan, state, e, j, order[-1][0])
        desk_i[col.NUM_HANDS] = len(hands)
    for k, hand in enumerate(hands):
        leg = LegKind.SERVICE if hand.phase == Phase.WRAP_UP else LegKind(hand.phase)
        state.hand_f[e, j, k] = hand.started_at, hand.service_end, hand.end, hand.predicted
        state.hand_i[e, j, k] = hand.contact, leg
        if leg == LegKind.ZOMBIE:
            state.contact_i[e, hand.contact, col.OUTCOME] = Outcome.ABANDONED
            state.contact_f[e, hand.contact, col.ENDED_AT] = start.now
        elif leg == LegKind.SERVICE:
            state.contact_f[e, hand.contact, col.ANSWERED_AT] = hand.started_at
            state.contact_f[e, hand.contact, col.FEEDBACK] = 0.0
            state.contact_i[e, hand.contact, col.OUTCOME] = Outcome.ANSWERED
            state.contact_i[e, hand.contact, col.FINISHER] = j
            kernels.count(plan, state, e, hand.contact, 1, hand.started_at)


class Futures:
    """Futures of one view in packed arrays, one row each: a situation to start from, and a copy that is played.

    Args:
        view: What can be known now.
        scenario: The public description of the centre.
        drawn: Futures of the view, see `draw_futures`.
        record: Whether to keep the record of events.
    """

    def __init__(self, view: CentreView, scenario: Scenario, drawn: Drawn, *, record: bool = False) -> None:
        self.size = len(drawn)
        self.plan = make_plan(scenario, record=record)
        num_known = len(drawn.rank)
        longest = num_known + int(drawn.counts.max())
        self.chance = make_chance(self.plan, self.size, longest, num_known)
        _load_known(self.chance, drawn)
        _load_new(self.chance, num_known, drawn)
        self.start = make_state(self.plan, self.size, longest)
        load_situation(scenario, self.plan, self.chance, self.start, 0, situation_of(view, drawn, 0))
        for array in self.start:
            array[1:] = array[:1]  # all but what was drawn is common to all futures
        _load_drawn(self.plan, self.chance, self.start, view, drawn)
        self.state = make_state(self.plan, self.size, longest)._replace(latent=self.start.latent)

    def evaluate(
        self,
        futures: range,
        row: int,
        counsellor: int,
        rule: Rule,
        params: Floats = NO_PARAMS,
        until: float = math.inf,
    ) -> Floats:
        """Take one decision in some of the futures and leave the rest to a rule.

        Args:
            futures: Consecutive ones.
            row: Of the queue; -1 for HOLD.
            counsellor: Who takes it.
            rule: Decides from then on.
            params: Of the rule, packed.
            until: Minute from which on a future stops at its next decision epoch, as `state` then shows; one that has
                none is over.

        Returns:
            `[len(futures), 4]` contacts answered, the sum of their feedback (each scaled to [0, 1]), burden, and
            answered by new counsellors, at the end; contacts in hand at the start count.
        """
        outcome = np.empty((len(futures), NUM_OUTCOMES))
        decision = row, counsellor, int(rule), params, until
        play(self.plan, self.chance, self.start, self.state, futures.start, futures.stop, *decision, outcome)
        return outcome

    def finish(self, rule: Rule, params: Floats = NO_PARAMS) -> tuple[Floats, Floats]:
        """Leave all decisions in every future to a rule.

        Returns:
            `[futures]` contacts answered and the sum of their feedback, each scaled to [0, 1]; those in hand at the
            start count.
        """
        outcome = np.empty((self.size, NUM_OUTCOMES))
        decision = RULE_DECIDES, 0, int(rule), params, math.inf
        play(self.plan, self.chance, self.start, self.state, 0, self.size, *decision, outcome)
        return outcome[:, 0], outcome[:, 1]


def _load_known(chance: Chance, drawn: Drawn) -> None:
    """Contacts that the view shows, sorted by arrival, and the counsellors."""
    size, num_known = len(drawn), len(drawn.rank)
    order = np.argsort(drawn.rank)
    known = drawn.known
    values = known.values.reshape(size, num_known, known.values.shape[1])[:, order]
    arrivals = np.broadcast_to(drawn.known_arrivals[order], (size, num_known))
    chance.callers_f[:, :num_known] = with_arrivals(values, arrivals)
    chance.callers_i[:, :num_known, col.ACCEPTED] = 1
    chance.callers_i[:, :num_known, col.CALLER_TYPE] = known.caller_type[:num_known][order]
    chance.callers_i[:, :num_known, col.RISK] = known.risk[:num_known][order]
    chance.keys[:, :num_known] = known.keys.reshape(size, num_known, -1)[:, order]
    chance.known[:] = drawn.latent[:, order]
    chance.staff[:] = drawn.staff


def _load_new(chance: Chance, num_known: int, drawn: Drawn) -> None:
    """Contacts still to come, after the known ones."""
    rows = np.repeat(np.arange(len(drawn)), drawn.counts)
    before = np.cumsum(drawn.counts) - drawn.counts
    columns = num_known + np.arange(len(rows)) - before[rows]
    callers = drawn.callers
    chance.callers_f[rows, columns] = with_arrivals(callers.values, drawn.arrivals)
    chance.callers_i[rows, columns, col.ACCEPTED] = callers.accepted
    chance.callers_i[rows, columns, col.CALLER_TYPE] = callers.caller_type
    chance.callers_i[rows, columns, col.RISK] = callers.risk
    chance.keys[rows, columns] = callers.keys
    chance.size[:] = num_known + drawn.counts
    chance.offered[:] = num_known + np.bincount(rows, weights=callers.accepted, minlength=len(drawn))


def _load_drawn(plan: Plan, chance: Chance, start: State, view: CentreView, drawn: Drawn) -> None:
    """What differs between futures where they begin."""
    queue, held = drawn.rank[: len(view.waiting)], drawn.rank[len(view.waiting) :]
    gone = drawn.leaves_at <= view.now
    start.contact_f[:, queue, col.LEAVES_AT] = np.where(gone, np.inf, drawn.leaves_at)
    start.contact_f[:, queue, col.ENDED_AT] = np.where(gone, drawn.leaves_at, np.nan)
    left = np.where(view.waiting.transferred, Outcome.ABANDONED_IN_TRANSFER, Outcome.ABANDONED)
    start.contact_i[:, queue, col.OUTCOME] = np.where(gone, left, Outcome.UNANSWERED)
    start.contact_f[:, queue, col.REMAINING] = drawn.remaining
    for j in range(len(plan.people_i)):
        for k in range(int(start.desk_i[0, j, col.NUM_HANDS])):
            own = int(np.flatnonzero(held == start.hand_i[0, j, k, col.CONTACT])[0])
            start.hand_f[:, j, k, col.SERVICE_END] = drawn.service_end[:, own]
            start.hand_f[:, j, k, col.END] = drawn.end[:, own]
    begin(plan, chance, start)

"""A planner's futures in compiled code: drawn from a view, run to the end without any Python per event.

`Simulator.from_view` draws a future; here it is put into the packed arrays, as `engines.resume` does for the reference
engine, and run under a rule. Both engines give the same events from the same future.
"""

import math
from collections.abc import Sequence

import numpy as np

from mhgym.domain import Outcome, Risk
from mhgym.engines import columns as col
from mhgym.engines import kernels
from mhgym.engines.columns import Chance, Floats, Plan, State
from mhgym.engines.packing import load_trace, make_chance, make_plan, make_state
from mhgym.engines.protocol import Situation
from mhgym.engines.resume import first_review
from mhgym.engines.rules import NO_PARAMS, Rule, finish
from mhgym.engines.simulator import Simulator
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import Phase


def load_situation(
    scenario: Scenario, plan: Plan, chance: Chance, state: State, e: int, trace: Trace, start: Situation
) -> None:
    """Put centre `e` into a situation; its trace must have been loaded."""
    kernels.reset(plan, state, e)
    clock_f, clock_i = state.clock_f[e], state.clock_i[e]
    clock_f[col.NOW] = clock_f[col.DECIDED_AT] = start.now
    review = first_review(scenario, start.now)
    clock_f[col.NEXT_REVIEW] = review if review < scenario.horizon else math.inf
    clock_i[col.NUM_ARRIVED] = np.searchsorted(trace.arrived_at, start.now, side="right")
    clock_i[col.NEXT_ROSTER] = np.searchsorted(plan.timeline_f[:, col.AT], start.now, side="left")
    clock_i[col.ASKING] = 1
    for j in range(len(plan.people_i)):
        _load_desk(scenario, plan, state, e, j, start)
        _load_hands(plan, chance, state, e, j, trace, start)
    contact_f, contact_i = state.contact_f[e], state.contact_i[e]
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


def _load_hands(plan: Plan, chance: Chance, state: State, e: int, j: int, trace: Trace, start: Situation) -> None:
    """Fill a counsellor's hands, and open the accounts with the unbroken contact that led to them."""
    hands = [hand for hand in start.in_hand if hand.counsellor == j]
    desk_i = state.desk_i[e, j]
    if hands:
        order = sorted((hand.started_at, hand.contact) for hand in hands)
        kernels.settle(plan, state, e, j, min(start.busy_since[j], order[0][0]))
        desk_i[col.NUM_HANDS] = 1  # contacts that are over by now
        for begun, contact in order:
            kernels.settle(plan, state, e, j, begun)
            desk_i[col.NUM_HANDS] += 1
            desk_i[col.HIGH_RISK] += trace.risk[contact] == Risk.HIGH
        kernels.settle(plan, state, e, j, order[-1][0])
        desk_i[col.NUM_HANDS] = len(hands)
    for k, hand in enumerate(hands):
        zombie = hand.phase == Phase.ZOMBIE
        state.hand_f[e, j, k] = hand.started_at, hand.service_end, hand.end, hand.predicted
        state.hand_i[e, j, k] = hand.contact, zombie
        if zombie:
            state.contact_i[e, hand.contact, col.OUTCOME] = Outcome.ABANDONED
            state.contact_f[e, hand.contact, col.ENDED_AT] = start.now
        else:
            feedback, _ = trace.realise(hand.contact, j, 0)
            state.contact_f[e, hand.contact, col.ANSWERED_AT] = hand.started_at
            state.contact_f[e, hand.contact, col.FEEDBACK] = feedback
            state.contact_i[e, hand.contact, col.OUTCOME] = Outcome.ANSWERED
            state.contact_i[e, hand.contact, col.FINISHER] = j
            kernels.count(plan, state, e, hand.contact, 1)


class Futures:
    """A batch of futures of one scenario, one row each.

    Args:
        simulators: Drawn by `Simulator.from_view` from one view of one scenario.

    Raises:
        ValueError: If there is none.
    """

    def __init__(self, simulators: Sequence[Simulator], *, record: bool = False) -> None:
        if not simulators:
            raise ValueError("a batch of futures needs at least 1 future, got 0")
        scenario = simulators[0].scenario
        longest = max(len(simulator.trace) for simulator in simulators)
        known = len(simulators[0].trace.known)
        self.size = len(simulators)
        self.plan = make_plan(scenario, record=record)
        self.chance = make_chance(self.plan, self.size, longest, known)
        self.state = make_state(self.plan, self.size, longest)
        for e, simulator in enumerate(simulators):
            load_trace(self.chance, e, simulator.trace)
            load_situation(scenario, self.plan, self.chance, self.state, e, simulator.trace, simulator.situation)

    def finish(self, rule: Rule, params: Floats = NO_PARAMS) -> tuple[Floats, Floats]:
        """Run every future to its end under a rule.

        Args:
            rule: A compiled rule.
            params: Its parameters, see `rules.pack_params`.

        Returns:
            `[futures]` contacts answered and the sum of their feedback, each scaled to [0, 1]; those in hand at the
            start count.
        """
        for e in range(self.size):
            kernels.advance(self.plan, self.chance, self.state, e)
            finish(self.plan, self.chance, self.state, e, int(rule), params)
        return self.state.clock_i[:, col.ANSWERED].astype(np.float64), self.state.clock_f[:, col.FEEDBACK_SUM].copy()

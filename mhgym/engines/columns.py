"""Where things stand in the packed arrays of the compiled engine.

A batch of `E` centres is three tuples of arrays: `Plan` (what a scenario fixes, shared), `Chance` (the traces) and
`State` (what changes; copying its arrays saves a centre). Contacts are padded to `n`, counsellors are `C`, capacities
to `K`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Plan.rules_f and Plan.rules_i
WRAP_UP, ZOMBIE_WRAP_UP, REVIEW_INTERVAL, HORIZON, UNTIL, REMAINING_FLOOR, BRIDGE_MINUTES = range(7)
FINISH, POSTPONE, EVICT, CUT, PAPER, RECORD, INBOXES, BRIDGES_MOST, PROFILE_SIZE = range(9)
# Plan.people_i
CAPACITY, INBOX_SIZE, ROLE, GROUP, RISKS = range(5)  # RISKS is the first of one column for each level of risk
# Plan.timeline_f and Plan.timeline_i
AT, BREAK_END = range(2)
KIND, COUNSELLOR, SHIFT_NUMBER = range(3)
# Plan.shifts_f and Plan.shifts_i
SHIFT_END, SHIFT_TAKES_UNTIL = range(2)
CLOSED_FIRST, CLOSED_LAST = range(2)
# Chance.callers_f is the columns of `processes.draws` with the arrival before the profile; Chance.callers_i
ARRIVED = 8
ACCEPTED, CALLER_TYPE, RISK = range(3)
# State.clock_f and State.clock_i
NOW, DECIDED_AT, LAST_END, NEXT_REVIEW, FEEDBACK_SUM = range(5)
ASKING, OVER, NUM_ARRIVED, NEXT_ROSTER, NUM_QUEUE, NUM_LEGS, NUM_EVENTS, ANSWERED, ANSWERED_NEW, ILLEGAL = range(10)
NUM_AT_RISK = 10  # the first of one column for each level of risk
# State.contact_f and State.contact_i
JOINED_AT, ANSWERED_AT, ENDED_AT, FEEDBACK, REMAINING, PREDICTED_REST, LEAVES_AT = range(7)
OUTCOME, TRANSFERS, FINISHER, HOLDER, INBOX, BRIDGES = range(6)
# State.desk_f and State.desk_i; from SETTLED_AT and HIGH_RISK on, the accounts of load
BACK_AT, BREAK_DUE, BUSY_SINCE, TAKES_UNTIL, SETTLED_AT, BUSY_UNTIL, STREAK_START, BUSY, INSIDE, EXCESS, MULTI = range(
    11
)
SHIFT, ON_DUTY, ON_BREAK, NUM_HANDS, NUM_FREE, CHATS, TAKEN, HIGH_RISK, INTERVAL, PENDING = range(10)
# State.hand_f and State.hand_i
STARTED_AT, SERVICE_END, END, PREDICTED = range(4)
CONTACT, LEG = range(2)  # LEG is the code of the `LegKind` that it began with
# State.heap_f, State.heap_i and State.heap_at
DUE, IDLE = range(2)  # IDLE is the first of one for each group of counsellors


class Plan(NamedTuple):
    """What a scenario fixes.

    Attributes:
        rules_f: `[7]` minutes.
        rules_i: `[9]` switches and sizes.
        law: `[12]` outcome law.
        knots: `[k]` of the remaining-time model; empty for none.
        error_sd: `[k]`.
        people_i: `[C, 7]` counsellors; those of a group may take contacts of the same levels of risk, and all of them
            have an inbox or none has.
        new_until: `[C]` minute up to which each is new.
        first_shift: `[C]` row of each counsellor's first shift.
        shifts_f: `[s, 2]` shifts.
        shifts_i: `[s, 2]` range of rows of `closed`.
        closed: `[q, 2]` intervals closed to new contacts.
        timeline_f: `[r, 2]` roster events in order.
        timeline_i: `[r, 3]` likewise.
        staffed: `[t, 2]` staffed intervals up to the close of accounts.
        staffed_range: `[C, 2]` range of rows of `staffed`.
        staffed_minutes: `[C]` their total.
        burden: `[3]` threshold of occupancy, minutes of a streak, minutes of a pause.
        new_share_of_time: `[1]` of fairness.
    """

    rules_f: Floats
    rules_i: Ints
    law: Floats
    knots: Floats
    error_sd: Floats
    people_i: Ints
    new_until: Floats
    first_shift: Ints
    shifts_f: Floats
    shifts_i: Ints
    closed: Floats
    timeline_f: Floats
    timeline_i: Ints
    staffed: Floats
    staffed_range: Ints
    staffed_minutes: Floats
    burden: Floats
    new_share_of_time: Floats


class Chance(NamedTuple):
    """The traces of a batch.

    Attributes:
        size: `[E]` contacts.
        offered: `[E]` those that accepted the terms.
        callers_f: `[E, n, 9 + d]` numbers of callers, arrival and profile.
        callers_i: `[E, n, 3]` codes of callers.
        keys: `[E, n, 2]` keys of pair draws.
        staff: `[E, C, 5]` effects of counsellors; `[E, C, 9 + d]` with profiles.
        known: `[E, k, C, 2]` latent predictions of a planner's known callers.
    """

    size: Ints
    offered: Ints
    callers_f: Floats
    callers_i: Ints
    keys: NDArray[np.uint64]
    staff: Floats
    known: Floats


class State(NamedTuple):
    """What changes: everything that saving a centre has to copy.

    Attributes:
        clock_f: `[E, 5]` times.
        clock_i: `[E, 13]` flags and counts.
        contact_f: `[E, n, 7]` contacts.
        contact_i: `[E, n, 6]` contacts.
        latent: `[E, n, C, 2]` latent predictions of pairs, NaN until first asked for; no rows where they cost nothing.
        queue: `[E, n]` waiting contacts in order.
        desk_f: `[E, C, 11]` counsellors.
        desk_i: `[E, C, 10]` counsellors.
        free: `[E, C, K]` minutes at which free slots became free, longest idle first.
        hand_f: `[E, C, K, 4]` contacts in hand, in the order in which they were taken.
        hand_i: `[E, C, K, 2]` likewise.
        heap_f: `[E, 1 + groups, C + n + 1]` times of heaps, see `engines.heap`: what is due (returns of counsellors in
            slots below C, wrap-ups and abandonments of contacts from C on); then for each group of counsellors the
            minutes since which those with a free slot have one, and infinity for others whose inbox has room.
        heap_i: `[E, 1 + groups, C + n + 1]` their codes.
        heap_at: `[E, 1 + groups, C + n]` their places.
        leg_f: `[E, l, 2]` start and end of legs.
        leg_i: `[E, l, 3]` contact, counsellor and kind of legs.
        event_f: `[E, v]` times of recorded events.
        event_i: `[E, v, 3]` kind and ids of recorded events.
        paid: `[E, 4]` reward paid so far.
    """

    clock_f: Floats
    clock_i: Ints
    contact_f: Floats
    contact_i: Ints
    latent: Floats
    queue: Ints
    desk_f: Floats
    desk_i: Ints
    free: Floats
    hand_f: Floats
    hand_i: Ints
    heap_f: Floats
    heap_i: Ints
    heap_at: Ints
    leg_f: Floats
    leg_i: Ints
    event_f: Floats
    event_i: Ints
    paid: Floats

"""The compiled engine's events: the reference engine line by line, on packed arrays, for centre `e` of a batch.

Every function mirrors the method of the same name in `engines/reference.py`, which defines what happens. The
functions call one another and live in one file, since Numba's cache does not notice an edited helper elsewhere;
columns are named in `engines.columns`. What happens next, and who has been idle longest, stands at the top of a heap
(`engines.heap`), so that an event costs hardly more in a centre of a thousand counsellors than in one of ten.
"""

import numpy as np

from mhgym.compiling import inlined_kernel, inner_kernel, kernel
from mhgym.domain.contact import LegKind, Outcome
from mhgym.engines import columns as col
from mhgym.engines import heap
from mhgym.engines.forecasts import predict, predict_rest
from mhgym.engines.load import settle
from mhgym.engines.protocol import EventKind
from mhgym.processes import draws

_REJECTED, _ANSWERED, _ABANDONED, _IN_TRANSFER, _UNANSWERED = map(int, Outcome)
_SERVICE, _WRAP, _OPEN, _BRIDGE = map(int, LegKind)
_WRAP_UP_END, _RETURN, _SIGN_IN, _ARRIVAL, _ABANDONMENT, *_LATER = map(int, EventKind)
_BREAK_START, _SIGN_OUT, _REVIEW, _ASSIGNMENT, _PICK_UP = _LATER
_HIGH = 2  # domain.Risk.HIGH


@inner_kernel
def note(plan, state, e, kind, ident, other):  # type: ignore[no-untyped-def]
    """Write an event down, where a record is kept."""
    if plan.rules_i[col.RECORD]:
        k = state.clock_i[e, col.NUM_EVENTS]
        state.event_f[e, k] = state.clock_f[e, col.NOW]
        state.event_i[e, k, 0] = kind
        state.event_i[e, k, 1] = ident
        state.event_i[e, k, 2] = other
        state.clock_i[e, col.NUM_EVENTS] = k + 1


@inner_kernel
def is_zombie(state, e, i):  # type: ignore[no-untyped-def]
    """Whether a contact has left the queue unseen."""
    outcome = state.contact_i[e, i, col.OUTCOME]
    return outcome in (_ABANDONED, _IN_TRANSFER)


# ---------------------------------------------------------------------------------------- what comes first


@inner_kernel
def expect(plan, state, e, kind, ident, time):  # type: ignore[no-untyped-def]
    """Have a return of a counsellor, or a wrap-up or abandonment of a contact, be due; nothing else of theirs is."""
    slot = ident if kind == _RETURN else plan.people_i.shape[0] + ident
    due = state.heap_f[e, col.DUE], state.heap_i[e, col.DUE], state.heap_at[e, col.DUE]
    heap.put(due[0], due[1], due[2], time, kind << heap.HIGH_HALF | slot)


@inner_kernel
def forget(state, e, slot):  # type: ignore[no-untyped-def]
    """Nothing is due any more of a counsellor, or of a contact, whose slots come after those of all counsellors."""
    heap.take_out(state.heap_f[e, col.DUE], state.heap_i[e, col.DUE], state.heap_at[e, col.DUE], slot)


@inner_kernel
def list_idle(plan, state, e, j):  # type: ignore[no-untyped-def]
    """List a counsellor by the minute at which the longest idle slot became free; last with room in the inbox only."""
    h = col.IDLE + plan.people_i[j, col.GROUP]
    idle = state.heap_f[e, h], state.heap_i[e, h], state.heap_at[e, h]
    if state.desk_i[e, j, col.NUM_FREE] > 0:
        heap.put(idle[0], idle[1], idle[2], state.free[e, j, 0], j)
    elif state.desk_i[e, j, col.ON_DUTY] and state.desk_i[e, j, col.PENDING] < plan.people_i[j, col.INBOX_SIZE]:
        heap.put(idle[0], idle[1], idle[2], np.inf, j)
    else:
        heap.take_out(idle[0], idle[1], idle[2], j)


@kernel
def put_in_order(plan, chance, state, e):  # type: ignore[no-untyped-def]
    """Set up heaps and counts of a centre that was reset and then loaded from elsewhere."""
    for j in range(plan.people_i.shape[0]):
        list_idle(plan, state, e, j)
        if state.desk_i[e, j, col.ON_BREAK]:
            expect(plan, state, e, _RETURN, j, state.desk_f[e, j, col.BACK_AT])
        for k in range(state.desk_i[e, j, col.NUM_HANDS]):
            i = state.hand_i[e, j, k, col.CONTACT]
            state.contact_i[e, i, col.HOLDER] = j
            expect(plan, state, e, _WRAP_UP_END, i, state.hand_f[e, j, k, col.END])
    for q in range(state.clock_i[e, col.NUM_QUEUE]):
        i = state.queue[e, q]
        state.clock_i[e, col.NUM_AT_RISK + chance.callers_i[e, i, col.RISK]] += 1
        if state.contact_f[e, i, col.LEAVES_AT] < np.inf:
            expect(plan, state, e, _ABANDONMENT, i, state.contact_f[e, i, col.LEAVES_AT])


@inlined_kernel
def is_open(plan, state, e, j):  # type: ignore[no-untyped-def]
    """Whether counsellor `j` is not closed to new contacts now."""
    now = state.clock_f[e, col.NOW]
    if now >= state.desk_f[e, j, col.TAKES_UNTIL]:
        return False
    s = plan.first_shift[j] + state.desk_i[e, j, col.SHIFT]
    for q in range(plan.shifts_i[s, col.CLOSED_FIRST], plan.shifts_i[s, col.CLOSED_LAST]):
        if plan.closed[q, 0] <= now < plan.closed[q, 1]:
            return False
    return True


@inlined_kernel
def can_take(plan, state, e, j):  # type: ignore[no-untyped-def]
    """Whether counsellor `j` can take something new now."""
    if state.desk_i[e, j, col.NUM_FREE] == 0 or state.desk_f[e, j, col.BREAK_DUE] != 0.0:
        return False
    return is_open(plan, state, e, j)


@inlined_kernel
def room(plan, state, e, j):  # type: ignore[no-untyped-def]
    """Further contacts that an inbox takes now."""
    left = plan.people_i[j, col.INBOX_SIZE] - state.desk_i[e, j, col.PENDING]
    return left if left > 0 and state.desk_i[e, j, col.ON_DUTY] and is_open(plan, state, e, j) else 0


@inlined_kernel
def takes(plan, state, e, j):  # type: ignore[no-untyped-def]
    """Whether counsellor `j` takes something new now, in hand or into an inbox."""
    return can_take(plan, state, e, j) or (plan.rules_i[col.INBOXES] == 1 and room(plan, state, e, j) > 0)


@inlined_kernel
def suits(plan, chance, state, e, i, j):  # type: ignore[no-untyped-def]
    """Whether a waiting contact is one for counsellor `j`, and for all others of the group."""
    if not plan.people_i[j, col.RISKS + chance.callers_i[e, i, col.RISK]]:
        return False
    if not plan.rules_i[col.INBOXES]:
        return True
    if plan.people_i[j, col.INBOX_SIZE] > 0:
        return state.contact_i[e, i, col.INBOX] < 0
    return state.contact_i[e, i, col.INBOX] >= 0 and state.contact_i[e, i, col.BRIDGES] < plan.rules_i[col.BRIDGES_MOST]


@inner_kernel
def idlest(plan, state, e, group):  # type: ignore[no-untyped-def]
    """Who of a group has had a free slot for longest and takes something new before leaving; -1 for nobody.

    Those who do not go off the list; they are listed anew when they are back.
    """
    idle, now = state.heap_i[e, col.IDLE + group], state.clock_f[e, col.NOW]
    while idle[0] > 0:
        j = idle[1]
        if state.desk_f[e, j, col.BREAK_DUE] == 0.0 and now < state.desk_f[e, j, col.TAKES_UNTIL]:
            return j
        heap.take_out(state.heap_f[e, col.IDLE + group], idle, state.heap_at[e, col.IDLE + group], j)
    return -1


@kernel
def allocation_exists(plan, chance, state, e):  # type: ignore[no-untyped-def]
    """`pair_exists` in a centre with inboxes."""
    for j in range(plan.people_i.shape[0]):
        if takes(plan, state, e, j):
            for q in range(state.clock_i[e, col.NUM_QUEUE]):
                if suits(plan, chance, state, e, state.queue[e, q], j):
                    return True
    return False


@inner_kernel
def pair_exists(plan, chance, state, e):  # type: ignore[no-untyped-def]
    """Whether a waiting contact has somebody who can take it now; mostly the idlest tells for the group."""
    if state.clock_i[e, col.NUM_QUEUE] == 0:
        return False
    if plan.rules_i[col.INBOXES]:
        return allocation_exists(plan, chance, state, e)
    waiting = state.clock_i[e, col.NUM_AT_RISK :]
    for group in range(state.heap_i.shape[1] - col.IDLE):
        j, wanted = idlest(plan, state, e, group), False
        if j >= 0:
            for risk in range(waiting.size):
                wanted = wanted or (waiting[risk] > 0 and plan.people_i[j, col.RISKS + risk] == 1)
        if wanted:
            idle = state.heap_i[e, col.IDLE + group]
            for p in range(1, idle[0] + 1):
                if can_take(plan, state, e, idle[p]):
                    return True
    return False


# ---------------------------------------------------------------------------------------- callers


@inner_kernel
def enter_queue(chance, state, e, i):  # type: ignore[no-untyped-def]
    """Put a contact at the back of the queue."""
    size = state.clock_i[e, col.NUM_QUEUE]
    state.queue[e, size] = i
    state.clock_i[e, col.NUM_QUEUE] = size + 1
    state.clock_i[e, col.NUM_AT_RISK + chance.callers_i[e, i, col.RISK]] += 1


@inner_kernel
def join(plan, chance, state, e, i):  # type: ignore[no-untyped-def]
    """A contact joins the back of the queue, with its patience in full."""
    now = state.clock_f[e, col.NOW]
    state.contact_f[e, i, col.JOINED_AT] = now
    enter_queue(chance, state, e, i)
    leaves_at = now + chance.callers_f[e, i, draws.PATIENCE]
    state.contact_f[e, i, col.LEAVES_AT] = leaves_at
    if leaves_at < np.inf:
        expect(plan, state, e, _ABANDONMENT, i, leaves_at)
    state.clock_i[e, col.ASKING] = 1


@inner_kernel
def leave_queue(chance, state, e, row):  # type: ignore[no-untyped-def]
    """Take a row out of the queue."""
    state.clock_i[e, col.NUM_AT_RISK + chance.callers_i[e, state.queue[e, row], col.RISK]] -= 1
    size = state.clock_i[e, col.NUM_QUEUE] - 1
    for q in range(row, size):
        state.queue[e, q] = state.queue[e, q + 1]
    state.clock_i[e, col.NUM_QUEUE] = size


@inner_kernel
def arrive(plan, chance, state, e, i):  # type: ignore[no-untyped-def]
    """A visit begins."""
    state.clock_i[e, col.NUM_ARRIVED] += 1
    if chance.callers_i[e, i, col.ACCEPTED]:
        join(plan, chance, state, e, i)
    else:
        state.contact_i[e, i, col.OUTCOME] = _REJECTED
        state.contact_f[e, i, col.ENDED_AT] = state.clock_f[e, col.NOW]


@inner_kernel
def abandon(plan, chance, state, e, i):  # type: ignore[no-untyped-def]
    """A caller leaves the queue."""
    forget(state, e, plan.people_i.shape[0] + i)
    state.contact_i[e, i, col.OUTCOME] = _IN_TRANSFER if state.contact_i[e, i, col.TRANSFERS] > 0 else _ABANDONED
    state.contact_f[e, i, col.ENDED_AT] = state.clock_f[e, col.NOW]
    state.contact_f[e, i, col.LEAVES_AT] = np.inf
    if plan.rules_i[col.EVICT] or plan.rules_i[col.PAPER]:
        row = 0
        while state.queue[e, row] != i:
            row += 1
        leave_queue(chance, state, e, row)
        if plan.rules_i[col.PAPER]:
            enter_queue(chance, state, e, i)
        elif state.contact_i[e, i, col.INBOX] >= 0:  # where there is room for another now
            put_in_inbox(plan, state, e, i, -1)
            state.clock_i[e, col.ASKING] = 1


@kernel
def put_in_inbox(plan, state, e, i, owner):  # type: ignore[no-untyped-def]
    """Have a contact wait for one counsellor, or with -1 for whoever may take it."""
    before = state.contact_i[e, i, col.INBOX]
    state.contact_i[e, i, col.INBOX] = owner
    if before >= 0:
        state.desk_i[e, before, col.PENDING] -= 1
        list_idle(plan, state, e, before)
    if owner >= 0:
        state.desk_i[e, owner, col.PENDING] += 1
        list_idle(plan, state, e, owner)


# ---------------------------------------------------------------------------------------- service


@inlined_kernel
def count(plan, state, e, i, sign, began):  # type: ignore[no-untyped-def]
    """Add a contact, answered when its service began, to the running counts, or take it back."""
    state.clock_i[e, col.ANSWERED] += sign
    state.clock_f[e, col.FEEDBACK_SUM] += sign * state.contact_f[e, i, col.FEEDBACK]
    state.clock_i[e, col.ANSWERED_NEW] += sign * (began < plan.new_until[state.contact_i[e, i, col.FINISHER]])


@inner_kernel
def take_in_hand(plan, chance, state, e, j, i, leg, service_end, end, predicted):  # type: ignore[no-untyped-def]
    """Put a contact into a counsellor's hands; the accounts have been settled."""
    now = state.clock_f[e, col.NOW]
    desk = state.desk_i[e, j]
    k = desk[col.NUM_HANDS]
    if k == 0:
        state.desk_f[e, j, col.BUSY_SINCE] = now
    desk[col.NUM_FREE] -= 1
    for slot in range(desk[col.NUM_FREE]):
        state.free[e, j, slot] = state.free[e, j, slot + 1]
    list_idle(plan, state, e, j)
    hand = state.hand_f[e, j, k]
    hand[col.STARTED_AT], hand[col.SERVICE_END], hand[col.END], hand[col.PREDICTED] = now, service_end, end, predicted
    state.hand_i[e, j, k, col.CONTACT], state.hand_i[e, j, k, col.LEG] = i, leg
    desk[col.NUM_HANDS] = k + 1
    desk[col.HIGH_RISK] += chance.callers_i[e, i, col.RISK] == _HIGH
    state.contact_i[e, i, col.HOLDER] = j
    expect(plan, state, e, _WRAP_UP_END, i, end)


@inner_kernel
def answer(plan, chance, state, e, j, i):  # type: ignore[no-untyped-def]
    """A counsellor answers a living contact."""
    now = state.clock_f[e, col.NOW]
    contact = state.contact_f[e, i]
    contact[col.LEAVES_AT] = np.inf
    feedback, predicted = predict(plan, chance, state, e, i, j)
    feedback, minutes = draws.realise_predicted(
        plan.law, chance.callers_f[e], chance.keys[e], chance.staff[e], i, j, feedback, predicted
    )
    if state.contact_i[e, i, col.TRANSFERS] > 0:
        minutes, predicted = contact[col.REMAINING], contact[col.PREDICTED_REST]
    if np.isnan(contact[col.ANSWERED_AT]):
        contact[col.ANSWERED_AT] = now
    state.contact_i[e, i, col.OUTCOME], state.contact_i[e, i, col.FINISHER] = _ANSWERED, j
    contact[col.FEEDBACK] = (feedback - 1.0) / 4.0
    count(plan, state, e, i, 1, now)
    state.desk_i[e, j, col.CHATS] += 1
    state.desk_i[e, j, col.TAKEN] += 1
    service_end = now + minutes
    end = service_end + plan.rules_f[col.WRAP_UP]
    take_in_hand(plan, chance, state, e, j, i, _SERVICE, service_end, end, predicted)


@kernel
def bridge(plan, chance, state, e, j, i):  # type: ignore[no-untyped-def]
    """A counsellor keeps a contact company that waits for another."""
    state.contact_f[e, i, col.LEAVES_AT] = np.inf
    mean, number = plan.rules_f[col.BRIDGE_MINUTES], state.contact_i[e, i, col.BRIDGES]
    end = state.clock_f[e, col.NOW] + draws.bridge_minutes(mean, chance.keys[e], i, j, number)
    state.contact_i[e, i, col.BRIDGES] = number + 1
    take_in_hand(plan, chance, state, e, j, i, _BRIDGE, end, end, mean)


@inlined_kernel
def take(plan, chance, state, e, row, j):  # type: ignore[no-untyped-def]
    """Take a row of the queue in hand: answer it, or bridge its wait for another, unless it turns out to be gone."""
    i, now, inboxes = state.queue[e, row], state.clock_f[e, col.NOW], plan.rules_i[col.INBOXES]
    leave_queue(chance, state, e, row)
    settle(plan, state, e, j, now)
    gone, bridges = is_zombie(state, e, i), inboxes and plan.people_i[j, col.INBOX_SIZE] == 0
    if inboxes and (gone or not bridges):
        put_in_inbox(plan, state, e, i, -1)
    if gone:
        in_transfer = state.contact_i[e, i, col.OUTCOME] == _IN_TRANSFER
        minutes = plan.rules_f[col.WRAP_UP] if in_transfer else plan.rules_f[col.ZOMBIE_WRAP_UP]
        take_in_hand(plan, chance, state, e, j, i, _OPEN, now + minutes, now + minutes, minutes)
    elif bridges:
        bridge(plan, chance, state, e, j, i)
    else:
        answer(plan, chance, state, e, j, i)


@kernel
def serve_inboxes(plan, chance, state, e):  # type: ignore[no-untyped-def]
    """Let whoever can take something take what arrived first of their own inbox."""
    for j in range(plan.people_i.shape[0]):
        while state.desk_i[e, j, col.PENDING] > 0 and can_take(plan, state, e, j):
            first = -1
            for q in range(state.clock_i[e, col.NUM_QUEUE]):
                own = state.contact_i[e, state.queue[e, q], col.INBOX] == j
                if own and (first < 0 or state.queue[e, q] < state.queue[e, first]):
                    first = q
            if first < 0:
                break
            note(plan, state, e, _PICK_UP, state.queue[e, first], j)
            take(plan, chance, state, e, first, j)


@inlined_kernel
def assign(plan, chance, state, e, row, j):  # type: ignore[no-untyped-def]
    """Give a row of the queue to a counsellor; False, and nothing happens, if that is illegal."""
    size = state.clock_i[e, col.NUM_QUEUE]
    if not state.clock_i[e, col.ASKING] or row < 0 or row >= size or j < 0 or j >= plan.people_i.shape[0]:
        return False
    i = state.queue[e, row]
    if not takes(plan, state, e, j) or not suits(plan, chance, state, e, i, j):
        return False
    note(plan, state, e, _ASSIGNMENT, i, j)
    if plan.people_i[j, col.INBOX_SIZE] > 0:
        put_in_inbox(plan, state, e, i, j)
    else:
        take(plan, chance, state, e, row, j)
    return True


@inner_kernel
def write_leg(state, e, i, j, kind, start, end):  # type: ignore[no-untyped-def]
    """Write one leg down."""
    k = state.clock_i[e, col.NUM_LEGS]
    state.leg_f[e, k, 0], state.leg_f[e, k, 1] = start, end
    state.leg_i[e, k, 0], state.leg_i[e, k, 1], state.leg_i[e, k, 2] = i, j, kind
    state.clock_i[e, col.NUM_LEGS] = k + 1


@inner_kernel
def write_legs(state, e, j, k, until):  # type: ignore[no-untyped-def]
    """Write down the legs of hand `k` of a counsellor, which ends at `until`."""
    i, leg = state.hand_i[e, j, k, col.CONTACT], state.hand_i[e, j, k, col.LEG]
    start, service_end = state.hand_f[e, j, k, col.STARTED_AT], state.hand_f[e, j, k, col.SERVICE_END]
    write_leg(state, e, i, j, leg, start, min(service_end, until))
    if leg == _SERVICE and until >= service_end:
        write_leg(state, e, i, j, _WRAP, service_end, until)
        state.contact_f[e, i, col.ENDED_AT] = service_end


@inner_kernel
def release(plan, chance, state, e, j, k, until):  # type: ignore[no-untyped-def]
    """Take hand `k` of a counsellor away and write down its legs; the accounts have been settled."""
    write_legs(state, e, j, k, until)
    i = state.hand_i[e, j, k, col.CONTACT]
    forget(state, e, plan.people_i.shape[0] + i)
    desk = state.desk_i[e, j]
    last = desk[col.NUM_HANDS] - 1
    for h in range(k, last):
        for column in range(state.hand_f.shape[3]):
            state.hand_f[e, j, h, column] = state.hand_f[e, j, h + 1, column]
        for column in range(state.hand_i.shape[3]):
            state.hand_i[e, j, h, column] = state.hand_i[e, j, h + 1, column]
    desk[col.NUM_HANDS] = last
    desk[col.HIGH_RISK] -= chance.callers_i[e, i, col.RISK] == _HIGH
    if last == 0:
        state.desk_f[e, j, col.BUSY_SINCE] = np.nan


@inner_kernel
def wrap_up_end(plan, chance, state, e, i):  # type: ignore[no-untyped-def]
    """A counsellor is done with a contact."""
    now = state.clock_f[e, col.NOW]
    j, k = state.contact_i[e, i, col.HOLDER], 0
    while state.hand_i[e, j, k, col.CONTACT] != i:
        k += 1
    bridged = state.hand_i[e, j, k, col.LEG] == _BRIDGE
    settle(plan, state, e, j, now)
    release(plan, chance, state, e, j, k, now)
    if bridged:
        join(plan, chance, state, e, i)
    desk_i, desk_f = state.desk_i[e, j], state.desk_f[e, j]
    if desk_i[col.ON_DUTY] and not desk_i[col.ON_BREAK]:
        state.free[e, j, desk_i[col.NUM_FREE]] = now
        desk_i[col.NUM_FREE] += 1
        if desk_f[col.BREAK_DUE] != 0.0 and desk_i[col.NUM_HANDS] == 0:
            leave_for_break(plan, state, e, j, now + desk_f[col.BREAK_DUE])
        elif desk_i[col.NUM_FREE] == 1:
            list_idle(plan, state, e, j)
        state.clock_i[e, col.ASKING] = 1


# ---------------------------------------------------------------------------------------- counsellors


@inner_kernel
def free_slots(plan, state, e, j):  # type: ignore[no-untyped-def]
    """All slots that hold nothing become free now."""
    size = plan.people_i[j, col.CAPACITY] - state.desk_i[e, j, col.NUM_HANDS]
    state.desk_i[e, j, col.NUM_FREE] = size
    for slot in range(size):
        state.free[e, j, slot] = state.clock_f[e, col.NOW]
    list_idle(plan, state, e, j)


@inner_kernel
def leave_for_break(plan, state, e, j, end):  # type: ignore[no-untyped-def]
    """A counsellor goes away."""
    state.desk_i[e, j, col.ON_BREAK], state.desk_i[e, j, col.NUM_FREE] = 1, 0
    state.desk_f[e, j, col.BACK_AT], state.desk_f[e, j, col.BREAK_DUE] = end, 0.0
    list_idle(plan, state, e, j)
    expect(plan, state, e, _RETURN, j, end)


@kernel
def come_back(plan, state, e, j):  # type: ignore[no-untyped-def]
    """A break ends."""
    now = state.clock_f[e, col.NOW]
    state.desk_i[e, j, col.ON_BREAK], state.desk_f[e, j, col.BACK_AT] = 0, np.nan
    forget(state, e, j)
    free_slots(plan, state, e, j)
    if state.desk_f[e, j, col.BREAK_DUE] != 0.0:
        leave_for_break(plan, state, e, j, now + state.desk_f[e, j, col.BREAK_DUE])
    state.clock_i[e, col.ASKING] = 1


@kernel
def sign_in(plan, state, e, j, number):  # type: ignore[no-untyped-def]
    """A shift begins."""
    desk = state.desk_i[e, j]
    desk[col.SHIFT], desk[col.ON_DUTY], desk[col.CHATS] = number, 1, 0
    state.desk_f[e, j, col.TAKES_UNTIL] = plan.shifts_f[plan.first_shift[j] + number, col.SHIFT_TAKES_UNTIL]
    if desk[col.ON_BREAK]:
        list_idle(plan, state, e, j)
    else:
        free_slots(plan, state, e, j)
    state.clock_i[e, col.ASKING] = 1


@kernel
def interrupt(plan, chance, state, e, j):  # type: ignore[no-untyped-def]
    """End everything in hand, by contact: they go back to the queue, those in service with their remaining work."""
    now = state.clock_f[e, col.NOW]
    settle(plan, state, e, j, now)
    while state.desk_i[e, j, col.NUM_HANDS] > 0:
        k = 0
        for h in range(1, state.desk_i[e, j, col.NUM_HANDS]):
            if state.hand_i[e, j, h, col.CONTACT] < state.hand_i[e, j, k, col.CONTACT]:
                k = h
        i, leg = state.hand_i[e, j, k, col.CONTACT], state.hand_i[e, j, k, col.LEG]
        began, service_end = state.hand_f[e, j, k, col.STARTED_AT], state.hand_f[e, j, k, col.SERVICE_END]
        if leg == _SERVICE and now < service_end:
            count(plan, state, e, i, -1, began)
            state.contact_i[e, i, col.OUTCOME] = _UNANSWERED
            state.contact_i[e, i, col.TRANSFERS] += 1
            state.contact_f[e, i, col.REMAINING] = service_end - now
            state.contact_f[e, i, col.PREDICTED_REST] = predict_rest(plan, chance, state, e, j, k)
        release(plan, chance, state, e, j, k, now)
        if leg == _BRIDGE or (leg == _SERVICE and now < service_end):
            join(plan, chance, state, e, i)


@kernel
def roster_event(plan, chance, state, e, r):  # type: ignore[no-untyped-def]
    """A sign-in, start of a break or sign-out."""
    kind, j, number = plan.timeline_i[r]
    desk_i, desk_f = state.desk_i[e, j], state.desk_f[e, j]
    if kind == _SIGN_IN:
        sign_in(plan, state, e, j, number)
    elif desk_i[col.SHIFT] == number and desk_i[col.ON_DUTY]:
        if kind == _SIGN_OUT:
            desk_i[col.ON_DUTY], desk_i[col.ON_BREAK], desk_i[col.NUM_FREE] = 0, 0, 0
            desk_f[col.BACK_AT], desk_f[col.BREAK_DUE] = np.nan, 0.0
            forget(state, e, j)
            list_idle(plan, state, e, j)
            for i in range(state.clock_i[e, col.NUM_ARRIVED] if desk_i[col.PENDING] > 0 else 0):
                if state.contact_i[e, i, col.INBOX] == j:
                    put_in_inbox(plan, state, e, i, -1)
                    state.clock_i[e, col.ASKING] = 1
            if not plan.rules_i[col.FINISH]:
                interrupt(plan, chance, state, e, j)
        elif not plan.rules_i[col.POSTPONE]:
            leave_for_break(plan, state, e, j, plan.timeline_f[r, col.BREAK_END])
            interrupt(plan, chance, state, e, j)
        elif desk_i[col.NUM_HANDS] > 0 or desk_i[col.ON_BREAK]:
            desk_f[col.BREAK_DUE] += plan.timeline_f[r, col.BREAK_END] - state.clock_f[e, col.NOW]
        else:
            leave_for_break(plan, state, e, j, plan.timeline_f[r, col.BREAK_END])


@kernel
def review(plan, state, e):  # type: ignore[no-untyped-def]
    """An extra decision epoch, and the next one."""
    state.clock_i[e, col.ASKING] = 1
    following = state.clock_f[e, col.NOW] + plan.rules_f[col.REVIEW_INTERVAL]
    state.clock_f[e, col.NEXT_REVIEW] = following if following < plan.rules_f[col.HORIZON] else np.inf


# ---------------------------------------------------------------------------------------- the run


@inner_kernel
def earlier(time, kind, ident, best):  # type: ignore[no-untyped-def]
    """Whether an event comes before the best one so far, in the order of (time, kind, id)."""
    if time != best[0]:
        return time < best[0]
    return kind < best[1] or (kind == best[1] and ident < best[2])


@inner_kernel
def next_event(plan, chance, state, e):  # type: ignore[no-untyped-def]
    """The next event: time, kind, id."""
    best = (np.inf, 99, 0)
    i = state.clock_i[e, col.NUM_ARRIVED]
    if i < chance.size[e]:
        best = (chance.callers_f[e, i, col.ARRIVED], _ARRIVAL, i)
    r = state.clock_i[e, col.NEXT_ROSTER]
    if r < plan.timeline_f.shape[0] and earlier(
        plan.timeline_f[r, col.AT], plan.timeline_i[r, col.KIND], plan.timeline_i[r, col.COUNSELLOR], best
    ):
        best = (plan.timeline_f[r, col.AT], plan.timeline_i[r, col.KIND], plan.timeline_i[r, col.COUNSELLOR])
    if state.heap_i[e, col.DUE, 0] > 0:
        time, code = state.heap_f[e, col.DUE, 1], state.heap_i[e, col.DUE, 1]
        kind, ident = code >> heap.HIGH_HALF, code & heap.SLOT
        if kind != _RETURN:
            ident -= plan.people_i.shape[0]
        if earlier(time, kind, ident, best):
            best = (time, kind, ident)
    if earlier(state.clock_f[e, col.NEXT_REVIEW], _REVIEW, 0, best):
        best = (state.clock_f[e, col.NEXT_REVIEW], _REVIEW, 0)
    return best


@inner_kernel
def departure_follows(plan, chance, state, e):  # type: ignore[no-untyped-def]
    """Whether the next event is a break or a sign-out at this very minute: nothing is offered to those who leave."""
    r, now = state.clock_i[e, col.NEXT_ROSTER], state.clock_f[e, col.NOW]
    if r >= plan.timeline_f.shape[0] or plan.timeline_f[r, col.AT] != now:
        return False
    time, kind, _ = next_event(plan, chance, state, e)
    return time == now and kind in (_BREAK_START, _SIGN_OUT)


@kernel
def close(plan, chance, state, e, now):  # type: ignore[no-untyped-def]
    """End the episode: contacts in service finish, waiting ones close as unanswered.

    Queue and hands stay as they are at this minute, so that the last view shows what a cut interrupts.
    """
    state.clock_f[e, col.NOW] = now
    for j in range(plan.people_i.shape[0]):
        desk = state.desk_i[e, j]
        hands, high_risk = desk[col.NUM_HANDS], desk[col.HIGH_RISK]
        last_end, last_contact = -np.inf, -1
        for _ in range(hands):  # in the order of (end, contact)
            k = -1
            for h in range(hands):
                end, i = state.hand_f[e, j, h, col.END], state.hand_i[e, j, h, col.CONTACT]
                if end < last_end or (end == last_end and i <= last_contact):
                    continue
                best = state.hand_f[e, j, k, col.END] if k >= 0 else np.inf
                if k < 0 or end < best or (end == best and i < state.hand_i[e, j, k, col.CONTACT]):
                    k = h
            last_end, last_contact = state.hand_f[e, j, k, col.END], state.hand_i[e, j, k, col.CONTACT]
            settle(plan, state, e, j, last_end)
            write_legs(state, e, j, k, last_end)
            if state.hand_i[e, j, k, col.LEG] == _BRIDGE:
                state.contact_f[e, last_contact, col.ENDED_AT] = now
            desk[col.NUM_HANDS] -= 1
            desk[col.HIGH_RISK] -= chance.callers_i[e, last_contact, col.RISK] == _HIGH
            state.clock_f[e, col.LAST_END] = max(state.clock_f[e, col.LAST_END], last_end)
        desk[col.NUM_HANDS], desk[col.HIGH_RISK] = hands, high_risk
    for q in range(state.clock_i[e, col.NUM_QUEUE]):
        i = state.queue[e, q]
        if not is_zombie(state, e, i):
            state.contact_f[e, i, col.ENDED_AT] = now
    state.clock_i[e, col.OVER] = 1


@inlined_kernel
def advance(plan, chance, state, e):  # type: ignore[no-untyped-def]
    """Run to the next decision epoch; False when the episode is over."""
    while not state.clock_i[e, col.OVER]:
        if state.clock_i[e, col.ASKING] and not departure_follows(plan, chance, state, e):
            if plan.rules_i[col.INBOXES]:
                serve_inboxes(plan, chance, state, e)
            if pair_exists(plan, chance, state, e):
                return True
            state.clock_i[e, col.ASKING] = 0
        time, kind, ident = next_event(plan, chance, state, e)
        if plan.rules_i[col.CUT] and time >= plan.rules_f[col.HORIZON]:
            close(plan, chance, state, e, plan.rules_f[col.HORIZON])
            return False
        if time == np.inf:
            close(plan, chance, state, e, state.clock_f[e, col.NOW])
            return False
        state.clock_f[e, col.NOW] = time
        note(plan, state, e, kind, ident, -1)
        if kind == _ARRIVAL:
            arrive(plan, chance, state, e, ident)
        elif kind == _WRAP_UP_END:
            wrap_up_end(plan, chance, state, e, ident)
        elif kind == _ABANDONMENT:
            abandon(plan, chance, state, e, ident)
        elif kind == _RETURN:
            come_back(plan, state, e, ident)
        elif kind == _REVIEW:
            review(plan, state, e)
        else:
            row = state.clock_i[e, col.NEXT_ROSTER]
            state.clock_i[e, col.NEXT_ROSTER] = row + 1
            roster_event(plan, chance, state, e, row)
    return False


@kernel
def reset(plan, state, e):  # type: ignore[no-untyped-def]
    """Empty the centre and put it at minute 0. Only contacts that have arrived differ from how a reset leaves them."""
    used = state.clock_i[e, col.NUM_ARRIVED]
    state.clock_f[e] = 0.0
    interval = plan.rules_f[col.REVIEW_INTERVAL]
    state.clock_f[e, col.NEXT_REVIEW] = interval if 0.0 < interval < plan.rules_f[col.HORIZON] else np.inf
    state.clock_i[e] = 0
    state.contact_f[e, :used] = np.nan
    state.contact_f[e, :used, col.LEAVES_AT] = np.inf
    state.contact_i[e, :used, col.OUTCOME] = _UNANSWERED
    state.contact_i[e, :used, col.TRANSFERS] = 0
    state.contact_i[e, :used, col.FINISHER] = -1
    state.contact_i[e, :used, col.INBOX] = -1
    state.contact_i[e, :used, col.BRIDGES] = 0
    state.latent[e, :used] = np.nan
    state.desk_f[e] = 0.0
    state.desk_i[e] = 0
    state.desk_i[e, :, col.SHIFT] = -1
    state.paid[e] = 0.0
    state.heap_i[e, :, 0] = 0
    state.heap_at[e, :, : plan.people_i.shape[0] + used] = 0
    for j in range(plan.people_i.shape[0]):
        desk = state.desk_f[e, j]
        desk[col.BACK_AT] = desk[col.BUSY_SINCE] = np.nan
        desk[col.TAKES_UNTIL] = -np.inf
        desk[col.SETTLED_AT] = desk[col.BUSY_UNTIL] = desk[col.STREAK_START] = -np.inf
        state.desk_i[e, j, col.INTERVAL] = plan.staffed_range[j, 0]

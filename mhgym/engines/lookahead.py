"""Playing futures in compiled code: one decision, then a rule to the end."""

from mhgym.compiling import inner_kernel, kernel
from mhgym.domain.contact import LegKind
from mhgym.engines import columns as col
from mhgym.engines import kernels, load, rules
from mhgym.processes import draws

#: Contacts answered, sum of their feedback, burden, answered by new counsellors.
NUM_OUTCOMES = 4
_SERVICE = int(LegKind.SERVICE)
#: Instead of a row of the queue: the rule takes the first decision, too.
RULE_DECIDES = -2


@inner_kernel
def copy_centre(chance, start, state, e):  # type: ignore[no-untyped-def]
    """Put centre `e` where it starts; `latent` is shared, and legs are none yet."""
    for k in range(start.clock_f.shape[1]):
        state.clock_f[e, k] = start.clock_f[e, k]
    for k in range(start.clock_i.shape[1]):
        state.clock_i[e, k] = start.clock_i[e, k]
    for i in range(chance.size[e]):
        for k in range(start.contact_f.shape[2]):
            state.contact_f[e, i, k] = start.contact_f[e, i, k]
        for k in range(start.contact_i.shape[2]):
            state.contact_i[e, i, k] = start.contact_i[e, i, k]
    for q in range(start.clock_i[e, col.NUM_QUEUE]):
        state.queue[e, q] = start.queue[e, q]
    for j in range(start.desk_f.shape[1]):
        for k in range(start.desk_f.shape[2]):
            state.desk_f[e, j, k] = start.desk_f[e, j, k]
        for k in range(start.desk_i.shape[2]):
            state.desk_i[e, j, k] = start.desk_i[e, j, k]
        for k in range(start.free.shape[2]):
            state.free[e, j, k] = start.free[e, j, k]
        for h in range(start.desk_i[e, j, col.NUM_HANDS]):
            for k in range(start.hand_f.shape[3]):
                state.hand_f[e, j, h, k] = start.hand_f[e, j, h, k]
            for k in range(start.hand_i.shape[3]):
                state.hand_i[e, j, h, k] = start.hand_i[e, j, h, k]
    for h in range(start.heap_i.shape[1]):
        for p in range(start.heap_i[e, h, 0] + 1):
            state.heap_f[e, h, p], state.heap_i[e, h, p] = start.heap_f[e, h, p], start.heap_i[e, h, p]
        for slot in range(start.desk_i.shape[1] + chance.size[e]):
            state.heap_at[e, h, slot] = start.heap_at[e, h, slot]


@kernel
def begin(plan, chance, state):  # type: ignore[no-untyped-def]
    """Put every centre in order, and realise the feedback of the contacts that are in hand where it starts."""
    for e in range(state.clock_f.shape[0]):
        kernels.put_in_order(plan, chance, state, e)
        total = 0.0
        for j in range(state.desk_i.shape[1]):
            for h in range(state.desk_i[e, j, col.NUM_HANDS]):
                if state.hand_i[e, j, h, col.LEG] == _SERVICE:
                    i = state.hand_i[e, j, h, col.CONTACT]
                    taken = state.desk_i[e, j, col.TAKEN]
                    feedback, _ = draws.realise_pair(
                        plan.law, chance.callers_f[e], chance.keys[e], chance.staff[e], chance.known[e], i, j, 0, taken
                    )
                    state.contact_f[e, i, col.FEEDBACK] = (feedback - 1.0) / 4.0
                    total += state.contact_f[e, i, col.FEEDBACK]
        state.clock_f[e, col.FEEDBACK_SUM] = total


@kernel
def play(plan, chance, start, state, first, last, row, j, rule, params, until, outcome):  # type: ignore[no-untyped-def]
    """Play futures `first` to `last`: one decision, the rest by a rule; write outcomes `[last - first, 4]`.

    They stop at the end, or at the first decision epoch from minute `until` on.

    `row` is a row of the queue, which counsellor `j` takes, or -1 for HOLD, or `RULE_DECIDES`.
    """
    for e in range(first, last):
        copy_centre(chance, start, state, e)
        if row >= 0:
            kernels.assign(plan, chance, state, e, row, j)
        elif row != RULE_DECIDES:
            state.clock_i[e, col.ASKING] = 0
        rules.finish(plan, chance, state, e, rule, params, until)
        outcome[e - first, 0] = state.clock_i[e, col.ANSWERED]
        outcome[e - first, 1] = state.clock_f[e, col.FEEDBACK_SUM]
        outcome[e - first, 2] = load.burden(plan, state, e)
        outcome[e - first, 3] = state.clock_i[e, col.ANSWERED_NEW]

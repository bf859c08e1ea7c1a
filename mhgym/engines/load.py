"""The counsellors' accounts of load in the packed arrays, as `metrics.burden` keeps them; see `engines.columns`."""

from mhgym.compiling import inlined_kernel, inner_kernel
from mhgym.engines import columns as col


@inner_kernel
def staffed_between(plan, state, e, j, begin, end):  # type: ignore[no-untyped-def]
    """Staffed minutes of a counsellor between two times, the first not before the account."""
    k, last = state.desk_i[e, j, col.INTERVAL], plan.staffed_range[j, 1]
    minutes = 0.0
    while k < last and plan.staffed[k, 0] < end:
        minutes += max(0.0, min(end, plan.staffed[k, 1]) - max(begin, plan.staffed[k, 0]))
        k += 1
    return minutes


@inner_kernel
def load_until(plan, state, e, j, now):  # type: ignore[no-untyped-def]
    """Busy, staffed busy, excess and multiple high-risk minutes of a counsellor if settled at `now`."""
    desk = state.desk_f[e, j]
    busy, inside, excess, multi = desk[col.BUSY], desk[col.INSIDE], desk[col.EXCESS], desk[col.MULTI]
    begin = desk[col.SETTLED_AT]
    if state.clock_i[e, col.OVER] or state.desk_i[e, j, col.NUM_HANDS] == 0 or now <= begin:
        return busy, inside, excess, multi
    inside += staffed_between(plan, state, e, j, begin, now)
    beyond = now - desk[col.STREAK_START] - plan.burden[1]
    if beyond > 0.0:
        excess += min(now - begin, beyond)
    if state.desk_i[e, j, col.HIGH_RISK] > 1:
        multi += now - begin
    return busy + (now - begin), inside, excess, multi


@inlined_kernel
def settle(plan, state, e, j, time):  # type: ignore[no-untyped-def]
    """Book a counsellor's open minutes up to a time; to be called before anything in hand changes."""
    now = min(time, plan.rules_f[col.UNTIL])
    desk = state.desk_f[e, j]
    hands = state.desk_i[e, j, col.NUM_HANDS]
    if hands > 0 and now > desk[col.SETTLED_AT]:
        busy, inside, excess, multi = load_until(plan, state, e, j, now)
        desk[col.BUSY], desk[col.INSIDE], desk[col.EXCESS], desk[col.MULTI] = busy, inside, excess, multi
        desk[col.BUSY_UNTIL] = now
    desk[col.SETTLED_AT] = now
    k, last = state.desk_i[e, j, col.INTERVAL], plan.staffed_range[j, 1]
    while k < last and plan.staffed[k, 1] <= now:
        k += 1
    state.desk_i[e, j, col.INTERVAL] = k
    if hands == 0 and now - desk[col.BUSY_UNTIL] >= plan.burden[2]:
        desk[col.STREAK_START] = now


@inlined_kernel
def burden(plan, state, e):  # type: ignore[no-untyped-def]
    """The burden KPI if nothing more were to happen."""
    now = min(max(state.clock_f[e, col.NOW], state.clock_f[e, col.LAST_END]), plan.rules_f[col.UNTIL])
    total = 0.0
    num = plan.people_i.shape[0]
    for j in range(num):
        staffed = plan.staffed_minutes[j]
        if staffed > 0.0:
            busy, inside, excess, multi = load_until(plan, state, e, j, now)
            penalty = (excess + max(0.0, busy - inside) + multi) / staffed
            above = min(1.0, inside / staffed) - plan.burden[0]
            total += penalty + above * above if above > 0.0 else penalty
    return min(0.0, -total / num)

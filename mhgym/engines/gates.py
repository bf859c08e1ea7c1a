"""What lets a compiled rule hold: pairs it does not take now, and the least index with few counsellors idle.

Each function decides as its policy in `agents.index_rules_holding` does.
"""

import numpy as np

from mhgym.compiling import kernel
from mhgym.domain.contact import LegKind
from mhgym.engines import columns as col
from mhgym.engines import forecasts, kernels
from mhgym.engines.indices import FIRST_LEVEL, LAPSE, NUM_LEVELS
from mhgym.processes import draws

_SERVICE = int(LegKind.SERVICE)
_HIGH = 2  # domain.Risk.HIGH


@kernel
def spare_slots(plan, state, e):  # type: ignore[no-untyped-def]
    """Free slots, of counsellors who can take something now, that may take a contact of high risk."""
    slots = 0
    for h in range(col.IDLE, state.heap_i.shape[1]):
        for p in range(1, state.heap_i[e, h, 0] + 1):
            j = state.heap_i[e, h, p]
            if plan.people_i[j, col.RISKS + _HIGH] and kernels.can_take(plan, state, e, j):
                slots += state.desk_i[e, j, col.NUM_FREE]
    return slots


@kernel
def threshold(plan, state, e, params):  # type: ignore[no-untyped-def]
    """The least index that `BEST_MATCH` routes, by the number of counsellors who can take something now."""
    if state.clock_f[e, col.NOW] >= plan.rules_f[col.HORIZON] - params[LAPSE]:
        return -np.inf
    idle = 0
    for h in range(col.IDLE, state.heap_i.shape[1]):
        for p in range(1, state.heap_i[e, h, 0] + 1):
            idle += kernels.can_take(plan, state, e, state.heap_i[e, h, p])
    return params[FIRST_LEVEL + min(max(idle, 1), NUM_LEVELS) - 1]


@kernel
def minutes_until_free(plan, chance, state, e, j):  # type: ignore[no-untyped-def]
    """Predicted minutes until a fully occupied counsellor has a free slot; infinite for all others.

    Those who leave for a break next, or would take nothing any more by then, count as others.
    """
    desk_f, desk_i = state.desk_f[e, j], state.desk_i[e, j]
    now, least = state.clock_f[e, col.NOW], np.inf
    full = desk_i[col.NUM_HANDS] >= plan.people_i[j, col.CAPACITY]
    if not full or not desk_i[col.ON_DUTY] or desk_i[col.ON_BREAK] or desk_f[col.BREAK_DUE] != 0.0:
        return np.inf
    for k in range(desk_i[col.NUM_HANDS]):
        rest = forecasts.predict_hand(plan, chance, state, e, j, k)
        if state.hand_i[e, j, k, col.LEG] == _SERVICE and now < state.hand_f[e, j, k, col.SERVICE_END]:
            rest += plan.rules_f[col.WRAP_UP]
        least = min(least, rest)
    return least if now + least < desk_f[col.TAKES_UNTIL] else np.inf


@kernel
def quality_elsewhere(plan, chance, state, e, longest, i):  # type: ignore[no-untyped-def]
    """The best quality that a waiting contact can expect of a counsellor who is busy now; -infinite without one.

    Predicted quality times the chance 1 / (1 + rest / patience) that the caller is still there, where both times are
    taken as exponential; `longest` bounds the rest.
    """
    best = -np.inf
    patience, risk = chance.callers_f[e, i, draws.PATIENCE_MEAN], chance.callers_i[e, i, col.RISK]
    for j in range(plan.people_i.shape[0]):
        if plan.people_i[j, col.RISKS + risk]:
            rest = minutes_until_free(plan, chance, state, e, j)
            if rest <= longest and rest < np.inf:
                quality, _ = forecasts.predict_shown(plan, chance, state, e, i, j)
                best = max(best, quality / (1.0 + rest / patience))
    return best

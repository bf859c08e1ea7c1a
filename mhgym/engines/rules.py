"""Whole episodes under simple rules, in compiled code: no Python per decision.

A rule ranks pairs by a number (`engines.indices`) and some hold (`engines.gates`). Each decides as its policy in Python
does, ties included, which a test shows decision for decision.
"""

from collections.abc import Sequence

import numpy as np

from mhgym.compiling import inlined_kernel, inner_kernel, kernel
from mhgym.engines import columns as col
from mhgym.engines import gates, kernels
from mhgym.engines.columns import Floats
from mhgym.engines.forecasts import predict_shown
from mhgym.engines.indices import (
    GAIN,
    HIGH_RISK_FIRST,
    LEAST,
    LONGEST,
    OLDEST_FIRST,
    QUALITY_FLOOR,
    Rule,
    index_value,
)
from mhgym.processes import draws

__all__ = [
    "NO_PARAMS",
    "NUM_PARAMS",
    "QUALITY_FLOOR",
    "Rule",
    "choose",
    "finish",
    "pack_params",
    "params_of",
    "run",
]

#: Room for the parameters of a rule: one size for all, so that one compiled function serves every rule.
NUM_PARAMS = 8


def pack_params(values: Sequence[float] = ()) -> Floats:
    """`[NUM_PARAMS]` parameters of a rule, in the order that `Rule` documents, the rest 0.

    Raises:
        ValueError: If there are more than there is room for.
    """
    if len(values) > NUM_PARAMS:
        raise ValueError(f"a rule has at most {NUM_PARAMS} parameters, got {len(values)}")
    params = np.zeros(NUM_PARAMS)
    params[: len(values)] = values
    return params


#: Of a rule that has no parameters.
NO_PARAMS = pack_params()


def params_of(policy: object) -> Floats:
    """The packed `compiled_params` of a policy that names a `compiled_rule`; none if it has no parameters."""
    return pack_params(getattr(policy, "compiled_params", ()))


_FIRST_COME, _LAST_COME, _SEVERE = int(Rule.FIRST_COME), int(Rule.LAST_COME), int(Rule.MOST_SEVERE_FIRST)
_CMT, _CMU_THETA, _FASTEST_SERVER = int(Rule.CMT), int(Rule.CMU_THETA), int(Rule.FASTEST_SERVER)
_RESERVE, _CMT_WAIT, _BEST_MATCH = int(Rule.RESERVE), int(Rule.CMT_WAIT), int(Rule.BEST_MATCH)
_LIKELY_THERE, _NEWEST_WITHIN = int(Rule.LIKELY_THERE), int(Rule.NEWEST_WITHIN)
#: To these a contact's counsellors are all alike.
_ALIKE = (_FIRST_COME, _LAST_COME, _SEVERE, _RESERVE, _LIKELY_THERE, _NEWEST_WITHIN)
_HIGH = 2  # domain.Risk.HIGH


@inner_kernel
def log_probability_there(chance, state, e, i):  # type: ignore[no-untyped-def]
    """Logarithm of the chance that a waiting contact has not left, for exponential patience."""
    wait = state.clock_f[e, col.NOW] - state.contact_f[e, i, col.JOINED_AT]
    return -wait / chance.callers_f[e, i, draws.PATIENCE_MEAN]


@inner_kernel
def index_of(plan, chance, state, e, rule, params, row, j):  # type: ignore[no-untyped-def]
    """The number by which a rule ranks a pair; the largest is routed first."""
    i = state.queue[e, row]
    if rule == _LAST_COME:
        return float(row)
    if rule in (_SEVERE, _RESERVE):
        return float(chance.callers_i[e, i, col.RISK])
    if rule == _FIRST_COME or (rule == _LIKELY_THERE and params[OLDEST_FIRST] > 0.0):
        return 0.0
    if rule == _LIKELY_THERE:
        return log_probability_there(chance, state, e, i)
    wait = state.clock_f[e, col.NOW] - state.contact_f[e, i, col.JOINED_AT]
    if rule == _NEWEST_WITHIN:
        return float(row) if wait <= params[0] else -1.0 - row
    quality, minutes = predict_shown(plan, chance, state, e, i, j)
    patience = chance.callers_f[e, i, draws.PATIENCE_MEAN]
    if rule in (_CMT, _CMT_WAIT):
        return max(quality, QUALITY_FLOOR) / (minutes * patience)
    if rule == _CMU_THETA:
        return max(quality, QUALITY_FLOOR) * (patience + params[0]) / minutes
    return index_value(rule, params, quality, minutes, patience, wait, chance.callers_i[e, i, col.RISK])


@inner_kernel
def barred(plan, chance, state, e, rule, params, limit, i, j):  # type: ignore[no-untyped-def]
    """Whether a rule keeps a legal pair waiting; `limit` is what `gates` found for the centre or the contact."""
    if rule == _RESERVE:
        high = chance.callers_i[e, i, col.RISK] == _HIGH
        return not high and plan.people_i[j, col.RISKS + _HIGH] != 0 and limit <= params[0]
    quality, _ = predict_shown(plan, chance, state, e, i, j)
    return limit > params[GAIN] * max(quality, QUALITY_FLOOR)


@inner_kernel
def idler(state, e, j, other):  # type: ignore[no-untyped-def]
    """Whether a counsellor comes before another among those who may take a contact."""
    since = state.free[e, j, 0] if state.desk_i[e, j, col.NUM_FREE] > 0 else np.inf
    others = state.free[e, other, 0] if state.desk_i[e, other, col.NUM_FREE] > 0 else np.inf
    return since < others or (since == others and j < other)


@inlined_kernel
def choose(plan, chance, state, e, rule, params):  # type: ignore[no-untyped-def]
    """The pair that a rule routes, row -1 for HOLD; ties go to the first in the queue, the longest idle, the lowest."""
    best, best_row, best_j, limit, best_urgent = -np.inf, -1, -1, 0.0, False
    waits = rule in (_CMT_WAIT, _BEST_MATCH) and params[LONGEST] > 0.0
    if rule == _RESERVE:
        limit = float(gates.spare_slots(plan, state, e))
    for row in range(state.clock_i[e, col.NUM_QUEUE]):
        i = state.queue[e, row]
        risk = chance.callers_i[e, i, col.RISK]
        if rule == _LIKELY_THERE and log_probability_there(chance, state, e, i) < params[LEAST]:
            continue
        urgent = rule == _LIKELY_THERE and params[HIGH_RISK_FIRST] > 0.0 and risk == _HIGH
        if best_urgent and not urgent:
            continue
        if waits:
            limit = gates.quality_elsewhere(plan, chance, state, e, params[LONGEST], i)
        for h in range(col.IDLE, state.heap_i.shape[1]):
            idle = state.heap_i[e, h]
            for p in range(1, idle[0] + 1):
                j = idle[p]
                if not kernels.suits(plan, chance, state, e, i, j):
                    break  # like everybody in this group
                if not kernels.takes(plan, state, e, j):
                    continue
                if (waits or rule == _RESERVE) and barred(plan, chance, state, e, rule, params, limit, i, j):
                    continue
                index = index_of(plan, chance, state, e, rule, params, row, j)
                tied = row == best_row and index == best
                if index > best or urgent > best_urgent or best_row < 0 or (tied and idler(state, e, j, best_j)):
                    best, best_row, best_j, best_urgent = index, row, j, urgent
                if p == 1 and rule in _ALIKE:
                    break  # nobody in the group is idler than the first
        if best_row >= 0 and rule in (_FIRST_COME, _FASTEST_SERVER):
            break
    if rule == _BEST_MATCH and best_row >= 0 and best < gates.threshold(plan, state, e, params):
        return -1, -1
    return best_row, best_j


@kernel
def run(plan, chance, state, e, rule, params):  # type: ignore[no-untyped-def]
    """Play an episode from the start to its end; the number of decisions."""
    kernels.reset(plan, state, e)
    return finish(plan, chance, state, e, rule, params, np.inf)


@kernel
def finish(plan, chance, state, e, rule, params, until):  # type: ignore[no-untyped-def]
    """Play on to the end of the episode, or to the first decision epoch from `until` on; the number of decisions."""
    decisions = 0
    while kernels.advance(plan, chance, state, e) and state.clock_f[e, col.NOW] < until:
        row, j = choose(plan, chance, state, e, rule, params)
        if row < 0:
            state.clock_i[e, col.ASKING] = 0
        else:
            kernels.assign(plan, chance, state, e, row, j)
        decisions += 1
    return decisions

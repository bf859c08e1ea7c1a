"""Whole episodes under the simplest rules, in compiled code: no Python per decision.

Each rule decides as its policy in Python does, ties included, which a test shows decision for decision.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np

from mhgym.compiling import inlined_kernel, kernel
from mhgym.engines import columns as col
from mhgym.engines import kernels
from mhgym.engines.columns import Floats
from mhgym.engines.compiled import CompiledEngine
from mhgym.processes import draws
from mhgym.trace import Trace

#: Least quality in an index, so that the worst pairs are still ranked by time. Assumption: Kleinerman et al. 2022 do
#: not say what their index does with a predicted feedback of 1, which is a quality of 0.
QUALITY_FLOOR = 0.02
#: Room for the parameters of a rule: one size for all, so that one compiled function serves every rule.
NUM_PARAMS = 8


class Rule(IntEnum):
    """The rules that have a compiled form; what a policy names in `compiled_rule`."""

    FIRST_COME = 0
    LAST_COME = 1
    MOST_SEVERE_FIRST = 2
    CMT = 3
    CMU_THETA = 4


def pack_params(values: Sequence[float] = ()) -> Floats:
    """`[NUM_PARAMS]` parameters of a rule, in the order that the rule documents, the rest 0.

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

_LAST_COME, _SEVERE = int(Rule.LAST_COME), int(Rule.MOST_SEVERE_FIRST)
_CMT, _CMU_THETA = int(Rule.CMT), int(Rule.CMU_THETA)


@inlined_kernel
def index_of(plan, chance, state, e, rule, params, row, j):  # type: ignore[no-untyped-def]
    """The number by which a rule ranks a pair; the largest is routed first."""
    i = state.queue[e, row]
    if rule == _LAST_COME:
        return float(row)
    if rule == _SEVERE:
        return float(chance.callers_i[e, i, col.RISK])
    if rule != _CMT and rule != _CMU_THETA:
        return 0.0
    args = (plan.law, chance.callers_f[e], chance.keys[e], chance.staff[e], chance.known[e])
    feedback, minutes = draws.predict_pair(*args, i, j, state.desk_i[e, j, col.CHATS])
    if state.contact_i[e, i, col.TRANSFERS] > 0:
        minutes = state.contact_f[e, i, col.PREDICTED_REST]
    quality = max((feedback - 1.0) / 4.0, QUALITY_FLOOR)
    patience = chance.callers_f[e, i, draws.PATIENCE_MEAN]
    return quality / (minutes * patience) if rule == _CMT else quality * patience / minutes


@inlined_kernel
def choose(plan, chance, state, e, rule, params):  # type: ignore[no-untyped-def]
    """The pair that a rule routes, row -1 for HOLD; ties go to the first in the queue, the longest idle, the lowest."""
    size = plan.people_i.shape[0]
    best, best_row, best_j = -np.inf, -1, -1
    for row in range(state.clock_i[e, col.NUM_QUEUE]):
        risk = chance.callers_i[e, state.queue[e, row], col.RISK]
        for j in range(size):
            if plan.people_i[j, col.RISKS + risk] and kernels.can_take(plan, state, e, j):
                index = index_of(plan, chance, state, e, rule, params, row, j)
                idler = row == best_row and index == best and state.free[e, j, 0] < state.free[e, best_j, 0]
                if index > best or best_row < 0 or idler:
                    best, best_row, best_j = index, row, j
        if rule == 0 and best_row >= 0:
            break
    return best_row, best_j


@kernel
def run(plan, chance, state, e, rule, params):  # type: ignore[no-untyped-def]
    """Play an episode from the start to its end; the number of decisions."""
    kernels.reset(plan, state, e)
    return finish(plan, chance, state, e, rule, params)


@kernel
def finish(plan, chance, state, e, rule, params):  # type: ignore[no-untyped-def]
    """Play on to the end of the episode; the number of decisions."""
    decisions = 0
    while kernels.advance(plan, chance, state, e):
        row, j = choose(plan, chance, state, e, rule, params)
        if row < 0:
            state.clock_i[e, col.ASKING] = 0
        else:
            kernels.assign(plan, chance, state, e, row, j)
        decisions += 1
    return decisions


def run_rule(engine: CompiledEngine, trace: Trace, rule: Rule, params: Floats = NO_PARAMS) -> int:
    """Let a rule route one trace on an engine, whose log and KPIs are then complete; the number of decisions."""
    engine.reset(trace)
    return int(run(engine.plan, engine.chance, engine.state, 0, int(rule), params))

"""What a compiled rule would do in every centre of a batch, as actions: what imitation learns from."""

import numpy as np
from numpy.typing import NDArray

from mhgym.compiling import kernel
from mhgym.engines import columns as col
from mhgym.engines import rules
from mhgym.engines.columns import Chance, Floats, Plan, State

#: Where a rule routes a contact that no queue slot shows.
NO_ACTION = -1


def label_actions(
    plan: Plan, chance: Chance, state: State, rule: int, params: Floats, num_slots: int, num_counsellors: int
) -> NDArray[np.int64]:
    """`[E]` the action of a rule in each centre, HOLD where it waits or nothing is asked; `NO_ACTION` if none says it.

    Args:
        plan: Shared by the batch.
        chance: Traces.
        state: Is not changed.
        rule: One of `engines.rules.Rule`.
        params: `[NUM_PARAMS]`, see `engines.rules.pack_params`.
        num_slots: N queue slots.
        num_counsellors: C counsellors, padding included.
    """
    actions = np.empty(len(chance.size), dtype=np.int64)
    write_labels(plan, chance, state, rule, params, num_slots, num_counsellors, actions)
    return actions


@kernel
def write_labels(plan, chance, state, rule, params, num_slots, num_padded, actions):  # type: ignore[no-untyped-def]
    """Write `label_actions`; rows and slots are as in `slots.shown_rows`."""
    recent = num_slots // 2
    for e in range(actions.size):
        actions[e] = num_slots * num_padded
        if not state.clock_i[e, col.ASKING]:
            continue
        row, j = rules.choose(plan, chance, state, e, rule, params)
        if row < 0:
            continue
        waiting = state.clock_i[e, col.NUM_QUEUE]
        slot = row
        if waiting > num_slots and row >= num_slots - recent:
            slot = row - waiting + num_slots if row >= waiting - recent else NO_ACTION
        actions[e] = slot * num_padded + j if slot >= 0 else NO_ACTION

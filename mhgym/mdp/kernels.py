"""Compiled observation, mask, reward and step of a batch. The Python modules beside it are the definition.

`N` queue slots, `C` counsellors (padding included), `E` centres; see `engines.columns` for plan, chance and state.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from mhgym.compiling import inner_kernel, kernel
from mhgym.domain import RISKS, ROLES
from mhgym.engines import addresses, kernels, load
from mhgym.engines import columns as col
from mhgym.engines.columns import Chance, Plan, State
from mhgym.engines.forecasts import predict, predict_hand, predict_shown
from mhgym.mdp.observation import (
    COUNSELLOR_FEATURES,
    DAY,
    GLOBAL_FEATURES,
    HIGH,
    HOUR,
    LOW,
    PAIR_FEATURES,
    QUEUE_FEATURES,
    TEN,
)
from mhgym.processes import draws

_NUM_GLOBAL, _NUM_QUEUE = len(GLOBAL_FEATURES), len(QUEUE_FEATURES)
_NUM_COUNSELLOR, _NUM_PAIR = len(COUNSELLOR_FEATURES), len(PAIR_FEATURES)
_NUM_RISKS, _NUM_ROLES = len(RISKS), len(ROLES)
_MOST_RECENT = int(HIGH * TEN)  # arrivals; more do not show


@inner_kernel
def clip(value):  # type: ignore[no-untyped-def]
    """A feature within the bounds of the observation."""
    return min(max(value, LOW), HIGH)


@inner_kernel
def shown_row(slot, waiting, num_slots):  # type: ignore[no-untyped-def]
    """The row of the queue that a slot shows; -1 for an empty slot."""
    if slot >= min(waiting, num_slots):
        return -1
    if waiting <= num_slots or slot < num_slots - num_slots // 2:
        return slot
    return waiting - num_slots + slot


@inner_kernel
def predicted_release(plan, chance, state, e, j):  # type: ignore[no-untyped-def]
    """Predicted minutes until counsellor `j` is done with the first contact in hand; 0 with nothing in hand."""
    least = np.inf
    for k in range(state.desk_i[e, j, col.NUM_HANDS]):
        least = min(least, predict_hand(plan, chance, state, e, j, k))
    return 0.0 if least == np.inf else least


@inner_kernel
def observe_globals(plan, chance, state, e, num_slots, num_padded, out):  # type: ignore[no-untyped-def]
    """The first block, in the order of `GLOBAL_FEATURES`."""
    now, horizon = state.clock_f[e, col.NOW], plan.rules_f[col.HORIZON]
    waiting, arrived = state.clock_i[e, col.NUM_QUEUE], state.clock_i[e, col.NUM_ARRIVED]
    on_duty, takers, recent = 0, 0, 0
    for j in range(plan.people_i.shape[0]):
        on_duty += state.desk_i[e, j, col.ON_DUTY]
        takers += kernels.can_take(plan, state, e, j)
    while recent < min(arrived, _MOST_RECENT) and chance.callers_f[e, arrived - recent - 1, col.ARRIVED] > now - HOUR:
        recent += 1
    angle = 2.0 * math.pi * (now % DAY) / DAY
    out[0] = clip(now / horizon)
    out[1] = clip((horizon - now) / HOUR)
    out[2] = math.sin(angle)
    out[3] = math.cos(angle)
    out[4] = clip(waiting / num_slots)
    out[5] = clip(max(0, waiting - num_slots) / num_slots)
    out[6] = on_duty / num_padded
    out[7] = takers / num_padded
    out[8] = clip(recent / TEN)


@inner_kernel
def observe_contact(chance, state, e, i, out):  # type: ignore[no-untyped-def]
    """One row of the queue block, in the order of `QUEUE_FEATURES`."""
    wait = state.clock_f[e, col.NOW] - state.contact_f[e, i, col.JOINED_AT]
    patience = chance.callers_f[e, i, draws.PATIENCE_MEAN]
    out[0] = 1.0
    out[1] = clip(wait / TEN)
    out[2] = clip(patience / TEN)
    out[3] = clip(wait / patience)
    out[4] = state.contact_i[e, i, col.TRANSFERS] > 0
    out[5] = chance.callers_i[e, i, col.CALLER_TYPE] == 1
    out[6 + chance.callers_i[e, i, col.RISK]] = 1.0


@inner_kernel
def observe_counsellor(plan, chance, state, e, j, out):  # type: ignore[no-untyped-def]
    """One row of the block of counsellors, in the order of `COUNSELLOR_FEATURES`."""
    now = state.clock_f[e, col.NOW]
    desk_i, desk_f = state.desk_i[e, j], state.desk_f[e, j]
    out[0] = 1.0
    out[1] = desk_i[col.ON_DUTY]
    out[2] = desk_i[col.ON_BREAK]
    out[3] = kernels.can_take(plan, state, e, j)
    out[4] = desk_i[col.NUM_HANDS] / plan.people_i[j, col.CAPACITY]
    out[5] = clip(plan.people_i[j, col.CAPACITY] / TEN)
    out[6] = clip(desk_i[col.CHATS] / TEN)
    out[7] = now < plan.new_until[j]
    if desk_i[col.NUM_FREE] > 0:
        out[8] = clip((now - state.free[e, j, 0]) / HOUR)
    if desk_i[col.NUM_HANDS] > 0:
        out[9] = clip((now - desk_f[col.BUSY_SINCE]) / HOUR)
    if desk_i[col.ON_DUTY]:
        out[10] = clip((plan.shifts_f[plan.first_shift[j] + desk_i[col.SHIFT], col.SHIFT_END] - now) / HOUR)
    out[11] = clip(predicted_release(plan, chance, state, e, j) / HOUR)
    out[12 + plan.people_i[j, col.ROLE]] = 1.0


@inner_kernel
def observe(plan, chance, state, e, num_slots, num_padded, out, mask):  # type: ignore[no-untyped-def]
    """Write one observation `[size]` and its mask `[N * C + 1]`; HOLD alone is legal when the episode is over."""
    out[:] = 0.0
    mask[:] = 0
    mask[num_slots * num_padded] = 1
    observe_globals(plan, chance, state, e, num_slots, num_padded, out)
    size = plan.people_i.shape[0]
    first_counsellor = _NUM_GLOBAL + num_slots * _NUM_QUEUE
    first_pair = first_counsellor + num_padded * _NUM_COUNSELLOR
    for j in range(size):
        start = first_counsellor + j * _NUM_COUNSELLOR
        observe_counsellor(plan, chance, state, e, j, out[start : start + _NUM_COUNSELLOR])
    waiting = state.clock_i[e, col.NUM_QUEUE]
    for slot in range(min(waiting, num_slots)):
        i = state.queue[e, shown_row(slot, waiting, num_slots)]
        start = _NUM_GLOBAL + slot * _NUM_QUEUE
        observe_contact(chance, state, e, i, out[start : start + _NUM_QUEUE])
        for j in range(size):
            feedback, minutes = predict(plan, chance, state, e, i, j)
            if state.contact_i[e, i, col.TRANSFERS] > 0:
                minutes = state.contact_f[e, i, col.PREDICTED_REST]
            takes = out[first_counsellor + j * _NUM_COUNSELLOR + 3] > 0.0
            legal = takes and plan.people_i[j, col.RISKS + chance.callers_i[e, i, col.RISK]] == 1
            start = first_pair + (slot * num_padded + j) * _NUM_PAIR
            out[start] = legal
            out[start + 1] = (feedback - 1.0) / 4.0
            out[start + 2] = clip(minutes / HOUR)
            mask[slot * num_padded + j] = legal and state.clock_i[e, col.ASKING]
    if plan.rules_i[col.INBOXES]:
        observe_inboxes(plan, chance, state, e, num_slots, num_padded, out[first_pair:], mask)


@kernel
def observe_inboxes(plan, chance, state, e, num_slots, num_padded, pairs, mask):  # type: ignore[no-untyped-def]
    """Correct pairs and mask for what waits in inboxes, and write the blocks of `INBOX_FEATURES` behind the pairs."""
    out = pairs[num_slots * num_padded * _NUM_PAIR :]
    waiting, first_counsellor, first_pair = state.clock_i[e, col.NUM_QUEUE], 2 * num_slots, 2 * (num_slots + num_padded)
    for j in range(plan.people_i.shape[0]):
        out[first_counsellor + 2 * j] = clip(state.desk_i[e, j, col.PENDING] / TEN)
        out[first_counsellor + 2 * j + 1] = clip(kernels.room(plan, state, e, j) / TEN)
    for slot in range(min(waiting, num_slots)):
        i = state.queue[e, shown_row(slot, waiting, num_slots)]
        owner = state.contact_i[e, i, col.INBOX]
        out[2 * slot] = owner >= 0
        out[2 * slot + 1] = clip(state.contact_i[e, i, col.BRIDGES] / TEN)
        if owner >= 0:
            out[first_pair + slot * num_padded + owner] = 1.0
        for j in range(plan.people_i.shape[0]):
            quality, minutes = predict_shown(plan, chance, state, e, i, j)
            legal = kernels.takes(plan, state, e, j) and kernels.suits(plan, chance, state, e, i, j)
            action = slot * num_padded + j
            pairs[action * _NUM_PAIR] = legal
            pairs[action * _NUM_PAIR + 1], pairs[action * _NUM_PAIR + 2] = quality, clip(minutes / HOUR)
            mask[action] = legal and state.clock_i[e, col.ASKING]


@inner_kernel
def pay(plan, chance, state, e, reward):  # type: ignore[no-untyped-def]
    """Write the change of the running KPIs `[4]` since the last payment; see `mdp.reward`."""
    offered = max(1, chance.offered[e])
    answered = state.clock_i[e, col.ANSWERED]
    gap = 0.0
    if answered > 0 and plan.new_share_of_time[0] > 0.0:
        gap = -max(0.0, plan.new_share_of_time[0] - state.clock_i[e, col.ANSWERED_NEW] / answered)
    reward[0] = state.clock_f[e, col.FEEDBACK_SUM] / offered
    reward[1] = answered / offered
    reward[2] = load.burden(plan, state, e)
    reward[3] = gap
    for k in range(4):
        running = reward[k]
        reward[k] = running - state.paid[e, k]
        state.paid[e, k] = running


class Batch(NamedTuple):
    """All that compiled steps of `E` centres read and write.

    Attributes:
        plan: Shared by the batch.
        chance: Traces.
        state: Changed in place.
        obs: `[E, size]` observations.
        mask: `[E, N * C + 1]` legal actions; HOLD alone when the episode is over.
        reward: `[E, 4]` components in the order of `metrics.COMPONENTS`.
        elapsed: `[E]` minutes since the decision before.
        over: `[E]` whether the episode has ended.
    """

    plan: Plan
    chance: Chance
    state: State
    obs: NDArray[np.float32]
    mask: NDArray[np.int8]
    reward: col.Floats
    elapsed: col.Floats
    over: NDArray[np.bool_]


_WRITTEN = addresses.kind_of(Batch, "s2 c2 f2 f1 b1").types
BATCH = types.NamedTuple([addresses.PLAN, addresses.CHANCE, addresses.STATE, *_WRITTEN], Batch)  # type: ignore[no-untyped-call]


@kernel
def locate(room, batch):  # type: ignore[no-untyped-def]
    """Write where the arrays of a batch are."""
    addresses.write_addresses(room, batch, BATCH)


@inner_kernel
def decide(plan, chance, state, e, action, num_slots, num_padded):  # type: ignore[no-untyped-def]
    """Assign the pair of an action; an illegal action is a HOLD and is counted."""
    hold = num_slots * num_padded
    taken = False
    if 0 <= action < hold:
        row = shown_row(action // num_padded, state.clock_i[e, col.NUM_QUEUE], num_slots)
        taken = row >= 0 and kernels.assign(plan, chance, state, e, row, action % num_padded)
    if not taken:
        state.clock_i[e, col.ILLEGAL] += action != hold
        state.clock_i[e, col.ASKING] = 0


#: What `run` does: begin episodes, step them, or only show them anew.
BEGIN, STEP, OBSERVE = range(3)


def _run_of_layout(layout: int) -> Any:
    """The kernel that Python calls.

    It is one for all three jobs, since each would hold a copy of all that can happen in a centre, and compile it.

    Args:
        layout: Stands for the layout of a batch. Numba keys compiled code by the types of arguments and by what a
            closure holds; the room has one type whatever the layout, so the layout is held.
    """

    @kernel
    def run(room, job, active, actions, num_slots, num_padded):  # type: ignore[no-untyped-def]
        """Run the active centres of a batch to their next decision epoch and write what follows.

        Args:
            room: Where the arrays of the batch are, see `locate`.
            job: `BEGIN` resets them first, `STEP` decides first, `OBSERVE` only writes observations and masks.
            active: `[E]` which centres; the others keep what they show.
            actions: `[E]` what `STEP` decides.
            num_slots: N.
            num_padded: C.

        Returns:
            How many episodes have ended.
        """
        plan, chance, state, obs, mask, reward, elapsed, over = addresses.read_addresses(room, BATCH, layout)
        ended = 0
        for e in range(active.size):
            if not active[e]:
                continue
            if job == BEGIN:
                kernels.reset(plan, state, e)
            elif job == STEP:
                decide(plan, chance, state, e, actions[e], num_slots, num_padded)
            if job != OBSERVE:
                kernels.advance(plan, chance, state, e)
                elapsed[e] = state.clock_f[e, col.NOW] - state.clock_f[e, col.DECIDED_AT]
                state.clock_f[e, col.DECIDED_AT] = state.clock_f[e, col.NOW]
            if job == BEGIN:
                reward[e] = 0.0
                over[e] = False
            elif job == STEP:
                pay(plan, chance, state, e, reward[e])
                over[e] = state.clock_i[e, col.OVER] == 1
                ended += over[e]
            observe(plan, chance, state, e, num_slots, num_padded, obs[e], mask[e])
        return ended

    return run


run = _run_of_layout(addresses.layout_of(BATCH))

"""Compiled loops around the kernels, so that a measurement holds no Python.

They are compiled anew in each run: Numba's cache would not notice an edited kernel in another file. Like the kernels
they make no arrays and count no references, see `mhgym.compiling`.
"""

from numba import njit

from mhgym.engines import columns as col
from mhgym.engines import kernels as centre
from mhgym.engines import rules
from mhgym.mdp import kernels as mdp

_FIRST_COME = int(rules.Rule.FIRST_COME)
#: What a step does: events only, reward too, all of the observation but its pairs, all of it.
EVENTS, REWARD, NO_PAIRS, FULL = range(4)

_NUM_GLOBAL, _NUM_QUEUE, _NUM_COUNSELLOR = mdp._NUM_GLOBAL, mdp._NUM_QUEUE, mdp._NUM_COUNSELLOR


@njit(nogil=True, error_model="numpy", _nrt=False)
def choose(mask, clock_i, actions):  # type: ignore[no-untyped-def]
    """Write the first legal action of every centre, HOLD, the last, being always legal; how many centres ask."""
    asking = 0
    for e in range(actions.size):
        action = 0
        while mask[e, action] == 0:
            action += 1
        actions[e] = action
        asking += clock_i[e, col.ASKING]
    return asking


@njit(nogil=True, error_model="numpy", _nrt=False)
def reload(chance, pool, over, cursor):  # type: ignore[no-untyped-def]
    """Put the next traces of the pool into the centres that are over; the next trace."""
    for e in range(over.size):
        if over[e]:
            chance.size[e], chance.offered[e] = pool.size[cursor], pool.offered[cursor]
            for i in range(pool.size[cursor]):
                for k in range(pool.callers_f.shape[2]):
                    chance.callers_f[e, i, k] = pool.callers_f[cursor, i, k]
                for k in range(pool.callers_i.shape[2]):
                    chance.callers_i[e, i, k] = pool.callers_i[cursor, i, k]
                for k in range(pool.keys.shape[2]):
                    chance.keys[e, i, k] = pool.keys[cursor, i, k]
            for j in range(pool.staff.shape[1]):
                for k in range(pool.staff.shape[2]):
                    chance.staff[e, j, k] = pool.staff[cursor, j, k]
            cursor = (cursor + 1) % pool.size.size
    return cursor


@njit(nogil=True, error_model="numpy", _nrt=False)
def roll(room, batch, pool, actions, active, num_slots, num_padded, cursor, decisions):  # type: ignore[no-untyped-def]
    """Take the first legal action in every centre until so many decisions are taken; their number and the next trace.

    Episodes that end start anew at once, on the next trace of the pool.
    """
    taken = 0
    while taken < decisions:
        taken += choose(batch.mask, batch.state.clock_i, actions)
        if mdp.run(room, mdp.STEP, active, actions, num_slots, num_padded) > 0:
            cursor = reload(batch.chance, pool, batch.over, cursor)
            mdp.run(room, mdp.BEGIN, batch.over, actions, num_slots, num_padded)
    return taken, cursor


@njit(nogil=True, error_model="numpy", _nrt=False, forceinline=True)
def observe_without_pairs(plan, chance, state, e, num_slots, num_padded, out, mask):  # type: ignore[no-untyped-def]
    """`mdp.kernels.observe` less its block of pairs and the mask."""
    out[:] = 0.0
    mask[:] = 0
    mdp.observe_globals(plan, chance, state, e, num_slots, num_padded, out)
    for j in range(plan.people_i.shape[0]):
        start = _NUM_GLOBAL + num_slots * _NUM_QUEUE + j * _NUM_COUNSELLOR
        mdp.observe_counsellor(plan, chance, state, e, j, out[start : start + _NUM_COUNSELLOR])
    waiting = state.clock_i[e, col.NUM_QUEUE]
    for slot in range(min(waiting, num_slots)):
        start = _NUM_GLOBAL + slot * _NUM_QUEUE
        i = state.queue[e, mdp.shown_row(slot, waiting, num_slots)]
        mdp.observe_contact(chance, state, e, i, out[start : start + _NUM_QUEUE])


@njit(nogil=True, error_model="numpy", _nrt=False)
def run_pool(plan, chance, state, params):  # type: ignore[no-untyped-def]
    """Serve every trace of a pool from beginning to end; the number of decisions."""
    decisions = 0
    for e in range(chance.size.size):
        decisions += rules.run(plan, chance, state, e, _FIRST_COME, params)
    return decisions


@njit(nogil=True, error_model="numpy", _nrt=False)
def run_parts(plan, chance, state, num_slots, num_padded, obs, mask, reward, part, params):  # type: ignore[no-untyped-def]
    """`run_pool` with as much of a step as `part` says; the number of decisions."""
    decisions = 0
    for e in range(chance.size.size):
        centre.reset(plan, state, e)
        going = centre.advance(plan, chance, state, e)
        while going:
            row, j = rules.choose(plan, chance, state, e, _FIRST_COME, params)
            mdp.decide(plan, chance, state, e, row * num_padded + j, num_slots, num_padded)
            going = centre.advance(plan, chance, state, e)
            decisions += 1
            if part >= REWARD:
                mdp.pay(plan, chance, state, e, reward)
            if part == NO_PAIRS:
                observe_without_pairs(plan, chance, state, e, num_slots, num_padded, obs, mask)
            elif part == FULL:
                mdp.observe(plan, chance, state, e, num_slots, num_padded, obs, mask)
    return decisions

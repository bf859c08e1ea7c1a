"""Heaps give their entries in order, whatever is put in, moved and taken out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mhgym.engines import heap

SLOTS = 12
_moves = st.lists(
    st.tuples(st.integers(0, SLOTS - 1), st.sampled_from([0.0, 1.0, 2.5, np.inf, None]), st.integers(0, 2)), max_size=60
)


@given(moves=_moves)
def test_the_first_is_the_least_of_what_is_in(moves: list[tuple[int, float | None, int]]) -> None:
    """Simultaneous entries come in the order of the high half of the code, then of the slot."""
    arrays = np.zeros(SLOTS + 1), np.zeros(SLOTS + 1, dtype=np.int64), np.zeros(SLOTS, dtype=np.int64)
    times, codes, places = arrays
    held: dict[int, tuple[float, int]] = {}
    for slot, time, high in moves:
        if time is None:
            heap.take_out(*arrays, slot)
            held.pop(slot, None)
        else:
            held[slot] = time, high << heap.HIGH_HALF | slot
            heap.put(*arrays, *held[slot])
        assert codes[0] == len(held)
        assert [slot for slot in range(SLOTS) if places[slot]] == sorted(held)
        assert not held or (times[1], codes[1]) == min(held.values())
    order = sorted(held.values())
    while codes[0]:
        assert (times[1], codes[1]) == order.pop(0)
        heap.take_out(*arrays, codes[1] & heap.SLOT)

"""Binary heaps in rows of arrays: the first of many is known at once, and one more or less costs their logarithm.

A heap orders entries by (time, code). The low half of a code is the entry's slot, of which a heap holds one entry at
most; the high half orders simultaneous entries before their slots do. `times` and `codes` `[slots + 1]` hold entries
from place 1 on, that of place `p` before those of `2 p` and `2 p + 1`; `codes[0]` is how many there are; `places`
`[slots]` is where each slot stands, 0 for nowhere. Zeros are an empty heap.
"""

from mhgym.compiling import kernel

#: Where the high half of a code begins, and what the low half may hold.
HIGH_HALF = 32
SLOT = (1 << HIGH_HALF) - 1


@kernel
def settle(times, codes, places, p, time, code):  # type: ignore[no-untyped-def]
    """Write an entry where it belongs, given that place `p` is vacant and all others are in order."""
    while p > 1:
        above = p >> 1
        if times[above] < time or (times[above] == time and codes[above] < code):
            break
        times[p], codes[p] = times[above], codes[above]
        places[codes[p] & SLOT] = p
        p = above
    size = codes[0]
    while 2 * p <= size:
        below = 2 * p
        if below < size:
            left, right = times[below], times[below + 1]
            below += right < left or (right == left and codes[below + 1] < codes[below])
        if time < times[below] or (time == times[below] and code < codes[below]):
            break
        times[p], codes[p] = times[below], codes[below]
        places[codes[p] & SLOT] = p
        p = below
    times[p], codes[p] = time, code
    places[code & SLOT] = p


@kernel
def put(times, codes, places, time, code):  # type: ignore[no-untyped-def]
    """Put an entry in, in place of the one that its slot may have."""
    p = places[code & SLOT]
    if p == 0:
        codes[0] += 1
        p = codes[0]
    settle(times, codes, places, p, time, code)


@kernel
def take_out(times, codes, places, slot):  # type: ignore[no-untyped-def]
    """Take a slot's entry out, if it has one; the last entry fills its place."""
    p = places[slot]
    if p > 0:
        last = codes[0]
        places[slot], codes[0] = 0, last - 1
        if p < last:
            settle(times, codes, places, p, times[last], codes[last])

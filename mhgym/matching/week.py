"""The week of the matcher: seven days of fourteen one-hour slots, 08:00 to 22:00, `T` = 98 (WPI 2024, section 3.6.3).

A slot is `day * BLOCKS + block`, Monday 08:00 being slot 0.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAYS = len(DAY_NAMES)
OPENING_HOUR = 8  # of the day; the report
BLOCKS = 14  # hours of a day; the report
SLOTS = DAYS * BLOCKS
FURTHEST_ZONE = 26  # hours, by definition; clocks on Earth run from UTC-12 to UTC+14


def slot_name(slot: int) -> str:
    """Such as `Mon 08:00`."""
    if not 0 <= slot < SLOTS:
        raise ValueError(f"a slot must lie in the week, 0 to {SLOTS - 1}, got {slot}")
    day, block = divmod(slot, BLOCKS)
    return f"{DAY_NAMES[day]} {OPENING_HOUR + block:02d}:00"


def slot_of(name: str) -> int:
    """The slot of a name such as `Mon 08:00`.

    Raises:
        ValueError: If it is not the name of a slot of the week.
    """
    if name not in _SLOT_OF:
        raise ValueError(
            f"a slot must be a day and a full hour within the week, from '{slot_name(0)}' to "
            f"'{slot_name(SLOTS - 1)}', got {name!r}"
        )
    return _SLOT_OF[name]


def free_in(slots: Iterable[int]) -> Bools:
    """`[T]` whether each slot is among those given.

    Raises:
        ValueError: If a slot lies outside the week.
    """
    free = np.zeros(SLOTS, dtype=np.bool_)
    for slot in slots:
        slot_name(slot)
        free[slot] = True
    return free


def on_centre_clock(free: Bools, zone: Ints) -> Bools:
    """Availability on the centre's clock.

    Meetings lie within the centre's own week and day: an hour that falls outside them on its clock is lost.

    Args:
        free: `[N, T]` slots on each person's own clock.
        zone: `[N]` hours by which that clock is ahead of the centre's.

    Returns:
        `[N, T]`.
    """
    if not zone.any():
        return free
    common = np.zeros_like(free)
    person, slot = np.nonzero(free)
    day, block = np.divmod(slot, BLOCKS)
    hour = 24 * day + OPENING_HOUR + block - zone[person]
    day, block = hour // 24, hour % 24 - OPENING_HOUR
    kept = (day >= 0) & (day < DAYS) & (block >= 0) & (block < BLOCKS)
    common[person[kept], day[kept] * BLOCKS + block[kept]] = True
    return common


_SLOT_OF = {slot_name(slot): slot for slot in range(SLOTS)}

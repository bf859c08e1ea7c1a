"""Which waiting contacts a fixed number of queue slots shows."""

import numpy as np
from numpy.typing import NDArray


def shown_rows(num_waiting: int, num_slots: int) -> NDArray[np.int64]:
    """Rows of the queue that the slots show, in the order of the queue.

    A queue that overflows shows its longest-waiting half (the larger one) and its most recent half: with zombies kept
    the newest contacts are the likeliest to be still there.

    Returns:
        `[min(num_waiting, num_slots)]` rows.
    """
    if num_waiting <= num_slots:
        return np.arange(num_waiting)
    recent = num_slots // 2
    return np.concatenate([np.arange(num_slots - recent), np.arange(num_waiting - recent, num_waiting)])

"""Choosing one legal pair by keys, with ties broken the same way everywhere."""

import numpy as np
from numpy.typing import NDArray

from mhgym.view import CentreView, Pair


def best_pair(view: CentreView, *keys: NDArray[np.float64]) -> Pair:
    """The legal pair with the largest first key, ties by the next keys.

    What is still tied goes to the contact that comes first in the queue, then to the counsellor who has been idle
    longest, then to the lowest index.

    Args:
        view: With at least one legal pair.
        *keys: `[n, C]` each, or what broadcasts to it.
    """
    rows, counsellors = np.nonzero(view.legal)
    kept = np.arange(len(rows))
    for key in (*keys, -np.arange(len(view.waiting))[:, None], -view.staff.idle_since):
        values = np.broadcast_to(key, view.legal.shape)[rows[kept], counsellors[kept]]
        kept = kept[values == values.max()]
    return Pair(int(rows[kept[0]]), int(counsellors[kept[0]]))

"""Choosing one legal pair by keys, with ties broken the same way everywhere."""

import numpy as np
from numpy.typing import NDArray

from mhgym.view import HOLD, Bools, CentreView, Pair


def best_pair(view: CentreView, *keys: NDArray[np.float64], among: Bools | None = None) -> Pair:
    """The legal pair with the largest first key, ties by the next keys; HOLD if there is none.

    What is still tied goes to the contact that comes first in the queue, then to the counsellor who has been idle
    longest (those without a free slot, whose inbox has room, come last), then to the lowest index.

    Args:
        view: What can be known.
        *keys: `[n, C]` each, or what broadcasts to it.
        among: `[n, C]` pairs to choose from; illegal ones among them are passed over. None for all.
    """
    rows, counsellors = np.nonzero(view.legal if among is None else view.legal & among)
    if not len(rows):
        return HOLD
    kept = np.arange(len(rows))
    idle = np.where(np.isnan(view.staff.idle_since), -np.inf, -view.staff.idle_since)
    for key in (*keys, -np.arange(len(view.waiting))[:, None], idle):
        values = np.broadcast_to(key, view.legal.shape)[rows[kept], counsellors[kept]]
        kept = kept[values == values.max()]
    return Pair(int(rows[kept[0]]), int(counsellors[kept[0]]))

"""The few decisions that a planner weighs at an epoch."""

import numpy as np
from numpy.typing import NDArray

from agents.index_rules import cmt_index
from mhgym.engines.rules import QUALITY_FLOOR
from mhgym.view import HOLD, CentreView, Pair

Floats = NDArray[np.float64]


def candidate_pairs(view: CentreView, first: Pair, most: int, *, hold: bool = True) -> list[Pair]:
    """A planner's candidates, the likeliest first.

    After `first` come the pair that CMT ranks highest, HOLD, the best counsellor for each caller and the best caller
    for each counsellor by CMT's index and by predicted quality, until there are `most`.

    Args:
        view: With at least one legal pair.
        first: What the planner would do without planning.
        most: Largest number of candidates, at least 1.
        hold: Whether HOLD is one.
    """
    quality = np.maximum(view.quality, QUALITY_FLOOR)
    index = np.where(view.legal, cmt_index(quality, view.service_time, view.waiting.patience), -np.inf)
    match = np.where(view.legal, view.quality, -np.inf)
    pairs = [first, _best(index)]
    if hold:
        pairs.append(HOLD)
    ranked: list[tuple[float, Pair]] = []
    for key in (index, match):
        ranked += [(float(index[pair]), pair) for pair in (*_best_of_rows(key), *_best_of_columns(key))]
    ranked.sort(key=lambda entry: -entry[0])
    return list(dict.fromkeys(pairs + [pair for _, pair in ranked]))[:most]


def _best(key: Floats) -> Pair:
    row, counsellor = np.unravel_index(int(np.argmax(key)), key.shape)
    return Pair(int(row), int(counsellor))


def _best_of_rows(key: Floats) -> list[Pair]:
    rows = np.flatnonzero(np.isfinite(key).any(axis=1)).tolist()
    return [Pair(row, int(np.argmax(key[row]))) for row in rows]


def _best_of_columns(key: Floats) -> list[Pair]:
    columns = np.flatnonzero(np.isfinite(key).any(axis=0)).tolist()
    return [Pair(int(np.argmax(key[:, column])), column) for column in columns]

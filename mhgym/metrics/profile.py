"""How load runs through the day, from contact records and the roster."""

import math

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import ContactLog, Roster
from mhgym.domain.contact import Floats
from mhgym.domain.counsellor import Interval

HOUR = 60.0


def occupancy_by_hour(log: ContactLog, roster: Roster, horizon: float) -> Floats:
    """Share of staffed counsellor minutes with at least one contact in hand, hour by hour.

    Weighted by the staffed minutes of each hour, the shares give the KPI `occupancy` with `until=horizon`.

    Args:
        log: Contact records.
        roster: The counsellors that the records refer to.
        horizon: Minutes to cover; the last hour may be a part of one.

    Returns:
        `[ceil(horizon / 60)]` shares; NaN in hours in which nobody is staffed.

    Raises:
        ValueError: If `horizon` is not positive and finite.
    """
    if not 0 < horizon < math.inf:
        raise ValueError(f"horizon must be positive and finite minutes, got {horizon}")
    edges = np.minimum(np.arange(math.ceil(horizon / HOUR) + 1) * HOUR, horizon)
    busy, staffed = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    for counsellor, on_duty in enumerate(roster.staffed_intervals()):
        own = log.leg_counsellor == counsellor
        at_work = _merge(log.leg_start[own], log.leg_end[own])
        staffed += _minutes_between(on_duty, edges)
        busy += _minutes_between(_overlaps(at_work, on_duty), edges)
    return np.divide(busy, staffed, out=np.full(len(busy), np.nan), where=staffed > 0)


def _merge(start: Floats, end: Floats) -> list[Interval]:
    """The union of `[k]` intervals, as intervals in order that do not touch."""
    merged: list[Interval] = []
    for begin, finish in sorted(zip(start.tolist(), end.tolist(), strict=True)):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], finish))
        else:
            merged.append((begin, finish))
    return merged


def _overlaps(first: list[Interval], second: tuple[Interval, ...]) -> list[Interval]:
    """The intersection of two lists of disjoint intervals."""
    pairs = [(max(a, c), min(b, d)) for a, b in first for c, d in second]
    return [(begin, finish) for begin, finish in pairs if begin < finish]


def _minutes_between(intervals: list[Interval] | tuple[Interval, ...], edges: Floats) -> NDArray[np.float64]:
    """`[H]` minutes of disjoint intervals between each pair of `[H + 1]` edges."""
    bounds = np.array(intervals, dtype=np.float64).reshape(-1, 2)
    inside = np.clip(bounds[:, 1:], edges[:-1], edges[1:]) - np.clip(bounds[:, :1], edges[:-1], edges[1:])
    return np.asarray(inside.sum(axis=0))

"""Sets of policies with several objectives, all maximised: which are worth having, and how much they offer together.

A point `a` dominates `b` if it is at least as good in every objective and better in one.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def nondominated(points: ArrayLike) -> Bools:
    """`[n]` which of the points `[n, d]` no other dominates; equal points stand or fall together.

    Raises:
        ValueError: If the points are no table of finite numbers.
    """
    table = _table("points", points)
    at_least = np.all(table[None, :, :] >= table[:, None, :], axis=2)
    better = np.any(table[None, :, :] > table[:, None, :], axis=2)
    kept: Bools = np.logical_not(np.any(at_least & better, axis=1))
    return kept


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """The volume that the points dominate above a reference point, exactly.

    Slices along the last objective, so that `n` points in `d` objectives take `O(n^(d-1))` steps; made for `d` up to 4
    and some tens of points.

    Args:
        points: `[n, d]`; a point that is not above the reference in every objective adds nothing.
        reference: `[d]`.

    Raises:
        ValueError: If shapes do not fit, or a number is not finite.

    Source: Zitzler & Thiele (1999), "Multiobjective evolutionary algorithms: a comparative case study and the strength
    Pareto approach"; by slicing objectives as in While et al. (2006), "A faster algorithm for calculating hypervolume".
    """
    table, corner = _table("points", points), np.asarray(reference, dtype=np.float64)
    if corner.shape != table.shape[1:] or not np.all(np.isfinite(corner)):
        raise ValueError(f"reference must be {table.shape[1]} finite numbers, got {reference!r}")
    above = table[(table > corner).all(axis=1)] - corner
    return _volume(above) if len(above) else 0.0


def _volume(points: Floats) -> float:
    """The volume that points above the origin dominate."""
    if points.shape[1] == 1:
        return float(points.max())
    points = points[np.argsort(-points[:, -1], kind="stable")]
    depth = points[:, -1] - np.append(points[1:, -1], 0.0)
    if points.shape[1] == 2:
        return float(depth @ np.maximum.accumulate(points[:, 0]))
    total, front = 0.0, np.empty((0, points.shape[1] - 1))
    for point, thickness in zip(points[:, :-1], depth, strict=True):
        if not (front >= point).all(axis=1).any():
            front = np.vstack([front[~(front <= point).all(axis=1)], point])
        if thickness > 0.0:
            total += thickness * _volume(front)
    return total


def uniform_weights(number: int, size: int, rng: np.random.Generator) -> Floats:
    """`[number, size]` weights spread evenly over all that are at least 0 and add up to 1: Dirichlet(1, ..., 1)."""
    return rng.dirichlet(np.ones(size), number)


def expected_utility(points: ArrayLike, weights: ArrayLike) -> float:
    """The mean, over preferences, of what the best of the points is worth to each.

    Args:
        points: `[n, d]`.
        weights: `[w, d]` preferences, each of which values a point by its weighted sum.

    Raises:
        ValueError: If shapes do not fit, or a number is not finite.

    Source: Zintgraf et al. (2015), "Quality assessment of MORL algorithms: a utility-based approach".
    """
    table, preferences = _table("points", points), _table("weights", weights)
    if preferences.shape[1] != table.shape[1]:
        raise ValueError(f"weights must have {table.shape[1]} columns, one for each objective, got {preferences.shape}")
    return float((preferences @ table.T).max(axis=1).mean())


def attainment(sets: Sequence[ArrayLike], places: ArrayLike) -> Floats:
    """`[g]` the empirical attainment function: in which share of the sets some point is at least as good as a place.

    Args:
        sets: One `[n, d]` for each run.
        places: `[g, d]`.

    Raises:
        ValueError: If there is no set, shapes do not fit, or a number is not finite.

    Source: Grunert da Fonseca, Fonseca & Hall (2001), "Inferential performance assessment of stochastic optimisers and
    the attainment function".
    """
    if not len(sets):
        raise ValueError("attainment needs at least 1 set of points, got none")
    grid = _table("places", places)
    runs = [_table("points", points) for points in sets]
    if any(run.shape[1] != grid.shape[1] for run in runs):
        raise ValueError(f"every set must have {grid.shape[1]} columns, as the places, got {[r.shape for r in runs]}")
    attained = [np.any(np.all(run[None, :, :] >= grid[:, None, :], axis=2), axis=1) for run in runs]
    shares: Floats = np.mean(attained, axis=0)
    return shares


def _table(name: str, values: ArrayLike) -> Floats:
    """`[n, d]` finite numbers, at least one row and column."""
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape or not np.all(np.isfinite(table)):
        raise ValueError(f"{name} must be a table of finite numbers with at least 1 row, got shape {table.shape}")
    return table

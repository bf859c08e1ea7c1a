"""What the arrivals of a day say about its gamma factor, with the factors of the hours integrated out."""

import math
from functools import lru_cache

import numpy as np

from mhgym.processes.arrivals.law import Floats

_DEPTH = 40.0  # densities below exp(-40) of the largest are left out
_ZOOMS = 3
_ZOOM_NODES = 65
_NODES = 513  # about 30 a standard deviation


def sample_day_factor(
    counts: Floats, means: Floats, day_variance: float, hour_variance: float, size: int, rng: np.random.Generator
) -> Floats:
    """Draw `[size]` values of the factor D of a day from its posterior.

    D is gamma with mean 1; given D, the count of an hour is Poisson with mean D · H · m, H gamma with mean 1, so it is
    negative binomial. The posterior density of x = log D is log-concave, so that the interval that holds its mass is
    found with certainty by zooming in on it; the draw is then the inverse of its distribution function on a grid.

    Args:
        counts: `[K]` arrivals seen in each hour of the day that has begun.
        means: `[K]` arrivals expected in what has passed of each, for a factor of 1.
        day_variance: Variance of D.
        hour_variance: Variance of H.
        size: Draws.
        rng: The owner's generator.

    Returns:
        Factors, 1 if the variance is 0.
    """
    if day_variance == 0:
        return np.ones(size)
    grid, below = _distribution(tuple(counts.tolist()), tuple(means.tolist()), day_variance, hour_variance)
    return np.asarray(np.exp(np.interp(rng.random(size) * below[-1], below, grid)))


@lru_cache(maxsize=16)
def _distribution(
    seen: tuple[float, ...], expected: tuple[float, ...], day_variance: float, hour_variance: float
) -> tuple[Floats, Floats]:
    """A grid of log D and the posterior mass below each node, up to a constant; a planner draws from it many times."""
    counts, means = np.array(seen), np.array(expected)
    low, high = _bracket(float(counts.sum()), float(means.sum()), 1 / day_variance)
    for _ in range(_ZOOMS):
        grid = np.linspace(low, high, _ZOOM_NODES)
        logs = _log_density(grid, counts, means, day_variance, hour_variance)
        kept = np.flatnonzero(logs > logs.max() - _DEPTH)
        low, high = grid[max(kept[0] - 1, 0)], grid[min(kept[-1] + 1, _ZOOM_NODES - 1)]
    grid = np.linspace(low, high, _NODES)
    logs = _log_density(grid, counts, means, day_variance, hour_variance)
    density = np.exp(logs - logs.max())
    return grid, np.concatenate(([0.0], np.cumsum(density[1:] + density[:-1])))


def _log_density(x: Floats, counts: Floats, means: Floats, day_variance: float, hour_variance: float) -> Floats:
    """`[G]` log posterior density of x = log D, up to a constant."""
    scale = np.exp(x)
    expected = scale[:, None] * means
    if hour_variance == 0:
        penalty = expected.sum(axis=1)
    else:
        penalty = np.log1p(hour_variance * expected) @ (counts + 1 / hour_variance)
    return np.asarray((x - scale) / day_variance + counts.sum() * x - penalty)


def _bracket(count: float, mean: float, shape: float) -> tuple[float, float]:
    """An interval of log D outside of which the density is below exp(-40) of its largest value.

    The slope of the log density lies between shape − (shape + mean) e^x and shape + count − shape e^x. So left of the
    first one's root less 2 it is steeper than 0.86 shape, and right of the second one's root it falls faster than
    (shape + count)(e^y − 1) at a distance y.
    """
    low = math.log(shape / (shape + mean)) - 2 - _DEPTH / (0.86 * shape)
    high = math.log1p(count / shape) + 2 + math.log1p(_DEPTH / shape)
    return low, high

"""The Poisson law of a count that is known to lie between two bounds."""

import math
from functools import lru_cache
from typing import overload

import numpy as np

from mhgym.processes.arrivals.law import Floats, Ints


def truncated_poisson(mean: float, low: int, high: int | None) -> tuple[Ints, Floats]:
    """Probabilities of a Poisson count given that it lies in [low, high].

    The probabilities are built outwards from the likeliest count by p(k) / p(k−1) = mean / k, so that they are right
    even where the bounds lie far in a tail and the plain distribution function is 0 or 1 to the last digit. What is
    left out, twelve standard deviations away, weighs less than a rounding error.

    Args:
        mean: Mean of the law before truncation; at 0 the law is its limit, all on `low`.
        low: Smallest count, at least 0.
        high: Largest count, at least `low`; None for no bound.

    Returns:
        `[K]` counts and `[K]` their probabilities.
    """
    if mean <= 0:
        return np.array([low], dtype=np.int64), np.ones(1)
    mode = max(low, math.floor(mean) if high is None else min(math.floor(mean), high))
    reach = 60 + math.ceil(12 * math.sqrt(max(mean, mode)))
    last = mode + reach if high is None else min(high, mode + reach)
    counts = np.arange(max(low, mode - reach), last + 1)
    logs = np.zeros(len(counts))
    np.cumsum(math.log(mean) - np.log(counts[1:]), out=logs[1:])
    weights = np.exp(logs - logs.max())
    return counts, weights / weights.sum()


@overload
def sample_truncated_poisson(mean: float, low: int, high: int | None, rng: np.random.Generator) -> int: ...
@overload
def sample_truncated_poisson(mean: float, low: int, high: int | None, rng: np.random.Generator, size: int) -> Ints: ...
def sample_truncated_poisson(
    mean: float, low: int, high: int | None, rng: np.random.Generator, size: int | None = None
) -> int | Ints:
    """Draw from `truncated_poisson` by its inverse distribution function: one uniform number a count, no rejection.

    Returns:
        A count, or `[size]` counts.
    """
    first, cumulative = _cumulative(mean, low, high)
    index = np.minimum(cumulative.searchsorted(rng.random(size), side="right"), len(cumulative) - 1)
    return first + (int(index) if size is None else index)


@lru_cache(maxsize=64)
def _cumulative(mean: float, low: int, high: int | None) -> tuple[int, Floats]:
    """The first count of `truncated_poisson` and the distribution function from there on; kept from trace to trace."""
    counts, probabilities = truncated_poisson(mean, low, high)
    cumulative = np.cumsum(probabilities)
    cumulative.setflags(write=False)
    return int(counts[0]), cumulative

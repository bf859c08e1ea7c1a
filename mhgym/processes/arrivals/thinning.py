"""Poisson arrivals by thinning."""

import numpy as np

from mhgym.processes.arrivals.law import Floats
from mhgym.processes.arrivals.rates import RateProfile


def thinned(rate: RateProfile, edges: Floats, factors: Floats, rng: np.random.Generator) -> Floats:
    """Draw a Poisson process whose rate is the profile times a factor that is constant on each interval.

    Candidates come at the largest rate, and one at t stays with probability rate(t) / maximum.

    Args:
        rate: The profile.
        edges: `[K + 1]` edges of the intervals in order, minutes.
        factors: `[K]` what multiplies the rate in each.
        rng: The owner's generator.

    Returns:
        `[n]` times in order.

    Source: Lewis & Shedler (1979), "Simulation of nonhomogeneous Poisson processes by thinning".
    """
    starts, widths = edges[:-1], np.diff(edges)
    counts = rng.poisson(rate.maximum * widths * factors)
    candidates = np.repeat(starts, counts) + np.repeat(widths, counts) * rng.random(int(counts.sum()))
    kept = candidates[rng.random(len(candidates)) * rate.maximum < rate.at(candidates)]
    kept.sort()
    return kept


def poisson_times(rate: RateProfile, start: float, end: float, rng: np.random.Generator) -> Floats:
    """Draw `[n]` times in order of a Poisson process at the profile's rate between `start` and `end` minutes."""
    return thinned(rate, np.array([start, end]), np.ones(1), rng)

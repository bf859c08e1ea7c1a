"""Many futures of one history of arrivals at once, for planners."""

import math

import numpy as np

from mhgym.processes.arrivals.hawkes import HawkesArrivals
from mhgym.processes.arrivals.law import ArrivalLaw, Floats, Ints, checked_history, strictly_inside
from mhgym.processes.arrivals.overdispersed import OverdispersedPoisson
from mhgym.processes.arrivals.poisson import ConditionedPoisson, PoissonArrivals
from mhgym.processes.arrivals.replay import ReplayArrivals
from mhgym.processes.arrivals.truncated import sample_truncated_poisson


def resample_many(
    law: ArrivalLaw,
    seen: Floats,
    now: float,
    horizon: float,
    size: int,
    rng: np.random.Generator,
    until: float = math.inf,
) -> tuple[Ints, Floats]:
    """Draw `size` futures from the law conditional on the past, as `law.resample` draws one.

    Poisson laws, conditioned or over-dispersed, are drawn all at once; others one by one.

    Args:
        law: Of the arrivals.
        seen: `[k]` all arrivals up to and including `now`, in order.
        now: Minutes since the start of the episode.
        horizon: Minutes after which nobody arrives.
        size: Futures.
        rng: The planner's generator.
        until: Minute from which on arrivals are left out.

    Returns:
        `[size]` arrivals of each future, and their times in (now, min(horizon, until)), future by future, in order.
    """
    if isinstance(law, ReplayArrivals):
        return resample_many(law.planning_law, seen, now, horizon, size, rng, until)
    end = min(horizon, until)
    if isinstance(law, ConditionedPoisson):
        counts, times = _conditioned(law, seen, now, horizon, size, rng)
    elif isinstance(law, PoissonArrivals):
        checked_history(seen, now, horizon)
        mean = law.rate.integral(now, end) if now < end else 0.0
        counts = rng.poisson(mean, size)
        times = _times(law, counts, now, end, mean, rng)
    elif isinstance(law, OverdispersedPoisson):
        counts, times = _overdispersed(law, checked_history(seen, now, horizon), now, end, size, rng)
    else:
        # Under Hawkes' law what happens before a minute does not depend on how long arrivals go on after it.
        last = end if isinstance(law, HawkesArrivals) else horizon
        rows = [law.resample(seen, now, max(last, now), rng) for _ in range(size)]
        counts, times = np.array([len(row) for row in rows], dtype=np.int64), np.concatenate(rows)
    if until < horizon:
        kept = times < until
        counts = np.bincount(np.repeat(np.arange(size), counts)[kept], minlength=size)
        times = times[kept]
    return counts, times


def _conditioned(
    law: ConditionedPoisson, seen: Floats, now: float, horizon: float, size: int, rng: np.random.Generator
) -> tuple[Ints, Floats]:
    so_far = len(checked_history(seen, now, horizon))
    mean = law.rate.integral(now, horizon) if now < horizon else 0.0
    left = None if law.maximum is None else max(0, law.maximum - so_far)
    if mean <= 0 or left == 0:
        return np.zeros(size, dtype=np.int64), np.empty(0)
    counts = sample_truncated_poisson(mean, max(0, law.minimum - so_far), left, rng, size)
    return counts, _times(law, counts, now, horizon, mean, rng)


def _overdispersed(
    law: OverdispersedPoisson, seen: Floats, now: float, end: float, size: int, rng: np.random.Generator
) -> tuple[Ints, Floats]:
    if now >= end:
        return np.zeros(size, dtype=np.int64), np.empty(0)
    edges, factors = law.resample_factors(seen, now, end, size, rng)
    before = law.rate.cumulative(edges)
    means = np.diff(before)
    by_hour = rng.poisson(factors * means)
    counts = by_hour.sum(axis=1)
    hour = np.repeat(np.tile(np.arange(len(means)), size), by_hour.ravel())
    times = law.rate.inverse(before[hour] + means[hour] * rng.random(len(hour))) if len(hour) else np.empty(0)
    return counts, strictly_inside(times[np.lexsort((times, np.repeat(np.arange(size), counts)))], now, end)


def _times(
    law: ConditionedPoisson | PoissonArrivals,
    counts: Ints,
    start: float,
    end: float,
    mean: float,
    rng: np.random.Generator,
) -> Floats:
    """Order statistics of each future between two minutes, in which `mean` arrivals are expected."""
    total = int(counts.sum())
    if total == 0:
        return np.empty(0)
    before = float(law.rate.cumulative(start))
    times = law.rate.inverse(before + mean * rng.random(total))
    return strictly_inside(times[np.lexsort((times, np.repeat(np.arange(len(counts)), counts)))], start, end)

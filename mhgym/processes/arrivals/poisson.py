"""Time-varying Poisson arrivals, free or conditioned on their count."""

import math
from dataclasses import dataclass

import numpy as np

from mhgym.processes.arrivals.law import Floats, check_horizon, checked_history, strictly_inside
from mhgym.processes.arrivals.rates import RateProfile
from mhgym.processes.arrivals.thinning import poisson_times
from mhgym.processes.arrivals.truncated import sample_truncated_poisson, truncated_poisson


@dataclass(frozen=True)
class PoissonArrivals:
    """A Poisson process with a time-varying rate; its past says nothing of its future.

    Args:
        rate: Arrivals per minute over time.
    """

    rate: RateProfile

    def sample(self, horizon: float, rng: np.random.Generator) -> Floats:
        """Draw `[n]` times in [0, horizon), in order; see `ArrivalLaw.sample`."""
        check_horizon(horizon)
        return poisson_times(self.rate, 0.0, horizon, rng)

    def resample(self, seen: Floats, now: float, horizon: float, rng: np.random.Generator) -> Floats:
        """Draw `[n]` times in (now, horizon), in order; see `ArrivalLaw.resample`."""
        checked_history(seen, now, horizon)
        if now >= horizon:
            return np.empty(0)
        return strictly_inside(poisson_times(self.rate, now, horizon, rng), now, horizon)

    def mean_rate(self, horizon: float) -> float:
        """Expected arrivals per minute, averaged over [0, horizon)."""
        check_horizon(horizon)
        return self.rate.integral(0.0, horizon) / horizon


@dataclass(frozen=True)
class ConditionedPoisson:
    """A time-varying Poisson process given that the episode's count lies in [minimum, maximum].

    The count is Poisson truncated to the bounds; given the count, the times are independent with a density
    proportional to the rate.

    Source: Kleinerman et al. (2022) keep only the shifts whose number of calls fits the flow; this draws from the same
    law without rejection.

    Args:
        rate: Arrivals per minute over time.
        minimum: Smallest count of an episode.
        maximum: Largest count of an episode; None for no bound.

    Raises:
        ValueError: If the minimum is negative or above the maximum.
    """

    rate: RateProfile
    minimum: int = 0
    maximum: int | None = None

    def __post_init__(self) -> None:
        for name in ("minimum", "maximum"):
            bound = getattr(self, name)
            if bound is not None and int(bound) != bound:
                raise ValueError(f"the {name} of a count must be a whole number, got {bound}")
            object.__setattr__(self, name, None if bound is None else int(bound))
        if self.minimum < 0:
            raise ValueError(f"the minimum of a count must be at least 0, got {self.minimum}")
        if self.maximum is not None and self.maximum < self.minimum:
            raise ValueError(
                f"the maximum of a count must be at least its minimum, got {self.maximum} and {self.minimum}"
            )

    def sample(self, horizon: float, rng: np.random.Generator) -> Floats:
        """Draw `[n]` times in [0, horizon), in order, with n in [minimum, maximum]; see `ArrivalLaw.sample`.

        Raises:
            ValueError: If arrivals are demanded where the rate is 0.
        """
        mean = self._mean(horizon)
        count = sample_truncated_poisson(mean, self.minimum, self.maximum, rng)
        return np.minimum(self._times(count, 0.0, mean, rng), math.nextafter(horizon, -math.inf))

    def resample(self, seen: Floats, now: float, horizon: float, rng: np.random.Generator) -> Floats:
        """Draw `[n]` times in (now, horizon), in order; see `ArrivalLaw.resample`.

        Given k arrivals so far, the remaining count is Poisson truncated to [minimum − k, maximum − k]. A history that
        the law excludes (more than the maximum, or fewer than the minimum when no rate is left) ends with nobody more.
        """
        so_far = len(checked_history(seen, now, horizon))
        if now >= horizon:
            return np.empty(0)
        before, mean = float(self.rate.cumulative(now)), self.rate.integral(now, horizon)
        left = None if self.maximum is None else max(0, self.maximum - so_far)
        if mean <= 0 or left == 0:
            return np.empty(0)
        count = sample_truncated_poisson(mean, max(0, self.minimum - so_far), left, rng)
        return strictly_inside(self._times(count, before, mean, rng), now, horizon)

    def mean_rate(self, horizon: float) -> float:
        """Expected arrivals per minute, averaged over [0, horizon), bounds included."""
        counts, probabilities = truncated_poisson(self._mean(horizon), self.minimum, self.maximum)
        return float(counts @ probabilities) / horizon

    def _mean(self, horizon: float) -> float:
        check_horizon(horizon)
        mean = self.rate.integral(0.0, horizon)
        if mean <= 0 and self.minimum > 0:
            raise ValueError(
                f"at least {self.minimum} arrivals need a rate above 0, got 0 expected in {horizon} minutes"
            )
        return mean

    def _times(self, count: int, before: float, mean: float, rng: np.random.Generator) -> Floats:
        """`[count]` order statistics of the stretch in which `mean` arrivals are expected after `before`."""
        if count == 0:
            return np.empty(0)
        times = self.rate.inverse(before + mean * rng.random(count))
        times.sort()
        return times

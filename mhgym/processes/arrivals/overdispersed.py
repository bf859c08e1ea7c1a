"""Poisson arrivals whose rate is multiplied by a random factor per day and one per hour."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mhgym.processes.arrivals.day_factor import sample_day_factor
from mhgym.processes.arrivals.law import (
    MINUTES_PER_DAY,
    MINUTES_PER_HOUR,
    Floats,
    check_horizon,
    checked_history,
    strictly_inside,
)
from mhgym.processes.arrivals.rates import RateProfile
from mhgym.processes.arrivals.thinning import thinned

_HOURS = 24
_ROUNDING = 1e-9  # of a variance, relative to the larger one


@dataclass(frozen=True)
class OverdispersedPoisson:
    """Poisson arrivals at D(day) · H(hour) · rate(t), D and H independent gamma factors of mean 1.

    The variances of D and H are those that give the two indices of dispersion, which are ratios of *pooled* figures,
    that is Σ variance / Σ mean over the hours of the profile (over its days for the daily one). With m_h the mean of an
    hour, v_D and v_H the variances, V = (1 + v_D)(1 + v_H) − 1 and A the mean of a day:

        Var(hour) = m_h + V m_h²
        Var(day)  = A + v_D A² + (V − v_D) Σ m_h²

    so that V = (hourly − 1) Σ m_h / Σ m_h² and v_D = (daily − hourly) Σ m_h / (Σ A² − Σ m_h²).

    The pooled ratio is what REFERENCE calls 1.76 (Σ hour_var / Σ hour_mean = 1.7607 in Open Up's November 2020; the
    mean of the 24 ratios would be 1.707). Days and hours are counted from minute 0 of the episode.

    Source: gamma factors per day and hour after Jongbloed & Koole (2001), "Managing uncertainty in call centres using
    Poisson mixtures"; the closed forms are derived here.

    Args:
        rate: Mean arrivals per minute over time; its period divides a day or is a whole number of days.
        hourly_dispersion: Pooled variance / mean of hourly counts, at least 1.
        daily_dispersion: Pooled variance / mean of daily counts, at least the hourly one.

    Raises:
        ValueError: If no pair of variances gives the two indices.
    """

    rate: RateProfile
    hourly_dispersion: float
    daily_dispersion: float

    def __post_init__(self) -> None:
        for name in ("hourly_dispersion", "daily_dispersion"):
            index = float(getattr(self, name))
            object.__setattr__(self, name, index)
            if not (math.isfinite(index) and index >= 1):
                raise ValueError(f"the {name.replace('_', ' ')} must be a finite ratio of at least 1, got {index}")
        factor_variances(self.rate, self.hourly_dispersion, self.daily_dispersion)

    @property
    def day_variance(self) -> float:
        """Variance of the factor of a day."""
        return factor_variances(self.rate, self.hourly_dispersion, self.daily_dispersion)[0]

    @property
    def hour_variance(self) -> float:
        """Variance of the factor of an hour."""
        return factor_variances(self.rate, self.hourly_dispersion, self.daily_dispersion)[1]

    def sample(self, horizon: float, rng: np.random.Generator) -> Floats:
        """Draw `[n]` times in [0, horizon), in order; see `ArrivalLaw.sample`."""
        check_horizon(horizon)
        edges = _edges(0.0, horizon)
        factors = self._fresh_factors(edges[:-1], 1, rng)
        times = thinned(self.rate, edges, factors[0], rng)
        return np.minimum(times, math.nextafter(horizon, -math.inf))

    def resample(self, seen: Floats, now: float, horizon: float, rng: np.random.Generator) -> Floats:
        """Draw `[n]` times in (now, horizon), in order; see `ArrivalLaw.resample`."""
        times = checked_history(seen, now, horizon)
        if now >= horizon:
            return np.empty(0)
        edges, factors = self.resample_factors(times, now, horizon, 1, rng)
        return strictly_inside(thinned(self.rate, edges, factors[0], rng), now, horizon)

    def resample_factors(
        self, seen: Floats, now: float, horizon: float, size: int, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """The factors of `size` futures.

        Today's is drawn from its posterior given the counts of today's hours; given it, the factor of this hour is
        gamma again. Later hours and days have factors of their own.

        Returns:
            `[K + 1]` edges of the hours between now and the horizon, and `[size, K]` what multiplies the rate in each.
        """
        edges = _edges(now, horizon)
        factors = self._fresh_factors(edges[:-1], size, rng)
        day, this_hour = self._posterior_factors(seen, now, size, rng)
        today = int(np.searchsorted(edges[:-1], _next_multiple(now, MINUTES_PER_DAY)))
        factors[:, :today] = day[:, None] * _gamma(self.hour_variance, (size, today), rng)
        factors[:, 0] = day * this_hour
        return edges, factors

    def mean_rate(self, horizon: float) -> float:
        """Expected arrivals per minute, averaged over [0, horizon)."""
        check_horizon(horizon)
        return self.rate.integral(0.0, horizon) / horizon

    def _fresh_factors(self, starts: Floats, size: int, rng: np.random.Generator) -> Floats:
        """`[size, K]` factors of hours that start at `starts`, with nothing known."""
        days = np.floor_divide(starts, MINUTES_PER_DAY).astype(np.int64)
        days -= days[0]
        by_day = _gamma(self.day_variance, (size, int(days[-1]) + 1), rng)
        return by_day[:, days] * _gamma(self.hour_variance, (size, len(starts)), rng)

    def _posterior_factors(
        self, seen: Floats, now: float, size: int, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """`[size]` factors of the day and of the hour that `now` lies in, given today's arrivals."""
        midnight = _next_multiple(now, MINUTES_PER_DAY) - MINUTES_PER_DAY
        this_hour = int((now - midnight) // MINUTES_PER_HOUR)
        edges = np.append(midnight + MINUTES_PER_HOUR * np.arange(this_hour + 1), now)
        means = np.diff(self.rate.cumulative(edges))
        hours = ((seen[np.searchsorted(seen, midnight) :] - midnight) // MINUTES_PER_HOUR).astype(np.int64)
        counts = np.bincount(hours, minlength=this_hour + 1).astype(np.float64)
        day = sample_day_factor(counts, means, self.day_variance, self.hour_variance, size, rng)
        if self.hour_variance == 0:
            return day, np.ones(size)
        shape = 1 / self.hour_variance
        return day, rng.gamma(shape + counts[-1], size=size) / (shape + day * means[-1])


@lru_cache(maxsize=64)
def factor_variances(rate: RateProfile, hourly_dispersion: float, daily_dispersion: float) -> tuple[float, float]:
    """Variances of the factors of a day and of an hour that give two indices of dispersion.

    Args:
        rate: Mean arrivals per minute over time.
        hourly_dispersion: Pooled variance / mean of hourly counts.
        daily_dispersion: Pooled variance / mean of daily counts.

    Returns:
        The variance of a day's factor and that of an hour's.

    Raises:
        ValueError: If the profile does not fit into days, is 0, or no variances give the indices.
    """
    days = max(1, round(rate.period / MINUTES_PER_DAY))
    cycles = days * MINUTES_PER_DAY / rate.period
    if abs(cycles - round(cycles)) > _ROUNDING * cycles:
        raise ValueError(
            f"the period of an over-dispersed rate must divide a day or be whole days, got {rate.period} minutes"
        )
    means = np.diff(rate.cumulative(MINUTES_PER_HOUR * np.arange(days * _HOURS + 1)))
    total, squares = float(means.sum()), float(means @ means)
    cross = float((means.reshape(days, _HOURS).sum(axis=1) ** 2).sum()) - squares
    if cross <= _ROUNDING * squares:
        raise ValueError("over-dispersion needs a rate above 0 in at least two hours of a day, got fewer")
    both = (hourly_dispersion - 1) * total / squares
    day = (daily_dispersion - hourly_dispersion) * total / cross
    spare = (both - day) / (1 + day)
    if day < 0:
        raise ValueError(
            f"the daily dispersion must be at least the hourly dispersion, got {daily_dispersion} and "
            f"{hourly_dispersion}: one factor a day cannot make a day more even than its hours"
        )
    if spare < -_ROUNDING * max(both, day):
        largest = hourly_dispersion + (hourly_dispersion - 1) * cross / squares
        raise ValueError(
            f"at an hourly dispersion of {hourly_dispersion} the daily dispersion can be at most {largest:.6g}, "
            f"got {daily_dispersion}: the factor of the day alone would exceed what the hours allow"
        )
    return day, max(0.0, spare)


def _gamma(variance: float, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Gamma factors of mean 1."""
    if variance == 0:
        return np.ones(shape)
    return rng.gamma(1 / variance, variance, shape)


def _next_multiple(t: float, unit: float) -> float:
    """The first multiple of `unit` after t."""
    return (math.floor(t / unit) + 1) * unit


def _edges(start: float, end: float) -> Floats:
    """`start`, the full hours between, and `end`."""
    first, last = math.floor(start / MINUTES_PER_HOUR) + 1, math.ceil(end / MINUTES_PER_HOUR)
    return np.concatenate(([start], MINUTES_PER_HOUR * np.arange(first, last), [end]))

"""Figures of a month of arrivals that tell laws apart, and likelihoods; times are minutes from a midnight."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from mhgym.processes.arrivals import HawkesArrivals, HourlyRates, OverdispersedPoisson

Floats = NDArray[np.float64]

DAY, HOUR = 1440.0, 60.0
_HOURS, _WEEK = 24, 7
_NODES = 200  # of the quadrature over a day's factor


def dispersion(times: Floats, days: int, window: float) -> float:
    """Σ variance / Σ mean over the windows of a day, of counts across days; a Poisson law has 1."""
    counts = counts_by(times, days, window)
    return float(counts.var(axis=0, ddof=1).sum() / counts.mean(axis=0).sum())


def counts_by(times: Floats, days: int, window: float) -> Floats:
    """`[days, windows]` arrivals in each window of each day; the window divides a day."""
    edges = np.linspace(0.0, days * DAY, days * round(DAY / window) + 1)
    return np.histogram(times, edges)[0].reshape(days, -1).astype(np.float64)


def neighbour_correlation(times: Floats, days: int) -> float:
    """Correlation of the standardised counts of successive hours: what a day's factor and families leave behind."""
    counts = counts_by(times, days, HOUR)
    residuals = ((counts - counts.mean(axis=0)) / np.sqrt(np.maximum(counts.mean(axis=0), 1e-9))).ravel()
    return float(np.corrcoef(residuals[:-1], residuals[1:])[0, 1])


def brown_distance(times: Floats, days: int) -> float:
    """Kolmogorov-Smirnov distance of the transformed gaps within hours from the exponential law.

    If arrivals within an hour of L minutes are Poisson at one rate, whatever that is, the J arrival times give
    independent standard exponentials (J + 1 - j)·(-ln((L - T_j) / (L - T_{j-1}))).

    Source: Brown et al. (2005), "Statistical analysis of a telephone call center".
    """
    inside = times[times < days * DAY]
    hour, into = np.divmod(inside, HOUR)
    gaps = []
    for rest in np.split(HOUR - into, np.flatnonzero(np.diff(hour)) + 1):
        left = np.concatenate([[HOUR], rest])
        gaps.append(np.arange(len(rest), 0, -1) * -np.log(left[1:] / left[:-1]))
    below = -np.expm1(-np.sort(np.concatenate(gaps)))
    ranks = np.arange(len(below) + 1) / len(below)
    return float(max((ranks[1:] - below).max(), (below - ranks[:-1]).max()))


def weekday_statistic(times: Floats, days: int) -> float:
    """Kruskal and Wallis's H of daily counts by day of the week."""
    by_day = counts_by(times, days, DAY)[:, 0]
    return float(stats.kruskal(*(by_day[first::_WEEK] for first in range(_WEEK))).statistic)


_LEAST_VARIANCE = 1e-6  # of a fitted factor; less cannot be told from none

#: What is compared, in words.
FIGURES: dict[str, Callable[[Floats, int], float]] = {
    "arrivals": lambda times, days: float((times < days * DAY).sum()),
    "variance / mean of 15 minutes": lambda times, days: dispersion(times, days, 15.0),
    "variance / mean of hours": lambda times, days: dispersion(times, days, HOUR),
    "variance / mean of 4 hours": lambda times, days: dispersion(times, days, 240.0),
    "variance / mean of days": lambda times, days: dispersion(times, days, DAY),
    "correlation of successive hours": neighbour_correlation,
    "distance from Poisson within hours": brown_distance,
    "weekday effect": weekday_statistic,
}


def poisson_likelihood(rates: HourlyRates, times: Floats, days: int) -> float:
    """Log-likelihood of the times under a Poisson law."""
    inside = times[times < days * DAY]
    return float(np.log(rates.at(inside)).sum() - rates.integral(0.0, days * DAY))


def overdispersed_likelihood(law: OverdispersedPoisson, times: Floats, days: int) -> float:
    """Log-likelihood of the times under gamma factors of days and hours.

    Given the factor of its day the count of an hour is negative binomial; the factor is integrated out. Given the
    counts, times are spread as under a Poisson law.
    """
    counts = counts_by(times, days, HOUR)
    means = np.diff(law.rate.cumulative(HOUR * np.arange(_HOURS + 1)))
    factors = stats.gamma(1 / law.day_variance, scale=law.day_variance).ppf((np.arange(_NODES) + 0.5) / _NODES)
    size = 1 / law.hour_variance
    chance = size / (size + factors[:, None] * means)
    by_hour = stats.nbinom.logpmf(counts[:, None, :], size, chance[None])  # [days, nodes, hours]
    by_day = np.log(np.mean(np.exp(by_hour.sum(axis=2) - by_hour.sum(axis=2).max(axis=1, keepdims=True)), axis=1))
    by_day += by_hour.sum(axis=2).max(axis=1)
    given_counts = poisson_likelihood(law.rate, times, days) - stats.poisson.logpmf(counts, means).sum()
    return float(by_day.sum() + given_counts)


def fit_overdispersed(rates: HourlyRates, times: Floats, days: int) -> OverdispersedPoisson:
    """The gamma factors of days and hours of greatest likelihood, given the rates: two variances."""
    hours = np.array(rates.per_hour)
    total, squares = float(hours.sum()), float((hours**2).sum())

    def law(parameters: Floats) -> OverdispersedPoisson:
        of_day, of_hour = np.maximum(_LEAST_VARIANCE, np.exp(parameters)).tolist()
        hourly = 1 + ((1 + of_day) * (1 + of_hour) - 1) * squares / total
        return OverdispersedPoisson(rates, hourly, hourly + of_day * (total**2 - squares) / total)

    start = np.log([0.01, 0.05])
    best = optimize.minimize(lambda x: -overdispersed_likelihood(law(x), times, days), start, method="Nelder-Mead")
    return law(best.x)


def hawkes_likelihood(law: HawkesArrivals, times: Floats, days: int) -> float:
    """Log-likelihood of the times under a self-exciting law with an empty past."""
    inside = times[times < days * DAY]
    excited, echo = np.empty(len(inside)), 0.0
    decays = np.exp(-law.decay * np.diff(inside, prepend=inside[:1]))
    for index, decay in enumerate(decays.tolist()):
        echo *= decay
        excited[index] = echo
        echo += 1.0
    intensity = law.base.at(inside) + law.branching_ratio * law.decay * excited
    born = law.branching_ratio * -np.expm1(-law.decay * (days * DAY - inside)).sum()
    return float(np.log(intensity).sum() - law.base.integral(0.0, days * DAY) - born)


def fit_hawkes(rates: HourlyRates, times: Floats, days: int) -> HawkesArrivals:
    """The self-exciting law of greatest likelihood whose mean is the given rate: branching ratio and decay."""

    def law(parameters: Floats) -> HawkesArrivals:
        ratio, decay = 1 / (1 + np.exp(-parameters[0])), np.exp(parameters[1])
        return HawkesArrivals(thinned_rates(rates, 1 - ratio), ratio, decay)

    start = np.array([np.log(0.2 / 0.8), np.log(1 / 30.0)])
    best = optimize.minimize(lambda x: -hawkes_likelihood(law(x), times, days), start, method="Nelder-Mead")
    return law(best.x)


def thinned_rates(rates: HourlyRates, share: float) -> HourlyRates:
    """A share of every rate."""
    return HourlyRates(tuple(rate * share for rate in rates.per_hour))

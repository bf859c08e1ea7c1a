"""Self-exciting arrivals against the theory of branching processes."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from mhgym.processes.arrivals import IMMIGRANT, HawkesArrivals, HourlyRates, RateProfile, SinusoidalRate

ALPHA = 1e-4  # chance that a correct law fails one comparison
SILENT = HourlyRates((0.0,))
LAW = HawkesArrivals(HourlyRates((12.0,)), branching_ratio=0.4, decay=0.1)


def within_exact_poisson_bounds(count: int, mean: float, comparisons: int = 1) -> bool:
    tail = ALPHA / (2 * comparisons)
    return bool(stats.poisson.ppf(tail, mean) <= count <= stats.poisson.ppf(1 - tail, mean))


def test_long_run_rate_is_the_base_over_one_less_the_branching_ratio() -> None:
    """Counts of 200 long windows after a warm-up; correlation between windows of 100 mean delays is negligible."""
    times = LAW.sample(201 * 1000.0, np.random.default_rng(1))

    counts = np.bincount((times // 1000).astype(int), minlength=201)[1:]

    half_width = stats.t.ppf(1 - ALPHA / 2, 199) * counts.std(ddof=1) / math.sqrt(200)
    assert abs(counts.mean() - 1000 * 0.2 / (1 - 0.4)) <= half_width


def test_long_run_dispersion_is_the_square_of_the_amplification() -> None:
    """Variance / mean of counts in long windows tends to 1 / (1 − n)²; window 1000 minutes = 60 slowed decay times.

    The edge of a window lowers it by less than 1 in 30; the chi-square interval holds 1999 degrees.
    """
    times = LAW.sample(2001 * 1000.0, np.random.default_rng(2))
    counts = np.bincount((times // 1000).astype(int), minlength=2001)[1:]

    index, limit = counts.var(ddof=1) / counts.mean(), 1 / (1 - 0.4) ** 2

    assert 0.96 * limit * stats.chi2.ppf(ALPHA / 2, 1999) / 1999 <= index
    assert index <= limit * stats.chi2.ppf(1 - ALPHA / 2, 1999) / 1999


@pytest.mark.parametrize("base", [HourlyRates((3.0, 9.0, 0.0)), SinusoidalRate(7.0, 0.8, 95.0)], ids=repr)
@pytest.mark.parametrize(("ratio", "decay"), [(0.0, 1.0), (0.5, 5.0), (0.5, 0.02), (0.95, 0.1)])
@pytest.mark.parametrize("horizon", [25.0, 60.0, 517.0])
def test_mean_rate_solves_the_equation_of_the_mean_intensity(
    base: RateProfile, ratio: float, decay: float, horizon: float
) -> None:
    """λ = base + x with x' = −decay (1 − n) x + n decay base and x(0) = 0, integrated hour by hour."""
    state = np.zeros(2)
    for start in np.arange(0.0, horizon, 60.0):
        end = min(start + 60.0, horizon)
        middle = (start + end) / 2

        def slope(
            t: float, y: np.ndarray, inside: float = middle, low: float = start, high: float = end
        ) -> list[float]:
            rate = float(base.at(min(max(t, low + 1e-9 * (inside - low)), high - 1e-9 * (high - inside))))
            return [-decay * (1 - ratio) * y[0] + ratio * decay * rate, rate + y[0]]

        state = integrate.solve_ivp(slope, (start, end), state, rtol=1e-10, atol=1e-12, method="LSODA").y[:, -1]

    assert HawkesArrivals(base, ratio, decay).mean_rate(horizon) * horizon == pytest.approx(state[1], rel=1e-6)


def test_without_offspring_the_base_rate_is_left() -> None:
    """Immigrants of an hour over 3000 cycles are Poisson with the base rate; exact bounds, shared among the hours."""
    base = HourlyRates((3.0, 9.0, 0.0))
    times, parents = HawkesArrivals(base, 0.7, 0.05).sample_with_parents(3000 * 180.0, np.random.default_rng(3))

    immigrants = np.bincount((times[parents == IMMIGRANT] // 60).astype(int) % 3, minlength=3)

    for count, rate in zip(immigrants, base.per_hour, strict=True):
        assert within_exact_poisson_bounds(count, 3000 * rate, comparisons=3)


def test_every_child_follows_its_parent_after_an_exponential_delay() -> None:
    """Children of parents 300 minutes or more before the horizon, of whom a share e^-30 may be missing."""
    horizon = 20_000.0
    times, parents = LAW.sample_with_parents(horizon, np.random.default_rng(4))
    children = np.flatnonzero((parents != IMMIGRANT) & (times[parents] < horizon - 300))

    delays = times[children] - times[parents[children]]

    assert len(delays) > 1000
    assert delays.min() >= 0
    assert stats.kstest(delays, "expon", args=(0, 10.0)).pvalue > ALPHA


@pytest.mark.parametrize("generation", [0, 1])
def test_each_generation_has_poisson_offspring(generation: int) -> None:
    """The children of P parents are Poisson(0.4 P); parents 1000 minutes or more before the horizon."""
    horizon = 60_000.0
    times, parents = LAW.sample_with_parents(horizon, np.random.default_rng(5))
    members = np.flatnonzero(parents == IMMIGRANT)
    for _ in range(generation):
        members = np.flatnonzero(np.isin(parents, members))
    members = members[times[members] < horizon - 1000]

    families = np.bincount(parents[parents != IMMIGRANT], minlength=len(times))[members]

    assert within_exact_poisson_bounds(int(families.sum()), 0.4 * len(members))
    observed = np.array([(families == k).sum() for k in range(3)] + [(families > 2).sum()])
    expected = stats.poisson.pmf(range(3), 0.4)
    expected = np.append(expected, 1 - expected.sum()) * len(members)
    assert stats.chisquare(observed, expected).pvalue > ALPHA


def test_what_the_past_still_owes() -> None:
    """An arrival of age a owes Poisson(n e^(−decay a)) children, with exponential delays from now on."""
    law, now = HawkesArrivals(SILENT, 0.8, 0.1), 40.0
    ages = np.array([40.0, 15.0, 3.0])
    seen = np.repeat(now - ages, 20_000)

    times, parents = law.resample_with_parents(seen, now, 1e6, np.random.default_rng(6))

    direct = np.flatnonzero(parents < len(seen))
    owed = np.bincount(parents[direct] // 20_000, minlength=3)
    for count, age in zip(owed, ages, strict=True):
        assert within_exact_poisson_bounds(count, 20_000 * 0.8 * math.exp(-0.1 * age), comparisons=3)
    assert stats.kstest(times[direct] - now, "expon", args=(0, 10.0)).pvalue > ALPHA


def test_future_families_are_numbered_behind_those_seen() -> None:
    seen = np.array([10.0, 20.0, 29.0])
    times, parents = LAW.resample_with_parents(seen, 30.0, 5000.0, np.random.default_rng(7))
    every = np.concatenate((seen, times))
    children = parents != IMMIGRANT

    assert (parents[children] >= len(seen)).sum() > 100
    assert (every[parents[children]] <= times[children]).all()
    delays = times[children] - every[parents[children]]
    late = every[parents[children]] >= 30.0
    assert stats.kstest(delays[late & (times[children] < 4700)], "expon", args=(0, 10.0)).pvalue > ALPHA


def test_no_offspring_is_a_poisson_law() -> None:
    times, parents = HawkesArrivals(HourlyRates((6.0,)), 0.0, 1.0).sample_with_parents(1e4, np.random.default_rng(8))

    assert len(times) > 0
    assert (parents == IMMIGRANT).all()


def test_nobody_comes_of_nobody() -> None:
    times, parents = HawkesArrivals(SILENT, 0.5, 1.0).sample_with_parents(1e4, np.random.default_rng(9))

    assert len(times) == len(parents) == 0


@pytest.mark.parametrize(
    ("ratio", "decay", "message"),
    [
        (1.0, 1.0, r"branching ratio must lie in \[0, 1\), or arrivals grow without end, got 1.0"),
        (-0.1, 1.0, r"branching ratio must lie in \[0, 1\).* got -0.1"),
        (math.nan, 1.0, r"branching ratio must lie in \[0, 1\).* got nan"),
        (0.5, 0.0, "decay must be a positive rate per minute, got 0.0"),
        (0.5, math.inf, "decay must be a positive rate per minute, got inf"),
    ],
)
def test_impossible_excitation_is_refused_by_name(ratio: float, decay: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HawkesArrivals(SILENT, ratio, decay)

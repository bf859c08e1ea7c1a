"""Poisson arrivals, free and conditioned on their count, against the closed forms."""

import math

import numpy as np
import pytest
from scipy import special, stats

from mhgym.processes.arrivals import ConditionedPoisson, HourlyRates, PoissonArrivals, SinusoidalRate
from mhgym.processes.arrivals.truncated import truncated_poisson

ALPHA = 1e-4  # chance that a correct law fails one comparison
PROFILE = HourlyRates((3.0, 0.0, 12.0, 6.0))
WAVE = SinusoidalRate(7.0, 0.8, 120.0)


def exact_poisson_bounds(mean: float, comparisons: int = 1) -> tuple[float, float]:
    """Counts that a Poisson law leaves with probability ALPHA over all comparisons."""
    tail = ALPHA / (2 * comparisons)
    return stats.poisson.ppf(tail, mean), stats.poisson.ppf(1 - tail, mean)


def chi_square_p(draws: list[int], counts: np.ndarray, probabilities: np.ndarray) -> float:
    """Fit of draws to probabilities; cells with fewer than 5 expected are pooled."""
    expected, observed = probabilities * len(draws), np.array([draws.count(int(k)) for k in counts])
    assert observed.sum() == len(draws)  # no draw off the support
    rare = expected < 5
    if rare.any():
        expected = np.append(expected[~rare], expected[rare].sum())
        observed = np.append(observed[~rare], observed[rare].sum())
    return float(stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue)


def test_each_hour_has_its_mean_count() -> None:
    """Counts of an hour over 5000 cycles are Poisson(5000 × hourly rate); exact bounds, shared among the hours."""
    times = PoissonArrivals(PROFILE).sample(5000 * 240.0, np.random.default_rng(1))

    totals = np.bincount((times // 60).astype(int) % 4, minlength=4)

    for total, rate in zip(totals, PROFILE.per_hour, strict=True):
        low, high = exact_poisson_bounds(5000 * rate, comparisons=4)
        assert low <= total <= high


def test_counts_have_the_variance_of_a_poisson_law() -> None:
    """(R − 1) × variance / mean of R Poisson counts is chi-square with R − 1 degrees (mean 21, R 2000)."""
    times = PoissonArrivals(PROFILE).sample(2000 * 240.0, np.random.default_rng(2))
    counts = np.bincount((times // 240).astype(int), minlength=2000)

    statistic = 1999 * counts.var(ddof=1) / counts.mean()

    assert stats.chi2.ppf(ALPHA / 2, 1999) <= statistic <= stats.chi2.ppf(1 - ALPHA / 2, 1999)


@pytest.mark.parametrize("law", [PoissonArrivals, ConditionedPoisson])
@pytest.mark.parametrize("rate", [PROFILE, WAVE], ids=repr)
def test_times_have_a_density_proportional_to_the_rate(law: type, rate: HourlyRates | SinusoidalRate) -> None:
    """Thinning and inversion give the same law: the integral of the rate at the times is uniform."""
    times = law(rate).sample(240.0 * 1000, np.random.default_rng(3))

    share = rate.cumulative(times % 240.0) / rate.integral(0.0, 240.0)

    assert len(times) > 10_000
    assert stats.kstest(share, "uniform").pvalue > ALPHA


@pytest.mark.parametrize(("mean", "low", "high"), [(14.0, 10, 18), (10.0, 10, None), (0.3, 0, 2), (900.0, 0, 880)])
def test_truncated_probabilities_are_those_of_the_plain_law_rescaled(mean: float, low: int, high: int | None) -> None:
    counts, probabilities = truncated_poisson(mean, low, high)

    plain = stats.poisson.pmf(counts, mean)

    np.testing.assert_allclose(probabilities, plain / plain.sum(), rtol=1e-9, atol=1e-15)
    assert plain.sum() == pytest.approx(
        stats.poisson.cdf(math.inf if high is None else high, mean) - stats.poisson.cdf(low - 1, mean), rel=1e-9
    )


@pytest.mark.parametrize(("mean", "low", "high"), [(5.0, 100, None), (5000.0, 0, 100), (1e-9, 3, 9)])
def test_truncation_is_right_far_in_a_tail(mean: float, low: int, high: int | None) -> None:
    """There the plain distribution function is 0 or 1 to the last digit; logarithms are not."""
    counts, probabilities = truncated_poisson(mean, low, high)

    logs = counts * math.log(mean) - special.gammaln(counts + 1)

    np.testing.assert_allclose(probabilities, np.exp(logs - special.logsumexp(logs)), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize(("low", "high"), [(10, 18), (10, None), (0, 4), (12, 12)])
def test_conditioned_counts_are_truncated_poisson(low: int, high: int | None) -> None:
    law, rng = ConditionedPoisson(WAVE, low, high), np.random.default_rng(4)
    draws = [len(law.sample(90.0, rng)) for _ in range(4000)]
    counts = np.arange(low, 80 if high is None else high + 1)
    plain = stats.poisson.pmf(counts, WAVE.integral(0.0, 90.0))

    if low == high:
        assert set(draws) == {low}
    else:
        assert chi_square_p(draws, counts, plain / plain.sum()) > ALPHA


@pytest.mark.parametrize(("seen", "low", "high"), [(0, 10, 18), (7, 3, 11), (14, 0, 4), (18, 0, 0), (25, 0, 0)])
def test_the_remaining_count_is_truncated_by_what_was_seen(seen: int, low: int, high: int) -> None:
    """Bounds 10 and 18 less those seen; after 18 or more nobody comes."""
    law, rng = ConditionedPoisson(WAVE, 10, 18), np.random.default_rng(5)
    history = np.linspace(1.0, 29.0, seen)

    draws = [len(law.resample(history, 30.0, 90.0, rng)) for _ in range(4000)]

    counts = np.arange(low, high + 1)
    plain = stats.poisson.pmf(counts, WAVE.integral(30.0, 90.0))
    if low == high:
        assert set(draws) == {low}
    else:
        assert chi_square_p(draws, counts, plain / plain.sum()) > ALPHA


def test_bounds_far_from_the_mean_are_kept_without_rejection() -> None:
    """Five expected, 200 demanded: rejection would never end; nearly all draws are at the bound."""
    law = ConditionedPoisson(HourlyRates((5.0,)), 200)

    counts = [len(law.sample(60.0, np.random.default_rng(seed))) for seed in range(200)]

    assert min(counts) == 200
    assert max(counts) < 206  # each further arrival costs a factor 5 / 201; 1e-9 at 206


def test_a_minimum_that_cannot_be_met_any_more_ends_quietly() -> None:
    law = ConditionedPoisson(HourlyRates((6.0, 0.0)), 5)

    assert len(law.resample(np.array([10.0]), 60.0, 120.0, np.random.default_rng(0))) == 0


def test_arrivals_demanded_without_a_rate_are_refused_by_name() -> None:
    law = ConditionedPoisson(HourlyRates((0.0,)), 2)

    with pytest.raises(ValueError, match=r"at least 2 arrivals need a rate above 0, got 0 expected in 90.0 minutes"):
        law.sample(90.0, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("minimum", "maximum", "message"),
    [
        (-1, None, "minimum of a count must be at least 0, got -1"),
        (5, 4, "maximum of a count must be at least its minimum, got 4 and 5"),
        (1.5, None, "minimum of a count must be a whole number, got 1.5"),
        (0, 2.5, "maximum of a count must be a whole number, got 2.5"),
    ],
)
def test_impossible_bounds_are_refused_by_name(minimum: int, maximum: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ConditionedPoisson(WAVE, minimum, maximum)


def test_no_rate_brings_nobody() -> None:
    silent = HourlyRates((0.0,))

    for law in (PoissonArrivals(silent), ConditionedPoisson(silent)):
        assert len(law.sample(1000.0, np.random.default_rng(0))) == 0
        assert law.mean_rate(1000.0) == 0

"""Over-dispersed arrivals: the indices they are given, the posterior of their factors, and the figures of Open Up."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from mhgym.processes.arrivals import (
    OPEN_UP_DAILY_DISPERSION,
    OPEN_UP_HOURLY_DISPERSION,
    OPEN_UP_VISITORS_PER_HOUR,
    HourlyRates,
    OverdispersedPoisson,
    RateProfile,
    SinusoidalRate,
    measure_arrivals,
    read_gaps,
)
from mhgym.processes.arrivals.day_factor import sample_day_factor

ALPHA = 1e-4  # chance that a correct law fails one comparison
DAY = 1440.0
OPEN_UP = OverdispersedPoisson(
    HourlyRates(OPEN_UP_VISITORS_PER_HOUR), OPEN_UP_HOURLY_DISPERSION, OPEN_UP_DAILY_DISPERSION
)
QUIET_AND_BUSY_DAY = HourlyRates((2.0,) * 24 + (9.0,) * 12 + (5.0,) * 12)


def inside_t_interval(draws: np.ndarray, expected: float) -> bool:
    """Whether the mean of independent draws agrees with `expected` at level ALPHA."""
    half_width = stats.t.ppf(1 - ALPHA / 2, len(draws) - 1) * draws.std(ddof=1) / math.sqrt(len(draws))
    return bool(abs(draws.mean() - expected) <= half_width)


@pytest.mark.parametrize(
    ("rate", "hourly", "daily"),
    [
        (OPEN_UP.rate, OPEN_UP_HOURLY_DISPERSION, OPEN_UP_DAILY_DISPERSION),
        (OPEN_UP.rate, 1.0, 1.0),
        (OPEN_UP.rate, 1.761, 1.761),
        (QUIET_AND_BUSY_DAY, 2.5, 9.0),
        (HourlyRates((6.0,)), 8.0, 90.0),
        (SinusoidalRate(6.0, 0.9, 360.0), 3.0, 20.0),
    ],
    ids=str,
)
def test_counts_have_the_indices_of_dispersion_that_were_asked_for(
    rate: RateProfile, hourly: float, daily: float
) -> None:
    """Batches of 40 cycles; variances unbiased and means known, so each batch has the index as its expectation."""
    batches, size, days = 60, 40, max(1, round(rate.period / DAY))
    horizon = batches * size * days * DAY
    times = OverdispersedPoisson(rate, hourly, daily).sample(horizon, np.random.default_rng(1))
    hours = np.bincount((times // 60).astype(int), minlength=round(horizon / 60)).reshape(batches, size, days, 24)
    mean = rate.integral(0.0, days * DAY)

    by_hour = hours.var(axis=1, ddof=1).sum(axis=(1, 2)) / mean
    by_day = hours.sum(axis=3).var(axis=1, ddof=1).sum(axis=1) / mean

    assert inside_t_interval(by_hour, hourly)
    assert inside_t_interval(by_day, daily)
    assert inside_t_interval(hours.sum(axis=(2, 3)).ravel(), mean)


def test_dispersion_one_is_a_poisson_law() -> None:
    law = OverdispersedPoisson(OPEN_UP.rate, 1.0, 1.0)

    assert (law.day_variance, law.hour_variance) == (0.0, 0.0)


def test_equal_indices_leave_the_day_without_a_factor() -> None:
    law = OverdispersedPoisson(HourlyRates((6.0,)), 2.5, 2.5)

    assert law.day_variance == 0
    assert law.hour_variance == pytest.approx(1.5 / 6)  # variance / mean = 1 + v m


def test_the_largest_daily_index_leaves_the_hours_without_a_factor() -> None:
    """With H = 1 a day of 24 equal hours has 1 + v 24 m where an hour has 1 + v m."""
    law = OverdispersedPoisson(HourlyRates((6.0,)), 1.5, 1 + 24 * 0.5)

    assert law.day_variance == pytest.approx(0.5 / 6)
    assert law.hour_variance == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("day_variance", [1e-3, 0.3, 20.0])
@pytest.mark.parametrize("count", [0.0, 3.0, 5000.0])
def test_the_posterior_of_a_day_is_gamma_where_hours_have_no_factor(day_variance: float, count: float) -> None:
    """The conjugate case: shape 1/v + N, rate 1/v + m."""
    counts, means, rng = np.array([count, 2.0]), np.array([40.0, 6.5]), np.random.default_rng(2)

    draws = sample_day_factor(counts, means, day_variance, 0.0, 4000, rng)

    shape = 1 / day_variance
    posterior = stats.gamma(shape + counts.sum(), scale=1 / (shape + means.sum()))
    assert stats.kstest(draws, posterior.cdf).pvalue > ALPHA


@pytest.mark.parametrize(("day_variance", "hour_variance"), [(0.0078, 0.041), (0.5, 0.2), (2.0, 3.0)])
@pytest.mark.parametrize("counts", [(), (0, 0, 1), (40, 55, 21, 4), (2, 90)])
def test_the_posterior_of_a_day_is_bayes_rule(
    day_variance: float, hour_variance: float, counts: tuple[int, ...]
) -> None:
    """Against the gamma prior times negative binomial probabilities, integrated numerically."""
    means = np.array([20.0, 25.0, 12.0, 3.5][: len(counts)])
    shape, rng = 1 / hour_variance, np.random.default_rng(3)
    draws = sample_day_factor(np.array(counts, float), means, day_variance, hour_variance, 3000, rng)

    d = np.geomspace(1e-9, 60.0, 40_001)
    logs = stats.gamma.logpdf(d, 1 / day_variance, scale=day_variance)
    for count, mean in zip(counts, means, strict=True):
        logs += stats.nbinom.logpmf(count, shape, shape / (shape + d * mean))
    distribution = integrate.cumulative_trapezoid(np.exp(logs - logs.max()), d, initial=0)

    result = stats.kstest(draws, lambda x: np.interp(x, d, distribution / distribution[-1]))
    assert result.pvalue > ALPHA


def test_a_day_after_tomorrow_forgets() -> None:
    """However odd today was, a later day has its unconditional mean."""
    law, rng = OverdispersedPoisson(HourlyRates((6.0,)), 4.0, 40.0), np.random.default_rng(4)
    crowd = np.sort(rng.random(600) * 300)

    futures = [law.resample(crowd, 300.0, 2 * DAY, rng) for _ in range(800)]

    tomorrow = np.array([(future >= DAY).sum() for future in futures], float)
    tonight = np.array([(future < DAY).sum() for future in futures], float)
    assert inside_t_interval(tomorrow, 144.0)
    assert not inside_t_interval(tonight, 19 * 6.0)


def test_this_hour_remembers_more_than_the_next() -> None:
    """A crowd since the hour began raises the rest of this hour above the hour after, by the factor of the hour."""
    law, rng = OverdispersedPoisson(HourlyRates((30.0,)), 10.0, 10.0), np.random.default_rng(5)
    crowd = np.linspace(60.5, 90.0, 60)

    futures = [law.resample(crowd, 90.0, 180.0, rng) for _ in range(2000)]

    shape = 1 / law.hour_variance  # no factor of the day here: the hour's factor is gamma(shape + 60, shape + 15)
    assert inside_t_interval(np.array([(f < 120).sum() for f in futures], float), 15 * (shape + 60) / (shape + 15))
    assert inside_t_interval(np.array([(f >= 120).sum() for f in futures], float), 30.0)


@pytest.mark.parametrize(
    ("rate", "hourly", "daily", "message"),
    [
        (OPEN_UP.rate, 0.9, 2.0, "hourly dispersion must be a finite ratio of at least 1, got 0.9"),
        (OPEN_UP.rate, 1.5, math.nan, "daily dispersion must be a finite ratio of at least 1, got nan"),
        (OPEN_UP.rate, 3.0, 2.0, "daily dispersion must be at least the hourly dispersion, got 2.0 and 3.0"),
        (HourlyRates((6.0,)), 1.5, 14.0, "hourly dispersion of 1.5 the daily dispersion can be at most 13, got 14.0"),
        (HourlyRates((6.0,) * 7), 1.5, 2.0, "must divide a day or be whole days, got 420.0 minutes"),
        (HourlyRates((0.0,)), 1.5, 2.0, "needs a rate above 0 in at least two hours of a day"),
        (HourlyRates((0.0,) * 23 + (1.0,)), 1.5, 2.0, "needs a rate above 0 in at least two hours of a day"),
    ],
)
def test_impossible_dispersion_is_refused_by_name(rate: RateProfile, hourly: float, daily: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OverdispersedPoisson(rate, hourly, daily)


def test_figures_of_a_recording_worked_by_hand() -> None:
    """Two days: hours 0 and 1 have 1, 3 and 3, 3 arrivals; Σ variance 2 over Σ mean 5; days 4 and 6, variance 2."""
    first, second = [1.0, 60.0, 70.0, 119.9], [0.0, 30.0, 59.0, 60.0, 61.0, 62.0]

    figures = measure_arrivals(np.array(first + [DAY + t for t in second] + [2 * DAY + 5]), days=2)

    assert figures.hour_mean == (2.0, 3.0, *(0.0,) * 22)
    assert figures.hourly_dispersion == pytest.approx(2 / 5)
    assert figures.daily_dispersion == pytest.approx(2 / 5)


def test_the_fit_to_a_long_recording_recovers_the_law() -> None:
    """3000 days of Open Up's law: indices within five standard errors (about √(2/n) of the index, n = days)."""
    times = OPEN_UP.sample(3000 * DAY, np.random.default_rng(6))

    law = measure_arrivals(times, 3000).fitted_law()

    assert law.daily_dispersion == pytest.approx(OPEN_UP_DAILY_DISPERSION, rel=5 * math.sqrt(2 / 3000))
    assert law.hourly_dispersion == pytest.approx(OPEN_UP_HOURLY_DISPERSION, rel=5 * math.sqrt(2 / 3000))
    assert law.mean_rate(DAY) == pytest.approx(len(times) / 3000 / DAY)


@pytest.mark.parametrize(
    ("times", "days", "message"),
    [
        ([1.0], 1, "needs at least 2 days, got 1"),
        ([1.0, -2.0], 2, "at least 0 minutes, got -2.0"),
        ([math.nan], 2, "must be finite and at least 0 minutes, got nan"),
        ([5000.0], 2, "at least one arrival within 2 days, got 0 of 1"),
    ],
)
def test_recordings_without_dispersion_are_refused_by_name(times: list[float], days: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        measure_arrivals(np.array(times), days)


def test_open_ups_figures_are_those_of_its_month() -> None:
    beside = Path(__file__).parents[3] / "shared" / "data" / "open-up-interarrivals-2020-11.csv"
    path = Path(os.environ.get("MHGYM_OPEN_UP_MONTH", beside))
    if not path.is_file():
        pytest.skip(
            f"the recorded month is not part of the project: none at {path}; set MHGYM_OPEN_UP_MONTH to its file"
        )
    gaps = read_gaps(path)

    figures = measure_arrivals(np.cumsum(gaps), days=30)

    assert len(gaps) == 9175
    np.testing.assert_allclose(figures.hour_mean, OPEN_UP_VISITORS_PER_HOUR, atol=5.1e-4)
    assert round(figures.hourly_dispersion, 3) == OPEN_UP_HOURLY_DISPERSION
    assert round(figures.daily_dispersion, 3) == OPEN_UP_DAILY_DISPERSION

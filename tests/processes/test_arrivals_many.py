"""Futures drawn all at once have the law of futures drawn one by one."""

import numpy as np
import pytest
from scipy import stats

from mhgym.processes.arrivals import (
    ConditionedPoisson,
    HawkesArrivals,
    HourlyRates,
    OverdispersedPoisson,
    PoissonArrivals,
    SinusoidalRate,
    resample_many,
)
from mhgym.processes.arrivals.law import ArrivalLaw

SIZE = 3000
DAY = HourlyRates((2.0, 6.0, 9.0, 4.0, *[3.0] * 20))
SEEN = np.array([3.0, 20.0, 41.0, 70.0, 75.0, 88.0, 97.0])
LAWS = {
    "poisson": PoissonArrivals(DAY),
    "conditioned": ConditionedPoisson(SinusoidalRate(6.0, 0.2, 300.0), minimum=10, maximum=40),
    "overdispersed": OverdispersedPoisson(DAY, 2.0, 6.0),
    "overdispersed hours": OverdispersedPoisson(DAY, 2.5, 2.5),
    "hawkes": HawkesArrivals(DAY, 0.3, 0.025),
}


def one_by_one(law: ArrivalLaw, until: float, rng: np.random.Generator) -> list[np.ndarray]:
    futures = [law.resample(SEEN, 100.0, 300.0, rng) for _ in range(SIZE)]
    return [future[future < until] for future in futures]


def figures(futures: list[np.ndarray]) -> list[np.ndarray]:
    """Of each future: arrivals in all and before minute 150, and its first and last arrival where there is one."""
    some = [future for future in futures if len(future)]
    return [
        np.array([len(future) for future in futures]),
        np.array([(future < 150.0).sum() for future in futures]),
        np.array([future[0] for future in some]),
        np.array([future[-1] for future in some]),
    ]


@pytest.mark.parametrize("until", [300.0, 190.0])
@pytest.mark.parametrize("name", LAWS)
def test_many_futures_have_the_law_of_one(name: str, until: float) -> None:
    """Two-sample tests of four figures in ten cases at 1e-4 each: a right law fails once in 250 choices of seeds."""
    law = LAWS[name]
    counts, times = resample_many(law, SEEN, 100.0, 300.0, SIZE, np.random.default_rng(1), until)
    futures = np.split(times, np.cumsum(counts)[:-1])
    assert len(counts) == SIZE
    for future in futures:
        assert (np.diff(future) >= 0).all()
        assert not len(future) or 100.0 < future[0] <= future[-1] < until
    alone = one_by_one(law, until, np.random.default_rng(2))
    for many, one in zip(figures(futures), figures(alone), strict=True):
        assert stats.ks_2samp(many, one).pvalue > 1e-4


def test_later_days_have_factors_of_their_own() -> None:
    """From the evening of a busy day: counts of the next days have the mean and dispersion of the law itself."""
    law = LAWS["overdispersed"]
    seen = np.sort(np.random.default_rng(0).uniform(0.0, 1380.0, 200))  # twice as many as usual
    counts, times = resample_many(law, seen, 1380.0, 4320.0, SIZE, np.random.default_rng(1))
    future = np.repeat(np.arange(SIZE), counts)
    by_day = [np.bincount(future[times // 1440 == day], minlength=SIZE) for day in (1, 2)]
    for day in by_day:
        mean = DAY.integral(0.0, 1440.0)
        assert abs(day.mean() - mean) < 4 * np.sqrt(6.0 * mean / SIZE)
        assert day.var() / day.mean() == pytest.approx(
            6.0, rel=0.15
        )  # 4 standard errors of a variance, kurtosis near 3
    assert abs(np.corrcoef(*by_day)[0, 1]) < 4 / np.sqrt(SIZE)


def test_a_wrong_law_would_be_seen() -> None:
    """The same with the past of the day left out, which says that this day is busier than others."""
    law, busy = LAWS["overdispersed"], np.linspace(1.0, 99.0, 40)
    counts, _ = resample_many(law, busy, 100.0, 300.0, SIZE, np.random.default_rng(1))
    alone = [len(law.resample(np.empty(0), 100.0, 300.0, np.random.default_rng(k))) for k in range(SIZE)]
    assert stats.ks_2samp(counts, alone).pvalue < 1e-12


def test_no_future_after_the_end() -> None:
    for law in LAWS.values():
        counts, times = resample_many(law, SEEN, 300.0, 300.0, 4, np.random.default_rng(0))
        assert counts.tolist() == [0] * 4
        assert not len(times)

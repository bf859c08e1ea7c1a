"""What holds for every law of arrivals."""

import math
import pickle
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mhgym.processes.arrivals import (
    ArrivalLaw,
    ConditionedPoisson,
    HawkesArrivals,
    HourlyRates,
    OverdispersedPoisson,
    PoissonArrivals,
    ReplayArrivals,
    SinusoidalRate,
)
from mhgym.processes.arrivals.law import strictly_inside

ALPHA = 1e-4  # chance that a correct law fails one comparison; about 100 comparisons here
REPLICATIONS = 2000

FLAT = HourlyRates((6.0,))
POISSON = PoissonArrivals(SinusoidalRate(8.0, 0.6, 300.0))
STOCHASTIC: dict[str, ArrivalLaw] = {
    "poisson": POISSON,
    "conditioned": ConditionedPoisson(SinusoidalRate(5.0, 0.5, 240.0), 16, 22),
    "conditioned_in_tail": ConditionedPoisson(HourlyRates((4.0, 1.0)), 30),
    "overdispersed": OverdispersedPoisson(FLAT, 4.0, 40.0),
    "overdispersed_hours": OverdispersedPoisson(HourlyRates((20.0,)), 8.0, 8.0),
    "hawkes": HawkesArrivals(HourlyRates((6.0, 2.0)), 0.6, 1 / 20),
}
LAWS = {**STOCHASTIC, "replay": ReplayArrivals((5.0, 0.0, 30.5, 100.0, 1.0), POISSON)}
# Start of what is compared, now, horizon; the second cuts an hour, the third looks into another day.
WINDOWS = {"long": (0.0, 150.0, 240.0), "same_hour": (120.0, 150.0, 180.0), "next_day": (1380.0, 1430.0, 1500.0)}


@pytest.mark.parametrize("name", LAWS)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(1.0, 4000.0), st.floats(0.0, 1.0), st.integers(0, 2**32 - 1))
def test_times_are_in_order_and_in_range(name: str, horizon: float, share: float, seed: int) -> None:
    law, rng, now = LAWS[name], np.random.default_rng(seed), share * horizon

    times = law.sample(horizon, rng)
    future = law.resample(times[times <= now], now, horizon, rng)

    for row in (times, future):
        assert row.dtype == np.float64
        assert row.ndim == 1
        assert (np.diff(row) >= 0).all()
    assert ((times >= 0) & (times < horizon)).all()
    assert ((future > now) & (future < horizon)).all()


@pytest.mark.parametrize("name", STOCHASTIC)
def test_the_generator_alone_decides(name: str) -> None:
    law = STOCHASTIC[name]
    first, again, other = (law.sample(300.0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    seen = first[first <= 100.0]
    future, future_again, future_other = (
        law.resample(seen, 100.0, 300.0, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )

    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(future, future_again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(future, future_other)


@pytest.mark.parametrize("name", STOCHASTIC)
def test_mean_rate_is_the_mean_of_the_counts(name: str) -> None:
    law, rng = STOCHASTIC[name], np.random.default_rng(11)

    counts = np.array([len(law.sample(240.0, rng)) for _ in range(REPLICATIONS)])

    error = counts.mean() - law.mean_rate(240.0) * 240.0
    half_width = stats.t.ppf(1 - ALPHA / 2, REPLICATIONS - 1) * counts.std(ddof=1) / math.sqrt(REPLICATIONS)
    assert abs(error) <= half_width


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", STOCHASTIC)
def test_a_resampled_future_fits_its_past(name: str, window: str) -> None:
    """Path cut at `now` with the future redrawn has the law of an uncut path: joint statistics of past and future."""
    law = STOCHASTIC[name]
    start, now, horizon = WINDOWS[window]

    def statistics(seed: int, redrawn: bool) -> np.ndarray:
        rng, rows = np.random.default_rng(seed), []
        for _ in range(REPLICATIONS):
            path = law.sample(horizon, rng)
            seen = path[path <= now]
            future = law.resample(seen, now, horizon, rng) if redrawn else path[path > now]
            past, recent = int((seen >= start).sum()), int((seen >= now - 30).sum())
            wait = future[0] - now if len(future) else horizon
            rows.append((len(future), past + len(future), past - len(future), recent - len(future), wait))
        return np.array(rows).T

    uncut, redrawn = statistics(21, redrawn=False), statistics(22, redrawn=True)

    p_values = [stats.ks_2samp(a, b).pvalue for a, b in zip(uncut, redrawn, strict=True)]
    assert min(p_values) > ALPHA


@pytest.mark.parametrize("name", LAWS)
def test_laws_are_values(name: str) -> None:
    law = LAWS[name]
    law.sample(100.0, np.random.default_rng(0))

    copy = pickle.loads(pickle.dumps(law))

    assert copy == law
    assert repr(copy) == repr(law)
    assert hash(copy) == hash(law)
    assert len({repr(other) for other in LAWS.values()}) == len(LAWS)
    with pytest.raises(FrozenInstanceError):
        setattr(law, fields(law)[0].name, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LAWS)
def test_nobody_comes_after_the_horizon(name: str) -> None:
    for now in (100.0, 150.0):
        assert len(LAWS[name].resample(np.array([3.0]), now, 100.0, np.random.default_rng(0))) == 0


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("horizon", [0.0, -1.0, math.nan, math.inf])
def test_impossible_horizons_are_refused_by_name(name: str, horizon: float) -> None:
    law, rng = LAWS[name], np.random.default_rng(0)
    message = f"horizon must be a positive, finite number of minutes, got {horizon}"

    with pytest.raises(ValueError, match=message):
        law.sample(horizon, rng)
    with pytest.raises(ValueError, match=message):
        law.resample(np.empty(0), 0.0, horizon, rng)
    with pytest.raises(ValueError, match=message):
        law.mean_rate(horizon)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize(
    ("seen", "now", "message"),
    [
        ([], -1.0, "now must be a finite number of minutes, at least 0, got -1.0"),
        ([], math.nan, "now must be a finite number of minutes, at least 0, got nan"),
        ([1.0, 6.0], 5.0, r"in order and inside \[0, 5.0\], got times between 1.0 and 6.0"),
        ([-1.0, 2.0], 5.0, r"in order and inside \[0, 5.0\], got times between -1.0 and 2.0"),
        ([3.0, 1.0], 5.0, r"in order and inside \[0, 5.0\], got times between 1.0 and 3.0"),
        ([1.0, math.nan, 2.0], 5.0, r"in order and inside \[0, 5.0\], got times between nan and nan"),
        ([[1.0]], 5.0, r"must be one row of times, got shape \(1, 1\)"),
    ],
)
def test_impossible_histories_are_refused_by_name(name: str, seen: list[float], now: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LAWS[name].resample(np.array(seen), now, 100.0, np.random.default_rng(0))


def test_rounding_cannot_put_a_time_on_an_end() -> None:
    times = strictly_inside(np.array([10.0, 15.0, 20.0]), 10.0, 20.0)

    np.testing.assert_array_equal(times, [math.nextafter(10.0, 20.0), 15.0, math.nextafter(20.0, 10.0)])

"""Rate profiles: rate, integral and inverse agree, and impossible rates are refused by name."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from mhgym.processes.arrivals import HourlyRates, RateProfile, SinusoidalRate

PROFILES = [
    HourlyRates((3.0, 0.0, 12.0, 0.5)),
    HourlyRates((0.0, 6.0, 0.0)),
    HourlyRates((7,)),
    SinusoidalRate(7.0, 0.2, 120.0),
    SinusoidalRate(7.0, -0.9, 1440.0),
    SinusoidalRate(30.0, 1.0, 35.0),
]
profiles = pytest.mark.parametrize("rate", PROFILES, ids=repr)


@profiles
@pytest.mark.parametrize(("start", "end"), [(0.0, 50.0), (13.0, 200.0), (333.3, 700.0)])
def test_integral_is_the_area_under_the_rate(rate: RateProfile, start: float, end: float) -> None:
    edges = np.concatenate(([start], np.arange(math.floor(start / 60) + 1, math.ceil(end / 60)) * 60.0, [end]))

    area = sum(
        integrate.quad(lambda t: float(rate.at(t)), a, b, epsabs=1e-11, limit=200)[0] for a, b in pairwise(edges)
    )

    assert rate.integral(start, end) == pytest.approx(area, abs=1e-8)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(PROFILES), st.floats(0.0, 500.0))
def test_cumulative_undoes_inverse(rate: RateProfile, mass: float) -> None:
    """Newton's method leaves less than 1e-7 arrivals even where a sinusoid touches 0; elsewhere it is rounding."""
    assert float(rate.cumulative(rate.inverse(mass))) == pytest.approx(mass, abs=1e-7)


@profiles
def test_the_rate_repeats_and_never_exceeds_its_maximum(rate: RateProfile) -> None:
    t = np.linspace(0, 3000, 4001) + 1e-3  # off the edges of the hours

    assert rate.at(t).max() == pytest.approx(rate.maximum, rel=1e-4)
    assert (rate.at(t) <= rate.maximum * (1 + 1e-12)).all()
    np.testing.assert_allclose(rate.at(t + rate.period), rate.at(t), atol=1e-9)
    np.testing.assert_allclose(
        rate.cumulative(t + rate.period) - rate.cumulative(t), rate.integral(0.0, rate.period), rtol=1e-9
    )


def test_no_time_falls_into_an_hour_without_a_rate() -> None:
    rate = HourlyRates((0.0, 6.0, 0.0))

    times = rate.inverse(np.linspace(0, 29.999, 5000))

    assert set((times // 60 % 3).astype(int)) == {1}


def test_hourly_rates_give_the_rate_of_their_hour() -> None:
    rate = HourlyRates((6.0, 12.0))

    np.testing.assert_allclose(rate.at([0.0, 59.9, 60.0, 119.9, 120.0]), [0.1, 0.1, 0.2, 0.2, 0.1])


def test_equal_profiles_look_equal_whatever_their_numbers_are_made_of() -> None:
    plain, numpy = HourlyRates((3.0, 4.0)), HourlyRates(tuple(np.array([3, 4])))

    assert repr(plain) == repr(numpy) == "HourlyRates(per_hour=(3.0, 4.0))"
    assert hash(plain) == hash(numpy)
    assert repr(SinusoidalRate(np.float64(7), 0, 60)) == "SinusoidalRate(per_hour=7.0, amplitude=0.0, period=60.0)"


@pytest.mark.parametrize(
    ("per_hour", "message"),
    [
        ((), "hourly rates need at least one hour, got 0"),
        ((1.0, -2.0), "at least 0 arrivals, got -2.0 in hour 1"),
        ((math.nan,), "must be finite .* got nan in hour 0"),
        ((1.0, 2.0, math.inf), "must be finite .* got inf in hour 2"),
    ],
)
def test_impossible_hourly_rates_are_refused_by_name(per_hour: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HourlyRates(per_hour)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((-1.0, 0.0, 60.0), "mean rate must be finite and at least 0 .* got -1.0"),
        ((math.nan, 0.0, 60.0), "mean rate must be finite .* got nan"),
        ((1.0, 1.5, 60.0), r"amplitude of a rate must lie in \[-1, 1\].* got 1.5"),
        ((1.0, math.nan, 60.0), r"amplitude of a rate must lie in \[-1, 1\].* got nan"),
        ((1.0, 0.0, 0.0), "period of a rate must be a positive number of minutes, got 0.0"),
        ((1.0, 0.0, math.inf), "period of a rate must be a positive .* got inf"),
    ],
)
def test_impossible_sinusoids_are_refused_by_name(numbers: tuple[float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SinusoidalRate(*numbers)


@pytest.mark.parametrize("rate", [HourlyRates((0.0, 0.0)), SinusoidalRate(0.0, 0.2, 60.0)], ids=repr)
def test_a_rate_of_zero_has_no_inverse(rate: RateProfile) -> None:
    with pytest.raises(ValueError, match="have no time where the rate is 0"):
        rate.inverse(0.5)

"""The study of arrivals: figures and likelihoods against other ways to compute them, and what tests find."""

import math
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from experiments.studies import arrivals
from experiments.studies.arrival_figures import (
    DAY,
    FIGURES,
    brown_distance,
    dispersion,
    fit_hawkes,
    fit_overdispersed,
    hawkes_likelihood,
    overdispersed_likelihood,
    poisson_likelihood,
)
from mhgym.presets import make_scenario
from mhgym.processes.arrivals import (
    HawkesArrivals,
    HourlyRates,
    OverdispersedPoisson,
    PoissonArrivals,
    measure_arrivals,
)

FLAT = HourlyRates((12.0,) * 24)
DAYS = 30


def sample(law, seed: int = 0) -> np.ndarray:
    return law.sample(DAYS * DAY, np.random.default_rng(seed))


def test_dispersions_are_those_of_the_library() -> None:
    times = sample(OverdispersedPoisson(FLAT, 1.5, 3.0))
    figures = measure_arrivals(times, DAYS)
    assert dispersion(times, DAYS, 60.0) == pytest.approx(figures.hourly_dispersion)
    assert dispersion(times, DAYS, DAY) == pytest.approx(figures.daily_dispersion)


def test_distance_from_poisson_is_that_of_scipy() -> None:
    """One hour with arrivals at 10, 20 and 50 minutes: transformed gaps 3 ln(60/50), 2 ln(50/40), ln(40/10)."""
    gaps = [3 * math.log(60 / 50), 2 * math.log(50 / 40), math.log(40 / 10)]
    expected = stats.kstest(gaps, "expon").statistic
    assert brown_distance(np.array([10.0, 20.0, 50.0]), 1) == pytest.approx(expected)


def test_likelihoods_agree_where_laws_meet() -> None:
    """A law without offspring, and one almost without factors, is the Poisson law."""
    times = sample(PoissonArrivals(FLAT))
    poisson = poisson_likelihood(FLAT, times, DAYS)
    assert poisson == pytest.approx(len(times) * math.log(0.2) - 0.2 * DAYS * DAY)
    assert hawkes_likelihood(HawkesArrivals(FLAT, 0.0, 1.0), times, DAYS) == pytest.approx(poisson)
    nearly = OverdispersedPoisson(FLAT, 1.0 + 1e-7, 1.0 + 1e-6)
    assert overdispersed_likelihood(nearly, times, DAYS) == pytest.approx(poisson, abs=0.01)


def test_hawkes_likelihood_by_hand() -> None:
    """Two arrivals at 10 and 13 minutes: the second is excited by the first."""
    law = HawkesArrivals(FLAT, 0.5, 0.25)
    first, second = 0.2, 0.2 + 0.5 * 0.25 * math.exp(-0.25 * 3)
    born = 0.5 * sum(1 - math.exp(-0.25 * (DAY - t)) for t in (10.0, 13.0))
    expected = math.log(first) + math.log(second) - 0.2 * DAY - born
    assert hawkes_likelihood(law, np.array([10.0, 13.0]), 1) == pytest.approx(expected)


def test_the_fit_finds_the_law_that_arrivals_come_from() -> None:
    """Some 8,600 arrivals; tolerances are four standard deviations of 20 fits to other draws (.0165, .44 minutes)."""
    truth = HawkesArrivals(HourlyRates((12.0 * 0.7,) * 24), 0.3, 1 / 5.0)
    fitted = fit_hawkes(FLAT, sample(truth, 3), DAYS)
    assert fitted.branching_ratio == pytest.approx(0.3, abs=0.066)
    assert 1 / fitted.decay == pytest.approx(5.0, abs=1.76)


def test_the_fit_finds_the_gamma_factors_that_arrivals_come_from() -> None:
    """Nothing near is likelier, and the truth is not unlikely: twice the gain is chi-square of two degrees."""
    truth = OverdispersedPoisson(arrivals.RATES, 1.761, 4.026)
    times = sample(truth, 5)
    fitted = fit_overdispersed(arrivals.RATES, times, DAYS)
    best = overdispersed_likelihood(fitted, times, DAYS)
    for hourly, daily in ((0.1, 0.0), (-0.1, 0.0), (0.0, 0.2), (0.0, -0.2)):
        near = OverdispersedPoisson(
            arrivals.RATES, fitted.hourly_dispersion + hourly, fitted.daily_dispersion + hourly + daily
        )
        assert overdispersed_likelihood(near, times, DAYS) < best
    assert 0 <= 2 * (best - overdispersed_likelihood(truth, times, DAYS)) <= stats.chi2.ppf(1 - 1e-4, 2)


def test_the_test_of_a_figure_by_hand() -> None:
    """399 simulated values and the month's own: ranks 1 and 200 of 400, two-sided, times 8 figures for the first."""
    simulated = np.tile(np.arange(1.0, 400.0)[:, None], len(FIGURES))
    month = np.full(len(FIGURES), 200.0)
    month[2] = 0.0
    tests = arrivals.compare(month, simulated)
    assert tests[2].p == pytest.approx(8 * 2 / 400)
    assert tests[2].law.estimate == pytest.approx(200.0)
    assert [test.p for k, test in enumerate(tests) if k != 2] == [1.0] * 7


def test_a_wrong_law_does_not_have_the_dispersion_of_the_right_one() -> None:
    """Poisson months never come near a daily variance / mean of 4: 2.8 is 1 in a million."""
    month = dispersion(sample(OverdispersedPoisson(arrivals.RATES, 1.761, 4.026), 1_000), DAYS, DAY)
    poisson = [dispersion(sample(PoissonArrivals(arrivals.RATES), seed), DAYS, DAY) for seed in range(40)]
    right = [dispersion(sample(OverdispersedPoisson(arrivals.RATES, 1.761, 4.026), s), DAYS, DAY) for s in range(40)]
    assert max(poisson) < min(month, 2.8)
    assert min(right) < month < max(right)


def test_purged_offspring_leave_the_base_rate() -> None:
    purged = arrivals.purge(make_scenario("OpenUp", arrivals="hawkes").arrivals, 40)
    assert purged["immigrants"].contains(1.0)
    assert purged["dispersion"].contains(1.0)
    assert purged["arrivals"].contains(1.0)


def test_the_report_is_whole(tmp_path: Path) -> None:
    gaps = tmp_path / "gaps.txt"
    gaps.write_text("\n".join(map(str, np.diff(sample(PoissonArrivals(arrivals.RATES)), prepend=0.0))))
    data = arrivals.reproduce(gaps, 4, 1, tmp_path, Console(quiet=True))
    text = (tmp_path / "report.md").read_text()
    names = ["Poisson", "gamma factors of days and hours", "gamma factors of greatest likelihood", "Hawkes", "replay"]
    assert [law["name"] for law in data["laws"]] == names
    assert all(name in text for name in FIGURES)
    assert data["laws"][4]["rejected"] == []
    assert "nan" not in text
    assert (tmp_path / "dispersion.png").stat().st_size > 10_000

"""Which law do Open Up's arrivals follow? Each law against the recorded month, figure by figure and by likelihood.

Under each law months are simulated, and a figure of the recorded month is tested against theirs (a parametric bootstrap
test, two-sided; Holm over the figures of a law). The rates of all laws are derived from the same month, so that the
number of arrivals tests nothing but the sum of the rates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from experiments.plots_open_up import plot_dispersion
from experiments.studies.arrival_figures import (
    DAY,
    FIGURES,
    HOUR,
    counts_by,
    dispersion,
    fit_hawkes,
    fit_overdispersed,
    hawkes_likelihood,
    overdispersed_likelihood,
    poisson_likelihood,
)
from mhgym.evaluation.statistics import Interval, holm, mean_difference_interval
from mhgym.presets import make_scenario
from mhgym.presets.open_up_population import REPEAT_SHARE
from mhgym.processes.arrivals import (
    IMMIGRANT,
    OPEN_UP_HAWKES_BRANCHING,
    OPEN_UP_HAWKES_DELAY,
    OPEN_UP_VISITORS_PER_HOUR,
    ArrivalLaw,
    HawkesArrivals,
    HourlyRates,
    ReplayArrivals,
    read_gaps,
)

Floats = NDArray[np.float64]

DAYS = 30
WINDOWS = (5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 1440.0)  # minutes
RATES = HourlyRates(OPEN_UP_VISITORS_PER_HOUR)


@dataclass(frozen=True)
class Test:
    """One figure of the month under one law.

    Attributes:
        figure: In `FIGURES`.
        month: Its value in the recorded month.
        law: Mean over simulated months, with the interval that holds 95 % of them.
        p: Of the test that the month comes from the law, adjusted over the figures of the law.
    """

    __test__ = False  # not one of pytest's

    figure: str
    month: float
    law: Interval
    p: float


@dataclass(frozen=True)
class LawReport:
    """One law.

    Attributes:
        name: Of the law.
        tests: Of every figure.
        log_likelihood: Of the month.
        parameters: Fitted to the month beside the rates; None where the law is a replay.
    """

    name: str
    tests: tuple[Test, ...]
    log_likelihood: float | None
    parameters: int | None

    @property
    def rejected(self) -> list[str]:
        """Figures that the law does not have, at 5 % over all of them."""
        return [test.figure for test in self.tests if test.p < 0.05]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        tests = [{**vars(test), "law": vars(test.law)} for test in self.tests]
        return {**vars(self), "tests": tests, "rejected": self.rejected}


def laws(times: Floats) -> dict[str, tuple[ArrivalLaw, float | None, int | None]]:
    """The presets' laws by name, each with the log-likelihood of the month and the number of its own parameters.

    The preset's gamma factors have the month's dispersions; Hawkes has the greatest likelihood, and is to be compared
    with the gamma factors that have it too.
    """
    likeliest = fit_overdispersed(RATES, times, DAYS)
    poisson, factors, hawkes = (_shipped(name) for name in ("poisson", "overdispersed", "hawkes"))
    return {
        "Poisson": (poisson, poisson_likelihood(poisson.rate, times, DAYS), 0),
        "gamma factors of days and hours": (factors, overdispersed_likelihood(factors, times, DAYS), 2),
        "gamma factors of greatest likelihood": (likeliest, overdispersed_likelihood(likeliest, times, DAYS), 2),
        "Hawkes": (hawkes, hawkes_likelihood(hawkes, times, DAYS), 2),
        "replay": (ReplayArrivals(tuple(np.diff(times, prepend=0.0).tolist()), factors), None, None),
    }


def _shipped(name: str) -> Any:
    """An arrival law of the preset."""
    return make_scenario("OpenUp", arrivals=name).arrivals


def reproduce(month: Path, replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write report and picture into a folder; the same as plain data.

    Args:
        month: File of recorded gaps, in minutes.
        replications: Simulated months of each law.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    times = np.cumsum(read_gaps(month))
    reports, curves = [], {}
    for name, (law, likelihood, parameters) in laws(times).items():
        parts = joblib.Parallel(n_jobs=workers)(
            joblib.delayed(_months)(law, range(first, replications, workers)) for first in range(workers)
        )
        simulated = np.concatenate([part[0] for part in parts])
        curves[name] = np.concatenate([part[1] for part in parts])
        reports.append(LawReport(name, compare(figures_of(times), simulated), likelihood, parameters))
        console.print(f"{name}: rejected by {', '.join(reports[-1].rejected) or 'no figure'}", highlight=False)
    fitted = fit_hawkes(RATES, times, DAYS)
    purged = purge(_shipped("hawkes"), replications)
    of_month = np.array([dispersion(times, DAYS, window) for window in WINDOWS])
    plot_dispersion(np.array(WINDOWS), of_month, curves, folder / "dispersion.png")
    text = markdown(reports, fitted, purged, rate_error(times), replications)
    (folder / "report.md").write_text(text, encoding="utf-8")
    return {
        "laws": [report.as_json() for report in reports],
        "fitted_hawkes": {"branching_ratio": fitted.branching_ratio, "mean_delay_minutes": 1 / fitted.decay},
        "purged": {name: vars(interval) for name, interval in purged.items()},
        "largest_error_of_rates": rate_error(times),
    }


def _months(law: ArrivalLaw, seeds: Sequence[int]) -> tuple[Floats, Floats]:
    """`[n, figures]` and `[n, windows]` of simulated months."""
    figures, curves = [], []
    for seed in seeds:
        times = law.sample(DAYS * DAY, np.random.default_rng(seed))
        figures.append(figures_of(times))
        curves.append([dispersion(times, DAYS, window) for window in WINDOWS])
    return np.array(figures), np.array(curves)


def figures_of(times: Floats) -> Floats:
    """`[figures]` of one month."""
    return np.array([figure(times, DAYS) for figure in FIGURES.values()])


def compare(month: Floats, simulated: Floats) -> tuple[Test, ...]:
    """Test `[figures]` of the month against `[n, figures]` of simulated months.

    Source of the p-value, which counts the month itself: Davison & Hinkley (1997), "Bootstrap methods and their
    application", section 4.2.
    """
    size = len(simulated) + 1
    above = (1 + (simulated >= month).sum(axis=0)) / size
    below = (1 + (simulated <= month).sum(axis=0)) / size
    adjusted = holm(np.minimum(1.0, 2 * np.minimum(above, below)))
    low, high = np.quantile(simulated, [0.025, 0.975], axis=0)
    means = simulated.mean(axis=0)
    return tuple(
        Test(name, float(month[k]), Interval(float(low[k]), float(means[k]), float(high[k])), float(adjusted[k]))
        for k, name in enumerate(FIGURES)
    )


def purge(law: HawkesArrivals, replications: int) -> dict[str, Interval]:
    """Take every offspring out of simulated months: what is left should be Poisson at the base rate.

    Returns:
        Means with their intervals: `arrivals` and `immigrants` over what the rates and the base expect, and
        `dispersion`, the variance / mean of hours of the immigrants.
    """
    expected = RATES.integral(0.0, DAYS * DAY)
    rows = []
    for seed in range(replications):
        times, parents = law.sample_with_parents(DAYS * DAY, np.random.default_rng(seed))
        roots = times[parents == IMMIGRANT]
        base = law.base.integral(0.0, DAYS * DAY)
        rows.append((len(times) / expected, len(roots) / base, dispersion(roots, DAYS, HOUR)))
    columns = np.array(rows).T
    return {
        name: mean_difference_interval(float(values.mean()), float(values.std(ddof=1)), len(values), 0.0, 0.0, 2)
        for name, values in zip(("arrivals", "immigrants", "dispersion"), columns, strict=True)
    }


def rate_error(times: Floats) -> float:
    """Largest difference of a shipped rate from the month's, visitors an hour."""
    measured = counts_by(times, DAYS, HOUR).mean(axis=0)
    return float(np.abs(measured - OPEN_UP_VISITORS_PER_HOUR).max())


def markdown(
    reports: list[LawReport], fitted: HawkesArrivals, purged: dict[str, Interval], error: float, months: int
) -> str:
    """A table of figures, one of likelihoods, and what is to be known."""
    names = [report.name for report in reports]
    lines = [
        f"# Open Up's arrivals: {months} simulated months of each law against the recorded one",
        "",
        "Mean of the simulated months, the interval that holds 95 % of them, and the p-value of the recorded month "
        "under the law (Holm over its figures); bold where it is below .05.",
        "",
        f"| figure | the month | {' | '.join(names)} |",
        "|---|---|" + "---|" * len(names),
    ]
    for k, figure in enumerate(FIGURES):
        cells = []
        for report in reports:
            test = report.tests[k]
            digits = 0 if figure == "arrivals" else 3
            words = f"{test.law.format(digits)}, p {test.p:.2g}"
            cells.append(f"**{words}**" if test.p < 0.05 else words)
        digits = 0 if figure == "arrivals" else 3
        lines.append(f"| {figure} | {reports[0].tests[k].month:.{digits}f} | {' | '.join(cells)} |")
    lines += ["", "| law | log-likelihood of the month | own parameters | AIC less Poisson's |", "|---|---|---|---|"]
    poisson = reports[0].log_likelihood
    for report in reports:
        if report.log_likelihood is not None and report.parameters is not None and poisson is not None:
            gain = 2 * report.parameters - 2 * (report.log_likelihood - poisson)
            lines.append(f"| {report.name} | {report.log_likelihood:.1f} | {report.parameters} | {gain:.1f} |")
    lines += [
        "",
        f"The self-exciting law of greatest likelihood has {fitted.branching_ratio:.4f} offspring an arrival, "
        f"{1 / fitted.decay:.3f} minutes later in the mean; the presets have {OPEN_UP_HAWKES_BRANCHING} and "
        f"{OPEN_UP_HAWKES_DELAY}. Its offspring would be callers who come again; the share of repeat callers "
        f"among those who accept the terms is {REPEAT_SHARE}.",
        "",
        f"With its offspring taken out, arrivals are {purged['immigrants'].format(4)} of what its base rate expects, "
        f"with a variance / mean of hours of {purged['dispersion'].format(4)}; with them, "
        f"{purged['arrivals'].format(4)} of what the month's rates expect.",
        "",
        f"The shipped hourly rates differ from the month's by {error:.5f} visitors an hour at most.",
    ]
    return "\n".join(lines) + "\n"

"""How many counsellors does Open Up need? Cost and failure against capacity, and the cheapest roster with a pledge.

Preset `OpenUp` under FCFS with the fitted law of arrivals. Rosters share callers; those that were chosen by training
traces are measured again on test traces.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from experiments.configs import PledgeConfig
from experiments.plots_open_up import plot_staffing
from experiments.studies.open_up_play import Measures, Rosters, Staffing
from experiments.studies.open_up_splits import words
from experiments.studies.staffing_search import Candidate, Pledge, StaffingSearch
from mhgym.evaluation.splits import seeds_of
from mhgym.evaluation.statistics import RESAMPLES, Interval, bootstrap_interval
from mhgym.presets import make_scenario
from mhgym.presets.open_up_roster import BASE_STAFFING, ROLE_NAMES, SATURATION_STAFFING, SHIFTS

Floats = NDArray[np.float64]

WEEK = 10_080.0  # minutes
TRAINING_WEEKS = 12
#: The sweep: so many volunteers and full-time staff in every shift, duty officers as in the base case.
VOLUNTEERS, FULL_TIME = (0, 1, 2, 3, 4, 6), (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Row:
    """One roster.

    Attributes:
        label: What it is.
        staffing: Numbers by shift and role.
        counsellors: In all.
        capacity: Contacts at once, summed over the shifts.
        cost: In all.
        conversion: First answers / visitors.
        service_level: Answered within the pledged minutes / accepted.
        line: Smallest share, over the hours of the day, of the time with at most one living contact in line, see
            `worst_hour`.
    """

    label: str
    staffing: Mapping[str, Mapping[str, int]]
    counsellors: int
    capacity: int
    cost: float
    conversion: Interval
    service_level: Interval
    line: Interval

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        intervals = {name: vars(getattr(self, name)) for name in ("conversion", "service_level", "line")}
        return {**vars(self), "staffing": {name: dict(roles) for name, roles in self.staffing.items()}, **intervals}


def describe(label: str, staffing: Staffing, cost: Mapping[str, float], measures: Measures) -> Row:
    """A measured roster."""
    roster = make_scenario("OpenUp", staffing=staffing).roster
    return Row(
        label=label,
        staffing=staffing,
        counsellors=len(roster),
        capacity=sum(person.capacity for person in roster),
        cost=float(sum(cost[role] * staffing[shift][role] for shift, role in product(SHIFTS, ROLE_NAMES))),
        conversion=bootstrap_interval(measures.conversion, rng=np.random.default_rng(0)),
        service_level=bootstrap_interval(measures.service_level, rng=np.random.default_rng(0)),
        line=worst_hour(measures.crowded),
    )


def worst_hour(crowded: Floats) -> Interval:
    """Share of the time with at most one in line, in the hour of the day that is worst in the mean over weeks.

    Args:
        crowded: `[weeks, 24]` share of the time with more than one in line.

    Returns:
        The share with a percentile bootstrap interval over weeks, the worst hour found anew in each resample.
    """
    rng, weeks = np.random.default_rng(0), len(crowded)
    found = [1.0 - crowded[rng.integers(weeks, size=weeks)].mean(axis=0).max() for _ in range(RESAMPLES)]
    low, high = np.quantile(found, [0.025, 0.975]).tolist()
    return Interval(low, float(1.0 - crowded.mean(axis=0).max()), high)


def sweep() -> dict[str, dict[str, dict[str, int]]]:
    """The rosters of the sweep by label."""
    return {
        f"{volunteers} volunteers and {full_time} full-time a shift": {
            shift: roles | {"volunteers": volunteers, "full_time": full_time} for shift, roles in BASE_STAFFING.items()
        }
        for volunteers, full_time in product(VOLUNTEERS, FULL_TIME)
    }


def crossing(rows: list[Row]) -> tuple[float, float, float]:
    """Where the curves of cost and failure cross, as in the paper's figure.

    Cost and failure have different units, so that where they cross depends on how the axes are scaled; here both run
    from 0 to 1 over the rosters given. At each capacity the cheapest roster counts, and the best up to there.

    Returns:
        Capacity, cost and failure (visitors not answered, as a share) at the crossing.

    Raises:
        ValueError: If there are fewer than two capacities, or the curves do not cross.
    """
    capacities = np.array(sorted({row.capacity for row in rows}), dtype=np.float64)
    if len(capacities) < 2:
        raise ValueError(f"curves need rosters of at least two capacities, got {len(capacities)}")
    cost = np.array([min(row.cost for row in rows if row.capacity == capacity) for capacity in capacities])
    best = [min(1 - row.conversion.estimate for row in rows if row.capacity == capacity) for capacity in capacities]
    failure = np.minimum.accumulate(best)
    gap = _scaled(cost) - _scaled(failure)
    after = int(np.argmax(gap >= 0))
    if gap[after] < 0 or after == 0:
        raise ValueError("the curves of cost and failure do not cross among these rosters; sweep over more of them")
    weight = -gap[after - 1] / (gap[after] - gap[after - 1])
    return tuple(float(v[after - 1] + weight * (v[after] - v[after - 1])) for v in (capacities, cost, failure))


def _scaled(values: Floats) -> Floats:
    return (values - values.min()) / (values.max() - values.min())


def reproduce(
    replications: int, workers: int, folder: Path, console: Console, *, start: Staffing, pledge: PledgeConfig
) -> dict[str, Any]:
    """Run the study, print it, write report and picture into a folder; the same as plain data.

    Args:
        replications: Test weeks.
        workers: Not used: the search goes step by step.
        folder: Of the results.
        console: Where to print.
        start: Roster from which the search starts.
        pledge: What to keep, at which costs, and how many rosters may be tried.
    """
    del workers
    training = Rosters("OpenUp", seeds_of("train", TRAINING_WEEKS), hours=True, horizon=WEEK)
    swept = [describe(label, staffing, pledge.cost, training.measure(staffing)) for label, staffing in sweep().items()]
    met = crossing(swept)
    console.print(f"cost and failure cross at capacity {met[0]:.1f}, cost {met[1]:.1f}", highlight=False)
    both, answered_only = Pledge(pledge.answered, pledge.line), Pledge(pledge.answered, None)
    searches = {
        "cheapest that answers in time": StaffingSearch(
            training, pledge.cost, answered_only, pledge.roles, pledge.budget
        ),
        "cheapest that keeps both pledges": StaffingSearch(training, pledge.cost, both, pledge.roles, pledge.budget),
    }
    found: dict[str, Candidate | None] = {}
    for label, search in searches.items():
        found[label] = best = search.run(start)
        outcome = "none" if best is None else f"{words(best.staffing)} at {best.cost:g}"
        console.print(f"{label}: {outcome}, {len(search.seen)} rosters measured", highlight=False)
    chosen = {"start": start, "base case": BASE_STAFFING, "saturation, probable": SATURATION_STAFFING}
    chosen |= {label: best.staffing for label, best in found.items() if best is not None}
    test = Rosters("OpenUp", seeds_of("test", replications), hours=True, horizon=WEEK)
    tested = [describe(label, staffing, pledge.cost, test.measure(staffing)) for label, staffing in chosen.items()]
    plot_staffing(
        [(row.capacity, row.cost, 1 - row.conversion.estimate) for row in swept],
        met,
        {row.label: (row.capacity, row.cost, 1 - row.conversion.estimate) for row in tested[1:]},
        folder / "staffing.png",
    )
    tried = {label: len(search.seen) for label, search in searches.items()}
    (folder / "report.md").write_text(markdown(swept, met, tested, tried, pledge), encoding="utf-8")
    return {
        "sweep": [row.as_json() for row in swept],
        "crossing": dict(zip(("capacity", "cost", "failure"), met, strict=True)),
        "tested": [row.as_json() for row in tested],
        "rosters_measured": tried,
    }


def markdown(
    swept: list[Row], met: tuple[float, float, float], tested: list[Row], tried: Mapping[str, int], pledge: PledgeConfig
) -> str:
    """The chosen rosters first, then the crossing and the sweep."""
    header = "counsellors | capacity | cost | conversion | answered in time | at most one in line, worst hour |"
    line = "" if pledge.line is None else f" and at most one in line for {pledge.line:.0%} of the time in every hour"
    lines = [
        "# Staffing of Open Up",
        "",
        f"The pledge: {pledge.answered:.0%} of those who accepted the terms answered within 10 minutes{line}. "
        f"Chosen on {TRAINING_WEEKS} training weeks, measured on test weeks, with 95 % intervals, each by itself, not "
        "adjusted for how many there are; rosters measured: "
        f"{', '.join(f'{number} for the {label}' for label, number in tried.items())}. Rosters are written as "
        "volunteers, full-time staff, duty officers; night/morning/afternoon/special shift.",
        "",
        f"| roster | | {header}",
        "|---|---|---|---|---|---|---|---|",
        *(f"| {row.label} | {words(row.staffing)} | {_cells(row)} |" for row in tested),
        "",
        f"Over the sweep, cost and failure, each scaled to its range, cross at capacity {met[0]:.1f}, cost "
        f"{met[1]:.1f} and a conversion of {1 - met[2]:.3f} (the paper: 56, 46 and .548). Where curves of different "
        "units cross depends on the scales of the axes, which the paper does not give.",
        "",
        f"## The sweep, {TRAINING_WEEKS} training weeks",
        "",
        f"| roster | {header}",
        "|---|---|---|---|---|---|---|",
        *(f"| {row.label} | {_cells(row)} |" for row in swept),
    ]
    return "\n".join(lines) + "\n"


def _cells(row: Row) -> str:
    shares = f"{row.conversion.format()} | {row.service_level.format()} | {row.line.format()}"
    return f"{row.counsellors} | {row.capacity} | {row.cost:g} | {shares}"

"""WPI 2024: our weekly matcher on our weeks beside the report's Tables 5 to 19, over many seeds.

Run two has two readings. The report matches those left over with all of the volunteers' hours, also those that run one
gave away (`booked twice`): its totals come about so. With appointments taken up (`booked once`) an exact run one leaves
nothing to gain, and run two serves nobody.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from time import process_time
from typing import Any

import joblib
import numpy as np

from agents.weekly_greedy import offer_by_compatibility, offer_by_severity, offer_first_come, ranking
from agents.weekly_matcher import offer_exactly, offer_most_severe
from experiments.studies.wpi_figures import FIGURES, MEASURES, TABLES, Table
from mhgym.matching import Week, objectives
from mhgym.matching.rounds import Matcher, Round, booked, play_rounds, play_weeks
from mhgym.matching.traits import SEVERITIES

OFFERS = 3  # the report's k
STAGES = (1, 2)  # objectives solved; the third changes nothing
TWICE, ONCE = "booked twice", "booked once"
SECONDS = "seconds of both runs"
LOW, HIGH = 5.0, 95.0  # percentiles of the spread over seeds
NUM_WEEKS = 4
#: Simple matchers beside the exact one.
MATCHERS: dict[str, Matcher] = {
    "exact": offer_exactly,
    "greedy by severity": offer_by_severity,
    "greedy by compatibility": offer_by_compatibility,
    "first come": offer_first_come,
    "ranking": ranking(0),
}
Values = dict[str, float]


@dataclass(frozen=True)
class Spread:
    """One figure over seeds, beside the report's.

    Attributes:
        table: Setting.
        what: Run, objective and measure.
        mean: Ours.
        low: Our 5th percentile over seeds.
        high: Our 95th.
        theirs: The report's one week; None where it has none.
        inside: Whether theirs lies from `low` to `high`.
        band: The same percentiles of an independent implementation.
        calibrated: Whether our median lies in that band.
    """

    table: str
    what: str
    mean: float
    low: float
    high: float
    theirs: float | None = None
    inside: bool | None = None
    band: tuple[float, float] | None = None
    calibrated: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def spread(
    table: str,
    what: str,
    values: list[float],
    theirs: float | None = None,
    band: tuple[float, float] | None = None,
) -> Spread:
    """Summarise a figure over seeds."""
    low, median, high = (float(value) for value in np.percentile(values, [LOW, 50.0, HIGH]))
    inside = None if theirs is None else low <= theirs <= high
    calibrated = None if band is None else band[0] <= median <= band[1]
    return Spread(table, what, float(np.mean(values)), low, high, theirs, inside, band, calibrated)


def study(replications: int, workers: int) -> Iterator[Spread]:
    """Yield every figure of every table."""
    for table in TABLES:
        weeks = _parallel(_table_values, table, replications, workers)
        for what, (theirs, band) in _reported(table).items():
            yield spread(table.name, what, [week[what] for week in weeks], theirs, band)
        # Their seconds are of another machine and solver: shown, and not judged.
        own = spread(table.name, SECONDS, [week[SECONDS] for week in weeks], table.seconds)
        yield replace(own, inside=None)


def compare_matchers(replications: int, workers: int) -> Iterator[Spread]:
    """Simple matchers beside the exact one, on the weeks of Table 5."""
    weeks = _parallel(_matcher_values, TABLES[0], replications, workers)
    for what in weeks[0]:
        yield spread(TABLES[0].name, what, [week[what] for week in weeks])


def carry_over(replications: int, workers: int) -> Iterator[Spread]:
    """Four weeks of Table 5, those unmatched carried over to new volunteers."""
    runs = _parallel(_carried_values, TABLES[0], replications, workers)
    for what in runs[0]:
        yield spread(TABLES[0].name, what, [run[what] for run in runs])


def matched_by_severity(replications: int, workers: int) -> dict[str, tuple[list[float], list[float]]]:
    """Figures 6 to 8: mean percentage of patients matched in run one and in run two, booked twice, by severity."""
    bars = {}
    for name, table in FIGURES.items():
        weeks = _parallel(_severity_values, table, replications, workers)
        totals = np.sum([week["all"] for week in weeks], axis=0)
        one, two = (100 * np.sum([week[run] for week in weeks], axis=0) / totals for run in ("one", "two"))
        bars[f"{name}, {table.name.split(': ')[1]}"] = (one.tolist(), two.tolist())
    return bars


def _parallel(task: Any, table: Table, replications: int, workers: int) -> list[Any]:
    """A task for every seed, in the order of the seeds."""
    return joblib.Parallel(n_jobs=workers)(joblib.delayed(task)(table, seed) for seed in range(replications))


def _reported(table: Table) -> dict[str, tuple[float | None, tuple[float, float] | None]]:
    """Every figure of a table: the report's value and the calibrated band, None where there is none."""
    figures: dict[str, tuple[float | None, tuple[float, float] | None]] = {}
    for stage, row in zip(STAGES, table.run_one, strict=True):
        for measure, theirs in zip(MEASURES, row, strict=True):
            figures[_label("run one", stage, measure)] = (theirs, table.bands.get((stage, measure)))
    for reading in (TWICE, ONCE):
        for stage, row in zip(STAGES, table.run_two, strict=True):
            for measure, theirs in zip(MEASURES, row, strict=True):
                figures[_label(f"run two, {reading}", stage, measure)] = (theirs if reading == TWICE else None, None)
    return figures


def _label(run: str, stage: int, measure: str) -> str:
    return f"{run}, after objective {stage}: {measure}"


def _table_values(table: Table, seed: int) -> Values:
    """All figures of one week."""
    week = table.generator.sample(seed)
    started = process_time()
    first, second = play_rounds(week, offer_exactly, most_offers=OFFERS, consume=False)
    seconds = process_time() - started
    left = Week(first.unmatched, booked(week.volunteers, first.picked), week.languages)
    (once,) = play_rounds(left, offer_exactly, num_rounds=1, most_offers=OFFERS)
    values = {SECONDS: seconds}
    for run, done in (("run one", first), (f"run two, {TWICE}", second), (f"run two, {ONCE}", once)):
        values |= _stages(run, done)
    return values


def _stages(run: str, done: Round) -> Values:
    """The measures of one run after each objective; after the first it is one optimum of many."""
    values: Values = {}
    for stage, offers in zip(STAGES, (offer_most_severe(done.week, OFFERS), done.offers), strict=True):
        reached = objectives(done.week, offers)
        measured = (reached.unassigned, reached.severity_score, reached.compatibility)
        values |= {_label(run, stage, name): value for name, value in zip(MEASURES, measured, strict=True)}
    return values


def _matcher_values(table: Table, seed: int) -> Values:
    """Unassigned, the most severe served, and compatibility, for each matcher."""
    week = table.generator.sample(seed)
    most_severe = int((week.patients.severity == SEVERITIES - 1).sum())
    values: Values = {}
    for name, matcher in MATCHERS.items():
        reached = objectives(week, matcher(week, OFFERS))
        values[f"{name}: unassigned"] = reached.unassigned
        values[f"{name}: severity 6 served, %"] = 100 * reached.per_severity[-1] / max(1, most_severe)
        values[f"{name}: compatibility"] = reached.compatibility
    return values


def _carried_values(table: Table, seed: int) -> Values:
    """What is left at the end of each week."""
    rng = np.random.default_rng(seed)
    generator = table.generator

    def weeks() -> Iterator[Week]:
        for number in range(NUM_WEEKS):
            patients = generator.sample_patients(rng, first=number * generator.num_patients)
            yield Week(patients, generator.sample_volunteers(rng, first=number * generator.num_volunteers))

    values: Values = {}
    for number, done in enumerate(play_weeks(weeks(), offer_exactly, most_offers=OFFERS), 1):
        values[f"week {number}: served"] = len(done.picked)
        values[f"week {number}: left over"] = len(done.unmatched)
    return values


def _severity_values(table: Table, seed: int) -> dict[str, Any]:
    """Patients by severity: all, and those matched in each run."""
    week = table.generator.sample(seed)
    first, second = play_rounds(week, offer_exactly, most_offers=OFFERS, consume=False)
    everybody = np.bincount(week.patients.severity, minlength=SEVERITIES)
    return {"all": everybody, "one": _per_severity(first), "two": _per_severity(second)}


def _per_severity(done: Round) -> tuple[int, ...]:
    return objectives(done.week, done.picked).per_severity

"""The measures of the study of fairness: rates of groups, their gaps, and what a price on fairness buys and costs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.studies.fairness_cells import STAFF, Played, everybody, play
from experiments.studies.fairness_centres import FCFS, Centre
from experiments.studies.fairness_statistics import Estimate, resamples
from mhgym.evaluation.statistics import Interval
from mhgym.metrics.by_group import CALLER_SUMS, COUNSELLOR_SUMS

Floats = NDArray[np.float64]

#: Prices on a contact that newcomers are short of, in quality.
WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0)
#: KPIs beside the rates by group; means over traces.
KPIS = {
    "fairness": "fairness",
    "jain": "jain_answered_per_staffed_minute",
    "gini": "gini_answered_per_staffed_minute",
    "burden": "burden",
    "quality": "quality",
    "quantity": "quantity",
}


@dataclass(frozen=True)
class Treatment:
    """How one policy treats a centre.

    Attributes:
        staff: Of counsellors and of the centre, by measure.
        staff_changes: The same less FCFS.
        callers: By grouping and measure, each group.
        caller_changes: The same less FCFS.
        gaps: By grouping and measure, best group less worst.
    """

    staff: dict[str, Interval]
    staff_changes: dict[str, Interval]
    callers: dict[str, dict[str, list[Interval]]]
    caller_changes: dict[str, dict[str, list[Interval]]]
    gaps: dict[str, dict[str, Interval]]


@dataclass(frozen=True)
class Price:
    """What prices on fairness buy and cost with one policy.

    Attributes:
        weights: Prices.
        reached: Of each price, by measure.
        changes: The same less price 0.
        enough: The least price with which newcomers had their share on validation traces; None if none did.
    """

    weights: tuple[float, ...]
    reached: list[dict[str, Interval]]
    changes: list[dict[str, Interval]]
    enough: float | None


@dataclass(frozen=True)
class Finding:
    """One centre.

    Attributes:
        centre: The centre.
        traces: Test traces.
        treatments: By policy.
        prices: By policy whose price is swept.
    """

    centre: Centre
    traces: int
    treatments: dict[str, Treatment]
    prices: dict[str, Price]


def staff_measures(played: Played, draws: Floats) -> dict[str, Estimate]:
    """Representation of newcomers, occupancy and feedback of both groups, and KPIs of the centre."""
    answered, staffed, _, rated, feedback = np.moveaxis(played.counsellors.sum(axis=1), -1, 0)
    parts = {"new_share_of_answered": answered, "new_share_of_time": staffed}
    shares = [
        Estimate.total(played.kpis[name] * whole, draws) / Estimate.total(whole, draws) for name, whole in parts.items()
    ]
    sums = Estimate.total(played.counsellors, draws)
    column = {name: sums[index] for index, name in enumerate(COUNSELLOR_SUMS)}
    rates = {"occupancy": column["busy"] / column["staffed"], "feedback": column["feedback"] / column["rated"]}
    return {
        "representation": shares[0] / shares[1],
        "feedback of all": Estimate.total(feedback, draws) / Estimate.total(rated, draws),
        **{f"{name}, {group}": rate[index] for name, rate in rates.items() for index, group in enumerate(STAFF)},
        **{name: Estimate.mean(played.kpis[kpi], draws) for name, kpi in KPIS.items()},
    }


def caller_measures(played: Played, grouping: str, draws: Floats) -> dict[str, Estimate]:
    """`[G]` answered share, wait of the answered and feedback of each group of callers."""
    sums = Estimate.total(played.callers[grouping], draws)
    column = {name: sums[index] for index, name in enumerate(CALLER_SUMS)}
    return {
        "answered": column["answered"] / column["offered"],
        "wait": column["waited"] / column["first_answers"],
        "feedback": column["feedback"] / column["rated"],
    }


def treat(played: Played, reference: Played, draws: Floats) -> Treatment:
    """One policy beside FCFS on the same traces."""
    own, others = staff_measures(played, draws), staff_measures(reference, draws)
    callers = {grouping: caller_measures(played, grouping, draws) for grouping in played.callers}
    before = {grouping: caller_measures(reference, grouping, draws) for grouping in played.callers}
    return Treatment(
        {name: one.interval() for name, one in own.items()},
        {name: (one - others[name]).interval() for name, one in own.items()},
        {grouping: {name: one.intervals() for name, one in table.items()} for grouping, table in callers.items()},
        {
            grouping: {name: (one - before[grouping][name]).intervals() for name, one in table.items()}
            for grouping, table in callers.items()
        },
        {grouping: {name: one.gap_interval() for name, one in table.items()} for grouping, table in callers.items()},
    )


def price(label: str, found: dict[tuple[str, float], Played], chosen: dict[tuple[str, float], Played]) -> Price:
    """What prices buy and cost with a policy, on test traces `found`; `chosen` are the validation traces."""
    draws = resamples(len(found[label, 0.0].counsellors))
    nothing = resamples(len(chosen[label, 0.0].counsellors), size=1)
    measures = [staff_measures(found[label, weight], draws) for weight in WEIGHTS]
    had = [float(staff_measures(chosen[label, weight], nothing)["representation"].value) for weight in WEIGHTS]
    return Price(
        WEIGHTS,
        [{name: one.interval() for name, one in own.items()} for own in measures],
        [{name: (one - measures[0][name]).interval() for name, one in own.items()} for own in measures],
        next((weight for weight, share in zip(WEIGHTS, had, strict=True) if share >= 1.0), None),
    )


def measure(centre: Centre, replications: int, workers: int, cache: Path = Path(".cache/cells")) -> Finding:
    """Play a centre.

    Args:
        centre: The centre.
        replications: Test traces, and validation traces for prices, of which the centre may take a share.
        workers: Processes.
        cache: Folder of completed cells.
    """
    priced = [(label, weight) for label in centre.priced for weight in WEIGHTS]
    plays = list(dict.fromkeys([*everybody(centre), *priced]))
    found = play(centre, plays, "test", replications, workers, cache)
    chosen = play(centre, priced, "validation", replications, workers, cache) if priced else {}
    draws = resamples(len(found[FCFS, 0.0].counsellors))
    treatments = {label: treat(found[label, 0.0], found[FCFS, 0.0], draws) for label, _ in everybody(centre)}
    prices = {label: price(label, found, chosen) for label in centre.priced}
    return Finding(centre, draws.shape[1], treatments, prices)

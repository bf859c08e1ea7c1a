"""Chiang et al. 2024: our `OpenUpPaper` against the authors' own simulator on the same real month, under FCFS.

Margins are those of the project's equivalence targets, set before any run. `open_up_figures` has what is compared with.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from experiments.studies.findings import Finding, Remark
from experiments.studies.open_up_figures import (
    DROPPED_BY_HOUR,
    PAPER_CONVERSION,
    PAPER_DROPPED,
    PAPER_GAINS,
    REPAIRED_REPLICATIONS,
    SETTINGS,
    Setting,
)
from experiments.studies.open_up_play import MONTH, Played, month_scenario, play
from experiments.studies.open_up_splits import climb, extensions_of_base, neighbours, rank, words
from mhgym.evaluation.statistics import Interval, mean_difference_interval
from mhgym.presets.open_up_roster import SATURATION_STAFFING
from mhgym.processes.arrivals import ReplayArrivals, read_gaps

CONVERSION = "first_answer_conversion"  # the paper's: whoever was answered, finished or not

#: Measure: (our KPI, margin).
MEASURES: dict[str, tuple[str, float | None]] = {
    "conversion, share of visitors": (CONVERSION, 0.005),
    "direct, share of accepted": ("direct_share", 0.008),
    "answered after waiting, share of accepted": ("answered_after_wait_share", 0.006),
    "abandoned in the first queue, share of accepted": ("abandonment_first_queue", 0.008),
    "mean chat, minutes": ("mean_service_minutes", 0.5),
    "valid cases, share of accepted": ("valid_share", 0.008),
    "mean wait of the answered, minutes": ("asa", 0.08),
    "abandoned in transfer, share of accepted": ("abandonment_in_transfer", None),
}
_GAINS = {
    CONVERSION: "gain in conversion over the base case",
    "direct_share": "gain in direct answers over the base case",
    "answered_after_wait_share": "gain in answers after waiting over the base case",
}

BASE, EVICTED = SETTINGS[0].name, SETTINGS[2].name
#: In the authors' simulator, beside the settings with figures of it.
OTHERS: dict[str, dict[str, Any]] = {
    "mean chat of 40 minutes, low risk shorter": {"low_risk_scale": 152.4},
    "mean chat of 40 minutes, non-repeat callers shorter": {"low_risk_scale": 152.4, "chats": "by_type"},
    "saturation (probable), 37 counsellors": {"staffing": SATURATION_STAFFING},
    "the same, cutoff 10 as in their other script": {"staffing": SATURATION_STAFFING, "cutoff": 10.0},
}
#: The steps from the authors' simulator to ours, each on the same callers as the one before.
STEPS = ("OpenUpPaper, zombies to the back", "OpenUpPaper, order of arrival", "OpenUp, own shift ends")
#: The authors' rules with arrivals that run ahead of the day as their clock does, evenly up to so many minutes at the
#: end of the month: the least and the most that were seen.
AHEAD = {f"arrivals {minutes:g} minutes ahead at the end": minutes for minutes in (91.0, 144.0)}
_STEP_KPIS = {
    CONVERSION: "conversion, share of visitors",
    "asa": "mean wait of the answered, minutes",
    "service_level": "answered within 10 minutes, share of accepted",
    "zombie_minutes": "minutes a month on zombies",
}
_RANKING_SEED = 1_000_000  # apart from the replications, so that the best of many is measured afresh


def replicate(month: Path, replications: int, workers: int) -> dict[str, Played]:
    """Every setting over seeds 0 to `replications` - 1; settings share callers and differ in rules and roster.

    Raises:
        FileNotFoundError: If the month's file is not there.
    """
    seeds = range(replications)
    paper = {"cutoff": 30.0, "zombies": "kept", "queue_discipline": "paper"}
    settings = {setting.name: setting.overrides for setting in SETTINGS}
    settings |= {name: paper | overrides for name, overrides in OTHERS.items()}
    settings[STEPS[1]] = {}
    played = {
        name: play(month_scenario("OpenUpPaper", month, **overrides), seeds, workers)
        for name, overrides in settings.items()
    }
    base = month_scenario("OpenUpPaper", month, **paper)
    for name, minutes in AHEAD.items():
        gaps = tuple(gap * (1 - minutes / MONTH) for gap in read_gaps(month))
        played[name] = play(base.replace(arrivals=ReplayArrivals(gaps, base.arrivals)), seeds, workers)
    played[STEPS[0]] = played[BASE]
    played[STEPS[2]] = play(month_scenario("OpenUp", month), seeds, workers)
    return played


def study(month: Path, played: dict[str, Played], workers: int) -> Iterator[Finding | Remark]:
    """Yield every comparison: their simulator, the paper's gains, its optimum and saturation, the shift ends."""
    for setting in SETTINGS:
        yield from _equivalence(setting, played[setting.name])
    yield _given("the paper's base case", "conversion", played[BASE].values(CONVERSION), PAPER_CONVERSION["base"])
    forty = list(OTHERS)[:2]
    for name, kind in ((EVICTED, "zombies evicted"), *((name, "mean chat of 40 minutes") for name in forty)):
        for kpi, theirs in PAPER_GAINS[kind].items():
            gain = played[name].values(kpi) - played[BASE].values(kpi)
            yield _given(name, _GAINS[kpi], gain, theirs, direction=True)
    for saturation in list(OTHERS)[2:]:
        yield _given(saturation, "conversion", played[saturation].values(CONVERSION), PAPER_CONVERSION["saturation"])
    yield _near_saturation(month, workers)
    yield from _optimum(month, len(played[BASE].kpis), workers)
    for before, after in itertools.pairwise(STEPS):
        for kpi, measure in _STEP_KPIS.items():
            yield _paired(after, f"{measure}; theirs: {before}", played[after].values(kpi), played[before].values(kpi))
    yield from _dropped(played)


def _dropped(played: dict[str, Played]) -> Iterator[Remark]:
    """When callers drop out, beside the paper's words and the authors' simulator, and what its clock does to that."""
    theirs = np.array(DROPPED_BY_HOUR) / sum(DROPPED_BY_HOUR)
    for name in (BASE, *AHEAD):
        left = played[name].hours.left_share
        shares = {f"{begin}:00 to {end}:00": float(left[begin:end].sum()) for begin, end in PAPER_DROPPED}
        largest = float(np.abs(left - theirs).max())
        words = ", ".join(
            f"{share:.3f} from {hours} (the paper: {paper:.3f}; its simulator: {theirs[begin:end].sum():.3f})"
            for (hours, share), ((begin, end), paper) in zip(shares.items(), PAPER_DROPPED.items(), strict=True)
        )
        yield Remark(
            f"Share of the drop-outs, {name}: {words}; largest difference of an hour from theirs {largest:.4f}.",
            shares | {"largest_difference": largest},
        )


def _equivalence(setting: Setting, played: Played) -> Iterator[Finding]:
    """One setting against their simulator, as published and with its two defects repaired."""
    for variant, figures, size in (
        ("published", setting.published, setting.replications),
        ("repaired", setting.repaired, REPAIRED_REPLICATIONS),
    ):
        for measure, (name, margin) in MEASURES.items():
            values = played.values(name)
            ours = float(values.mean()), float(values.std(ddof=1)), len(values)
            yield Finding.compare(f"{setting.name}, {variant}", measure, ours, (*figures[measure], size), margin)


def _given(setting: str, measure: str, values: np.ndarray, theirs: float, *, direction: bool = False) -> Finding:
    """Ours against one printed figure, taken as exact; with a `direction`, met if ours is surely above 0."""
    ours = mean_interval(values)
    difference = Interval(ours.low - theirs, ours.estimate - theirs, ours.high - theirs)
    met = ours.low > 0 if direction else None
    return Finding(setting, f"{measure}, the paper", ours.estimate, theirs, difference, None, met)


def _paired(setting: str, measure: str, ours: np.ndarray, theirs: np.ndarray) -> Finding:
    """Two of our own settings on the same callers."""
    means = float(ours.mean()), float(theirs.mean())
    return Finding(setting, measure, *means, mean_interval(ours - theirs), None, None)


def mean_interval(values: np.ndarray) -> Interval:
    """Student's 95 % interval of the mean of independent values."""
    return mean_difference_interval(float(values.mean()), float(values.std(ddof=1)), len(values), 0.0, 0.0, 2)


def _near_saturation(month: Path, workers: int) -> Remark:
    """What conversion becomes when one of the 37 works another shift: the block is found, its use is inferred."""
    law = month_scenario("OpenUpPaper", month).arrivals
    moved = rank(neighbours(SATURATION_STAFFING), law, _RANKING_SEED, workers)
    target = PAPER_CONVERSION["saturation"]
    figures = {"least": float(moved.min()), "largest": float(moved.max()), "reaching": int((moved >= target).sum())}
    return Remark(
        f"The {len(moved)} rosters in which one of the 37 works another shift convert from {figures['least']:.3f} to "
        f"{figures['largest']:.3f} on one replication; {figures['reaching']} of them reach the paper's {target}.",
        figures,
    )


def _optimum(month: Path, replications: int, workers: int) -> Iterator[Finding | Remark]:
    """Which conversions the splits of the optimum have, and whether the paper's lies among them."""
    rules = {"cutoff": 30.0, "queue_discipline": "paper"}
    law = month_scenario("OpenUpPaper", month).arrivals
    splits = extensions_of_base()
    ranked = rank(splits, law, _RANKING_SEED, workers)
    order = np.argsort(ranked)
    best, tried = climb(splits[order[-1]], law, _RANKING_SEED, workers)
    chosen = {
        "least of those that extend the base case": splits[order[0]],
        "median of them": splits[order[len(order) // 2]],
        "largest of them": splits[order[-1]],
        "best of all found": best,
    }
    target = PAPER_CONVERSION["optimum"]
    found = {}
    for label, split in chosen.items():
        scenario = month_scenario("OpenUpPaper", month, staffing=split, **rules)
        values = play(scenario, range(replications), workers).values(CONVERSION)
        found[label] = mean_interval(values)
        yield _given(f"optimum, {label}: {words(split)}", "conversion", values, target)
    least, _, largest, beyond = found.values()
    yield Remark(
        f"The {len(splits)} splits of the 24-person optimum that extend the base case convert from "
        f"{least.format(digits=4)} to {largest.format(digits=4)}, the paper's {target}; "
        f"{(ranked >= target).sum()} of them reach it on one replication. Moving posts further, {tried} splits tried, "
        f"leads to {beyond.format(digits=4)}, so that the paper's figure is "
        f"{'inside' if least.low <= target <= beyond.high else 'outside'} the range of all splits. Splits are written "
        "as volunteers, full-time staff, duty officers; night/morning/afternoon/special shift.",
        {
            "splits": len(splits),
            "least": least.estimate,
            "largest": largest.estimate,
            "reaching": int((ranked >= target).sum()),
            "best_found": beyond.estimate,
        },
    )

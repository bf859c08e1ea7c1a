"""Which order serves most living callers when nobody sees who has left? Open Up, weeks of test traces.

Chiang et al. 2024 ask what evicting zombies would bring; here it is asked how much of that an order alone brings, which
sees no more than how long each contact has waited, and the mean patience of its type. Every policy meets the same
callers. Settings stand beside one another and none is chosen by its result.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from agents import make_agent
from experiments.cells import Cell, collect
from experiments.workers import compute_all
from mhgym.domain import RISKS
from mhgym.evaluation.splits import seeds_of
from mhgym.evaluation.statistics import Interval, bootstrap_interval, paired_interval, share_interval
from mhgym.policy import Policy
from mhgym.presets import make_scenario

Floats = NDArray[np.float64]

WEEK = 10_080.0  # minutes
FCFS = "fcfs"
EVICTED = "fcfs, zombies evicted"
_BLOCK = 5
#: Label: agent and settings; `EVICTED` is FCFS where the system sees who leaves.
POLICIES: dict[str, tuple[str, dict[str, Any]]] = {
    FCFS: ("fcfs", {}),
    "lcfs": ("lcfs", {}),
    "most severe first": ("most_severe_first", {}),
    "newest within 2 minutes, else oldest": ("newest_within", {"longest": 2.0}),
    "newest within 5 minutes, else oldest": ("newest_within", {"longest": 5.0}),
    "newest within 10 minutes, else oldest": ("newest_within", {"longest": 10.0}),
    "likeliest there": ("likely_there", {}),
    "likeliest there, at least 2 %": ("likely_there", {"least": 0.02}),
    "likeliest there, at least 10 %": ("likely_there", {"least": 0.1}),
    "likeliest there, at least 30 %": ("likely_there", {"least": 0.3}),
    "likeliest there, at least 10 %, high risk first": ("likely_there", {"least": 0.1, "high_risk_first": True}),
    "oldest, at least 10 %": ("likely_there", {"least": 0.1, "oldest_first": True}),
    # Who takes patience for f times what it is sees exp(-w / f m) >= p where exp(-w / m) >= p^f, in the same order.
    "likeliest there, at least 10 %, patience taken for half": ("likely_there", {"least": 0.1**0.5}),
    "likeliest there, at least 10 %, patience taken for twice": ("likely_there", {"least": 0.1**2}),
    EVICTED: ("fcfs", {}),
}
#: The orders that are also run with callers who are more patient, as they are if those who were answered count as
#: censored (`OpenUpPopulation`): does the answer hang on how patience was fitted?
PATIENT = (FCFS, "lcfs", "likeliest there", "likeliest there, at least 10 %", EVICTED)
#: KPI: (words, digits).
MEASURES = {
    "quantity": ("answered, share of accepted", 4),
    "conversion": ("answered, share of visitors", 4),
    "first_answer_conversion": ("first answers, share of visitors", 4),
    "zombie_minutes": ("minutes a week on zombies", 0),
    "burden": ("burden", 4),
    "transfers": ("transfers a week", 1),
    "asa": ("mean wait of the answered, minutes", 3),
    "wait_p99": ("99th percentile of that wait, minutes", 2),
    **{f"abandonment_{risk}": (f"abandoned at {risk} risk", 4) for risk in RISKS},
    **{f"wait_{risk}": (f"mean wait at {risk} risk, minutes", 3) for risk in RISKS},
}


@dataclass(frozen=True)
class Row:
    """One policy.

    Attributes:
        label: In `POLICIES`.
        means: Of every measure.
        differences: From FCFS on the same traces; empty for FCFS.
        share: Of what eviction gains in `quantity` under FCFS; None for FCFS and eviction.
    """

    label: str
    means: dict[str, Interval]
    differences: dict[str, Interval]
    share: Interval | None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        intervals = {
            kind: {name: vars(value) for name, value in getattr(self, kind).items()}
            for kind in ("means", "differences")
        }
        return {"label": self.label, **intervals, "share": None if self.share is None else vars(self.share)}


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write the report into a folder; the same as plain data.

    Args:
        replications: Test weeks.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    seeds = seeds_of("test", replications)
    rows = measure(seeds, workers)
    patient = measure(seeds, workers, labels=PATIENT, patience="censored")
    for row in (*rows, *patient):
        gain = row.differences.get("quantity")
        words = "" if gain is None else f"  minus fcfs {gain.format(digits=4)}"
        console.print(f"{row.label:50s} {row.means['quantity'].format(digits=4)}{words}", highlight=False)
    (folder / "report.md").write_text(markdown(rows, patient, replications), encoding="utf-8")
    return {"rows": [row.as_json() for row in rows], "censored_patience": [row.as_json() for row in patient]}


def measure(
    seeds: range,
    workers: int,
    *,
    labels: tuple[str, ...] = tuple(POLICIES),
    horizon: float = WEEK,
    patience: str = "published",
    cache: Path = Path(".cache/cells"),
) -> list[Row]:
    """Policies on the same traces.

    Args:
        seeds: Of the traces.
        workers: Processes.
        labels: In `POLICIES`; FCFS and `EVICTED` among them.
        horizon: Minutes of a trace.
        patience: See `OpenUpPopulation`.
        cache: Folder of completed cells.
    """
    kept = make_scenario("OpenUp", horizon=horizon, patience=patience)
    evicted = kept.replace(zombies="evicted")
    parts = [seeds[first : first + _BLOCK] for first in range(0, len(seeds), _BLOCK)]
    cells = {
        label: [Cell(label, evicted if label == EVICTED else kept, _policy(label), part) for part in parts]
        for label in labels
    }
    for _ in compute_all([cell for own in cells.values() for cell in own], cache, workers):
        pass
    episodes = {label: collect(own, cache, "episodes") for label, own in cells.items()}
    hashes = episodes[FCFS]["trace_hash"].to_list()
    if any(table["trace_hash"].to_list() != hashes for table in episodes.values()):
        raise ValueError("every policy must meet the same traces; clear the cache of cells and run again")
    scores = {label: {name: table[name].to_numpy() for name in MEASURES} for label, table in episodes.items()}
    return [_row(label, scores) for label in labels]


def _policy(label: str) -> Policy:
    name, settings = POLICIES[label]
    return make_agent(name, **settings)


def _row(label: str, scores: Mapping[str, Mapping[str, Floats]]) -> Row:
    own, reference = scores[label], scores[FCFS]

    def rng() -> np.random.Generator:
        return np.random.default_rng(0)

    means = {name: bootstrap_interval(own[name], rng=rng()) for name in MEASURES}
    if label == FCFS:
        return Row(label, means, {}, None)
    differences = {name: paired_interval(own[name], reference[name], rng=rng()) for name in MEASURES}
    share = None
    if label != EVICTED:
        share = share_interval(own["quantity"], reference["quantity"], scores[EVICTED]["quantity"], rng=rng())
    return Row(label, means, differences, share)


def markdown(rows: list[Row], patient: list[Row], weeks: int) -> str:
    """The gains first, with callers as published and more patient, then every measure with its difference from FCFS."""
    lines = [
        f"# Orders for a queue that holds zombies: Open Up, {weeks} test weeks",
        "",
        "Means with 95 % bootstrap intervals, each by itself, not adjusted for how many there are; differences from "
        "FCFS are paired, on the same callers. The last column is the share of what eviction would gain under FCFS, in "
        "answered of accepted.",
        "",
        *_gains(rows),
        "",
        "## Callers who are more patient: means of 6.17 and 8.60 minutes, fitted with censoring",
        "",
        *_gains(patient),
    ]
    for name, (words, digits) in MEASURES.items():
        lines += ["", f"## {words[0].upper()}{words[1:]}", "", "| order | mean | minus FCFS |", "|---|---|---|"]
        for row in rows:
            difference = row.differences.get(name)
            cells = [row.means[name].format(digits), "" if difference is None else difference.format(digits)]
            lines.append(f"| {row.label} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _gains(rows: list[Row]) -> list[str]:
    """One table: who is answered, and how much of eviction's gain that is."""
    lines = [
        "| order | answered, share of accepted | minus FCFS | share of what eviction gains |",
        "|---|---|---|---|",
    ]
    for row in rows:
        gain = row.differences.get("quantity")
        cells = [
            row.means["quantity"].format(digits=4),
            "" if gain is None else gain.format(digits=4),
            "" if row.share is None else row.share.format(digits=2),
        ]
        lines.append(f"| {row.label} | {' | '.join(cells)} |")
    return lines

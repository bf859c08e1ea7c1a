"""How much of the clairvoyant bound is attainable: the bound, the bound less what foresight is worth, and policies.

The plain bound holds on every trace, and a policy above it is refused. The penalised one (`agents.bound_penalty`) holds
in the mean over all traces, so that what lies between it and a policy is known up to an interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from agents import make_agent
from experiments.bounds import BoundCell
from experiments.cells import Cell, collect
from experiments.comparison import check_bound
from experiments.configs import agent_settings
from experiments.workers import compute_all
from mhgym.evaluation.splits import seeds_of
from mhgym.evaluation.statistics import Interval, bootstrap_interval, paired_interval, share_interval
from mhgym.presets import make_scenario

Floats = NDArray[np.float64]

PRESETS = ("EranStandard", "EranHeavy")
POLICIES = ("fcfs", "cmt", "best_match_wait", "mcts")
_BLOCK = 25
_SECONDS = 30.0  # for a trace


@dataclass(frozen=True)
class Row:
    """One policy, or one of the bounds, on the traces of a preset.

    Attributes:
        preset: Name.
        label: Of the policy, or `bound` and `penalised bound`.
        objective: Mean over traces.
        shares: Of the way from FCFS to the bound and to the penalised bound; none for the bounds.
        below: The penalised bound minus the policy, on the same traces; None for the bounds.
        gap: Of a bound: the largest over traces that is not solved.
    """

    preset: str
    label: str
    objective: Interval
    shares: tuple[Interval, ...] = ()
    below: Interval | None = None
    gap: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        shares = [vars(share) for share in self.shares]
        below = None if self.below is None else vars(self.below)
        return {**vars(self), "objective": vars(self.objective), "shares": shares, "below": below}


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write the report into a folder; the same as plain data.

    Args:
        replications: Test traces of each preset.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    rows: list[Row] = []
    for preset in PRESETS:
        own = measure(preset, seeds_of("test", replications), workers)
        rows += own
        for row in own:
            shares = "".join(f", {share.format()}" for share in row.shares)
            console.print(f"{preset:13s} {row.label:16s} {row.objective.format(digits=4)}{shares}", highlight=False)
    (folder / "report.md").write_text(markdown(rows, replications), encoding="utf-8")
    return {"rows": [row.as_json() for row in rows]}


def measure(
    preset: str,
    seeds: range,
    workers: int,
    cache: Path = Path(".cache/cells"),
    labels: Sequence[str] = POLICIES,
) -> list[Row]:
    """Both bounds and policies by their labels in `conf/agent`, FCFS among them, on the same traces of a preset."""
    scenario = make_scenario(preset)
    parts = [seeds[first : first + _BLOCK] for first in range(0, len(seeds), _BLOCK)]
    bounds = {
        label: [BoundCell(preset, scenario, part, _SECONDS, penalised=label != "bound") for part in parts]
        for label in ("bound", "penalised bound")
    }
    policies = {}
    for label in labels:
        name, settings = agent_settings(label)
        policies[label] = [Cell(preset, scenario, make_agent(name, **settings), part) for part in parts]
    for _ in compute_all([cell for cells in (*bounds.values(), *policies.values()) for cell in cells], cache, workers):
        pass
    tables = {label: collect(cells, cache, "bound") for label, cells in bounds.items()}
    ceilings = {label: table["bound"].to_numpy() for label, table in tables.items()}
    rows = [Row(preset, label, _mean(ceilings[label]), gap=float(tables[label]["gap"].max())) for label in bounds]
    scores = {}
    for label, cells in policies.items():
        episodes = collect(cells, cache, "episodes")
        check_bound(preset, label, episodes, tables["bound"])
        scores[label] = episodes["objective"].to_numpy()
    for label, own in scores.items():
        below = paired_interval(ceilings["penalised bound"], own, rng=np.random.default_rng(0))
        rows.append(Row(preset, label, _mean(own), _shares(own, scores["fcfs"], ceilings), below=below))
    return rows


def _mean(values: Floats) -> Interval:
    return bootstrap_interval(values, rng=np.random.default_rng(0))


def _shares(own: Floats, floor: Floats, ceilings: dict[str, Floats]) -> tuple[Interval, ...]:
    return tuple(share_interval(own, floor, ceiling, rng=np.random.default_rng(0)) for ceiling in ceilings.values())


def markdown(rows: list[Row], traces: int) -> str:
    """One table a preset."""
    lines = [
        f"# The clairvoyant bound and how much of it is attainable, {traces} test traces",
        "",
        "Means of the objective per arrival with 95 % bootstrap intervals, the share of the way from FCFS to each "
        "bound, and what is left to the penalised bound on the same traces. No policy exceeds the plain bound on any "
        "trace.",
    ]
    for preset in dict.fromkeys(row.preset for row in rows):
        lines += [
            "",
            f"## {preset}",
            "",
            "| | objective | to the bound | to the penalised bound | left to the penalised bound |",
            "|---|---|---|---|---|",
        ]
        for row in rows:
            if row.preset == preset:
                words = f" (gap at most {row.gap:.4f})" if row.gap > 1e-9 else ""
                shares = [share.format() for share in row.shares] or ["", ""]
                cells = [row.objective.format(digits=4), *shares, row.below.format(digits=4) if row.below else ""]
                lines.append(f"| {row.label}{words} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"

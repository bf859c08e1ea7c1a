"""What a larger budget of a decision buys: MCTS on EranHeavy by simulations and by milliseconds."""

import itertools
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

from experiments.colours import BLUE, GREY, ORANGE, VERMILION
from experiments.configs import agent_settings
from experiments.plots import DPI, STYLE
from experiments.studies.kleinerman import HEAVY, Entry, Result, planner, run
from experiments.studies.kleinerman_report import plain, print_result
from mhgym.evaluation.splits import seeds_of
from mhgym.evaluation.statistics import Interval, paired_interval

SIMULATIONS = (0, 10, 30, 100, 300, 1000, 3000, 10_000)
MILLISECONDS = (2.0, 5.0, 10.0, 20.0, 50.0)
TUNED = "tuned, "  # begins the labels of its curve
_CURVE_WORDS = {
    "paper": "the paper's setting, by simulations",
    "tuned": "the tuned setting, by simulations",
    "milliseconds": "the paper's setting, by milliseconds",
}


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write report and picture into a folder; the same as plain data.

    Args:
        replications: Test traces.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    results = []
    for result in run(entries(), seeds_of("test", replications), workers):
        results.append(result)
        print_result(result, console)
    (folder / "report.md").write_text(markdown(results), encoding="utf-8")
    plot_budget(results, folder / "budget.png")
    return {"results": [plain(result) for result in results]}


def entries() -> list[Entry]:
    """Objective against the budget: in simulations, for the paper's setting and the tuned one, and in time."""
    name = "objective_per_arrival"
    settings_of = {"": {}, TUNED: agent_settings("mcts_tuned")[1]}
    by_count = [
        Entry(HEAVY, f"{curve}{count} simulations", "mcts", settings | planner(count, name), name)
        for curve, settings in settings_of.items()
        for count in SIMULATIONS
    ]
    by_time = [
        Entry(HEAVY, f"{budget:g} ms", "mcts", planner(0, name, milliseconds=budget), name) for budget in MILLISECONDS
    ]
    return by_count + by_time


def markdown(results: list[Result]) -> str:
    """One table for the three curves."""
    lines = [
        f"# Objective against the budget of a decision, heavy flow, {len(results[0].objective)} test traces",
        "",
        "MCTS in the paper's setting, in the tuned one, whose rollouts and caution were chosen on training traces, and "
        "in the paper's with a budget in time. Differences are paired, with 95 % bootstrap intervals.",
        "",
        "| budget | objective per arrival | gain over no search | over the budget before | decision, median | 99 % |",
        "|---|---:|---:|---:|---:|---:|",
        *(row for curve in _curves(results).values() for row in _budget_rows(curve)),
    ]
    return "\n".join(lines) + "\n"


def _gain(result: Result, base: Result) -> Interval:
    return paired_interval(result.objective, base.objective, rng=np.random.default_rng(0))


def _curves(results: list[Result]) -> dict[str, list[Result]]:
    """The results by curve, each with what it is compared with in front: the same without search."""
    curves: dict[str, list[Result]] = {}
    for result in results:
        label = result.entry.label
        name = "milliseconds" if label.endswith("ms") else "tuned" if label.startswith(TUNED) else "paper"
        curves.setdefault(name, [results[0]] if name == "milliseconds" else []).append(result)
    return curves


def _budget_rows(results: list[Result]) -> list[str]:
    base, rows = results[0], []
    for before, result in itertools.pairwise([base, *results]):
        if result is base and results[-1].entry.label.endswith("ms"):  # which stands in its own curve
            continue
        median, p99 = (1e3 * seconds for seconds in result.decision_seconds)
        gains = ["", ""] if result is base else [_gain(result, other).format() for other in (base, before)]
        cells = [result.entry.label, f"{result.objective.mean():.4f}", *gains, f"{median:.1f} ms", f"{p99:.1f} ms"]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def plot_budget(results: list[Result], path: Path) -> None:
    """The gain of searching over not searching against the median time of a decision."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.6), layout="constrained")
        axis = figure.subplots()
        for (name, curve), colour in zip(_curves(results).items(), (BLUE, ORANGE, VERMILION), strict=True):
            base, rows = curve[0], curve[1:]
            gains = [_gain(result, base) for result in rows]
            times = [1e3 * result.decision_seconds[0] for result in rows]
            middle = np.array([gain.estimate for gain in gains])
            errors = np.array([[gain.estimate - gain.low, gain.high - gain.estimate] for gain in gains]).T
            axis.errorbar(times, middle, yerr=errors, fmt="o-", color=colour, capsize=3, label=_CURVE_WORDS[name])
            for time, gain, result in zip(times, middle, rows, strict=True):
                if name == "paper":
                    place = {"textcoords": "offset points", "xytext": (5, 5), "fontsize": 8, "color": GREY}
                    axis.annotate(result.entry.label.split()[0], (time, gain), **place)
        axis.axhline(0.0, color=GREY, linewidth=1)
        axis.set_xscale("log")
        axis.set(xlabel="milliseconds of a decision, median", ylabel="gain in the objective over no search")
        axis.grid()
        axis.legend(loc="lower right", fontsize=9)
        figure.savefig(path, dpi=DPI)

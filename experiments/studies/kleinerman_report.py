"""The report of Kleinerman's tables: Markdown and Figure 3."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console

from experiments.plots import BLUE, DPI, ORANGE, STYLE
from experiments.studies import kleinerman
from experiments.studies.kleinerman import HEAVY, PAPER, PAPER_SECONDS, STANDARD, Comparison, Result
from mhgym.evaluation.splits import seeds_of
from mhgym.evaluation.statistics import bootstrap_interval


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write report and pictures into a folder; the same as plain data.

    Args:
        replications: Test traces.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    tables = []
    for result in kleinerman.run(kleinerman.table_entries(), seeds_of("test", replications), workers):
        tables.append(result)
        print_result(result, console)
    comparisons = kleinerman.compare(tables)
    (folder / "report.md").write_text(markdown(tables, comparisons), encoding="utf-8")
    plot_objectives(tables, folder / "figure3.png")
    return {
        "results": [plain(result) for result in tables],
        "comparisons": [comparison.as_json() for comparison in comparisons],
    }


def print_result(result: Result, console: Console) -> None:
    """One line for whoever waits."""
    line = f"{result.entry.objective} {result.objective.mean():.4f}, {1e3 * result.seconds.mean():.0f} ms a shift"
    console.print(f"{result.entry.preset:14s} {result.entry.label:32s} {line}", soft_wrap=True, highlight=False)


def plain(result: Result) -> dict[str, Any]:
    """What goes into the JSON."""
    entry = result.entry
    means = {name: {"mean": float(s.mean()), "sd": float(s.std(ddof=1))} for name, s in result.scores.items()}
    median, p99 = result.decision_seconds
    return {
        "preset": entry.preset,
        "policy": entry.label,
        "objective": entry.objective,
        "traces": len(result.objective),
        **means,
        "seconds_a_shift": float(result.seconds.mean()),
        "decision_seconds": {"median": median, "p99": p99},
    }


def markdown(tables: list[Result], comparisons: list[Comparison]) -> str:
    """All tables."""
    lines = [
        f"# Kleinerman et al. 2022 beside ours, {len(tables[0].objective)} test traces",
        "",
        "Means over shifts, standard deviations in brackets; the paper's means behind the stroke. Quality is the mean "
        "over answered contacts. Rows marked *per arrival* maximise the objective in which an abandoned contact counts "
        "as 0, the others the paper's. The paper's own tables disagree with its text and with themselves: MCTS's "
        "weighted sum under standard flow is .799 in Table 4 and .833 in the text, and Table 5's weighted sums are not "
        "the means of their parts.",
    ]
    for title, preset in (("Table 4, standard flow", STANDARD), ("Tables 5 and 6, heavy flow", HEAVY)):
        lines += [
            "",
            f"## {title}",
            "",
            "| policy | quality | quantity | objective | objective per arrival | a shift |",
            "|---|---:|---:|---:|---:|---:|",
            *(_row(result) for result in tables if result.entry.preset == preset),
        ]
    lines += [
        "",
        f"A shift of the paper's MCTS took {PAPER_SECONDS:g} s of calculation.",
        "",
        "## Differences on the same traces",
        "",
        "Means with 95 % bootstrap intervals; p by Wilcoxon's signed ranks, corrected over the table (Holm).",
        "",
        "| flow | objective | | difference | p | |",
        "|---|---|---|---:|---:|---|",
        *(_difference(comparison) for comparison in comparisons),
    ]
    return "\n".join(lines) + "\n"


def _row(result: Result) -> str:
    theirs = PAPER.get((result.entry.preset, result.entry.label))
    cells = []
    for number, name in enumerate(kleinerman.MEASURES):
        scores = result.scores[name]
        paper = f" / {theirs[number]:.3f}" if theirs and number < len(theirs) else ""
        cells.append(f"{scores.mean():.3f} ({scores.std(ddof=1):.3f}){paper}")
    seconds = f"{1e3 * result.seconds.mean():.0f} ms" if result.entry.agent == "mcts" else ""
    return f"| {result.entry.label} | {' | '.join(cells)} | {seconds} |"


def _difference(comparison: Comparison) -> str:
    clear = "above 0" if comparison.difference.low > 0 else "below 0" if comparison.difference.high < 0 else "open"
    what = comparison.objective.removeprefix("objective_").replace("_", " ")
    flow = "standard" if comparison.preset == STANDARD else "heavy"
    pair = f"{comparison.better} − {comparison.than}"
    return f"| {flow} | {what} | {pair} | {comparison.difference.format()} | {comparison.p_holm:.2g} | {clear} |"


def plot_objectives(tables: list[Result], path: Path) -> None:
    """Figure 3: the balanced objective of each policy under both flows, ours with intervals and the paper's."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.4), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for axis, preset, title in zip(axes, (STANDARD, HEAVY), ("standard flow", "heavy flow"), strict=True):
            shown = [result for result in tables if (result.entry.preset, result.entry.label) in PAPER]
            rows = [result for result in shown if result.entry.preset == preset and "without" not in result.entry.label]
            _points(axis, rows)
            axis.set_title(title)
        axes[0].set_ylabel("½ quality + ½ quantity")
        axes[1].legend(loc="upper left", fontsize=9)
        figure.savefig(path, dpi=DPI)


def _points(axis: Axes, rows: list[Result]) -> None:
    places = np.arange(len(rows))
    intervals = [bootstrap_interval(result.scores["objective_served"], rng=np.random.default_rng(0)) for result in rows]
    means = np.array([interval.estimate for interval in intervals])
    errors = np.array([[interval.estimate - interval.low, interval.high - interval.estimate] for interval in intervals])
    theirs = [PAPER[result.entry.preset, result.entry.label][2] for result in rows]
    axis.errorbar(places - 0.08, means, yerr=errors.T, fmt="o", color=BLUE, capsize=3, label="ours, 95 %")
    axis.plot(places + 0.08, theirs, "D", color=ORANGE, label="the paper")
    axis.set_xticks(places, [result.entry.label.upper() for result in rows])
    axis.set_xlim(-0.5, len(rows) - 0.5)
    axis.grid(axis="y")

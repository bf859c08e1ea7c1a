"""The report of Kleinerman's tables: Markdown, Figure 3, and the curve of the objective against the budget."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console

from experiments.plots import BLUE, DPI, GREY, ORANGE, STYLE, VERMILION
from experiments.studies import kleinerman
from experiments.studies.kleinerman import HEAVY, PAPER, PAPER_SECONDS, STANDARD, Comparison, Result
from mhgym.evaluation.statistics import Interval, bootstrap_interval, paired_interval


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write report and pictures into a folder; the same as plain data.

    Args:
        replications: Test traces.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    tables, curve = [], []
    runs = kleinerman.study(replications, workers)
    for results, into in zip(runs, (tables, curve), strict=True):
        for result in results:
            into.append(result)
            name, ms = result.entry.objective, 1e3 * result.seconds.mean()
            line = f"{name} {result.objective.mean():.4f}, {ms:.0f} ms a shift"
            console.print(f"{result.entry.preset:14s} {result.entry.label:32s} {line}", soft_wrap=True, highlight=False)
    comparisons = kleinerman.compare(tables)
    (folder / "report.md").write_text(markdown(tables, comparisons, curve), encoding="utf-8")
    plot_objectives(tables, folder / "figure3.png")
    plot_budget(curve, folder / "budget.png")
    return {
        "results": [_plain(result) for result in (*tables, *curve)],
        "comparisons": [comparison.as_json() for comparison in comparisons],
    }


def _plain(result: Result) -> dict[str, Any]:
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


def markdown(tables: list[Result], comparisons: list[Comparison], curve: list[Result]) -> str:
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
        "",
        f"## Objective against the budget, heavy flow, {len(curve[0].objective)} traces",
        "",
        "| budget | objective per arrival | gain over no search | decision, median | 99 % |",
        "|---|---:|---:|---:|---:|",
        *(_budget_row(result, curve[0]) for result in curve),
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


def _gain(result: Result, base: Result) -> Interval:
    return paired_interval(result.objective, base.objective, rng=np.random.default_rng(0))


def _budget_row(result: Result, base: Result) -> str:
    median, p99 = (1e3 * seconds for seconds in result.decision_seconds)
    mean, gain = result.objective.mean(), _gain(result, base).format()
    return f"| {result.entry.label} | {mean:.4f} | {gain} | {median:.1f} ms | {p99:.1f} ms |"


def plot_objectives(tables: list[Result], path: Path) -> None:
    """Figure 3: the balanced objective of each policy under both flows, ours with intervals and the paper's."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.4), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for axis, preset, title in zip(axes, (STANDARD, HEAVY), ("standard flow", "heavy flow"), strict=True):
            shown = [result for result in tables if (result.entry.preset, result.entry.label) in PAPER]
            rows = [result for result in shown if result.entry.preset == preset and "without" not in result.entry.label]
            _bars(axis, rows)
            axis.set_title(title)
        axes[0].set_ylabel("½ quality + ½ quantity")
        axes[1].legend(loc="upper left", fontsize=9)
        figure.savefig(path, dpi=DPI)


def _bars(axis: Axes, rows: list[Result]) -> None:
    places = np.arange(len(rows))
    intervals = [bootstrap_interval(result.scores["objective_served"], rng=np.random.default_rng(0)) for result in rows]
    means = np.array([interval.estimate for interval in intervals])
    errors = np.array([[interval.estimate - interval.low, interval.high - interval.estimate] for interval in intervals])
    theirs = [PAPER[result.entry.preset, result.entry.label][2] for result in rows]
    axis.bar(places - 0.2, means, 0.36, color=BLUE, yerr=errors.T, ecolor="black", capsize=3, label="ours, 95 %")
    axis.bar(places + 0.2, theirs, 0.36, color=ORANGE, label="the paper")
    axis.set_xticks(places, [result.entry.label.upper() for result in rows])
    axis.set_ylim(0.7, 0.9)
    axis.grid(axis="y")


def plot_budget(curve: list[Result], path: Path) -> None:
    """The gain of searching over not searching against the median time of a decision."""
    base = curve[0]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.6), layout="constrained")
        axis = figure.subplots()
        for what, colour in (("simulations", BLUE), ("ms", VERMILION)):
            rows = [result for result in curve[1:] if result.entry.label.endswith(what)]
            gains = [_gain(result, base) for result in rows]
            times = [1e3 * result.decision_seconds[0] for result in rows]
            middle = np.array([gain.estimate for gain in gains])
            errors = np.array([[gain.estimate - gain.low, gain.high - gain.estimate] for gain in gains]).T
            label = "a number of simulations" if what == "simulations" else "a number of milliseconds"
            axis.errorbar(times, middle, yerr=errors, fmt="o-", color=colour, capsize=3, label=f"budget: {label}")
            for time, gain, result in zip(times, middle, rows, strict=True):
                if what == "simulations":
                    place = {"textcoords": "offset points", "xytext": (5, 5), "fontsize": 8, "color": GREY}
                    axis.annotate(result.entry.label.split()[0], (time, gain), **place)
        axis.axhline(0.0, color=GREY, linewidth=1)
        axis.set_xscale("log")
        axis.set(xlabel="milliseconds of a decision, median", ylabel="gain in the objective over no search")
        axis.grid()
        axis.legend(loc="lower right", fontsize=9)
        figure.savefig(path, dpi=DPI)

"""The report of the weekly matcher's study: tables in Markdown, and the stacked bars of Figures 6 to 8."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

from experiments.plots import BLUE, DPI, ORANGE, STYLE
from experiments.studies import wpi, wpi_online
from experiments.studies.wpi import ONCE, TWICE, Spread
from experiments.studies.wpi_online import Row
from mhgym.matching.traits import SEVERITIES

_HEAD = (
    "| what | the report | ours, mean | 5 % to 95 % | theirs inside | calibrated band | our median inside |",
    "|---|---:|---:|---:|---|---:|---|",
)
_OWN_HEAD = ("| what | mean | 5 % to 95 % |", "|---|---:|---:|")


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write report and picture into a folder; the same as plain data.

    Args:
        replications: Seeds.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    tables = []
    for row in wpi.study(replications, workers):
        tables.append(row)
        theirs = "" if row.theirs is None else f"theirs {row.theirs:g}"
        ours = f"{row.mean:9.3f} [{row.low:.3f}, {row.high:.3f}]"
        console.print(f"{row.table:50s} {row.what:55s} {ours} {theirs}", soft_wrap=True, highlight=False)
    matchers = list(wpi.compare_matchers(replications, workers))
    weeks = list(wpi.carry_over(replications, workers))
    bars = wpi.matched_by_severity(replications, workers)
    online = list(wpi_online.study(replications, workers))
    text = "\n".join([markdown(tables, matchers, weeks, replications), wpi_online.markdown(online)])
    (folder / "report.md").write_text(text, encoding="utf-8")
    plot_by_severity(bars, folder / "severity.png")
    parts: dict[str, Sequence[Spread | Row]] = {
        "tables": tables,
        "matchers": matchers,
        "carried_over": weeks,
        "online": online,
    }
    rows = {name: [row.as_json() for row in part] for name, part in parts.items()}
    return rows | {"matched_by_severity": {name: {"run one": one, "run two": two} for name, (one, two) in bars.items()}}


def markdown(tables: list[Spread], matchers: list[Spread], weeks: list[Spread], replications: int) -> str:
    """All tables; the spread is over seeds."""
    banded = [row for row in tables if row.calibrated is not None]
    lines = [
        f"# Weekly matching: WPI 2024 beside ours over {replications} seeds",
        "",
        f"The report's figures are one week each. Between our 5th and 95th percentile lie {_inside('run one', tables)} "
        f"of run one and {_inside('run two', tables)} of run two. Our median lies in "
        f"{sum(bool(row.calibrated) for row in banded)} of {len(banded)} calibrated bands.",
        "",
        "After objective 1 the answer is one optimum of many, so its compatibility depends on the solver. Run two is "
        f"read as `{TWICE}` (the report's totals) and as `{ONCE}` (appointments take up the hours: nothing to gain). "
        "Severity is summed over offers (inferred). Seconds are of processor time here, and of their machine there.",
    ]
    for name in dict.fromkeys(row.table for row in tables):
        lines += ["", f"## {name}", "", *_HEAD, *(_line(row) for row in tables if row.table == name)]
    for title, rows in (("Simple matchers", matchers), ("Carried over to the next week", weeks)):
        lines += [
            "",
            f"## {title} ({rows[0].table})",
            "",
            *_OWN_HEAD,
            *(f"| {row.what} | {_ours(row)} |" for row in rows),
        ]
    return "\n".join([*lines, ""])


def plot_by_severity(bars: Mapping[str, tuple[list[float], list[float]]], path: Path) -> None:
    """Stacked bars: percentage of patients matched in run one and, booked twice, in run two, by severity."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.6 * len(bars), 3.7), layout="constrained")
        axes = figure.subplots(1, len(bars), sharey=True, squeeze=False)[0]
        for axis, (title, (one, two)) in zip(axes, bars.items(), strict=True):
            places = np.arange(SEVERITIES)
            axis.bar(places, one, color=BLUE, label="run one")
            axis.bar(places, two, bottom=one, color=ORANGE, hatch="//", edgecolor="white", label=f"run two, {TWICE}")
            axis.set(title=title.replace(", ", "\n", 1), xlabel="severity", xticks=places, ylim=(0, 100))
            axis.grid(axis="y")
        axes[0].set_ylabel("patients matched, %")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        figure.savefig(path, dpi=DPI)


def _inside(run: str, rows: list[Spread]) -> str:
    """How many of the report's figures of a run lie in our spread."""
    judged = [bool(row.inside) for row in rows if run in row.what and row.inside is not None]
    return f"{sum(judged)} of {len(judged)}"


def _line(row: Spread) -> str:
    """One row of a table."""
    verdict = {None: "", True: "yes", False: "**no**"}
    theirs = "" if row.theirs is None else f"{row.theirs:g}"
    band = "" if row.band is None else f"{row.band[0]:g} to {row.band[1]:g}"
    return f"| {row.what} | {theirs} | {_ours(row)} | {verdict[row.inside]} | {band} | {verdict[row.calibrated]} |"


def _ours(row: Spread) -> str:
    """Mean and spread; runs take a few hundredths of a second."""
    digits = 3 if row.what == wpi.SECONDS else 1
    return f"{row.mean:.{digits}f} | {row.low:.{digits}f} to {row.high:.{digits}f}"

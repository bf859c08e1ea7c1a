"""What policies do to new counsellors and to groups of callers, and what a weight on fairness buys and costs.

Definitions are those of `mhgym.metrics.by_group` and `mhgym.metrics.fairness`. Every policy of a centre meets the same
traces, which are resampled together. The price on what newcomers are short of is that of `agents.fair_share`; which one
is enough is decided on validation traces and reported on test traces.
"""

from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.studies.fairness_centres import centres
from experiments.studies.fairness_figures import plot_gaps, plot_price
from experiments.studies.fairness_measures import Finding, measure
from experiments.studies.fairness_report import markdown
from mhgym.evaluation.statistics import Interval


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write report and pictures into a folder; the same as plain data.

    Args:
        replications: Test traces of each centre.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    found = []
    for centre in centres():
        found.append(measure(centre, replications, workers))
        console.print(markdown(found[-1:]), highlight=False, soft_wrap=True, markup=False)
    (folder / "report.md").write_text(markdown(found), encoding="utf-8")
    plot_price({one.centre.label: one.prices for one in found if one.prices}, folder / "price.png")
    plot_gaps(found, folder / "gaps.png")
    return {"centres": [plain(one) for one in found]}


def plain(finding: Finding) -> dict[str, Any]:
    """A centre as plain data."""
    return {
        "label": finding.centre.label,
        "note": finding.centre.note,
        "traces": finding.traces,
        "groups": {one.name: list(one.groups) for one in finding.centre.groupings},
        "treatments": {label: _plain(vars(one)) for label, one in finding.treatments.items()},
        "prices": {label: _plain(vars(one)) for label, one in finding.prices.items()},
    }


def _plain(value: Any) -> Any:
    """Intervals within mappings and lists as mappings."""
    if isinstance(value, Interval):
        return vars(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value

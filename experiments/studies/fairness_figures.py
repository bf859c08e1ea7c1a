"""Pictures of the study of fairness: what newcomers get and what it costs, and gaps between groups of callers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.colours import CYCLE, GREY
from experiments.plots import STYLE, save_figure
from experiments.studies.fairness_centres import Grouping
from experiments.studies.fairness_measures import Finding, Price
from mhgym.evaluation.statistics import Interval

#: What a weight costs: measure, words.
_COSTS = {
    "quality": "quality, minus weight 0",
    "feedback of all": "feedback of the answered, minus weight 0",
}
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def plot_price(prices: Mapping[str, Mapping[str, Price]], path: Path) -> None:
    """What each weight costs over what it gives newcomers, with intervals both ways; a column for each centre.

    Args:
        prices: By centre and policy.
        path: PNG file to write.
    """
    number = max(1, len(prices))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.0 + 3.8 * number, 1.0 + 3.2 * len(_COSTS)), layout="constrained")
        panels = figure.subplots(len(_COSTS), number, squeeze=False, sharex=True, sharey="row")
        for column, (centre, own) in zip(panels.T, prices.items(), strict=False):
            for axis, cost in zip(column, _COSTS, strict=True):
                for place, (label, price) in enumerate(own.items()):
                    _front(axis, label, price, cost, place)
                axis.axvline(1.0, color=GREY, linewidth=1.0, linestyle=":")
                axis.grid()
            column[0].set_title(centre)
            column[-1].set_xlabel("newcomers' share of contacts / share of time")
        for axis, words in zip(panels[:, 0], _COSTS.values(), strict=True):
            axis.set_ylabel(words)
        entries = {
            label: handle for axis in panels[0] for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=6)
        save_figure(figure, path, blank=not prices)


def _front(axis: Axes, label: str, price: Price, cost: str, number: int) -> None:
    """One policy: a line through its weights, the least and the largest of which are named."""
    x, y = [one["representation"] for one in price.reached], [one[cost] for one in price.changes]
    colour, marker = CYCLE[number % len(CYCLE)], _MARKERS[number % len(_MARKERS)]
    look: dict[str, Any] = {"color": colour, "elinewidth": 0.7, "marker": marker, "ms": 5, "lw": 1.3, "alpha": 0.9}
    across, up = ([one.estimate for one in values] for values in (x, y))
    axis.errorbar(across, up, xerr=_arms(x), yerr=_arms(y), label=label, **look)
    words: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8, "color": colour}
    for index in (0, -1):
        axis.annotate(f"{price.weights[index]:g}", (across[index], up[index]), xytext=(4, 4), **words)


def _arms(intervals: Sequence[Interval]) -> NDArray[np.float64]:
    """`[2, k]` lengths of error bars."""
    return np.array([[one.estimate - one.low for one in intervals], [one.high - one.estimate for one in intervals]])


def plot_gaps(findings: Sequence[Finding], path: Path) -> None:
    """Answered share of each group of callers by policy: a row for each centre, a panel for each grouping.

    Args:
        findings: All centres.
        path: PNG file to write.
    """
    widest = max((len(one.centre.groupings) for one in findings), default=1)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.0 + 4.2 * widest, 0.8 + 3.2 * max(1, len(findings))), layout="constrained")
        axes = figure.subplots(max(1, len(findings)), widest, squeeze=False)
        for row, finding in zip(axes, findings, strict=False):
            for axis in row[len(finding.centre.groupings) :]:
                axis.set_visible(False)
            for axis, grouping in zip(row, finding.centre.groupings, strict=False):
                _groups(axis, finding, grouping)
            row[0].set_ylabel("answered / offered")
            last = row[len(finding.centre.groupings) - 1]
            legend = last.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
            legend.set_in_layout(last is row[-1])  # elsewhere it has the place of a panel that is not there
        save_figure(figure, path, blank=not findings)


def _groups(axis: Axes, finding: Finding, grouping: Grouping) -> None:
    """One panel: groups across, policies side by side."""
    places = np.arange(len(grouping.groups))
    offsets = np.linspace(-0.25, 0.25, len(finding.treatments))
    for number, (label, one) in enumerate(finding.treatments.items()):
        shares = one.callers[grouping.name]["answered"]
        colour, marker = CYCLE[number % len(CYCLE)], _MARKERS[number % len(_MARKERS)]
        look: dict[str, Any] = {"color": colour, "marker": marker, "ms": 4, "ls": "", "elinewidth": 1.0}
        middle = [share.estimate for share in shares]
        axis.errorbar(places + offsets[number], middle, yerr=_arms(shares), label=label, **look)
    axis.set_xticks(places, grouping.groups)
    axis.set(title=f"{finding.centre.label}: {grouping.name.replace('_', ' ')}")
    axis.grid(axis="y")

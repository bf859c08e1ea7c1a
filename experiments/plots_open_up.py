"""Pictures of the Open Up studies: the day by the hour, and staffing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.colours import BLACK, BLUE, GREY, SKY_BLUE, VERMILION
from experiments.plots import STYLE, line_style, save_figure
from mhgym.metrics.by_hour import HOURS, HourlyCounts

Floats = NDArray[np.float64]

PANELS = (
    ("A  more than 10 minutes of wait", "share of those answered from the queue", "long_wait"),
    ("B  more than one living contact in line", "share of the time", "crowded_share"),
    ("C  unused capacity", "share of the slots on duty", "unused_share"),
    ("D  drop-out", "share of the day's drop-outs", "left_share"),
)
MARKERS = ("D", "^", "v", "P", "*")
_PLEDGE = 0.15  # of both pledges: what may fail


def plot_hours(
    days: Mapping[str, HourlyCounts], path: str | Path, *, dropped: Mapping[str, Floats] | None = None
) -> None:
    """The four panels of Chiang et al. 2024 by hour of the day.

    Args:
        days: Pooled counts by label.
        path: PNG file to write.
        dropped: `[24]` drop-outs by label, to compare with in panel D.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.5, 6.6), layout="constrained")
        axes = figure.subplots(2, 2, sharex=True).ravel()
        for axis, (title, label, name) in zip(axes, PANELS, strict=True):
            for number, (setting, hours) in enumerate(days.items()):
                _stairs(axis, getattr(hours, name), setting, number)
            axis.set(title=title, ylabel=label, xlim=(0, HOURS), xticks=range(0, HOURS + 1, 3))
            axis.grid()
        for axis in axes[:2]:
            axis.axhline(_PLEDGE, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
            axis.text(2.3, _PLEDGE, "pledge: at most 15 %", color=GREY, va="bottom", fontsize=8)
        for number, (setting, counts) in enumerate((dropped or {}).items(), start=len(days)):
            _stairs(axes[3], counts / counts.sum(), setting, number)
        for axis in axes:
            axis.set_ylim(bottom=0)
        for axis in axes[2:]:
            axis.set_xlabel("hour of the day")
        figure.legend(*axes[3].get_legend_handles_labels(), loc="outside lower center", ncols=3, handlelength=3)
        save_figure(figure, path, blank=not days)


def _stairs(axis: Axes, values: Floats, label: str, number: int) -> None:
    axis.stairs(values, np.arange(len(values) + 1), baseline=None, label=label, **line_style(number))


def plot_dispersion(windows: Floats, month: Floats, simulated: Mapping[str, Floats], path: str | Path) -> None:
    """Variance over mean of counts against the width of the window, one panel a law.

    Args:
        windows: `[W]` minutes.
        month: `[W]` of the recorded month.
        simulated: By law, `[n, W]` of simulated months, of which the middle 95 % are shaded.
        path: PNG file to write.
    """
    with mpl.rc_context(STYLE):
        number = max(1, len(simulated))
        figure = Figure(figsize=(1.0 + 2.9 * number, 3.6), layout="constrained")
        axes = figure.subplots(1, number, sharey=True, squeeze=False)[0]
        for axis, (law, curves) in zip(axes, simulated.items(), strict=False):
            low, high = np.quantile(curves, [0.025, 0.975], axis=0)
            axis.fill_between(
                windows, low, high, color=SKY_BLUE, alpha=0.5, linewidth=0, label="95 % of simulated months"
            )
            axis.plot(windows, curves.mean(axis=0), color=BLUE, label="their mean")
            axis.plot(windows, month, "o", color=VERMILION, markersize=5, label="the recorded month")
            axis.set(title=law, xscale="log", xlabel="window, minutes")
            axis.set_xticks([5, 15, 60, 240, 1440], ["5", "15", "60", "240", "1440"])
            axis.minorticks_off()
            axis.grid()
        axes[0].set_ylabel("variance / mean of counts")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        save_figure(figure, path, blank=not simulated)


def plot_staffing(
    swept: Sequence[tuple[float, float, float]],
    crossing: tuple[float, float, float],
    named: Mapping[str, tuple[float, float, float]],
    path: str | Path,
) -> None:
    """Cost and failure against capacity; both axes run over the range of the sweep, so that the crossing shows.

    Args:
        swept: Capacity, cost and failure (share of visitors not answered) of each roster of the sweep.
        crossing: The same where the curves cross.
        named: The same of rosters to point out, by label.
        path: PNG file to write.
    """
    capacity, cost, failure = np.array(swept, dtype=np.float64).reshape(-1, 3).T
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.5, 5.0), layout="constrained")
        left = figure.subplots()
        right = left.twinx()
        for axis, values, colour, marker, label in (
            (left, cost, BLUE, "s", "cost, without unit"),
            (right, failure, VERMILION, "o", "failure: share of visitors not answered"),
        ):
            axis.plot(capacity, values, marker, color=colour, markersize=5, alpha=0.5)
            least = [values[capacity == slots].min() for slots in np.unique(capacity)]
            axis.plot(np.unique(capacity), least if axis is left else np.minimum.accumulate(least), color=colour)
            axis.set_ylabel(label, color=colour)
            if len(values):
                axis.set_ylim(values.min(), values.max())
        right.spines["right"].set_visible(True)
        left.axvline(crossing[0], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        left.annotate(f" crossing: {crossing[0]:.0f}", (crossing[0], left.get_ylim()[1]), color=GREY, va="top")
        for number, (label, (slots, price, share)) in enumerate(named.items()):
            left.plot(slots, price, MARKERS[number % len(MARKERS)], color=BLUE, markersize=10, mec=BLACK, label=label)
            right.plot(slots, share, MARKERS[number % len(MARKERS)], color=VERMILION, markersize=10, mec=BLACK)
        left.set_xlabel("capacity: contacts at once, summed over the shifts")
        left.grid()
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
        save_figure(figure, path, blank=not swept)

"""Pictures of the Open Up studies: the day by the hour, and staffing."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.plots import GREY, STYLE, line_style, save_figure
from mhgym.metrics.by_hour import HOURS, HourlyCounts

Floats = NDArray[np.float64]

PANELS = (
    ("A  more than 10 minutes of wait", "share of those answered from the queue", "long_wait"),
    ("B  more than one living contact in line", "share of the time", "crowded_share"),
    ("C  unused capacity", "share of the slots on duty", "unused_share"),
    ("D  drop-out", "share of the day's drop-outs", "left_share"),
)
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
        figure.legend(*axes[3].get_legend_handles_labels(), loc="outside lower center", ncols=4, handlelength=3)
        save_figure(figure, path, blank=not days)


def _stairs(axis: Axes, values: Floats, label: str, number: int) -> None:
    axis.stairs(values, np.arange(len(values) + 1), baseline=None, label=label, **line_style(number))

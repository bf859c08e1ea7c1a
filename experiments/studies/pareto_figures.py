"""Pictures of a front: every rule in three planes, and how surely the front attains a place."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from experiments.colours import CYCLE, GREY
from experiments.plots import STYLE, save_figure
from mhgym.evaluation.pareto import attainment, nondominated
from mhgym.metrics import COMPONENTS

Floats = NDArray[np.float64]

_PLANES = (("quantity", "quality"), ("burden", "quality"), ("fairness", "quality"))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_RUN = 50  # shifts of one run of the attainment function
_GRID = 160


def plot_front(means: Floats, families: list[str], chosen: NDArray[np.bool_], path: Path) -> None:
    """Every rule in three planes; those on the front are filled.

    Args:
        means: `[k, 4]` in the order of `metrics.COMPONENTS`.
        families: `[k]`.
        chosen: `[k]` which are on the front.
        path: PNG file to write.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 5.0), layout="constrained")
        axes = figure.subplots(1, len(_PLANES))
        for axis, (across, up) in zip(axes, _PLANES, strict=True):
            x, y = (means[:, COMPONENTS.index(name)] for name in (across, up))
            for number, family in enumerate(dict.fromkeys(families)):
                mine = np.array([one == family for one in families])
                look = {"marker": _MARKERS[number % len(_MARKERS)], "color": CYCLE[number % len(CYCLE)], "ls": ""}
                axis.plot(x[mine & ~chosen], y[mine & ~chosen], ms=5, mfc="none", mew=0.8, alpha=0.6, **look)
                axis.plot(x[mine & chosen], y[mine & chosen], ms=7, label=family, **look)
            axis.set(xlabel=across, ylabel=up)
            axis.grid()
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
        axes[0].set_title("filled: on the front of all four, by validation shifts", color=GREY, fontsize=9)
        save_figure(figure, path)


def plot_attainment(scores: Floats, path: Path) -> None:
    """Where the rules of a front get to, in two objectives at a time, in so many of the runs of some shifts each.

    Args:
        scores: `[k, n, 4]` of the rules on the front.
        path: PNG file to write.
    """
    runs = np.array_split(scores, max(1, scores.shape[1] // _RUN), axis=1)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 4.2), layout="constrained")
        axes = figure.subplots(1, len(_PLANES))
        for axis, plane in zip(axes, _PLANES, strict=True):
            columns = [COMPONENTS.index(name) for name in plane]
            sets = [run.mean(axis=1)[:, columns] for run in runs]
            corners = np.concatenate([points[nondominated(points)] for points in sets])
            margin = 0.05 * np.ptp(corners, axis=0) + 1e-6
            spans = zip(corners.min(axis=0) - margin, corners.max(axis=0) + margin, strict=True)
            across, up = (np.linspace(low, high, _GRID) for low, high in spans)
            places = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
            share = attainment(sets, places).reshape(_GRID, _GRID)
            shades = axis.contourf(across, up, share, levels=(0.0, *_LEVELS, 1.0), cmap="Blues")
            axis.contour(across, up, share, levels=[0.5], colors="black", linewidths=1.2)
            axis.xaxis.set_major_locator(MaxNLocator(4))
            axis.set(xlabel=plane[0], ylabel=plane[1])
        axes[0].set_title(f"share of {len(sets)} runs of {_RUN} shifts that attain a place; line: half", fontsize=9)
        figure.colorbar(shades, ax=axes, label="share of runs")
        save_figure(figure, path)

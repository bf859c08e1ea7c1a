"""Pictures of results and of one episode, as PNG files: plain data in, no display, no Hydra.

Markers, line styles and hatches say again what colours say.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from experiments.colours import BLACK, BLUE, CYCLE, GREEN, GREY, ORANGE, PURPLE, SKY_BLUE, VERMILION
from mhgym.domain import ContactLog, LegKind, Roster
from mhgym.domain.contact import Floats
from mhgym.metrics.profile import Spell, SpellEnd, Stay, stays, take_lane, waiting_spells

DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1.5, 1.5, 1.5)))

DPI = 110
STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#E0E0E0",
    "legend.frameon": False,
    "hatch.linewidth": 0.7,
}
_LOG_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # minutes
_STEPS = (5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 10080)  # minutes between ticks of a clock axis


# ---------------------------------------------------------------------------------------- comparisons of policies


def plot_objective(rows: Iterable[Mapping[str, Any]], path: str | Path) -> None:
    """Policies with their intervals, one panel for each scenario.

    Args:
        rows: Each with `scenario`, `policy`, `estimate`, `low` and `high`; drawn in their order, from the top.
        path: PNG file to write.
    """
    panels: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        panels.setdefault(str(row["scenario"]), []).append(row)
    longest = max((len(panel) for panel in panels.values()), default=1)
    with mpl.rc_context(STYLE):
        number = max(1, len(panels))
        figure = Figure(figsize=(1.8 + 2.8 * number, 1.3 + 0.34 * longest), layout="constrained")
        axes = figure.subplots(1, number, squeeze=False)[0]
        for axis, (scenario, panel) in zip(axes, panels.items(), strict=False):
            _intervals(axis, panel)
            axis.set(title=scenario, xlabel="objective, 95 % interval")
            if axis is not axes[0] and _policies(panel) == _policies(panels[next(iter(panels))]):
                axis.tick_params(axis="y", labelleft=False)
        save_figure(figure, path, blank=not panels)


def _intervals(axis: Axes, panel: Sequence[Mapping[str, Any]]) -> None:
    """One row for each policy: a dot and its interval."""
    places = np.arange(len(panel))
    low, estimate, high = (np.array([float(row[name]) for row in panel]) for name in ("low", "estimate", "high"))
    axis.hlines(places, low, high, color=BLUE, linewidth=2)
    axis.plot(estimate, places, "o", color=BLUE, markersize=6)
    axis.set_yticks(places, _policies(panel))
    axis.set_ylim(len(panel) - 0.5, -0.5)
    axis.margins(x=0.08)
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x")


def _policies(panel: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(row["policy"]) for row in panel]


def plot_waits(waits_by_policy: Mapping[str, Floats], path: str | Path, *, log: bool = False) -> None:
    """Share of offered contacts that are first answered within a wait, by policy.

    Contacts that are never answered stay in the denominator: a policy that lets callers leave ends lower, instead of
    showing short waits.

    Args:
        waits_by_policy: By name, `[n]` minutes to the first answer of each offered contact; NaN if it never came.
        path: PNG file to write.
        log: Whether minutes beyond 1 are drawn on a logarithmic scale.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.4, 4.2), layout="constrained")
        axis = figure.subplots()
        longest = max([1.0, *(float(np.nanmax(w, initial=0.0)) for w in waits_by_policy.values())])
        for number, (policy, waited) in enumerate(waits_by_policy.items()):
            answered = np.sort(np.asarray(waited, dtype=np.float64)[np.isfinite(waited)])
            later = answered[answered > 0]
            counts = np.arange(answered.size - later.size, answered.size + 1)
            share = [*counts, answered.size] / np.float64(max(1, len(waited)))
            axis.step([0.0, *later, longest], share, where="post", label=policy, **line_style(number))
        if log:
            axis.set_xscale("symlog", linthresh=1.0, linscale=0.5)
            axis.set_xticks([0, *(tick for tick in _LOG_TICKS if tick <= longest)])
            axis.xaxis.set_major_formatter(FuncFormatter(lambda minutes, _: f"{minutes:g}"))
        axis.set(xlim=(0, longest), ylim=(0, 1.02))
        axis.set(xlabel="wait to the first answer, minutes", ylabel="share of offered contacts answered")
        axis.grid()
        legend_right(figure, axis)
        save_figure(figure, path, blank=not waits_by_policy)


def plot_occupancy(curves: Mapping[str, Floats], path: str | Path) -> None:
    """Occupancy through the day, by policy.

    Args:
        curves: By name, `[H]` shares of `occupancy_by_hour`; NaN leaves a gap.
        path: PNG file to write.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.4, 3.8), layout="constrained")
        axis = figure.subplots()
        hours = max((len(curve) for curve in curves.values()), default=0)
        for number, (policy, curve) in enumerate(curves.items()):
            axis.stairs(curve, 60.0 * np.arange(len(curve) + 1), baseline=None, label=policy, **line_style(number))
        _clock_axis(axis, 0.0, max(1, hours) * 60.0, 8)
        axis.set(ylim=(0, 1.02), xlabel="time of the episode, hh:mm", ylabel="occupancy: busy of staffed minutes")
        axis.grid()
        legend_right(figure, axis)
        save_figure(figure, path, blank=not curves)


def line_style(number: int) -> dict[str, Any]:
    """Colour and dashes of one of several lines, which both tell it apart."""
    return {
        "color": CYCLE[number % len(CYCLE)],
        "linestyle": DASHES[number % len(DASHES)],
        "linewidth": 1.8,
    }


def legend_right(figure: Figure, axis: Axes) -> None:
    """The legend of one axis beside the figure, if it has anything to name."""
    if axis.get_legend_handles_labels()[0]:
        figure.legend(loc="outside right upper", handlelength=3)


# ---------------------------------------------------------------------------------------- one episode


#: How a spell can end: words, colour, marker.
SPELLS = {
    SpellEnd.ANSWERED: ("answered", BLUE, "o"),
    SpellEnd.ANSWERED_AFTER_TRANSFER: ("answered after a transfer", GREEN, "D"),
    SpellEnd.ABANDONED: ("abandoned", VERMILION, "X"),
    SpellEnd.UNANSWERED: ("unanswered at the close", BLACK, "s"),
}
LEGS: dict[LegKind, tuple[str, dict[str, Any]]] = {
    LegKind.SERVICE: ("service", {"facecolor": SKY_BLUE, "edgecolor": BLUE, "lw": 0.6}),
    LegKind.WRAP_UP: ("wrap-up", {"facecolor": "#D3EBF8", "edgecolor": BLUE, "lw": 0.6}),
    LegKind.ZOMBIE: ("zombie", {"facecolor": "white", "edgecolor": GREY, "lw": 0.6, "hatch": "//////"}),
    LegKind.BRIDGE: ("bridge of a wait", {"facecolor": "#F3DCE8", "edgecolor": PURPLE, "lw": 0.6}),
}
_OFF_DUTY = {"facecolor": "#D9D9D9", "lw": 0}
_BREAK = {"facecolor": "#F3DDB0", "edgecolor": ORANGE, "hatch": "..", "lw": 0}
_HORIZON = {"color": GREY, "lw": 1, "linestyle": (0, (4, 3))}
_MOST_LABELS = 60  # bars with a contact number
_GAP = 0.4  # between the lanes of two counsellors, in slots


class Lane(NamedTuple):
    """Where a counsellor is drawn: upper edge and number of slots."""

    top: float
    slots: int


def plot_gantt(
    log: ContactLog,
    roster: Roster,
    horizon: float,
    path: str | Path,
    title: str,
    window: tuple[float, float] | None = None,
) -> None:
    """One episode: who waited, and what each counsellor did.

    Breaks are drawn as the roster plans them; a postponed one is taken later.

    Args:
        log: Contact records of the episode.
        roster: The counsellors that they refer to.
        horizon: Minute at which arrivals stop.
        path: PNG file to write.
        title: Heading.
        window: Minutes to show, and of the counsellors only those at work in them; None for the whole episode.
    """
    last = max(horizon, log.leg_end.max(initial=0.0), log.ended_at.max(initial=0.0))
    begin, finish = window or (0.0, last)
    held = [stay for stay in stays(log) if stay.start < finish and stay.end > begin]
    spells = [spell for spell in waiting_spells(log) if spell.start <= finish and spell.end >= begin]
    free_from: list[float] = []
    gap = 0.005 * (finish - begin)  # room for the marker
    rows = [take_lane(free_from, spell.start, spell.end + gap) for spell in spells]
    lanes = _lanes(roster, held, begin, finish)
    slots = sum(lane.slots + _GAP for lane in lanes.values())
    heights = min(3.6, 0.9 + 0.11 * len(free_from)), 0.5 + (0.27 if slots < 12 else 0.17) * slots
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12.5, sum(heights) + 1.5), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=heights)
        figure.suptitle(title, x=0.01, ha="left", fontsize=13)
        _draw_queue(upper, spells, rows)
        _draw_lanes(lower, roster, lanes, begin, finish)
        _draw_legs(lower, log, held, lanes)
        if len(held) <= _MOST_LABELS:
            _label_bars(lower, held, lanes, begin, finish)
        for axis in (upper, lower):
            axis.axvline(horizon, zorder=0.5, **_HORIZON)
        _clock_axis(lower, begin, finish, 12)
        lower.set_xlim(begin - gap, finish + gap)
        figure.legend(handles=_gantt_legend(), loc="outside lower center", ncols=5, fontsize=9)
        save_figure(figure, path)


def _lanes(roster: Roster, held: Sequence[Stay], begin: float, finish: float) -> dict[int, Lane]:
    """A lane for each counsellor who is on duty or busy within the minutes shown."""
    lanes: dict[int, Lane] = {}
    top = 0.0
    for index, person in enumerate(roster):
        used = [stay.slot + 1 for stay in held if stay.counsellor == index]
        if used or any(shift.start < finish and shift.end > begin for shift in person.shifts):
            lanes[index] = Lane(top, max([person.capacity, *used]))
            top += lanes[index].slots + _GAP
    return lanes


def _draw_queue(axis: Axes, spells: Sequence[Spell], rows: Sequence[int]) -> None:
    """One thin line for each spell from start to end, and a marker for how it ended."""
    size = 5.0 if len(spells) <= 100 else 3.5
    for how, (_, colour, marker) in SPELLS.items():
        own = [(spell, row) for spell, row in zip(spells, rows, strict=True) if spell.how == how]
        lines = [((spell.start, row), (spell.end, row)) for spell, row in own]
        axis.add_collection(LineCollection(lines, colors=colour, linewidths=1.3))
        axis.plot([spell.end for spell, _ in own], [row for _, row in own], marker, color=colour, ms=size, mew=0)
    axis.set(title="Callers waiting, one line each", ylim=(-0.8, max(rows, default=0) + 0.8), yticks=[])
    axis.tick_params(axis="x", labelbottom=False, length=0)
    axis.grid(axis="x")


def _draw_lanes(axis: Axes, roster: Roster, lanes: Mapping[int, Lane], begin: float, finish: float) -> None:
    """The background of each counsellor from the top: on duty white, off duty grey, breaks shaded."""
    for index, (top, slots) in lanes.items():
        place = top + 0.1, slots + 0.2
        shifts = roster.counsellors[index].shifts
        breaks = [(start, end - start) for shift in shifts for start, end in shift.breaks]
        axis.broken_barh([(begin, finish - begin)], place, zorder=0.1, **_OFF_DUTY)
        axis.broken_barh([(s.start, s.end - s.start) for s in shifts], place, color="white", lw=0, zorder=0.2)
        axis.broken_barh(breaks, place, zorder=0.3, **_BREAK)
    names = roster.names()
    middles = [top + (slots + _GAP) / 2 for top, slots in lanes.values()]
    axis.set_yticks(middles, [names[index] for index in lanes], fontsize=9)
    axis.set(title="Counsellors", ylim=(sum(slots + _GAP for _, slots in lanes.values()) or 1.0, 0.0))
    axis.tick_params(axis="y", length=0)


def _draw_legs(axis: Axes, log: ContactLog, held: Sequence[Stay], lanes: Mapping[int, Lane]) -> None:
    """Bars of service, wrap-up and zombies, in the slot of their stay."""
    for kind, (_, look) in LEGS.items():
        bars = [
            (_middle(stay, lanes), log.leg_start[row], log.leg_end[row] - log.leg_start[row])
            for stay in held
            for row in np.flatnonzero(
                (log.leg_kind == kind)
                & (log.leg_contact == stay.contact)
                & (log.leg_counsellor == stay.counsellor)
                & (log.leg_start >= stay.start)
                & (log.leg_end <= stay.end)
                & (log.leg_end > log.leg_start)
            )
        ]
        if bars:
            middle, start, minutes = zip(*bars, strict=True)
            axis.barh(middle, minutes, 0.84, left=start, **look)


def _middle(stay: Stay, lanes: Mapping[int, Lane]) -> float:
    """The height at which a stay is drawn."""
    return lanes[stay.counsellor].top + _GAP / 2 + stay.slot + 0.5


def _label_bars(axis: Axes, held: Sequence[Stay], lanes: Mapping[int, Lane], begin: float, finish: float) -> None:
    """Contact numbers at the left of the bars that are wide enough."""
    span = finish - begin
    for stay in held:
        left = max(stay.start, begin)
        if min(stay.end, finish) - left > 0.022 * span:
            words = axis.text(left + 0.003 * span, _middle(stay, lanes), f"{stay.contact}", va="center", fontsize=8)
            words.set_path_effects([withStroke(linewidth=2, foreground="white")])


def _gantt_legend() -> list[Line2D | Patch]:
    spells = [
        Line2D([], [], color=colour, marker=marker, lw=1.3, ms=5, mew=0, label=words)
        for words, colour, marker in SPELLS.values()
    ]
    legs = [Patch(label=words, **look) for words, look in LEGS.values()]
    end = Line2D([], [], label="arrivals stop", **_HORIZON)
    return [*spells, end, *legs, Patch(label="break (planned)", **_BREAK), Patch(label="off duty", **_OFF_DUTY)]


# ---------------------------------------------------------------------------------------- shared


def _clock_axis(axis: Axes, begin: float, finish: float, most: int) -> None:
    """Minutes as hh:mm, in at most so many steps."""
    step = next((step for step in _STEPS if finish - begin <= most * step), _STEPS[-1])
    axis.xaxis.set_major_locator(MultipleLocator(step))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda minutes, _: "{:02d}:{:02d}".format(*divmod(int(minutes), 60))))
    axis.set_xlim(begin, finish)


def save_figure(figure: Figure, path: str | Path, *, blank: bool = False) -> None:
    """Write the figure; one without data says so."""
    if blank:
        figure.text(0.5, 0.5, "no data", ha="center", va="center", color=GREY, fontsize=14)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI)

"""A picture of a centre as an array of colours: the queue on the left, the counsellors on the right; no display needed.

Callers are tiles: letter and colour of the risk, contact number, minutes waited, `R` for repeat callers, `T` for
transferred ones, and a bar of the wait as a share of the predicted patience. Counsellors are rows with one slot for
each concurrent contact; the bar in a slot is the share of its predicted time that is left.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import CallerType, Risk, Role
from mhgym.rendering import palette
from mhgym.rendering.canvas import Box, Canvas
from mhgym.rendering.labels import at_work_and_off, clock, counsellor_names, fit, held, oldest_first, state
from mhgym.view import CentreView, Phase

SIZE = (960, 540)
_SMALLEST = (480, 270)
# Pixels at the size above; other sizes scale them.
_MARGIN, _HEADER, _HEADING, _FOOTER = 14, 46, 26, 26
_QUEUE_WIDTH = 352
_TILE_HEIGHT, _TILE_GAP, _TILE_COLUMNS = 27, 3, 3
_ROW_MOST, _ROW_LEAST = 46, 25
_NAME_WIDTH, _STATE_WIDTH, _SLOT_MOST = 172, 88, 110

_MEANINGS = (
    ("R", "repeat caller"),
    ("T", "transferred"),
    ("W", "wrap-up"),
    ("Z", "zombie"),
    ("B", "bridge"),
    ("bars", "wait of predicted patience; predicted service left, minutes"),
)
_LETTERS = {Phase.WRAP_UP: "W", Phase.ZOMBIE: "Z", Phase.BRIDGE: "B"}


def render_frame(
    view: CentreView, names: Sequence[str] | None = None, size: tuple[int, int] = SIZE
) -> NDArray[np.uint8]:
    """Draw a view.

    Args:
        view: What a dispatcher can know now.
        names: `[C]` labels of counsellors; None for role and index.
        size: Width and height in pixels.

    Returns:
        `[H, W, 3]` colours.

    Raises:
        ValueError: If there is not one name for each counsellor, or the size is too small to read.
        ImportError: If Pillow is not installed.
    """
    if size[0] < _SMALLEST[0] or size[1] < _SMALLEST[1]:
        raise ValueError(f"a frame needs at least {_SMALLEST[0]} × {_SMALLEST[1]} pixels, got {size[0]} × {size[1]}")
    labels = counsellor_names(view, names)
    scale = min(size[0] / SIZE[0], size[1] / SIZE[1])
    canvas = Canvas(size, scale)
    width, height = size[0] / scale, size[1] / scale
    _header(canvas, view, width)
    top, bottom = _HEADER + _MARGIN, height - _FOOTER
    _queue(canvas, view, Box(_MARGIN, top, _MARGIN + _QUEUE_WIDTH, bottom))
    _staff(canvas, view, labels, Box(2 * _MARGIN + _QUEUE_WIDTH, top, width - _MARGIN, bottom))
    _legend(canvas, height)
    return canvas.pixels()


def _header(canvas: Canvas, view: CentreView, width: float) -> None:
    canvas.fill(Box(0, 0, width, _HEADER), palette.BLACK)
    middle = _HEADER / 2
    time = clock(view.now)
    canvas.text((_MARGIN, middle), time, 26, palette.PAPER, "lm")
    taking = view.staff.can_take
    free = int((view.staff.capacity - view.staff.in_hand)[taking].sum())
    told = f"waiting {len(view.waiting)}      in hand {len(view.in_hand)}      free slots {free}"
    canvas.text((_MARGIN * 2 + canvas.width(time, 26), middle), told, 15, palette.PAPER, "lm")
    right = f"{len(view.arrivals)} visits so far, arrivals until {clock(view.horizon)}"
    canvas.text((width - _MARGIN, middle), right, 13, palette.FADED, "rm")


# ---------------------------------------------------------------------------------------- queue


def _queue(canvas: Canvas, view: CentreView, box: Box) -> None:
    canvas.text((box.left, box.top), f"Waiting, oldest first ({len(view.waiting)})", 15, palette.BLACK, "lt")
    top = box.top + _HEADING
    lines = int((box.bottom - top + _TILE_GAP) // (_TILE_HEIGHT + _TILE_GAP))
    rows = fit(oldest_first(view), lines * _TILE_COLUMNS)
    marks: list[int | None] = [*map(int, rows.first), *([None] if rows.hidden else []), *map(int, rows.last)]
    if not marks:
        canvas.text((box.left, top + 4), "nobody", 13, palette.MUTED, "lt")
    width = (box.right - box.left + _TILE_GAP) / _TILE_COLUMNS - _TILE_GAP
    for number, row in enumerate(marks):
        column, line = divmod(number, lines)
        left = box.left + column * (width + _TILE_GAP)
        upper = top + line * (_TILE_HEIGHT + _TILE_GAP)
        tile = Box(left, upper, left + width, upper + _TILE_HEIGHT)
        if row is None:
            canvas.text(tile.centre, f"... {rows.hidden} more ...", 12, palette.MUTED, "mm")
        else:
            _caller(canvas, view, row, tile)


def _caller(canvas: Canvas, view: CentreView, row: int, tile: Box) -> None:
    waiting = view.waiting
    risk = Risk(waiting.risk[row])
    canvas.fill(tile, palette.PANEL, palette.LINE)
    badge = Box(tile.left, tile.top, tile.left + 17, tile.bottom)
    _risk_badge(canvas, risk, badge)
    line = tile.top + 11
    canvas.text((badge.right + 5, line), f"#{waiting.contact[row]}", 11, palette.MUTED, "lm")
    canvas.text((tile.right - 20, line), f"{view.wait[row]:.0f} m", 13, palette.BLACK, "rm")
    letters = ("R" if waiting.caller_type[row] == CallerType.REPEAT else "") + ("T" if waiting.transferred[row] else "")
    canvas.text((tile.right - 3, line), letters, 11, palette.BLACK, "rm")
    gauge = Box(badge.right + 5, tile.bottom - 7, tile.right - 5, tile.bottom - 4)
    canvas.fill(gauge, palette.FADED)
    spent = view.wait[row] / waiting.patience[row] if waiting.patience[row] > 0 else 1.0
    canvas.fill(gauge.share(spent), palette.BLACK if spent > 1 else palette.MUTED)


def _risk_badge(canvas: Canvas, risk: Risk, box: Box) -> None:
    canvas.fill(box, palette.RISK[risk])
    ink = palette.PAPER if risk == Risk.HIGH else palette.BLACK
    canvas.text(box.centre, palette.RISK_LETTER[risk], 13, ink, "mm")


# ---------------------------------------------------------------------------------------- counsellors


def _staff(canvas: Canvas, view: CentreView, labels: list[str], box: Box) -> None:
    at_work, off_duty = at_work_and_off(view)
    title = f"Counsellors ({len(at_work)} at work, {len(off_duty)} off duty)"
    canvas.text((box.left, box.top), title, 15, palette.BLACK, "lt")
    top = box.top + _HEADING
    most = int((box.bottom - top) // _ROW_LEAST)
    everybody = len(labels) <= most
    rows = fit(np.arange(len(labels)) if everybody else at_work, most)
    marks: list[int | None] = [*map(int, rows.first), *([None] if rows.hidden else []), *map(int, rows.last)]
    height = min(_ROW_MOST, (box.bottom - top) / max(1, len(marks)))
    for line, index in enumerate(marks):
        row = Box(box.left, top + line * height, box.right, top + (line + 1) * height - 3)
        if index is None:
            canvas.text((row.left, row.centre[1]), f"... {rows.hidden} more ...", 12, palette.MUTED, "lm")
        else:
            _counsellor(canvas, view, index, labels[index], row)


def _counsellor(canvas: Canvas, view: CentreView, index: int, label: str, row: Box) -> None:
    staff = view.staff
    at_work = bool(staff.on_duty[index]) or staff.in_hand[index] > 0
    ink = palette.BLACK if at_work else palette.MUTED
    middle = row.centre[1]
    role = palette.ROLE_LETTERS[Role(staff.role[index])]
    canvas.text((row.left, middle), role, 12, palette.MUTED, "lm")
    canvas.text((row.left + 26, middle), canvas.shorten(label, 12, _NAME_WIDTH - 32), 12, ink, "lm")
    told = canvas.shorten(state(view, index), 11, _STATE_WIDTH - 6)
    left = row.left + _NAME_WIDTH
    colour = palette.GREEN if staff.can_take[index] else palette.MUTED
    canvas.text((left, middle), told, 11, colour, "lm")
    if at_work:
        _slots(canvas, view, index, Box(left + _STATE_WIDTH, row.top, row.right, row.bottom))


def _slots(canvas: Canvas, view: CentreView, index: int, box: Box) -> None:
    """One box for each concurrent contact; those that find no room are counted in the last one."""
    tasks = held(view, index)
    capacity = max(int(view.staff.capacity[index]), len(tasks))
    shown = min(capacity, int((box.right - box.left) // 62))
    width = min(_SLOT_MOST, (box.right - box.left) / shown)
    for slot in range(shown):
        left = box.left + slot * width
        place = Box(left, box.top + 1, left + width - 4, box.bottom - 1)
        if slot == shown - 1 and capacity > shown:
            canvas.text(place.centre, f"+{capacity - shown + 1} slots", 11, palette.MUTED, "mm")
        elif slot < len(tasks):
            _task(canvas, view, tasks[slot], place)
        else:
            canvas.fill(place, palette.PAPER, palette.LINE)


def _task(canvas: Canvas, view: CentreView, row: int, place: Box) -> None:
    """A contact in hand: the letter says risk, or W for wrap-up, Z for a zombie, B for a bridge, grey and hatched."""
    in_hand = view.in_hand
    risk, phase = Risk(in_hand.risk[row]), Phase(in_hand.phase[row])
    canvas.fill(place, palette.PANEL, palette.LINE)
    badge = Box(place.left, place.top, place.left + 17, place.bottom)
    if phase == Phase.SERVICE:
        left = in_hand.remaining[row] / in_hand.predicted[row] if in_hand.predicted[row] > 0 else 0.0
        rest = Box(badge.right, place.top, place.right, place.bottom).share(left)
        canvas.fill(rest, palette.tint(palette.RISK[risk], 0.35))
        _risk_badge(canvas, risk, badge)
    else:
        canvas.hatch(place, palette.FADED)
        canvas.fill(badge, palette.MUTED)
        canvas.text(badge.centre, _LETTERS[phase], 13, palette.PAPER, "mm")
    room = place.right - badge.right - 6
    minutes, number = f"{in_hand.remaining[row]:.0f} m", f"#{in_hand.contact[row]}"
    both = f"{number}  {minutes}"
    told = both if canvas.width(both, 12) <= room else minutes
    canvas.text(((badge.right + place.right) / 2, place.centre[1]), told, 12, palette.BLACK, "mm")


def _legend(canvas: Canvas, height: float) -> None:
    """Explain colours, letters and bars along the lower edge."""
    middle = height - _FOOTER / 2
    left = float(_MARGIN)
    for risk in Risk:
        box = Box(left, middle - 8, left + 16, middle + 8)
        _risk_badge(canvas, risk, box)
        label = f"{risk.name.lower()} risk"
        canvas.text((box.right + 5, middle), label, 11, palette.MUTED, "lm")
        left = box.right + canvas.width(label, 11) + 16
    for letter, meaning in _MEANINGS:
        canvas.text((left, middle), letter, 11, palette.BLACK, "lm")
        left += canvas.width(letter, 11) + 5
        canvas.text((left, middle), meaning, 11, palette.MUTED, "lm")
        left += canvas.width(meaning, 11) + 14

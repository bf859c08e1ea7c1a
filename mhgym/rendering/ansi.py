"""A text frame of a centre, for terminals and logs."""

from collections.abc import Sequence

from mhgym.domain import CALLER_TYPES, RISKS, ROLES
from mhgym.rendering.labels import (
    at_work_and_off,
    clock,
    counsellor_names,
    fit,
    held,
    oldest_first,
    state,
    task,
)
from mhgym.view import CentreView, Ints

ROWS = 24
WIDTH = 110
_FIXED_ROWS = 4  # title, two headings, those off duty
_FEWEST_CALLERS = 6
_HEADING = "waiting  row  contact     wait  predicted patience  risk    caller      note"
_STAFF_HEADING = "counsellors                  role          load  state           in hand (predicted minutes left)"


def render_ansi(view: CentreView, names: Sequence[str] | None = None) -> str:
    """Draw a view as text: the queue, oldest first, then the counsellors.

    Args:
        view: What a dispatcher can know now.
        names: `[C]` labels of counsellors; None for role and index.

    Returns:
        At most 24 lines of at most 110 characters; rows left out are counted.

    Raises:
        ValueError: If there is not one name for each counsellor.
    """
    labels = counsellor_names(view, names)
    at_work, off_duty = at_work_and_off(view)
    space = ROWS - _FIXED_ROWS
    staff_rows = min(len(at_work), space - min(len(view.waiting), _FEWEST_CALLERS))
    lines = [_title(view), _HEADING, *_queue(view, space - staff_rows)]
    lines += [_STAFF_HEADING, *_staff(view, labels, at_work, staff_rows)]
    if len(off_duty):
        lines.append(_off_duty([labels[index] for index in off_duty]))
    return "\n".join(line[:WIDTH].rstrip() for line in lines)


def _title(view: CentreView) -> str:
    free = int((view.staff.capacity - view.staff.in_hand)[view.staff.can_take].sum())
    return (
        f"{clock(view.now)}  {len(view.waiting)} waiting, {len(view.in_hand)} in hand, {free} free slots, "
        f"{len(view.arrivals)} visits so far, arrivals until {clock(view.horizon)}"
    )


def _queue(view: CentreView, limit: int) -> list[str]:
    rows = fit(oldest_first(view), limit)
    hidden = [f"         ... {rows.hidden} more"] if rows.hidden else []
    return [*(_caller(view, int(row)) for row in rows.first), *hidden, *(_caller(view, int(row)) for row in rows.last)]


def _caller(view: CentreView, row: int) -> str:
    waiting = view.waiting
    note = f"transferred, {waiting.remaining[row]:.0f}m left" if waiting.transferred[row] else ""
    return (
        f"         {row:3d}  {f'#{waiting.contact[row]}':<7s}  {view.wait[row]:6.1f}m  {waiting.patience[row]:17.1f}m  "
        f"{RISKS[waiting.risk[row]]:<6s}  {CALLER_TYPES[waiting.caller_type[row]]:<10s}  {note}"
    )


def _staff(view: CentreView, labels: list[str], at_work: Ints, limit: int) -> list[str]:
    rows = fit(at_work, limit)
    hidden = [f"  ... {rows.hidden} more"] if rows.hidden else []
    first, last = ([_counsellor(view, int(index), labels[index]) for index in part] for part in (rows.first, rows.last))
    return [*first, *hidden, *last]


def _counsellor(view: CentreView, index: int, label: str) -> str:
    staff = view.staff
    load = f"{staff.in_hand[index]}/{staff.capacity[index]}"
    tasks = ", ".join(task(view, row) for row in held(view, index))
    who = f"{index:3d} {label[:24]:<24s} {ROLES[staff.role[index]]:<12s}"
    return f"{who}  {load:<4s}  {state(view, index):<14s}  {tasks}"


def _off_duty(labels: list[str]) -> str:
    """The names of those off duty, as many as a line holds."""
    line = f"off duty ({len(labels)}): {', '.join(labels)}"
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 4]} ..."

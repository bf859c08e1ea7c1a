"""Words that the text frame and the picture share."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mhgym.domain import ROLES
from mhgym.view import CentreView, Ints, Phase

#: How to get what pictures need.
EXTRA = "pip install mhgym[render]"

_DAY, _HOUR = 1440, 60
_PHASES = {Phase.SERVICE: "", Phase.WRAP_UP: " wrap-up", Phase.ZOMBIE: " zombie", Phase.BRIDGE: " bridge"}


class Rows(NamedTuple):
    """Which of many rows to show: the first ones, how many are left out, the last ones."""

    first: Ints
    hidden: int
    last: Ints


def clock(minutes: float) -> str:
    """Minutes of the episode as `hh:mm`, with the day from the second one on."""
    days, rest = divmod(int(minutes), _DAY)
    time = f"{rest // _HOUR:02d}:{rest % _HOUR:02d}"
    return f"day {days + 1} {time}" if days else time


def counsellor_names(view: CentreView, names: Sequence[str] | None) -> list[str]:
    """A label for each counsellor: the given one, or role and index.

    Raises:
        ValueError: If there is not one name for each counsellor.
    """
    if names is None:
        return [f"{ROLES[role]}_{index}" for index, role in enumerate(view.staff.role)]
    if len(names) != len(view.staff):
        raise ValueError(f"names must hold one for each of {len(view.staff)} counsellors, got {len(names)}")
    return list(names)


def state(view: CentreView, counsellor: int) -> str:
    """What a counsellor is doing, in a few words."""
    staff = view.staff
    if not staff.on_duty[counsellor]:
        return "overtime" if staff.in_hand[counsellor] else "off duty"
    if staff.on_break[counsellor]:
        return f"break to {clock(staff.back_at[counsellor] % _DAY)}"
    if staff.can_take[counsellor]:
        return "free"
    if staff.break_due[counsellor] > 0:
        return "break due"
    return "full" if staff.in_hand[counsellor] >= staff.capacity[counsellor] else "closing"


def held(view: CentreView, counsellor: int) -> list[int]:
    """Rows of `view.in_hand` that a counsellor has, oldest leg first."""
    rows = np.flatnonzero(view.in_hand.counsellor == counsellor)
    return [int(row) for row in rows[np.argsort(view.in_hand.started_at[rows], kind="stable")]]


def task(view: CentreView, row: int) -> str:
    """A contact in hand: its number, the phase unless it is service, predicted minutes left."""
    phase = _PHASES[Phase(view.in_hand.phase[row])]
    return f"#{view.in_hand.contact[row]}{phase} {view.in_hand.remaining[row]:.0f}m"


def oldest_first(view: CentreView) -> Ints:
    """`[n]` rows of the queue, the longest wait first."""
    return np.argsort(view.waiting.joined_at, kind="stable")


def at_work_and_off(view: CentreView) -> tuple[Ints, Ints]:
    """Indices of the counsellors at work, overtime included, and of those off duty."""
    at_work = view.staff.on_duty | (view.staff.in_hand > 0)
    return np.flatnonzero(at_work), np.flatnonzero(~at_work)


def fit(rows: Ints, limit: int) -> Rows:
    """Choose rows for `limit` lines, one of them the note of what is left out.

    Where zombies are kept the most recent contacts matter most, so both ends of the queue are shown.
    """
    if len(rows) <= limit:
        return Rows(rows, 0, rows[:0])
    shown = max(limit - 1, 0)
    head, tail = shown - shown // 2, shown // 2
    return Rows(rows[:head], len(rows) - shown, rows[len(rows) - tail :])

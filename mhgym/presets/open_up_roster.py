"""Shifts, breaks and roles of Open Up, in minutes of the day (Chiang, Law & Yip 2024).

Figures are those of the paper and of the authors' public simulator unless said.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from mhgym.domain import Counsellor, Risk, Role, Roster, Shift
from mhgym.domain.counsellor import Interval
from mhgym.presets.base import suggest

DAY = 1440.0  # minutes, by definition
SHIFTS = ("graveyard", "am", "pm", "special")
ROLE_NAMES = {"volunteers": Role.VOLUNTEER, "full_time": Role.FULL_TIME, "duty_officers": Role.DUTY_OFFICER}

#: 15 counsellors: the base case of the paper, from the authors' notebook.
BASE_STAFFING: dict[str, dict[str, int]] = {
    "graveyard": {"volunteers": 1, "full_time": 2, "duty_officers": 1},
    "am": {"volunteers": 1, "full_time": 2, "duty_officers": 1},
    "pm": {"volunteers": 1, "full_time": 2, "duty_officers": 1},
    "special": {"volunteers": 1, "full_time": 2, "duty_officers": 0},
}

#: 37 counsellors: a commented-out block of the authors' notebook, probably the paper's saturation (an inference).
SATURATION_STAFFING: dict[str, dict[str, int]] = {
    "graveyard": {"volunteers": 11, "full_time": 7, "duty_officers": 1},
    "am": {"volunteers": 4, "full_time": 3, "duty_officers": 1},
    "pm": {"volunteers": 1, "full_time": 3, "duty_officers": 1},
    "special": {"volunteers": 3, "full_time": 2, "duty_officers": 0},
}

#: What a counsellor costs, volunteers, full-time staff and duty officers: the authors' educated guess, without unit.
COST_WEIGHTS = {"volunteers": 1.5, "full_time": 2.0, "duty_officers": 3.0}

_PAID_HOURS = {"graveyard": (1290.0, 1890.0), "am": (435.0, 915.0), "pm": (840.0, 1320.0), "special": (1020.0, 1500.0)}
_VOLUNTEER_HOURS = {
    "graveyard": (1200.0, 1440.0),
    "am": (630.0, 870.0),
    "pm": (900.0, 1140.0),
    "special": (1080.0, 1320.0),
}
# Break of paid staff from sign-in; volunteers have none. The second half of the full-time night shift goes later.
_BREAK_AFTER = {"graveyard": 225.0, "am": 240.0, "pm": 240.0, "special": 240.0}
_LATE_NIGHT_BREAK_AFTER = 405.0
_BREAK = 60.0  # minutes; the authors' simulator (their read-me gives 180 at night)

_CAPACITY = {Role.VOLUNTEER: 2, Role.FULL_TIME: 3, Role.DUTY_OFFICER: 1}
_LOW_RISKS = frozenset({Risk.LOW, Risk.MEDIUM})
_RISKS = {
    Role.VOLUNTEER: _LOW_RISKS,
    Role.FULL_TIME: frozenset(Risk),
    Role.DUTY_OFFICER: frozenset({Risk.HIGH}),
}


class Post(NamedTuple):
    """One place on the roster."""

    shift: str
    role: Role
    late_break: bool


def read_staffing(staffing: object) -> dict[str, dict[str, int]]:
    """Numbers by shift and role.

    Args:
        staffing: None for the base case, a whole number of full-time staff per shift, or a mapping such as
            `{"pm": {"volunteers": 3}}` that changes the base case.

    Raises:
        ValueError: If a shift or role is unknown or a number negative.
    """
    numbers = {shift: dict(roles) for shift, roles in BASE_STAFFING.items()}
    if staffing is None:
        return numbers
    if isinstance(staffing, int) and not isinstance(staffing, bool):
        staffing = {shift: {"full_time": staffing} for shift in SHIFTS}
    if not isinstance(staffing, Mapping):
        raise TypeError(
            f"staffing of Open Up must be a number of full-time staff per shift or a mapping of shifts to roles, "
            f"got {staffing!r}"
        )
    for shift, roles in staffing.items():
        if shift not in numbers:
            raise ValueError(f"unknown shift {shift!r} in staffing{suggest(str(shift), list(SHIFTS))}")
        if not isinstance(roles, Mapping):
            raise TypeError(f"staffing of {shift} must map roles to numbers, such as volunteers: 3, got {roles!r}")
        for role, number in roles.items():
            if role not in ROLE_NAMES:
                raise ValueError(f"unknown role {role!r} in staffing of {shift}{suggest(str(role), list(ROLE_NAMES))}")
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise ValueError(f"staffing of {shift}.{role} must be a whole number of at least 0, got {number!r}")
            numbers[shift][role] = number
    return numbers


def _posts(numbers: dict[str, dict[str, int]]) -> list[Post]:
    posts = []
    for shift in SHIFTS:
        for name, role in ROLE_NAMES.items():
            size = numbers[shift][name]
            late = shift == "graveyard" and role == Role.FULL_TIME
            posts += [Post(shift, role, late and j >= (size + 1) // 2) for j in range(size)]
    return posts


def _window(start: float, end: float, pause: Interval | None) -> Shift:
    """A shift, without what lies before minute 0."""
    start = max(start, 0.0)
    if pause is None or pause[1] <= start:
        return Shift(start, end)
    return Shift(start, end, ((max(pause[0], start), pause[1]),))


def _own_shifts(post: Post, horizon: float) -> tuple[Shift, ...]:
    """Every shift ends at its own counsellor's sign-out; the night before the first day counts."""
    volunteer = post.role == Role.VOLUNTEER
    start, end = (_VOLUNTEER_HOURS if volunteer else _PAID_HOURS)[post.shift]
    after = _LATE_NIGHT_BREAK_AFTER if post.late_break else _BREAK_AFTER[post.shift]
    shifts = []
    day = -1
    while start + day * DAY < horizon:
        begin, finish = start + day * DAY, end + day * DAY
        pause = None if volunteer else (begin + after, begin + after + _BREAK)
        if finish > 0:
            shifts.append(_window(begin, finish, pause))
        day += 1
    return tuple(shifts)


def _paper_shifts(post: Post, horizon: float, cutoff: float, volunteers: bool) -> tuple[Shift, ...]:
    """The simulator of Chiang et al., which keeps one shift end per shift, not per role.

    The later sign-in overwrites the end, so paid staff of the AM, PM and special shifts stop taking contacts at the
    volunteers' end less the cut-off. Night volunteers start at 16:00 from the second day, are shut out from 20:00
    less the cut-off until the paid staff sign in at 21:30, and then have no cut-off. Nobody breaks in the first night.
    """
    if post.shift == "graveyard":
        if post.role == Role.VOLUNTEER:
            return _paper_night_volunteer(horizon, cutoff)
        return (Shift(0.0, 450.0), *(shift for shift in _own_shifts(post, horizon) if shift.start > 0))
    shifts = _own_shifts(post, horizon)
    if post.role == Role.VOLUNTEER or not volunteers:
        return shifts
    own_end, shared_end = _PAID_HOURS[post.shift][1], _VOLUNTEER_HOURS[post.shift][1]
    adjusted = []
    for shift in shifts:
        if shift.start == 0.0:  # what is left of the evening before
            adjusted.append(shift)
            continue
        sign_out = shift.start - _PAID_HOURS[post.shift][0] + own_end
        shut_from = sign_out - own_end + shared_end - cutoff
        adjusted.append(replace(shift, closed=((shut_from, sign_out),)))
    return tuple(adjusted)


def _paper_night_volunteer(horizon: float, cutoff: float) -> tuple[Shift, ...]:
    shifts = []
    day = 0
    while (start := (1200.0 if day == 0 else 960.0) + day * DAY) < horizon:
        closed = () if day == 0 else ((1200.0 - cutoff + day * DAY, 1290.0 + day * DAY),)
        shifts.append(Shift(start, 1440.0 + day * DAY, closed=closed, cutoff=0.0))
        day += 1
    return tuple(shifts)


def open_up_roster(
    numbers: dict[str, dict[str, int]], horizon: float, newcomers: int, *, paper_cutoff: float | None = None
) -> Roster:
    """The roster over a horizon in minutes.

    Args:
        numbers: From `read_staffing`.
        horizon: Minutes.
        newcomers: Volunteers flagged as new, the last on the roster.
        paper_cutoff: If given, shifts follow the authors' simulator, with this cut-off in minutes built in.
    """
    posts = _posts(numbers)
    volunteers = [index for index, post in enumerate(posts) if post.role == Role.VOLUNTEER]
    new = set(volunteers[len(volunteers) - min(newcomers, len(volunteers)) :])
    people = []
    named: Counter[tuple[str, Role]] = Counter()
    for index, post in enumerate(posts):
        if paper_cutoff is None:
            shifts = _own_shifts(post, horizon)
        else:
            shifts = _paper_shifts(post, horizon, paper_cutoff, numbers[post.shift]["volunteers"] > 0)
        name = f"{post.shift}_{post.role.name.lower()}_{named[post.shift, post.role]}"
        named[post.shift, post.role] += 1
        people.append(Counsellor(post.role, shifts, _CAPACITY[post.role], _RISKS[post.role], index in new, name))
    return Roster(tuple(people))

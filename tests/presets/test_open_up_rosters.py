"""Open Up's rosters against the published windows: who is at work when, and who is shut out in the paper's simulator.

Facts: night 21:30-07:30, morning 07:15-15:15, afternoon 14:00-22:00, special 17:00-01:00; volunteers 20:00-24:00,
10:30-14:30, 15:00-19:00, 18:00-22:00. Breaks of 60 minutes for paid staff at 01:15 (night, first group and duty
officer), 04:15 (night, second group), 11:15, 18:00 and 21:00; none for volunteers.
"""

from collections import Counter

import pytest

from mhgym.domain import Counsellor, Risk, Role, Roster
from mhgym.presets import make_scenario

DAY = 1440.0


def minute(clock: str, day: int = 0) -> float:
    hours, minutes = clock.split(":")
    return day * DAY + 60.0 * int(hours) + int(minutes)


def working(roster: Roster, at: float) -> list[Counsellor]:
    """Who is on duty and not on a break."""
    intervals = roster.staffed_intervals()
    return [person for person, own in zip(roster, intervals, strict=True) if any(b <= at < e for b, e in own)]


def open_to_new(roster: Roster, at: float) -> set[str]:
    """Names of those at work and not shut out."""
    return {
        person.name
        for person in working(roster, at)
        for shift in person.shifts
        if shift.start <= at < shift.end and not any(begin <= at < end for begin, end in shift.closed)
    }


def counts(roster: Roster, at: float) -> tuple[int, int, int]:
    by_role = Counter(person.role for person in working(roster, at))
    return by_role[Role.VOLUNTEER], by_role[Role.FULL_TIME], by_role[Role.DUTY_OFFICER]


TABLE = [
    # clock, volunteers, full-time, duty officers: worked out by hand from the windows above
    ("00:30", 0, 4, 1),
    ("01:30", 0, 1, 0),
    ("03:00", 0, 2, 1),
    ("04:30", 0, 1, 1),
    ("07:20", 0, 4, 2),
    ("08:00", 0, 2, 1),
    ("11:00", 1, 2, 1),
    ("11:30", 1, 0, 0),
    ("14:15", 1, 4, 2),
    ("14:45", 0, 4, 2),
    ("16:00", 1, 2, 1),
    ("17:30", 1, 4, 1),
    ("18:30", 2, 2, 0),
    ("20:30", 2, 4, 1),
    ("21:15", 2, 2, 1),
    ("21:45", 2, 4, 2),
    ("23:00", 1, 4, 1),
]


@pytest.mark.parametrize(("clock", "volunteers", "full_time", "duty_officers"), TABLE)
@pytest.mark.parametrize("day", [0, 1, 2])
def test_who_is_at_work(clock: str, volunteers: int, full_time: int, duty_officers: int, day: int) -> None:
    """The same on every day, the first included, since the night before it counts."""
    roster = make_scenario("OpenUp", horizon=3 * DAY).roster

    assert counts(roster, minute(clock, day)) == (volunteers, full_time, duty_officers)


def test_the_base_case_has_15_counsellors_and_35_slots() -> None:
    roster = make_scenario("OpenUp").roster

    assert Counter(person.role for person in roster) == {Role.VOLUNTEER: 4, Role.FULL_TIME: 8, Role.DUTY_OFFICER: 3}
    assert sum(person.capacity for person in roster) == 35
    assert {person.role: person.capacity for person in roster} == {
        Role.VOLUNTEER: 2,
        Role.FULL_TIME: 3,
        Role.DUTY_OFFICER: 1,
    }
    assert len(set(roster.names())) == 15


def test_who_may_take_which_risk() -> None:
    for person in make_scenario("OpenUp").roster:
        assert (Risk.HIGH in person.risks) == (person.role != Role.VOLUNTEER)
        assert (Risk.LOW in person.risks) == (Risk.MEDIUM in person.risks) == (person.role != Role.DUTY_OFFICER)


def test_volunteers_have_no_break_and_paid_staff_one_in_each_whole_shift() -> None:
    roster = make_scenario("OpenUp", horizon=3 * DAY).roster
    for person in roster:
        for shift in person.shifts:
            whole = shift.start > 0
            assert len(shift.breaks) == (0 if person.role == Role.VOLUNTEER else 1) or not whole
            assert all(end - begin == 60.0 for begin, end in shift.breaks)


@pytest.mark.parametrize(("size", "late"), [(1, 0), (2, 1), (3, 1), (5, 2)])
def test_the_second_half_of_the_night_shift_breaks_late(size: int, late: int) -> None:
    roster = make_scenario("OpenUp", horizon=2 * DAY, staffing={"graveyard": {"full_time": size}}).roster
    night = [person for person in roster if person.name.startswith("graveyard_full_time")]

    at_early = [person for person in night if person not in working(roster, minute("01:30", 1))]
    at_late = [person for person in night if person not in working(roster, minute("04:30", 1))]

    assert len(night) == size
    assert (len(at_early), len(at_late)) == (size - late, late)


# ---------------------------------------------------------------------- the paper's simulator


@pytest.mark.parametrize(("cutoff", "shut"), [(30.0, 30.0), (10.0, 10.0)])
def test_paid_staff_stop_at_the_volunteers_end(cutoff: float, shut: float) -> None:
    """Morning 14:30, afternoon 19:00, special 22:00, each less the cut-off, until their own end."""
    roster = make_scenario("OpenUpPaper", horizon=3 * DAY, cutoff=cutoff).roster
    windows = {"am": ("14:30", "15:15"), "pm": ("19:00", "22:00"), "special": ("22:00", "25:00")}
    for person in roster:
        shift_name = person.name.split("_")[0]
        if person.role == Role.VOLUNTEER or shift_name == "graveyard":
            assert person.role == Role.VOLUNTEER or not any(shift.closed for shift in person.shifts)
            continue
        start, end = windows[shift_name]
        for shift in person.shifts:
            if shift.start == 0.0:
                continue
            day = shift.start // DAY
            assert shift.closed == ((minute(start, int(day)) - shut, minute(end, int(day))),)


def test_night_volunteers_of_the_paper() -> None:
    """20:00 on the first day; from 16:00 on the others, shut out from 19:30 to 21:30, and no cut-off at midnight."""
    roster = make_scenario("OpenUpPaper", horizon=3 * DAY, cutoff=30.0).roster
    (person,) = (person for person in roster if person.name == "graveyard_volunteer_0")

    first, second, third = person.shifts

    assert (first.start, first.end, first.closed) == (minute("20:00"), DAY, ())
    assert (second.start, second.end) == (minute("16:00", 1), 2 * DAY)
    assert second.closed == ((minute("19:30", 1), minute("21:30", 1)),)
    assert third.closed == ((minute("19:30", 2), minute("21:30", 2)),)
    assert {shift.cutoff for shift in person.shifts} == {0.0}
    for clock, expected in (("16:30", True), ("19:15", True), ("19:45", False), ("21:00", False), ("21:45", True)):
        assert (person.name in open_to_new(roster, minute(clock, 1))) == expected


def test_nobody_breaks_in_the_first_night_of_the_paper() -> None:
    roster = make_scenario("OpenUpPaper", horizon=2 * DAY).roster

    assert counts(roster, minute("01:30")) == (0, 4 - 2, 1)  # special has left at 01:00
    assert counts(roster, minute("04:30")) == (0, 2, 1)
    assert counts(roster, minute("01:30", 1)) == (0, 1, 0)


def test_without_volunteers_paid_staff_are_not_shut_out() -> None:
    """No volunteer overwrites the end of a shift that has none."""
    staffing = {"pm": {"volunteers": 0}}
    roster = make_scenario("OpenUpPaper", horizon=2 * DAY, staffing=staffing).roster

    for person in roster:
        if person.name.startswith("pm_"):
            assert not any(shift.closed for shift in person.shifts)
        if person.name.startswith("am_full_time"):
            assert all(shift.closed for shift in person.shifts if shift.start > 0)


# ---------------------------------------------------------------------- staffing


def test_staffing_overrides_change_what_they_name_only() -> None:
    base = make_scenario("OpenUp").roster
    roster = make_scenario("OpenUp", staffing={"pm": {"volunteers": 3}, "special": {"duty_officers": 1}}).roster

    def tally(some: Roster) -> Counter[tuple[str, Role]]:
        return Counter((person.name.split("_")[0], person.role) for person in some)

    difference = tally(roster) - tally(base)
    assert difference == {("pm", Role.VOLUNTEER): 2, ("special", Role.DUTY_OFFICER): 1}
    assert not tally(base) - tally(roster)


def test_a_number_sets_the_full_time_staff_of_each_shift() -> None:
    roster = make_scenario("OpenUp", staffing=5).roster

    by_shift = Counter(person.name.split("_")[0] for person in roster if person.role == Role.FULL_TIME)
    assert by_shift == {"graveyard": 5, "am": 5, "pm": 5, "special": 5}
    assert sum(person.role == Role.VOLUNTEER for person in roster) == 4


@pytest.mark.parametrize(("newcomers", "flagged"), [(None, 1), (0, 0), (3, 3), (99, 4)])
def test_newcomers_are_the_last_volunteers(newcomers: int | None, flagged: int) -> None:
    roster = make_scenario("OpenUp", newcomers=newcomers).roster
    volunteers = [person for person in roster if person.role == Role.VOLUNTEER]

    assert [person.new for person in volunteers] == [False] * (4 - flagged) + [True] * flagged
    assert not any(person.new for person in roster if person.role != Role.VOLUNTEER)

"""The burden meter against hand-computed days, a minute-by-minute count, and its own replay."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhgym.metrics.burden import BurdenMeter, BurdenRule

EXACT = 1e-9  # the bar of DESIGN 1.5: reward and KPI agree within it


def one_contact(meter: BurdenMeter, start: float, end: float, high_risk: int = 0, counsellor: int = 0) -> None:
    meter.change(counsellor, start, 1, high_risk)
    meter.change(counsellor, end, -1, -high_risk)


def test_occupancy_above_the_threshold_weighs_by_its_square():
    """95 of 100 staffed minutes, split by a pause of 5: b = 0.1 squared, and nothing else."""
    meter = BurdenMeter([[(0, 100)]])
    one_contact(meter, 0, 50)
    one_contact(meter, 55, 100)

    assert meter.value(100) == pytest.approx(-0.01, abs=EXACT)


def test_a_pause_breaks_a_streak_from_five_minutes_on():
    """120 busy minutes with a gap of 4.9 exceed 90 minutes after the start by 34.9; with a gap of 5 by none."""
    for gap, excess, longest in ((4.9, 34.9, 124.9), (5.0, 0.0, 60.0)):
        meter = BurdenMeter([[(0, 1000)]])
        one_contact(meter, 0, 60)
        one_contact(meter, 60 + gap, 120 + gap)
        accounts = meter.per_counsellor(500)

        assert accounts.streak_excess[0] == pytest.approx(excess, abs=EXACT)
        assert accounts.longest_streak[0] == pytest.approx(longest, abs=EXACT)


def test_overtime_is_busy_time_between_and_after_staffed_intervals():
    meter = BurdenMeter([[(10, 40), (50, 70)]])
    one_contact(meter, 30, 80)
    accounts = meter.per_counsellor(100)

    assert accounts.overtime[0] == pytest.approx(20, abs=EXACT)
    assert accounts.occupancy[0] == pytest.approx(30 / 50, abs=EXACT)
    assert meter.value(100) == pytest.approx(-20 / 50, abs=EXACT)


def test_only_minutes_with_two_high_risk_contacts_count_as_multi():
    meter = BurdenMeter([[(0, 100)]])
    for time, contacts, high in ((0, 1, 1), (10, 1, 0), (20, 1, 1), (32, -1, -1), (40, -2, -1)):
        meter.change(0, time, contacts, high)

    assert meter.per_counsellor(100).multi_high_risk[0] == 12
    assert meter.value(100) == pytest.approx(-0.12, abs=EXACT)


def test_a_counsellor_who_is_never_staffed_carries_no_burden_but_counts_in_the_mean():
    meter = BurdenMeter([[(0, 10)], []])
    one_contact(meter, 0, 20)
    one_contact(meter, 0, 20, counsellor=1)

    assert meter.value(20) == pytest.approx(-(0.15**2 + 10 / 10) / 2, abs=EXACT)
    assert meter.per_counsellor(20).b[1] == 0


def test_nothing_counts_after_until():
    """A contact that runs on is cut, and so is the roster."""
    meter = BurdenMeter([[(0, 200)]], until=50)
    one_contact(meter, 40, 300)
    accounts = meter.per_counsellor(math.inf)

    assert (accounts.busy[0], accounts.staffed[0], accounts.overtime[0]) == (10, 50, 0)


def test_constants_come_from_the_rule():
    rule = BurdenRule(occupancy_threshold=1.0, streak_minutes=10, pause_minutes=1)
    meter = BurdenMeter([[(0, 100)]], rule=rule)
    one_contact(meter, 0, 30)

    assert meter.value(30) == pytest.approx(-0.2, abs=EXACT)


MINUTES = 240
legs = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, MINUTES), st.integers(0, 130), st.integers(0, 1)), max_size=25
)
staffing = st.lists(
    st.lists(st.integers(0, MINUTES), max_size=6, unique=True).map(
        lambda edges: list(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
    ),
    min_size=3,
    max_size=3,
)


def events_of(table):
    """(time, counsellor, contacts, high) of each leg's start and end; starts first at one instant."""
    starts = [(start, 0, who, 1, high) for who, start, length, high in table]
    ends = [(start + length, 1, who, -1, -high) for who, start, length, high in table]
    return [(time, who, contacts, high) for time, _, who, contacts, high in sorted(starts + ends)]


def counted(table, intervals, who, until):
    """b_j by counting whole minutes, without any of the meter's logic."""
    held = np.zeros(400, dtype=int)
    high = np.zeros(400, dtype=int)
    staffed = np.zeros(400, dtype=bool)
    for owner, start, length, risk in table:
        if owner == who:
            held[start : start + length] += 1
            high[start : start + length] += risk
    for start, end in intervals:
        staffed[start:end] = True
    held[until:], high[until:], staffed[until:] = 0, 0, False
    excess, start, idle = 0, None, 5
    for minute in range(400):
        if held[minute]:
            start = minute if idle >= 5 else start
            excess += minute - start >= 90
        idle = 0 if held[minute] else idle + 1
    total = staffed.sum()
    if not total:
        return 0.0
    occupancy = (staffed & (held > 0)).sum() / total
    overtime = (~staffed & (held > 0)).sum()
    return max(0.0, occupancy - 0.85) ** 2 + (excess + overtime + (high > 1).sum()) / total


@settings(max_examples=150, deadline=None)
@given(table=legs, intervals=staffing, until=st.integers(1, 380))
def test_matches_a_count_of_whole_minutes(table, intervals, until):
    meter = BurdenMeter(intervals, until=until)
    for time, who, contacts, high in events_of(table):
        meter.change(who, time, contacts, high)

    expected = [counted(table, intervals[who], who, until) for who in range(3)]

    np.testing.assert_allclose(meter.per_counsellor(400).b, expected, atol=EXACT)
    assert meter.value(400) == pytest.approx(-np.mean(expected), abs=EXACT)


@settings(max_examples=100, deadline=None)
@given(table=legs, intervals=staffing, scale=st.floats(0.01, 3.0))
def test_replay_equals_the_live_order_and_looking_changes_nothing(table, intervals, scale):
    """Fed counsellor by counsellor, or in the order of time with a look at every event, the number is the same."""
    intervals = [[(start * scale, end * scale) for start, end in own] for own in intervals]
    live, replayed = BurdenMeter(intervals), BurdenMeter(intervals)
    seen = [0.0]
    for time, who, contacts, high in events_of(table):
        seen.append(live.value(time * scale))
        live.per_counsellor(time * scale + 7.0)
        live.change(who, time * scale, contacts, high)
    for time, who, contacts, high in sorted(events_of(table), key=lambda event: event[1]):
        replayed.change(who, time * scale, contacts, high)

    assert live.value(1e4) == pytest.approx(replayed.value(1e4), abs=EXACT)
    assert live.value(1e4) == live.value(1e4)
    assert all(later <= earlier + EXACT for earlier, later in pairwise(seen))


@settings(max_examples=100, deadline=None)
@given(table=legs, intervals=staffing, now=st.floats(0, 400))
def test_value_in_mid_episode_is_the_value_of_contacts_cut_there(table, intervals, now):
    running, cut = BurdenMeter(intervals), BurdenMeter(intervals)
    for time, who, contacts, high in events_of(table):
        if time <= now:
            running.change(who, time, contacts, high)
        cut.change(who, min(time, now), contacts, high)

    assert running.value(now) == pytest.approx(cut.value(now), abs=EXACT)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda meter: meter.change(0, 4.0, 1, 0), "time never runs back.*got 4.0"),
        (lambda meter: meter.change(0, math.nan, 1, 0), "got nan"),
        (lambda meter: meter.change(0, 6.0, -2, 0), "high-risk of -1 contacts"),
        (lambda meter: meter.change(0, 6.0, 0, 2), "got 2 high-risk of 1"),
        (lambda meter: meter.change(-1, 6.0, 1, 0), "counsellor must lie in 0 to 0, got -1"),
        (lambda meter: meter.value(4.0), "before the last change at 5.0 minutes, got 4.0"),
        (lambda meter: meter.value(math.inf), "need a finite time, got inf"),
        (lambda meter: meter.value(math.nan), "got nan"),
    ],
)
def test_errors_name_value_and_rule(call, message):
    meter = BurdenMeter([[(0, 10)]])
    meter.change(0, 5.0, 1, 0)

    with pytest.raises((ValueError, IndexError), match=message):
        call(meter)


def test_impossible_meters_and_rules_are_refused():
    for build, message in (
        (lambda: BurdenMeter([]), "at least one counsellor"),
        (lambda: BurdenMeter([[(5, 9), (8, 12)]]), "got 8 to 12"),
        (lambda: BurdenRule(occupancy_threshold=1.2), "got 1.2"),
        (lambda: BurdenRule(pause_minutes=0), "got 0"),
        (lambda: BurdenRule(streak_minutes=-1), "got -1"),
    ):
        with pytest.raises(ValueError, match=message):
            build()

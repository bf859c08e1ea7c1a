"""KPIs of small days counted by hand, and laws that hold for every log."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhgym.domain import CALLER_TYPES, RISKS, ROLES, ContactLog, Counsellor, LegKind, Outcome, Risk, Role, Roster, Shift
from mhgym.metrics import COMPONENTS, GLOSSARY, kpis, occupancy_by_counsellor

EXACT = 1e-9
NAN = math.nan
CONTACT = ("arrived_at", "outcome", "caller_type", "risk", "answered_at", "ended_at", "counsellor", "feedback")
LEG = ("leg_contact", "leg_counsellor", "leg_kind", "leg_start", "leg_end")
WHOLE = {"outcome", "caller_type", "risk", "counsellor", "transfers", "leg_contact", "leg_counsellor", "leg_kind"}


def table(contacts, legs):
    """A log from rows: a contact is its columns and transfers, a leg its columns."""
    names = (*CONTACT, "transfers")
    columns = {name: [row[index] for row in contacts] for index, name in enumerate(names)}
    columns |= {name: [row[index] for row in legs] for index, name in enumerate(LEG)}
    return ContactLog(
        **{name: np.array(values, dtype=np.int64 if name in WHOLE else np.float64) for name, values in columns.items()}
    )


def person(role, start=0.0, end=100.0, **kwargs):
    return Counsellor(role, (Shift(start, end),), **kwargs)


THERAPIST_AND_NEW_VOLUNTEER = Roster((person(Role.THERAPIST, capacity=2), person(Role.VOLUNTEER, end=50.0, new=True)))

DAY = table(
    [  # arrived, outcome, type, risk, answered, ended, counsellor, feedback, transfers
        (0, Outcome.ANSWERED, 0, Risk.LOW, 0, 20, 0, 0.8, 0),
        (1, Outcome.REJECTED, 0, Risk.LOW, NAN, 1, -1, NAN, 0),
        (2, Outcome.ABANDONED, 1, Risk.HIGH, NAN, 8, -1, NAN, 0),
        (10, Outcome.ANSWERED, 1, Risk.HIGH, 10.5, 60, 0, NAN, 1),
        (30, Outcome.ABANDONED_IN_TRANSFER, 0, Risk.MEDIUM, 45, 58, -1, NAN, 1),
        (40, Outcome.UNANSWERED, 0, Risk.LOW, NAN, 100, -1, NAN, 0),
    ],
    [
        (0, 0, LegKind.SERVICE, 0, 20),
        (2, 1, LegKind.ZOMBIE, 9, 10),
        (3, 1, LegKind.SERVICE, 10.5, 44.5),
        (0, 0, LegKind.WRAP_UP, 20, 25),
        (4, 1, LegKind.SERVICE, 45, 52),
        (3, 0, LegKind.SERVICE, 55, 60),
        (3, 0, LegKind.WRAP_UP, 60, 62),
    ],
)

BY_HAND = {
    "visitors": 6,
    "offered": 5,
    "answered": 2,
    "transfers": 2,
    "offered_per_hour": 3,
    "answered_per_hour": 1.2,
    "quantity": 0.4,
    "abandonment": 0.4,
    "abandonment_first_queue": 0.2,
    "abandonment_in_transfer": 0.2,
    "unanswered": 0.2,
    "conversion": 2 / 6,
    "quality": 0.8 / 5,
    "quality_served": 0.8,
    "objective_per_arrival": 0.28,
    "objective_served": 0.6,
    "first_answer_share": 0.6,
    "first_answer_conversion": 0.5,
    "direct_share": 0.2,
    "direct_share_60s": 0.4,
    "answered_after_wait_share": 0.4,
    "asa": 15.5 / 3,
    "wait_p50": 0.5,
    "wait_p90": 0.5 + 0.8 * 14.5,
    "wait_p99": 0.5 + 0.98 * 14.5,
    "mean_time_to_abandon": 6,
    "mean_wait": (0 + 6 + 0.5 + 15 + 60) / 5,
    "service_level": 0.4,
    "longest_queue": 3,  # at 52: the fourth and fifth in transfer (from 44.5 and 52), the sixth since 40
    "mean_service_minutes": (20 + 39 + 7) / 3,
    "mean_handle_minutes": (25 + 41 + 7) / 3,
    "valid_share": 0.4,
    "occupancy": (32 + 1 + 34 + 5) / 150,
    "slot_occupancy": (32 + 1 + 34 + 7) / 250,
    "occupancy_therapist": 0.32,
    "occupancy_volunteer": 40 / 50,
    "overtime_minutes": 2,
    "longest_streak_minutes": 43,  # 9 to 52, pauses of half a minute included
    "zombie_minutes": 1,
    "zombies_opened": 1,
    "burden": -(2 / 50) / 2,
    "burden_therapists": 0,
    "burden_volunteers": -2 / 50,
    "new_share_of_time": 1 / 3,
    "new_share_of_answered": 0,
    "fairness": -1 / 3,
    "jain_answered_per_staffed_minute": 0.5,
    "gini_answered_per_staffed_minute": 0.5,
    "abandonment_low": 0,
    "abandonment_medium": 1,
    "abandonment_high": 0.5,
    "wait_low": 30,
    "wait_medium": 15,
    "wait_high": 3.25,
    "abandonment_non_repeat": 1 / 3,
    "abandonment_repeat": 0.5,
    "wait_non_repeat": 25,
    "wait_repeat": 3.25,
}


def test_every_kpi_of_a_day_counted_by_hand():
    found = kpis(DAY, THERAPIST_AND_NEW_VOLUNTEER, horizon=100.0)

    assert found == pytest.approx(BY_HAND, abs=EXACT)
    np.testing.assert_allclose(occupancy_by_counsellor(DAY, THERAPIST_AND_NEW_VOLUNTEER), [0.32, 0.8])


def test_until_cuts_contact_minutes_and_the_roster():
    """Cut at 50: the therapist was busy 25 of 50 minutes, the volunteer 1 + 34 + 5 of 50, nobody worked overtime."""
    found = kpis(DAY, THERAPIST_AND_NEW_VOLUNTEER, horizon=50.0, until=50.0)

    assert found["occupancy"] == pytest.approx(65 / 100)
    assert found["slot_occupancy"] == pytest.approx(65 / 150)
    assert found["overtime_minutes"] == 0
    assert found["new_share_of_time"] == pytest.approx(0.5)


def test_thresholds_are_inclusive():
    found = kpis(DAY, THERAPIST_AND_NEW_VOLUNTEER, horizon=100.0, service_level_minutes=0.5, valid_minutes=7.0)

    assert found["service_level"] == pytest.approx(2 / 5)
    assert found["valid_share"] == pytest.approx(3 / 5)


def test_an_empty_log_has_a_value_for_every_kpi():
    found = kpis(table([], []), THERAPIST_AND_NEW_VOLUNTEER, horizon=100.0)

    equal = {"jain_answered_per_staffed_minute": 1.0, "new_share_of_time": 1 / 3}
    assert found == pytest.approx({**dict.fromkeys(BY_HAND, 0.0), **equal})


def test_only_rejected_visitors_and_nobody_on_duty():
    log = table([(3, Outcome.REJECTED, 0, 0, NAN, 3, -1, NAN, 0)], [])

    found = kpis(log, Roster((Counsellor(Role.VOLUNTEER, ()),)), horizon=10.0)

    assert (found["visitors"], found["offered"], found["conversion"], found["occupancy"]) == (1, 0, 0, 0)
    assert not any(math.isnan(value) for value in found.values())


def test_every_kpi_has_a_glossary_entry_and_every_component_is_a_kpi():
    everyone = Roster(tuple(person(role, inbox=1) for role in Role))

    found = kpis(DAY, everyone, horizon=100.0)

    assert set(found) == set(GLOSSARY)
    assert set(COMPONENTS) <= set(found)
    assert {f"occupancy_{role}" for role in ROLES} <= set(found)
    assert {f"wait_{name}" for name in RISKS + CALLER_TYPES} <= set(found)


def test_errors_name_value_and_rule():
    for horizon in (0.0, math.inf, NAN):
        with pytest.raises(ValueError, match=f"horizon must be positive and finite minutes, got {horizon}"):
            kpis(DAY, THERAPIST_AND_NEW_VOLUNTEER, horizon=horizon)
    with pytest.raises(ValueError, match=r"counsellors 0 to 0 of the roster, got 1"):
        kpis(DAY, Roster((person(Role.VOLUNTEER),)), horizon=100.0)
    with pytest.raises(ValueError, match="service_level_minutes must be at least 0, got -1"):
        kpis(DAY, THERAPIST_AND_NEW_VOLUNTEER, horizon=100.0, service_level_minutes=-1)


@st.composite
def logs(draw):
    """Any log of up to 12 contacts on the three counsellors of ROSTER; whole minutes, so that ties are common."""
    contacts, legs = [], []
    for row in range(draw(st.integers(0, 12))):
        now = arrived = draw(st.integers(0, 100))
        outcome = draw(st.sampled_from(Outcome))
        answered, counsellor, transfers = NAN, -1, 0
        interrupted = outcome == Outcome.ABANDONED_IN_TRANSFER
        visits = draw(st.integers(1, 3)) if outcome == Outcome.ANSWERED or interrupted else 0
        for visit in range(visits):
            counsellor, start = draw(st.integers(0, 2)), now + draw(st.integers(0, 9))
            now = start + draw(st.integers(0, 60))
            answered = answered if visit else start
            legs.append((row, counsellor, LegKind.SERVICE, start, now))
            transfers += visit < visits - 1 or interrupted
        if outcome == Outcome.ANSWERED:
            legs.append((row, counsellor, LegKind.WRAP_UP, now, now + draw(st.integers(0, 9))))
        elif outcome != Outcome.REJECTED:
            now += draw(st.integers(0, 30))
            if outcome == Outcome.ABANDONED and draw(st.booleans()):
                start = now + draw(st.integers(0, 9))
                legs.append((row, draw(st.integers(0, 2)), LegKind.ZOMBIE, start, start + draw(st.integers(0, 5))))
        done = outcome == Outcome.ANSWERED
        feedback = draw(st.sampled_from([NAN, 0.0, 0.5, 1.0])) if done else NAN
        caller = (draw(st.integers(0, 1)), draw(st.integers(0, 2)))
        contacts.append((arrived, outcome, *caller, answered, now, counsellor if done else -1, feedback, transfers))
    return table(contacts, sorted(legs, key=lambda leg: leg[3]))


ROSTER = Roster((
    person(Role.THERAPIST, capacity=3),
    Counsellor(Role.VOLUNTEER, (Shift(0, 40), Shift(60, 160, breaks=((80, 95),))), new=True),
    Counsellor(Role.DUTY_OFFICER, ()),
))  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(logs())
def test_shares_add_up_and_lie_in_range(log):
    found = kpis(log, ROSTER, horizon=100.0)

    ends = found["quantity"] + found["abandonment"] + found["unanswered"]
    assert ends == pytest.approx(1.0 if found["offered"] else 0.0)
    assert found["direct_share"] + found["answered_after_wait_share"] == pytest.approx(found["first_answer_share"])
    assert found["direct_share"] <= found["direct_share_60s"] <= found["service_level"] <= found["first_answer_share"]
    assert found["wait_p50"] <= found["wait_p90"] <= found["wait_p99"]
    assert found["quality"] <= found["quantity"]
    for name, value in found.items():
        assert math.isfinite(value), name
        unbounded = {"slot_occupancy"}
        if GLOSSARY[name].unit == "share" and name not in unbounded:
            assert 0 <= value <= 1, name
        if name.startswith(("burden", "fairness")):
            assert value <= 0, name


@settings(max_examples=150, deadline=None)
@given(logs())
def test_longest_queue_counts_who_waits_in_each_half_minute(log):
    """Whole-minute logs change only on the minute, so a look at every half minute sees every state of some length."""
    looks = np.arange(0.5, 400)[:, None]
    present = (log.arrived_at < looks) & (looks < log.ended_at)
    for contact, kind, start, end in zip(log.leg_contact, log.leg_kind, log.leg_start, log.leg_end, strict=True):
        if kind == LegKind.SERVICE:
            present[:, contact] &= ~((start < looks[:, 0]) & (looks[:, 0] < end))
    most = present.sum(axis=1).max()

    assert kpis(log, ROSTER, horizon=100.0)["longest_queue"] == most


@settings(max_examples=80, deadline=None)
@given(logs(), st.randoms(use_true_random=False))
def test_order_of_rows_and_of_counsellors_does_not_matter(log, random):
    contacts, legs = list(range(len(log))), list(range(len(log.leg_start)))
    people = list(range(len(ROSTER)))
    for rows in (contacts, legs, people):
        random.shuffle(rows)
    to_row = np.argsort(np.array(contacts, dtype=np.int64))
    to_person = np.append(np.argsort(people), -1)
    columns = {name: getattr(log, name)[contacts] for name in (*CONTACT, "transfers")}
    columns |= {name: getattr(log, name)[legs] for name in LEG}
    shuffled = ContactLog(**columns)
    shuffled = replace(
        shuffled,
        counsellor=to_person[shuffled.counsellor],
        leg_contact=to_row[shuffled.leg_contact],
        leg_counsellor=to_person[shuffled.leg_counsellor],
    )
    roster = Roster(tuple(ROSTER.counsellors[index] for index in people))

    assert kpis(shuffled, roster, horizon=100.0) == pytest.approx(kpis(log, ROSTER, horizon=100.0), abs=EXACT)


@settings(max_examples=80, deadline=None)
@given(logs(), st.integers(1, 1000))
def test_waits_and_shares_do_not_depend_on_the_start_of_the_clock(log, shift):
    moved = replace(
        log,
        **{
            name: getattr(log, name) + shift
            for name in ("arrived_at", "answered_at", "ended_at", "leg_start", "leg_end")
        },
    )
    roster = Roster(
        tuple(
            replace(
                someone,
                shifts=tuple(
                    Shift(duty.start + shift, duty.end + shift, tuple((a + shift, b + shift) for a, b in duty.breaks))
                    for duty in someone.shifts
                ),
            )
            for someone in ROSTER
        )
    )

    late = 1e6  # after every shift, moved or not: staffed time ends at the horizon
    assert kpis(moved, roster, horizon=late) == pytest.approx(kpis(log, ROSTER, horizon=late), abs=EXACT)


@settings(max_examples=80, deadline=None)
@given(logs())
def test_occupancy_is_the_union_of_legs_inside_duty(log):
    """Counted minute by minute, since all times are whole minutes."""
    for index, intervals in enumerate(ROSTER.staffed_intervals()):
        staffed, busy = np.zeros(500, dtype=bool), np.zeros(500, dtype=bool)
        for start, end in intervals:
            staffed[int(start) : int(end)] = True
        mine = log.leg_counsellor == index
        for start, end in zip(log.leg_start[mine], log.leg_end[mine], strict=True):
            busy[int(start) : int(end)] = True
        expected = (staffed & busy).sum() / max(1, staffed.sum())

        assert occupancy_by_counsellor(log, ROSTER)[index] == pytest.approx(expected, abs=EXACT)

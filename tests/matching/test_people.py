"""People, slots and clocks: what is refused, and what a time zone changes."""

from dataclasses import replace

import numpy as np
import pytest

from mhgym.matching import CALIBRATED, Week
from mhgym.matching.traits import AGE
from mhgym.matching.week import SLOTS, free_in, on_centre_clock, slot_name, slot_of

WEEK = CALIBRATED.sample(0)


def test_slots_have_names():
    assert [slot_name(slot) for slot in (0, 13, 14, 97)] == ["Mon 08:00", "Mon 21:00", "Tue 08:00", "Sun 21:00"]
    assert [slot_of(slot_name(slot)) for slot in range(SLOTS)] == list(range(SLOTS))


@pytest.mark.parametrize("slot", [-1, 98])
def test_a_slot_outside_the_week_is_refused(slot):
    with pytest.raises(ValueError, match=f"a slot must lie in the week, 0 to 97, got {slot}"):
        free_in([3, slot])


@pytest.mark.parametrize("name", ["Mon 07:00", "Mon 22:00", "Mon 08:30", "Mon", "Fun 08:00", "mon 08:00"])
def test_a_name_outside_the_week_is_refused(name):
    with pytest.raises(ValueError, match=f"a day and a full hour within the week, .* got '{name}'"):
        slot_of(name)


@pytest.mark.parametrize(
    ("own", "zone", "centre"),
    [
        ("Mon 10:00", 0, "Mon 10:00"),
        ("Mon 10:00", 2, "Mon 08:00"),  # two hours ahead of the centre
        ("Mon 10:00", 3, None),  # 07:00, before the centre opens
        ("Fri 19:00", -2, "Fri 21:00"),
        ("Fri 20:00", -2, None),  # 22:00, after it closes
        ("Tue 08:00", 15, "Mon 17:00"),
        ("Mon 08:00", 15, None),  # Sunday of the week before
        ("Sun 20:00", -14, None),  # Monday of the week after
        ("Sat 20:00", -14, "Sun 10:00"),
    ],
)
def test_slots_move_with_the_time_zone(own, zone, centre):
    moved = on_centre_clock(free_in([slot_of(own)])[None], np.array([zone]))

    assert [slot_name(slot) for slot in np.flatnonzero(moved[0])] == ([centre] if centre else [])


@pytest.mark.parametrize(
    ("group", "field", "where", "value", "rule"),
    [
        ("patients", "severity", 3, 7, "severity must be a whole number from 0 to 6, got 7 for 'p3'"),
        ("patients", "severity", 3, -1, "severity must be a whole number from 0 to 6, got -1 for 'p3'"),
        ("patients", "age", 0, 4, "age must be a whole number from 0 to 3, got 4 for 'p0'"),
        ("patients", "zone", 5, 27, "zone must be a whole number from -26 to 26, got 27 for 'p5'"),
        ("patients", "preferences", (2, 4), 8, "preferences of age must be a whole number from 0 to 7, got 8 for 'p2'"),
        ("volunteers", "traits", (1, 0), 7, "gender must be a whole number from 0 to 6, got 7 for 'v1'"),
        ("volunteers", "traits", (1, AGE), 0, "age must be a whole number from 1 to 3, got 0 for 'v1'"),
    ],
)
def test_an_impossible_value_is_refused_by_name(group, field, where, value, rule):
    people = getattr(WEEK, group)
    array = getattr(people, field).copy()
    array[where] = value

    with pytest.raises(ValueError, match=rule):
        replace(people, **{field: array})


def test_wrong_shapes_and_ids_are_refused():
    patients, volunteers = WEEK.patients, WEEK.volunteers

    with pytest.raises(ValueError, match="an id must appear once, got 'p0' 2 times; rename one of them"):
        patients.joined(patients.take(np.array([0])))
    with pytest.raises(ValueError, match=r"free must have 98 slots for each person, got shape \(150, 97\)"):
        replace(patients, free=patients.free[:, 1:])
    with pytest.raises(ValueError, match=r"severity must have one row for each of 150 ids, got shape \(149,\)"):
        replace(patients, severity=patients.severity[1:])
    with pytest.raises(ValueError, match=r"severity must have one value for each person, got shape \(150, 1\)"):
        replace(patients, severity=patients.severity[:, None])
    with pytest.raises(ValueError, match=r"traits must have 5 columns, one for each question, got shape \(15, 4\)"):
        replace(volunteers, traits=volunteers.traits[:, 1:])
    with pytest.raises(ValueError, match=r"patients must have a column for each of 1 languages, got shape \(150, 2\)"):
        Week(patients, volunteers, ("english",))


def test_people_are_taken_and_joined_in_order():
    patients = WEEK.patients

    some = patients.take(np.array([4, 2])).joined(patients.take(patients.severity == 6))

    assert some.ids[:2] == ("p4", "p2")
    assert some.severity[:2].tolist() == patients.severity[[4, 2]].tolist()
    assert (some.severity[2:] == 6).all()
    assert len(patients.take(np.zeros(0, dtype=np.int64))) == 0

"""The automated pick, rounds that book hours or not, and the weeks that follow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhgym.matching import CALIBRATED, Offers, Week, WeekGenerator, columns, fifths, violations
from mhgym.matching.rounds import booked, carried_over, pick_best, play_rounds, play_weeks
from mhgym.matching.toy import crowded_week
from mhgym.matching.week import SLOTS

GENERATOR = WeekGenerator(num_patients=30, num_volunteers=6)


def first_columns(week, most_offers):
    """A matcher for tests: each possible assignment in turn, if it still fits; up to `most_offers` each."""
    possible, chosen, hours, seen = columns(week), [], set(), set()
    given_to = dict.fromkeys(range(len(week.patients)), 0)
    for index in range(len(possible)):
        p, v, t = (int(column[index]) for column in (possible.patient, possible.volunteer, possible.slot))
        if (v, t) not in hours and not {(p, "at", t), (p, "with", v)} & seen and given_to[p] < most_offers:
            hours.add((v, t))
            seen |= {(p, "at", t), (p, "with", v)}
            given_to[p] += 1
            chosen.append(index)
    return Offers.of(possible, np.array(chosen, dtype=np.int64))


@given(st.integers(0, 2**32 - 1))
def test_each_patient_picks_the_best_offer_and_the_earliest_of_equals(seed):
    rng = np.random.default_rng(seed)
    week = crowded_week(*rng.integers(1, (9, 7, 6)).tolist(), rng)
    offers = first_columns(week, 3)
    assert violations(week, offers, 3) == []
    scores = fifths(week.patients, week.volunteers)

    picked = pick_best(week, offers)

    expected = []
    for patient in sorted(set(offers.patient.tolist())):
        own = np.flatnonzero(offers.patient == patient).tolist()
        best = min(own, key=lambda row: (-scores[patient, offers.volunteer[row]], offers.slot[row]))
        expected.append((patient, int(offers.volunteer[best]), int(offers.slot[best])))
    assert list(zip(picked.patient.tolist(), picked.volunteer.tolist(), picked.slot.tolist(), strict=True)) == expected


def test_booked_hours_are_gone_and_others_stay():
    """Hours are booked on the centre's clock, whatever the volunteer's."""
    week = crowded_week(12, 6, 8, np.random.default_rng(4))
    assert week.volunteers.zone.any()
    picked = pick_best(week, first_columns(week, 2))
    before = week.volunteers.slots

    after = booked(week.volunteers, picked).slots

    gone = set(zip(picked.volunteer.tolist(), picked.slot.tolist(), strict=True))
    changed = {(v, t) for v, t in zip(*np.nonzero(before != after), strict=True)}
    assert changed == gone
    assert len(gone) > 2
    assert not after[picked.volunteer, picked.slot].any()


@pytest.mark.parametrize("consume", [True, False])
def test_a_round_sees_those_who_are_left(consume):
    week = GENERATOR.sample(3)

    first, second = play_rounds(week, first_columns, consume=consume)

    left = [name for name in week.patients.ids if name not in first.week.patients.take(first.picked.patient).ids]
    assert list(second.week.patients.ids) == left == list(first.unmatched.ids)
    lost = week.volunteers.slots.sum() - second.week.volunteers.slots.sum()
    assert lost == (len(first.picked) if consume else 0)


def test_only_consuming_rounds_keep_volunteers_to_one_patient_at_a_time():
    """Without consuming, the report's second round books hours that are taken."""
    week = GENERATOR.sample(3)

    def booked_twice(consume):
        hours = [
            hour
            for played in play_rounds(week, first_columns, num_rounds=3, consume=consume)
            for hour in (played.picked.volunteer * SLOTS + played.picked.slot).tolist()
        ]
        return len(hours) - len(set(hours))

    assert booked_twice(consume=True) == 0
    assert booked_twice(consume=False) > 0


def test_the_unmatched_wait_for_the_next_week_in_front():
    rng = np.random.default_rng(0)
    weeks = []
    for number in range(3):
        generator = WeekGenerator(num_patients=20, num_volunteers=2)
        drawn = generator.sample_patients(rng, first=100 * number), generator.sample_volunteers(rng, first=10 * number)
        weeks.append(Week(*drawn))

    played = list(play_weeks(iter(weeks), first_columns))

    served = [name for done in played for name in done.week.patients.take(done.picked.patient).ids]
    assert len(served) == len(set(served)) > 5
    assert played[1].week.patients.ids == played[0].unmatched.ids + weeks[1].patients.ids
    assert played[2].week.volunteers.ids == weeks[2].volunteers.ids
    assert sorted([*served, *played[2].unmatched.ids]) == sorted(name for week in weeks for name in week.patients.ids)


def test_ids_that_come_back_are_refused():
    week = GENERATOR.sample(0)

    with pytest.raises(ValueError, match="an id must appear once, got 'p0' 2 times"):
        carried_over(week.patients, week)


def test_there_is_a_round():
    with pytest.raises(ValueError, match="num_rounds must be at least 1, got 0"):
        list(play_rounds(CALIBRATED.sample(0), first_columns, num_rounds=0))

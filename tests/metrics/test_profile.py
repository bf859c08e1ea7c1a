"""Occupancy by hour: a day by hand, and agreement with the KPI for any log."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhgym.domain import ContactLog, Counsellor, Outcome, Role, Roster, Shift
from mhgym.metrics import kpis
from mhgym.metrics.profile import occupancy_by_hour


def log_of(legs):
    """A log with one answered contact behind each leg: counsellor, start, end."""
    rows = len(legs)
    counsellor, start, end = (np.array([leg[column] for leg in legs]) for column in range(3)) if legs else [()] * 3
    start, end = np.array(start, dtype=float), np.array(end, dtype=float)
    zeros = np.zeros(rows, dtype=np.int64)
    return ContactLog(
        arrived_at=start,
        outcome=np.full(rows, Outcome.ANSWERED, dtype=np.int64),
        caller_type=zeros,
        risk=zeros,
        answered_at=start,
        ended_at=end,
        counsellor=np.array(counsellor, dtype=np.int64),
        feedback=np.full(rows, 0.5),
        transfers=zeros,
        leg_contact=np.arange(rows),
        leg_counsellor=np.array(counsellor, dtype=np.int64),
        leg_kind=zeros,
        leg_start=start,
        leg_end=end,
    )


ROSTER = Roster(
    (
        Counsellor(Role.VOLUNTEER, (Shift(0, 90),), capacity=2),
        Counsellor(Role.VOLUNTEER, (Shift(30, 110, breaks=((70, 80),)),)),
    )
)


def test_a_day_by_hand():
    """First hour: 25 of 60 minutes (two contacts at once count once) and 0 of 30. Second: 10 of 30 and 20 of 40.

    The second counsellor's leg from 65 to 95 runs through the break; the one after 110 is overtime. The third hour has
    nobody, and the last one, half an hour long, neither.
    """
    log = log_of([(0, 10, 30), (0, 20, 35), (0, 55, 55), (0, 80, 100), (1, 65, 95), (1, 112, 130)])

    shares = occupancy_by_hour(log, ROSTER, 210)

    assert shares[:2] == pytest.approx([25 / 90, (10 + 20) / (30 + 40)], abs=1e-12)
    assert np.isnan(shares[2:]).all()
    assert len(shares) == 4


def test_without_contacts_staffed_hours_are_idle():
    assert occupancy_by_hour(log_of([]), ROSTER, 60).tolist() == [0.0]


@settings(max_examples=60, deadline=None)
@given(
    legs=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 200), st.integers(0, 60)), max_size=12),
    horizon=st.integers(1, 200),
)
def test_hours_weighted_by_staffed_minutes_give_the_kpi(legs, horizon):
    log = log_of([(who, start, start + length) for who, start, length in legs])
    shares = occupancy_by_hour(log, ROSTER, horizon)
    until_hour = [ROSTER.staffed_minutes(min(60 * hour, horizon)).sum() for hour in range(len(shares) + 1)]
    staffed = np.diff(until_hour)

    total = np.nansum(shares * staffed) / staffed.sum()
    assert total == pytest.approx(kpis(log, ROSTER, horizon=horizon, until=horizon)["occupancy"], abs=1e-9)
    assert np.all((shares[staffed > 0] >= 0) & (shares[staffed > 0] <= 1 + 1e-12))


@pytest.mark.parametrize("horizon", [0, math.inf, math.nan])
def test_horizon_is_checked(horizon):
    with pytest.raises(ValueError, match="horizon must be positive and finite"):
        occupancy_by_hour(log_of([]), ROSTER, horizon)

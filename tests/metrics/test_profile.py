"""Occupancy by hour, spells and stays: small days by hand, and agreement with the KPIs."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhgym.domain import ContactLog, Counsellor, LegKind, Outcome, Role, Roster, Shift
from mhgym.engines.reference import ReferenceEngine
from mhgym.metrics import kpis
from mhgym.metrics.profile import Spell, SpellEnd, Stay, occupancy_by_hour, stays, waiting_spells
from mhgym.metrics.waits import waits
from mhgym.presets import make_scenario
from mhgym.trace import Trace


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


# ---------------------------------------------------------------------------------------- spells and stays


def transferred_log():
    """One contact that is transferred and lost, one that waits until the close, one rejected, one zombie opened."""
    base = log_of([(0, 10.0, 30.0), (1, 12.0, 20.0), (1, 20.0, 25.0), (1, 22.0, 27.0)])
    nan = math.nan
    return dataclasses.replace(
        base,
        arrived_at=np.array([5.0, 12.0, 13.0, 14.0]),
        outcome=np.array(
            [Outcome.ABANDONED_IN_TRANSFER, Outcome.ANSWERED, Outcome.REJECTED, Outcome.ABANDONED], dtype=np.int64
        ),
        answered_at=np.array([10.0, 12.0, nan, nan]),
        ended_at=np.array([40.0, 20.0, 13.0, 18.0]),
        leg_contact=np.array([0, 1, 1, 3]),
        leg_kind=np.array([LegKind.SERVICE, LegKind.SERVICE, LegKind.WRAP_UP, LegKind.ZOMBIE], dtype=np.int64),
    )


def test_spells_by_hand():
    assert waiting_spells(transferred_log()) == [
        Spell(0, 5.0, 10.0, SpellEnd.ANSWERED),
        Spell(1, 12.0, 12.0, SpellEnd.ANSWERED),
        Spell(3, 14.0, 18.0, SpellEnd.ABANDONED),
        Spell(0, 30.0, 40.0, SpellEnd.ABANDONED),
    ]


def test_stays_join_service_and_wrap_up_and_use_the_lowest_free_slot():
    assert stays(transferred_log()) == [Stay(0, 0, 0, 10.0, 30.0), Stay(1, 1, 0, 12.0, 25.0), Stay(3, 1, 1, 22.0, 27.0)]


@pytest.mark.parametrize("name", ["EranHeavy", "OpenUp"])
def test_an_episode_keeps_within_capacity_and_agrees_with_its_kpis(name):
    """Slots never exceed a counsellor's capacity, first spells are the waits, and stays hold all minutes of legs."""
    scenario = make_scenario(name)
    engine = ReferenceEngine(scenario)
    engine.reset(Trace.sample(scenario, 0))
    while engine.advance():
        engine.assign(*(int(index) for index in np.argwhere(engine.view().legal)[0]))
    log = engine.log()
    held, spells = stays(log), waiting_spells(log)

    assert all(stay.slot < scenario.roster.counsellors[stay.counsellor].capacity for stay in held)
    assert sum(stay.end - stay.start for stay in held) == pytest.approx((log.leg_end - log.leg_start).sum(), rel=1e-9)
    first = {spell.contact: spell.end - spell.start for spell in reversed(spells)}
    offered = np.flatnonzero(log.outcome != Outcome.REJECTED)
    assert sorted(first) == offered.tolist()
    assert [first[contact] for contact in offered.tolist()] == pytest.approx(waits(log)[offered], abs=1e-9)
    assert len(spells) - len(offered) == log.transfers.sum()

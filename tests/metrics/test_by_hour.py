"""The day by the hour against counts by hand, and against the KPIs of whole episodes."""

import numpy as np
import pytest

from agents.first_come import FirstCome
from mhgym.domain import ContactLog, Counsellor, LegKind, Outcome, Role, Roster, Shift
from mhgym.evaluation.rollout import run_episode
from mhgym.metrics.by_hour import HourlyCounts, count_by_hour
from mhgym.presets import make_scenario
from mhgym.trace import Trace

NAN = np.nan
ROSTER = Roster((Counsellor(Role.VOLUNTEER, (Shift(60.0, 180.0, breaks=((120.0, 150.0),)),), capacity=2),))


def log_of(contacts, legs) -> ContactLog:
    """Rows of (arrived, outcome, answered, ended) and of (contact, kind, start, end), all by counsellor 0."""
    arrived, outcome, answered, ended = np.array(contacts, dtype=np.float64).reshape(-1, 4).T
    contact, kind, start, end = np.array(legs, dtype=np.float64).reshape(-1, 4).T
    zeros, size = np.zeros(len(arrived), dtype=np.int64), len(contact)
    return ContactLog(
        arrived_at=arrived,
        outcome=outcome.astype(np.int64),
        caller_type=zeros,
        risk=zeros,
        answered_at=answered,
        ended_at=ended,
        counsellor=np.where(outcome == Outcome.ANSWERED, 0, -1),
        feedback=np.full(len(arrived), NAN),
        transfers=zeros,
        leg_contact=contact.astype(np.int64),
        leg_counsellor=np.zeros(size, dtype=np.int64),
        leg_kind=kind.astype(np.int64),
        leg_start=start,
        leg_end=end,
    )


LOG = log_of(
    [
        (30.0, Outcome.ANSWERED, 60.0, 90.0),  # waits 30 minutes: too long
        (50.0, Outcome.ANSWERED, 60.0, 80.0),  # waits 10 minutes: not too long; two in line from 50 to 60
        (70.0, Outcome.ABANDONED, NAN, 75.0),
        (85.0, Outcome.ANSWERED, 85.0, 115.0),  # at once
        (100.0, Outcome.REJECTED, NAN, 100.0),
    ],
    [
        (0, LegKind.SERVICE, 60.0, 90.0),
        (1, LegKind.SERVICE, 60.0, 80.0),
        (3, LegKind.SERVICE, 85.0, 115.0),
        (3, LegKind.WRAP_UP, 115.0, 125.0),  # 5 minutes of it in the break: no slot on duty
    ],
)


def at(hour: int, value: float) -> np.ndarray:
    array = np.zeros(24)
    array[hour] = value
    return array


def test_counts_by_hand() -> None:
    hours = count_by_hour(LOG, ROSTER, 180.0)

    assert hours.queued == pytest.approx(at(0, 2))
    assert hours.queued_long == pytest.approx(at(0, 1))
    assert hours.minutes == pytest.approx(at(0, 60) + at(1, 60) + at(2, 60))
    assert hours.crowded == pytest.approx(at(0, 10))
    assert hours.left == pytest.approx(at(1, 1))
    assert hours.slots == pytest.approx(at(1, 120) + at(2, 60))
    assert hours.unused == pytest.approx(at(1, 120 - 30 - 20 - 35) + at(2, 60))
    assert hours.full == pytest.approx(at(1, 20 + 5))  # both slots from 60 to 80 and from 85 to 90
    assert hours.manned == pytest.approx(at(1, 60) + at(2, 30))
    assert hours.long_wait[0] == 0.5
    assert np.isnan(hours.long_wait[1:]).all()
    assert hours.unused_share[1] == pytest.approx(35 / 120)
    assert hours.left_share == pytest.approx(at(1, 1))


def test_days_fold_onto_one_another_and_pool() -> None:
    scenario = make_scenario("OpenUp", horizon=2 * 1440.0)
    episode = run_episode(scenario, FirstCome(), Trace.sample(scenario, 3), "compiled")
    hours = count_by_hour(episode.log, scenario.roster, scenario.horizon)

    assert hours.minutes == pytest.approx(np.full(24, 120.0))
    assert hours.slots.sum() == pytest.approx(
        sum(p.capacity * m for p, m in zip(scenario.roster, scenario.roster.staffed_minutes(2880.0), strict=True))
    )
    assert 1 - hours.unused.sum() / hours.slots.sum() == pytest.approx(episode.kpis["slot_occupancy"])
    offered = episode.kpis["offered"]
    assert hours.left.sum() == pytest.approx(offered * episode.kpis["abandonment_first_queue"])
    assert hours.queued.sum() == pytest.approx(offered * episode.kpis["answered_after_wait_share"])
    both = hours + hours
    assert isinstance(both, HourlyCounts)
    assert both.crowded_share == pytest.approx(hours.crowded_share)


def test_nobody_calls() -> None:
    hours = count_by_hour(log_of([], []), ROSTER, 180.0)
    assert hours.unused_share[1:3] == pytest.approx([1, 1])
    assert hours.crowded_share[:3] == pytest.approx([0, 0, 0])
    assert np.isnan(hours.left_share).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon": 0.0}, "horizon must be positive and finite minutes, got 0.0"),
        ({"horizon": 60.0, "long_wait": -1.0}, "long_wait must be at least 0 minutes, got -1.0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        count_by_hour(LOG, ROSTER, **settings)

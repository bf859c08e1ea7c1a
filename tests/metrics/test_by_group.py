"""Sums by group: together they are the KPIs, apart they are those of their members."""

import numpy as np
import pytest

from agents import make_agent
from mhgym.evaluation.rollout import run_episodes
from mhgym.metrics.by_group import CALLER_SUMS, COUNSELLOR_SUMS, caller_sums, counsellor_sums, gap
from mhgym.presets import make_scenario


@pytest.mark.parametrize(("preset", "overrides"), [("EranHeavy", {}), ("OpenUp", {"horizon": 600.0})])
def test_groups_add_up_to_the_kpis(preset: str, overrides: dict[str, float]) -> None:
    scenario = make_scenario(preset, **overrides)
    for episode in run_episodes(scenario, make_agent("cmt"), range(3)):
        log, kpis, roster = episode.log, episode.kpis, scenario.roster
        risks = caller_sums(log, log.risk, 3)
        callers = dict(zip(CALLER_SUMS, risks.sum(axis=0), strict=True))
        group = roster.new().astype(np.int64)
        sums = counsellor_sums(log, roster, group, 2, scenario.until, scenario.horizon)
        staff = dict(zip(COUNSELLOR_SUMS, sums.sum(axis=0), strict=True))

        assert callers["offered"] == kpis["offered"]
        assert callers["answered"] == staff["answered"] == kpis["answered"]
        assert callers["waited"] == pytest.approx(kpis["asa"] * callers["first_answers"])
        assert callers["feedback"] == pytest.approx(kpis["quality"] * kpis["offered"])
        assert callers["feedback"] == pytest.approx(staff["feedback"])
        assert staff["busy"] == pytest.approx(kpis["occupancy"] * staff["staffed"])
        assert sums[1, 0] == pytest.approx(kpis["new_share_of_answered"] * kpis["answered"])
        assert sums[1, 1] == pytest.approx(kpis["new_share_of_time"] * staff["staffed"])
        lost = 1.0 - risks[0, 1] / risks[0, 0]  # at low risk
        unanswered = (log.outcome == 4) & (log.risk == 0)
        assert lost == pytest.approx(kpis["abandonment_low"] + unanswered.sum() / risks[0, 0])


def test_members_of_no_group_count_nowhere() -> None:
    (episode,) = run_episodes(make_scenario("EranHeavy"), make_agent("fcfs"), [0])
    nowhere = np.full(len(episode.log), -1)
    some = nowhere.copy()
    some[::2] = 1

    assert not caller_sums(episode.log, nowhere, 2).any()
    assert caller_sums(episode.log, some, 2)[1, 0] == len(some[::2])


def test_what_is_no_group_is_refused() -> None:
    scenario = make_scenario("EranHeavy")
    (episode,) = run_episodes(scenario, make_agent("fcfs"), [0])
    with pytest.raises(ValueError, match="needs a group for each"):
        caller_sums(episode.log, np.zeros(1, dtype=np.int64), 2)
    with pytest.raises(ValueError, match="must lie in -1 to 1, got 2 to 2"):
        caller_sums(episode.log, np.full(len(episode.log), 2), 2)
    with pytest.raises(ValueError, match="roster of 4 counsellors"):
        counsellor_sums(episode.log, scenario.roster, np.zeros(3, dtype=np.int64), 2, np.inf, 60.0)


def test_a_gap_leaves_out_who_has_no_rate() -> None:
    assert gap(np.array([0.2, np.nan, 0.5])) == pytest.approx(0.3)
    assert gap(np.array([[0.2, 0.2], [0.1, 0.9]])) == pytest.approx([0.0, 0.8])
    with pytest.raises(ValueError, match="at least one group"):
        gap(np.array([np.nan, np.nan]))

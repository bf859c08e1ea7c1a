"""The study of Open Up: splits of the optimum are counted, rosters meet the same callers, the report is whole."""

from math import comb
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from experiments.studies import open_up, open_up_play, open_up_report, open_up_splits
from experiments.studies.open_up_figures import OPTIMUM_TOTALS
from experiments.studies.open_up_play import Rosters
from experiments.studies.open_up_splits import climb, compositions, extensions_of_base, neighbours, rank
from mhgym.domain import CallerType, Risk
from mhgym.engines.rules import Rule
from mhgym.evaluation.rollout import rule_kpis
from mhgym.presets import make_scenario
from mhgym.presets.open_up_population import OpenUpPopulation
from mhgym.presets.open_up_roster import BASE_STAFFING, COST_WEIGHTS, ROLE_NAMES, SATURATION_STAFFING
from mhgym.processes import draws
from mhgym.processes.arrivals import ReplayArrivals, read_gaps

DAY = 1440.0


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up month of 12 callers an hour on the first three days."""
    path = tmp_path_factory.mktemp("month") / "gaps.txt"
    gaps = np.random.default_rng(0).exponential(5.0, 864)
    path.write_text("\n".join(map(str, gaps)))
    return path


@pytest.mark.parametrize(("total", "parts"), [(0, 4), (3, 4), (10, 4), (5, 1)])
def test_compositions_are_all_and_different(total: int, parts: int) -> None:
    every = list(compositions(total, parts))
    assert len(set(every)) == len(every) == comb(total + parts - 1, parts - 1)
    assert all(sum(ways) == total and len(ways) == parts and min(ways) >= 0 for ways in every)


def totals(split: dict[str, dict[str, int]]) -> dict[str, int]:
    return {role: sum(numbers[role] for numbers in split.values()) for role in ROLE_NAMES}


def test_splits_of_the_optimum_extend_the_base_case() -> None:
    """6 more volunteers and 3 more full-time staff over 4 shifts: 84 times 20."""
    splits = extensions_of_base()
    assert len(splits) == 84 * 20
    assert all(totals(split) == OPTIMUM_TOTALS for split in splits)
    assert all(split[s][r] >= number for split in splits for s in split for r, number in BASE_STAFFING[s].items())
    assert sum(COST_WEIGHTS[role] * number for role, number in OPTIMUM_TOTALS.items()) == 46.0
    assert len(make_scenario("OpenUp", staffing=splits[0]).roster) == 24


def test_neighbours_move_one_post() -> None:
    around = neighbours(BASE_STAFFING)
    assert len(around) == 12 + 12 + 9  # duty officers can leave three shifts only
    assert all(totals(split) == totals(BASE_STAFFING) for split in around)
    assert all(split != BASE_STAFFING for split in around)


def test_saturation_is_the_roster_of_the_notebook() -> None:
    roster = make_scenario("OpenUp", staffing=SATURATION_STAFFING).roster
    cost = sum(COST_WEIGHTS[role] * number for role, number in totals(SATURATION_STAFFING).items())
    assert (len(roster), sum(person.capacity for person in roster), cost) == (37, 86, 67.5)


def test_climbing_ends_where_no_move_helps(month: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_up_splits, "MONTH", DAY)
    law = ReplayArrivals(read_gaps(month)[:40], make_scenario("OpenUp").arrivals)
    best, tried = climb(BASE_STAFFING, law, 0, 1)
    assert tried > 33
    assert rank([best], law, 0, 1)[0] >= rank(neighbours(best), law, 0, 1).max()
    assert rank([best], law, 0, 1)[0] >= rank([BASE_STAFFING], law, 0, 1)[0]


def test_rosters_meet_the_callers_that_a_seed_stands_for() -> None:
    staffing = {"pm": {"volunteers": 3}}
    rosters = Rosters("OpenUp", (5, 6), hours=True, horizon=DAY)
    measured = rosters.measure(staffing)
    kpis = rule_kpis(make_scenario("OpenUp", horizon=DAY, staffing=staffing), Rule.FIRST_COME, (5, 6))
    assert measured.conversion.tolist() == [row["first_answer_conversion"] for row in kpis]
    assert measured.service_level.tolist() == [row["service_level"] for row in kpis]
    assert measured.crowded.shape == (2, 24)
    assert rosters.played == 2


def test_both_readings_of_chats_of_40_minutes() -> None:
    """The mean of scale × Beta(1.67, 4.64): 40.3 minutes for 152.4, 50.4 for 190.5; by type it holds at every risk."""
    means = {152.4: 152.4 * 1.67 / 6.31, 190.5: 190.5 * 1.67 / 6.31}
    callers = OpenUpPopulation(low_risk_scale=152.4, chats="by_type").sample(2000, np.random.default_rng(0))
    expected = np.where(callers.caller_type == CallerType.REPEAT, means[190.5], means[152.4])
    assert callers.values[:, draws.SERVICE_MEAN] == pytest.approx(expected)

    callers = OpenUpPopulation(low_risk_scale=152.4).sample(2000, np.random.default_rng(0))
    low = callers.risk == Risk.LOW
    assert callers.values[low, draws.SERVICE_MEAN] == pytest.approx(np.full(low.sum(), means[152.4]))
    assert callers.values[~low, draws.SERVICE_MEAN].min() > 70


def test_the_report_is_whole(month: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_up, "extensions_of_base", lambda: extensions_of_base()[:2])
    monkeypatch.setattr(open_up, "climb", lambda split, *_: (split, 1))
    monkeypatch.setattr(open_up_play, "MONTH", 4 * DAY)
    monkeypatch.setattr(open_up_splits, "MONTH", 4 * DAY)
    data = open_up_report.reproduce(month, 2, 1, tmp_path, Console(quiet=True))

    assert (tmp_path / "hours.png").stat().st_size > 10_000
    text = (tmp_path / "report.md").read_text()
    assert "nan" not in text
    for words in (*(s.name for s in open_up.SETTINGS), *open_up.OTHERS, *open_up.AHEAD, *open_up.STEPS[1:], "optimum"):
        assert words in text
    met = [row["met"] for row in data["findings"] if row["margin"] is not None]
    assert len(met) == 42
    assert not all(met)  # a made-up month is not the real one
    assert len(data["by_hour"]["OpenUp"]["unused_share"]) == 24

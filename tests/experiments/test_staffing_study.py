"""The study of staffing: the crossing by hand, and a search that stays within its budget and keeps its pledge."""

from collections.abc import Mapping
from math import comb
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from experiments.configs import PledgeConfig
from experiments.studies import staffing
from experiments.studies.open_up_play import Measures, Rosters
from experiments.studies.staffing_search import POSTS, Pledge, StaffingSearch, changes, numbers_of, staffing_of
from mhgym.evaluation.statistics import Interval
from mhgym.presets.open_up_roster import BASE_STAFFING, COST_WEIGHTS, ROLE_NAMES

DAY = 1440.0
ROLES = ("volunteers", "full_time")


def row(capacity: int, cost: float, conversion: float) -> staffing.Row:
    interval = Interval(conversion, conversion, conversion)
    return staffing.Row("", BASE_STAFFING, 15, capacity, cost, interval, interval, Interval(0.9, 0.9, 0.9))


def test_the_crossing_by_hand() -> None:
    """Costs 0, 5, 10 and failures 1, .5, 0 scaled cross in the middle; a worse and a dearer roster change nothing."""
    rows = [row(10, 10.0, 0.0), row(20, 15.0, 0.4), row(30, 20.0, 0.8)]
    assert staffing.crossing(rows) == pytest.approx((20.0, 15.0, 0.6))
    assert staffing.crossing([*rows, row(20, 16.0, 0.1), row(30, 21.0, 0.8)]) == pytest.approx((20.0, 15.0, 0.6))
    assert staffing.crossing([row(10, 0.0, 0.0), row(20, 1.0, 1.0)]) == pytest.approx((15.0, 0.5, 0.5))


def test_no_crossing_is_said() -> None:
    with pytest.raises(ValueError, match="at least two capacities, got 1"):
        staffing.crossing([row(10, 1.0, 0.5), row(10, 2.0, 0.6)])


def test_numbers_and_staffing_are_inverse() -> None:
    assert staffing_of(numbers_of(BASE_STAFFING)) == BASE_STAFFING
    assert sum(numbers_of(BASE_STAFFING)) == 15


def test_changes_are_all_and_different() -> None:
    """One or two of 8 posts less, nobody or somebody else more."""
    every = [tuple(sorted(change.items())) for change in changes(range(8))]
    assert len(set(every)) == len(every) == 8 * 8 + 8 * 8 + comb(8, 2) * 7


def test_a_pledge_counts_what_is_missing() -> None:
    pledge = Pledge(answered=0.8, line=0.9)
    crowded = np.zeros((3, 24))
    crowded[:, 5] = 0.34
    figures = pledge.figures(Measures(np.zeros(3), np.full(3, 0.7), crowded))
    assert pledge.shortfall(figures) == pytest.approx(0.1 + 0.24 / 24)
    assert Pledge(0.8, None).shortfall(figures) == pytest.approx(0.1)
    assert Pledge(0.69, 0.6).shortfall(figures) == 0
    spread = pledge.figures(Measures(np.zeros(3), np.array([0.7, 0.8, 0.9]), crowded))
    assert spread[0] == pytest.approx(0.8 - 2.91999 * 0.1 / 3**0.5, abs=1e-5)  # Student's t with 2 degrees of freedom


class _Formula:
    """Stands for simulated rosters: who is answered grows with full-time staff at night and volunteers otherwise."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Mapping[str, int]]] = []

    def measure(self, numbers: Mapping[str, Mapping[str, int]]) -> Measures:
        self.asked.append(numbers)
        strength = 0.2 * numbers["graveyard"]["full_time"] + 0.1 * sum(
            numbers[shift]["volunteers"] for shift in ("am", "pm", "special")
        )
        return Measures(np.full(2, 0.5), np.full(2, min(1.0, strength)), np.zeros((2, 24)))


def search_on(formula: _Formula, budget: int) -> StaffingSearch:
    return StaffingSearch(formula, COST_WEIGHTS, Pledge(0.75, None), ROLES, budget)  # type: ignore[arg-type]


def test_the_worst_hour_comes_with_what_other_weeks_might_show() -> None:
    """Two hours take turns to be the worst: one of them has at least half the weeks of every resample."""
    crowded = np.zeros((4, 24))
    crowded[::2, 3], crowded[1::2, 20] = 0.8, 0.8
    found = staffing.worst_hour(crowded)
    assert found.estimate == pytest.approx(0.6)
    assert found.high == pytest.approx(0.6)
    assert 0.2 - 1e-9 <= found.low < 0.6
    steady = staffing.worst_hour(np.full((5, 24), 0.25))
    assert (steady.low, steady.estimate, steady.high) == pytest.approx((0.75, 0.75, 0.75))


def test_the_search_finds_the_cheapest_roster_of_a_known_formula() -> None:
    """.2 for a cost of 2 beats .1 for 1.5: four at night, or three and two volunteers less than that; nobody else."""
    formula = _Formula()
    best = search_on(formula, 500).run(BASE_STAFFING)
    assert best is not None
    assert not best.shortfall
    officers = 3 * COST_WEIGHTS["duty_officers"]
    assert best.cost == officers + 4 * COST_WEIGHTS["full_time"]
    assert best.staffing["graveyard"] == {"volunteers": 0, "full_time": 4, "duty_officers": 1}
    assert len(formula.asked) <= 500


def test_the_search_stops_when_its_budget_is_spent() -> None:
    formula = _Formula()
    search = search_on(formula, 20)
    search.run(BASE_STAFFING)
    assert len(formula.asked) == len(search.seen) == 20
    assert search_on(_Formula(), 1).run(BASE_STAFFING) is None


def test_a_search_in_the_simulated_centre() -> None:
    """From the base case of 31 to what answers 70 %: dearer than the base case, cheaper than adding alone."""
    rosters = Rosters("OpenUp", (0, 1), hours=True, horizon=DAY)
    search = StaffingSearch(rosters, COST_WEIGHTS, Pledge(0.7, None), ROLES, 120)
    best = search.run(BASE_STAFFING)
    assert best is not None
    assert not best.shortfall
    assert best.cost == min(found.cost for found in search.seen.values() if not found.shortfall)
    assert [best.staffing[s]["duty_officers"] for s in BASE_STAFFING] == [1, 1, 1, 0]
    assert rosters.played == 2 * len(search.seen) <= 240


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cost": {"volunteers": 1.0}}, "cost needs a number for each of volunteers, full_time, duty_officers"),
        ({"cost": COST_WEIGHTS | {"full_time": 0.0}}, "costs must be positive, got {'full_time': 0.0}"),
        ({"roles": ("manager",)}, r"roles must be some of .*, got \['manager'\]"),
        ({"budget": 0}, "budget of at least 1 roster, got 0"),
    ],
)
def test_impossible_searches_are_refused(settings: dict[str, object], message: str) -> None:
    good = {"cost": COST_WEIGHTS, "pledge": Pledge(), "roles": ROLES, "budget": 10}
    with pytest.raises(ValueError, match=message):
        StaffingSearch(_Formula(), **(good | settings))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"the pledge answered must be a share in \(0, 1\], got 85"):
        Pledge(answered=85)


def test_the_report_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staffing, "TRAINING_WEEKS", 2)
    monkeypatch.setattr(staffing, "WEEK", DAY)
    monkeypatch.setattr(staffing, "VOLUNTEERS", (1, 4))
    monkeypatch.setattr(staffing, "FULL_TIME", (1, 4))
    pledge = PledgeConfig(answered=0.05, line=0.3, budget=15)
    data = staffing.reproduce(2, 1, tmp_path, Console(quiet=True), start=BASE_STAFFING, pledge=pledge)
    text = (tmp_path / "report.md").read_text()
    assert "nan" not in text
    assert len(data["sweep"]) == 4
    assert data["rosters_measured"]["cheapest that answers in time"] <= 15
    assert any(row["label"] == "cheapest that answers in time" for row in data["tested"])
    assert (tmp_path / "staffing.png").stat().st_size > 10_000
    assert len(POSTS) == 4 * len(ROLE_NAMES)

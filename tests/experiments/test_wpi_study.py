"""The weekly matcher's study: calibrated bands, orderings of the report's tables, and what is written."""

import numpy as np
import pytest

for needed in ("highspy", "joblib", "matplotlib", "rich"):
    pytest.importorskip(needed, reason="the extras 'experiments' and 'opt' are not installed")
Image = pytest.importorskip("PIL.Image")

from rich.console import Console  # noqa: E402 - after the check for extras

from experiments.plots import BLUE, ORANGE  # noqa: E402
from experiments.studies import wpi, wpi_online, wpi_report  # noqa: E402
from experiments.studies.wpi_figures import FIGURES, TABLES  # noqa: E402
from mhgym.matching import Relief, WeekGenerator  # noqa: E402

SEEDS = 10  # the median over so many lies well inside a band, which is a 5th to 95th percentile
CALIBRATED = [table for table in TABLES if table.bands]


@pytest.fixture(scope="module")
def rows():
    """Every figure by table and name."""
    return {(row.table.split(":")[0], row.what): row for row in wpi.study(SEEDS, workers=1)}


def of(rows, table, run, stage, measure):
    return rows[f"Table {table}", f"{run}, after objective {stage}: {measure}"]


def test_run_one_lies_in_every_calibrated_band(rows):
    banded = [row for row in rows.values() if row.band is not None]

    assert len(banded) == 4 * len(CALIBRATED) == 24
    assert [row for row in banded if not row.calibrated] == []


def test_orderings_of_the_tables_hold(rows):
    """As the report has them: by ratio of patients to volunteers, by preferences, by hours and by demographics."""
    left = {table: of(rows, table, "run one", 2, "unassigned").mean for table in range(5, 20)}
    fit = {table: of(rows, table, "run one", 2, "compatibility").mean for table in range(5, 20)}

    shares = [left[table] / size for table, size in ((7, 100), (6, 200), (5, 150), (8, 300), (9, 400), (10, 200))]
    assert shares == sorted(shares)
    assert max(left[14], left[15], left[16]) < left[5] - 20
    assert left[11] == left[12] == left[13] == left[5]  # the same people meet at the same hours
    assert max(fit[table] for table in range(5, 20)) in (fit[11], fit[14])
    assert fit[12] == fit[13] > fit[5]  # with one severity for all, compatibility has the choice


def test_after_the_second_objective_compatibility_is_higher_for_as_many_patients(rows):
    for number in range(5, 20):
        first, second = (
            {name: of(rows, number, "run one", stage, name) for name in ("unassigned", "compatibility")}
            for stage in (1, 2)
        )
        assert first["unassigned"].mean == second["unassigned"].mean
        assert first["compatibility"].mean <= second["compatibility"].mean


def test_run_two_gains_only_where_hours_are_booked_twice(rows):
    for number in range(5, 20):
        after_one = of(rows, number, "run one", 2, "unassigned").mean
        once = of(rows, number, f"run two, {wpi.ONCE}", 2, "unassigned")
        assert once.mean == after_one > of(rows, number, f"run two, {wpi.TWICE}", 2, "unassigned").mean
        assert of(rows, number, f"run two, {wpi.ONCE}", 2, "compatibility").high == 0


def test_a_spread_judges_the_report_and_the_band():
    values = [float(value) for value in range(101)]

    row = wpi.spread("t", "w", values, theirs=96.0, band=(49.0, 51.0))

    assert (row.mean, row.low, row.high, row.inside, row.calibrated) == (50.0, 5.0, 95.0, False, True)
    assert wpi.spread("t", "w", values, theirs=95.0, band=(50.5, 51.0)).inside
    assert not wpi.spread("t", "w", values, theirs=95.0, band=(50.5, 51.0)).calibrated
    assert wpi.spread("t", "w", values).inside is None


def test_the_report_and_the_picture_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(wpi, "TABLES", TABLES[:1])
    monkeypatch.setattr(wpi, "FIGURES", {"Figure 7": FIGURES["Figure 7"]})
    monkeypatch.setattr(wpi_online, "LAWS", {"small": Relief(WeekGenerator(num_patients=20, num_volunteers=4))})

    data = wpi_report.reproduce(2, 1, tmp_path, Console(quiet=True))

    text = (tmp_path / "report.md").read_text()
    assert "## Table 5: 150 patients, 15 volunteers" in text
    assert "| run one, after objective 2: compatibility | 26.8 | " in text
    assert "| exact: unassigned | " in text
    assert "| week 4: left over | " in text
    assert "### Arrivals: small, 2 weeks" in text
    assert len(data["tables"]) == 19
    assert [row["policy"] for row in data["online"]][-1] == "hindsight"
    (bars,) = data["matched_by_severity"].values()
    assert all(0 < one <= one + two <= 100 for one, two in zip(bars["run one"], bars["run two"], strict=True))
    with Image.open(tmp_path / "severity.png") as picture:
        colours = {tuple(pixel) for pixel in np.asarray(picture.convert("RGB")).reshape(-1, 3)}
    assert {tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in (BLUE, ORANGE)} <= colours


def test_online_waiting_beats_acting_at_once_and_hindsight_beats_all(monkeypatch):
    """On weeks of Table 5 with a rush; each gains on first come with a paired 95 % interval above 0."""
    monkeypatch.setattr(wpi_online, "LAWS", {"rush": wpi_online.LAWS["rush"]})

    rows = {row.policy: row for row in wpi_online.study(12, workers=1)}

    order = ["first come", "greedy by severity", "re-solved exactly, late", "hindsight"]
    means = [rows[name].objective.estimate for name in order]
    assert means == sorted(means)
    assert all(rows[name].difference.low > 0 for name in order[1:])
    assert all(row.least_gap >= -1e-12 for row in rows.values())
    assert (rows["first come"].way, rows["hindsight"].way) == (0.0, 1.0)
    assert rows["first come"].difference is None
    late, at_once = (rows[name].means["minutes_to_offer"] for name in ("re-solved exactly, late", "re-solved exactly"))
    assert late > at_once

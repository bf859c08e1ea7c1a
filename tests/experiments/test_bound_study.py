"""The study of the bound: policies below both bounds, the penalised one below the plain one, shares as of means."""

from pathlib import Path

import numpy as np
import pytest

from experiments.studies import bound


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bound.Row]:
    found = bound.measure("EranHeavy", range(60), 1, tmp_path_factory.mktemp("cells"), ("fcfs", "cmt"))
    return {row.label: row for row in found}


def test_policies_stay_below_both_bounds(rows: dict[str, bound.Row]) -> None:
    """CMT lies some ten standard errors of the difference below the penalised bound."""
    for label in ("fcfs", "cmt"):
        assert rows[label].below is not None
        assert rows[label].below.low > 0
        assert rows[label].objective.estimate < rows["bound"].objective.estimate
    assert rows["bound"].gap <= 1e-9


def test_shares_are_those_of_the_means(rows: dict[str, bound.Row]) -> None:
    floor, own = rows["fcfs"].objective.estimate, rows["cmt"].objective.estimate
    for share, label in zip(rows["cmt"].shares, ("bound", "penalised bound"), strict=True):
        assert share.estimate == pytest.approx((own - floor) / (rows[label].objective.estimate - floor))
    assert [share.estimate for share in rows["fcfs"].shares] == [0, 0]


def test_the_report_names_everything(rows: dict[str, bound.Row], tmp_path: Path) -> None:
    text = bound.markdown(list(rows.values()), 60)
    assert all(f"| {label} |" in text for label in rows)
    assert "nan" not in text
    assert all(np.isfinite(row.as_json()["objective"]["low"]) for row in rows.values())

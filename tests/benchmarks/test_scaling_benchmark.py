"""The benchmark of computing in processes runs and writes its reports; how fast anything is, no test says."""

import json
from pathlib import Path

import pytest

pytest.importorskip("polars", reason="the extra 'experiments' is not installed")

from benchmarks.scaling import Plan, main, results_of


def test_it_runs_and_writes_its_reports(tmp_path: Path) -> None:
    main(["--tiny", "--output", str(tmp_path)])
    data = json.loads((tmp_path / "scaling.json").read_text())
    assert [bar["key"] for bar in data["bars"]] == ["speed_up.loky", "overhead.loky.2"]
    assert all(result["value"] > 0 for result in data["results"])
    assert "two workers of loky over one" in (tmp_path / "scaling.md").read_text()


def test_rounds_are_compared_one_by_one() -> None:
    """A load that slows one round slows both sides of its ratio."""
    times = {"one": [4.0, 8.0, 4.0], "two.loky": [2.0, 4.0, 2.0], "found": [0.4] * 3}
    times |= {"empty.loky.1": [0.8] * 3, "empty.loky.2": [0.4] * 3}
    table = {result.key: result for result in results_of(times, Plan(empty=400))}
    assert (table["speed_up.loky"].low, table["speed_up.loky"].high) == (2.0, 2.0)
    assert table["overhead.loky.1"].value == pytest.approx(2.0)  # ms
    assert table["found"].value == pytest.approx(1.0)

"""The benchmark runs and writes its reports; how fast anything is, no test says."""

import json
from pathlib import Path

import pytest

pytest.importorskip("ciw", reason="the extra 'benchmark' is not installed")

from benchmarks.bars import BARS, Bar
from benchmarks.timing import Timing, duration, rate, speed_up


def test_everything_is_measured_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.throughput import main

    main(["--tiny", "--output", str(tmp_path)])

    data = json.loads((tmp_path / "throughput.json").read_text())
    text = (tmp_path / "throughput.md").read_text()
    assert data["machine"]["cores"] >= 1
    assert all(result["value"] > 0 for result in data["results"])
    assert {result["key"].split(".")[0] for result in data["results"]} == {
        *("steps", "parts", "events", "ratio", "month", "yardstick", "trace", "learning")
    }  # and "start", which compiles everything and takes minutes
    assert all(result["what"] in text for result in data["results"])
    assert {bar["key"] for bar in data["bars"]} < {bar.key for bar in BARS}  # the large batches are not run
    assert text in capsys.readouterr().out


def test_medians_go_by_processor_time() -> None:
    fast = [Timing(10, 1.0, 2.0), Timing(10, 2.0, 4.0), Timing(10, 5.0, 10.0)]
    slow = [Timing(10, 2.0, 9.0), Timing(10, 8.0, 9.0), Timing(10, 15.0, 9.0)]

    assert rate("k", "w", "events", fast).value == 5.0
    assert rate("k", "w", "events", fast).wall == 2.5
    assert duration("k", "w", "ms", fast).value == 200.0
    assert speed_up("k", "w", fast, slow).value == 3.0  # of 2, 4 and 3


@pytest.mark.parametrize(("at_most", "met"), [(True, False), (False, True)])
def test_a_bar_is_held_against_its_result(at_most: bool, met: bool) -> None:
    result = rate("k", "w", "events", [Timing(10, 1.0, 1.0)])

    verdict = Bar("w", "k", 9.0, at_most).judge({"k": result})

    assert verdict is not None
    assert verdict["met"] is met
    assert Bar("w", "other", 9.0).judge({"k": result}) is None

"""The weekly matcher's benchmark runs and writes its reports; how fast anything is, no test says."""

import json
from dataclasses import replace

import pytest

for needed in ("highspy", "polars"):
    pytest.importorskip(needed, reason="the extras 'experiments' and 'opt' are not installed")

from benchmarks import matching  # noqa: E402 - after the check for extras
from benchmarks.matching import Plan, Run, disagreements, main, markdown, results_of, solve_apart, solve_here  # noqa: E402

MACHINE = {"processor": "p", "cores": 2, "python": "3", "packages": {"highspy": "1"}, "load_before": 0, "load_after": 1}
SOLVED = Run("exact", 400, 25, 3, 0, "solved", 0.25, 0.5, 0.2, 980_000, 3_400, ("9", "8", "7"), True)


def test_a_run_of_each_method_is_measured_and_agrees():
    runs = [solve_here(method, (8, 3), 2, 0) for method in matching.METHODS]

    assert disagreements(runs) == []
    assert all(run.ended == "solved" and run.feasible and run.cpu > 0 and run.memory > 0 for run in runs)
    assert {run.printed_columns for run in runs} == {8 * 3 * 98}


def test_a_run_of_its_own_stops_at_its_limits():
    assert solve_apart(Plan(), "exact", (8, 3), 2, 0).ended == "solved"
    assert solve_apart(Plan(seconds=0.01), "exact", (8, 3), 2, 0).ended == "no answer in 0.01 s"


def test_disagreements_are_named():
    other = replace(SOLVED, method="transcription, coefficients 1 to 7", ranked=("9", "8", "6"))

    assert disagreements([SOLVED, replace(other, ranked=SOLVED.ranked)]) == []
    assert "different optima" in disagreements([SOLVED, other])[0]
    assert "infeasible" in disagreements([replace(SOLVED, feasible=False)])[0]


def test_bars_are_judged_and_stops_are_shown():
    stopped = replace(SOLVED, method="transcription, coefficients 1 to 7", ended="no answer in 180 s", cpu=None)
    runs = [SOLVED, replace(SOLVED, seed=1, cpu=0.75), replace(SOLVED, seed=2, cpu=0.3), stopped]

    (result,) = results_of(runs)
    text = markdown(runs, [bar for one in matching.BARS if (bar := one.judge({result.key: result}))], MACHINE, Plan())

    assert (result.key, result.value, result.low, result.high) == ("exact.400x25.3", 0.3, 0.25, 0.75)
    assert "| 400 × 25, three offers | ≤ 0.5 s | 0.3 s | yes |" in text
    assert "stopped: no answer in 180 s" in text


def test_reports_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(matching, "METHODS", {"exact": matching.METHODS["exact"]})
    monkeypatch.setattr(matching, "solve_apart", lambda plan, *asked: solve_here(*asked))

    main(["--tiny", "--output", str(tmp_path)])

    data = json.loads((tmp_path / "matching.json").read_text())
    assert [run["most_offers"] for run in data["runs"]] == [1, 3]
    assert (tmp_path / "matching.md").read_text() in capsys.readouterr().out

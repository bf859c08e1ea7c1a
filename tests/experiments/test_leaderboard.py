"""The main job: what it writes, that a killed run loses nothing that was complete, and that a rerun repeats it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from experiments.comparison import check_bound

ROOT = Path(__file__).resolve().parents[2]
SMALL = (
    "scenario=[eran_heavy,open_up_day]",
    "agent=[fcfs,cmt]",
    "evaluation.traces=6",
    "evaluation.block=1",
    "evaluation.workers=1",
    "evaluation.resamples=200",
)


def command(folder: Path, *overrides: str) -> list[str]:
    places = (f"output={folder}/out", f"cache={folder}/cache", f"hydra.run.dir={folder}/hydra")
    return [sys.executable, "-m", "experiments.leaderboard", *places, *overrides]


def leaderboard(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, *overrides), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


def test_results_folder_holds_what_it_promises(tmp_path: Path) -> None:
    done = leaderboard(tmp_path, *SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"episodes.parquet", "summary.json", "timings.json", "leaderboard.md", "objective.png"} <= names
    assert {"index.html", "timings.md", "bounds.parquet"} <= names
    assert {"waits_eran_heavy.png", "occupancy_open_up_day.png", "episode_fcfs_open_up_day.png"} <= names
    episodes = pl.read_parquet(tmp_path / "out/episodes.parquet")
    assert episodes.group_by("scenario", "policy").len()["len"].to_list() == [6] * 4
    hashes = episodes.group_by("scenario", "seed").agg(pl.col("trace_hash").n_unique())["trace_hash"]
    assert set(hashes) == {1}, "policies met different traces"
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert {"version", "configuration", "traces", "machine", "results"} <= set(summary)
    assert len(summary["results"]) == 4
    assert "latency" not in json.dumps(summary)
    bounds = pl.read_parquet(tmp_path / "out/bounds.parquet")
    own = episodes.filter(pl.col("scenario") == "eran_heavy").join(bounds, on=["seed", "trace_hash"])
    assert set(bounds["scenario"]) == {"eran_heavy"}
    assert len(own) == 12
    assert (own["objective"] <= own["bound"] + 1e-9).all()
    shares = {row["policy"]: row["share"] for row in summary["results"] if row["scenario"] == "eran_heavy"}
    distance = (own["bound"] - own["objective"]).to_numpy()
    gaps = {name: distance[(own["policy"] == name).to_numpy()].mean() for name in ("fcfs", "cmt")}
    assert shares["fcfs"]["estimate"] == 0
    assert shares["cmt"]["estimate"] == pytest.approx(1 - gaps["cmt"] / gaps["fcfs"])
    assert all(row["bound"] is None for row in summary["results"] if row["scenario"] == "open_up_day")


def test_a_planner_shows_its_simulations_and_latency(tmp_path: Path) -> None:
    base = ("scenario=eran_heavy", "agent=[fcfs,mcts]", "evaluation.traces=2", "evaluation.resamples=50", "plots=false")
    done = leaderboard(tmp_path, *base, "evaluation.workers=1", "agents.mcts.settings.simulations=20")
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "out/timings.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| mcts |"))
    median, p99, simulations = (float(cell.split()[0]) for cell in row.strip("| ").split(" | ")[1:])
    assert 0 < median <= p99
    assert 0 < simulations <= 20


def test_a_policy_above_the_bound_is_refused() -> None:
    episodes = pl.DataFrame({"seed": [4, 5], "trace_hash": ["a", "b"], "objective": [0.5, 0.8]})
    bounds = pl.DataFrame({"trace_hash": ["a", "b"], "bound": [0.5, 0.8]})
    check_bound("s", "good", episodes, bounds)
    with pytest.raises(ValueError, match="did not run on the same traces"):
        check_bound("s", "good", episodes, bounds.reverse())
    bounds = pl.DataFrame({"trace_hash": ["a", "b"], "bound": [0.6, 0.7]})
    with pytest.raises(ValueError, match=r"clever scores 0\.800000 in s on the trace of seed 5, above"):
        check_bound("s", "clever", episodes, bounds)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("reward=balanced",), "weight of 0 for burden, got 0.1"),
        (("evaluation.objective=served",), "objective 'per_arrival', got 'served'"),
        (("scenario=eran_standard", "flow=0.5", "reward=quantity"), ""),  # where everybody reaches the bound
    ],
)
def test_a_comparison_without_a_bound_or_a_distance_to_it_is_complete(
    tmp_path: Path, overrides: tuple[str, ...], said: str
) -> None:
    base = ("scenario=eran_heavy", "agent=[fcfs,cmt]", "evaluation.traces=4", "evaluation.resamples=50", "plots=false")
    done = leaderboard(tmp_path, *base, "evaluation.workers=1", *overrides)
    assert done.returncode == 0, done.stdout + done.stderr
    assert said in done.stdout.replace("\n", " ")
    assert "share of the way" not in (tmp_path / "out/leaderboard.md").read_text()


@pytest.mark.verify
def test_killed_run_keeps_completed_cells_and_a_rerun_gives_the_same_numbers(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert leaderboard(whole, *SMALL, "plots=false").returncode == 0
    run = subprocess.Popen(
        command(killed, *SMALL, "plots=false"),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(cells(killed)) < 4 and time.monotonic() < deadline:
        assert run.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    kept = {path.name: (path / "episodes.parquet").stat().st_mtime_ns for path in cells(killed)}
    assert 4 <= len(kept) < 24
    assert not (killed / "out").exists(), "a killed run must leave no results folder"
    assert leaderboard(killed, *SMALL, "plots=false").returncode == 0
    for name, written in kept.items():
        path = killed / "cache" / name / "episodes.parquet"
        assert path.stat().st_mtime_ns == written, "a completed cell was computed again"
    for file in ("leaderboard.md", "episodes.parquet"):
        assert (killed / "out" / file).read_bytes() == (whole / "out" / file).read_bytes()


def cells(folder: Path) -> list[Path]:
    return [path for path in (folder / "cache").glob("*") if not path.name.startswith(".")]


@pytest.mark.verify
def test_numbers_do_not_depend_on_workers_or_blocks(tmp_path: Path) -> None:
    base = ("scenario=eran_heavy", "agent=[fcfs,cmt]", "evaluation.traces=6", "evaluation.resamples=200", "plots=false")
    one, two = tmp_path / "one", tmp_path / "two"
    assert leaderboard(one, *base, "evaluation.workers=1", "evaluation.block=6").returncode == 0
    assert leaderboard(two, *base, "evaluation.workers=2", "evaluation.block=2").returncode == 0
    assert (one / "out/leaderboard.md").read_text() == (two / "out/leaderboard.md").read_text()
    assert (one / "out/episodes.parquet").read_bytes() == (two / "out/episodes.parquet").read_bytes()


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("evaluation.tracs=3", "tracs"),
        ("scenarios.eran_heavy.settings.horizn=60", "horizn"),
        ("scenarios.eran_heavy.settings.horizon=long", "horizon"),
        ("flow=hevy", "'heavy'"),
        ("flow=-3", "-3"),
        ("staffing=0", "staffing"),
        ("agent=fcsf", "fcsf"),
        ("evaluation.split=tset", "tset"),
        ("evaluation.traces=1", "2 to 1,000,000"),
        ("evaluation.objective=best", "best"),
        ("scenarios.eran_heavy.settings.zombies=maybe", "maybe"),
        ("weights={qualty: 1}", "qualty"),
        ("arrivals.law=replay", "arrivals_path"),
    ],
)
def test_bad_settings_are_refused_by_name(tmp_path: Path, override: str, named: str) -> None:
    base = ("scenario=eran_heavy", "evaluation.workers=1", "evaluation.block=2", "plots=false", "evaluation.traces=2")
    done = leaderboard(tmp_path, *base, override)
    message = done.stdout + done.stderr
    assert done.returncode != 0, message
    assert named in message.replace("\n", " "), message
    assert not (tmp_path / "out").exists()


def test_malformed_recording_is_refused_with_its_line(tmp_path: Path) -> None:
    gaps = tmp_path / "gaps.csv"
    gaps.write_text("1.5\n2.0\n-4\n")
    done = leaderboard(tmp_path, "arrivals=replay", f"arrivals.path={gaps}", "evaluation=quick", "evaluation.workers=1")
    assert done.returncode == 2
    assert "3" in done.stdout
    assert "-4" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr

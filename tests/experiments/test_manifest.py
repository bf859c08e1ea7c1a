"""A row of results can be played again, and what comes out otherwise is named."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hydra import compose, initialize
from omegaconf import OmegaConf
from rich.console import Console

from experiments.leaderboard import run
from experiments.manifest import replay_row
from mhgym.evaluation.published import published_names, read_published

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The results of a small comparison with changed settings and a bound."""
    base = ("evaluation.traces=4", "evaluation.resamples=100", "evaluation.workers=1", "evaluation.engine=simpy")
    own = ("scenario=[eran_heavy]", "agent=[random,fcfs,best_match_wait]", "flow=15", "staffing=3", "shifts=0")
    with initialize(version_base="1.3", config_path="../../conf"):
        raw = compose("leaderboard", [*base, *own, "plots=false", f"cache={tmp_path / 'cells'}"])
    run(OmegaConf.to_object(raw), tmp_path / "out", Console(quiet=True))
    return tmp_path / "out"


@pytest.mark.parametrize("policy", ["random", "fcfs", "best_match_wait"])
def test_a_row_comes_out_the_same(folder: Path, policy: str) -> None:
    replayed = replay_row(f"eran_heavy/{policy}", folder, workers=1)
    assert replayed.differences == ()
    assert replayed.traces == 4
    assert replayed.figures > 4 * 20
    assert replayed.text().endswith("every one the same")


def test_every_figure_that_was_changed_is_named(folder: Path) -> None:
    episodes = pl.read_parquet(folder / "episodes.parquet")
    changed = (pl.col("policy") == "fcfs") & (pl.col("seed") == 2_000_002)
    asa = pl.when(changed).then(pl.col("asa") + 1e-12).otherwise(pl.col("asa")).alias("asa")
    episodes.with_columns(asa).write_parquet(folder / "episodes.parquet")
    summary = json.loads((folder / "summary.json").read_text())
    row = next(own for own in summary["results"] if own["policy"] == "fcfs")
    row["objective"]["low"] -= 0.001
    (folder / "summary.json").write_text(json.dumps(summary))

    replayed = replay_row("eran_heavy/fcfs", folder, workers=1)
    assert [(seed, figure) for seed, figure, _, _ in replayed.differences] == [
        (2_000_002, "asa"),
        (None, "objective.low"),
    ]
    assert "2 of them differ" in replayed.text()
    assert replay_row("eran_heavy/random", folder, workers=1).differences == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("fcfs", "replay takes scenario/policy or published/scenario/policy, got 'fcfs'"),
        ("eran_heavy/cmt", "has no row 'eran_heavy/cmt' .known: eran_heavy/"),
        ("published/eran_heavy/ip", "published results of eran_heavy has no row 'ip' .known: random, fcfs"),
        ("published/open_up/cmt", "no published results of 'open_up'"),
    ],
)
def test_an_unknown_row_is_refused_in_words(folder: Path, row: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replay_row(row, folder, workers=1)


def test_a_folder_without_results_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there are no results in .*; run the leaderboard"):
        replay_row("eran_heavy/cmt", tmp_path, workers=1)


def test_a_row_of_the_published_board_comes_out_the_same() -> None:
    """In a board of several centres, some of which have figures that others have not."""
    replayed = replay_row("open_up_day/likely_there", ROOT / "benchmarks/leaderboard", workers=1)
    assert replayed.differences == ()
    assert replayed.traces == 100


def test_the_board_and_what_the_wheel_publishes_are_of_one_run() -> None:
    episodes = pl.read_parquet(ROOT / "benchmarks/leaderboard/episodes.parquet")
    assert set(published_names()) == set(episodes["scenario"])
    for name in published_names():
        published = read_published(name)
        for policy, objectives in published.objectives.items():
            mine = (pl.col("scenario") == name) & (pl.col("policy") == policy)
            own = episodes.filter(mine).sort("seed")
            assert own["trace_hash"].to_list() == list(published.trace_hashes)
            np.testing.assert_allclose(own["objective"].to_numpy(), objectives, rtol=1e-8)


def test_a_published_row_comes_out_the_same(tmp_path: Path) -> None:
    """All its traces, by the command that the page names."""
    words = ("replay=published/eran_heavy/best_match_wait", "evaluation.workers=1", f"hydra.run.dir={tmp_path}")
    command = [sys.executable, "-m", "experiments.leaderboard", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "published/eran_heavy/best_match_wait: 1,000 traces, 2,000 figures, every one the same" in done.stdout


@pytest.mark.parametrize("name", published_names())
def test_every_published_column_says_which_policy_it_is(name: str) -> None:
    published = read_published(name)
    assert list(published.policies) == list(published.objectives)
    assert all(set(entry) == {"name", "settings"} for entry in published.policies.values())

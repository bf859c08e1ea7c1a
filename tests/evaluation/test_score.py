"""Scoring against published results: the same traces, the same figures, and refusals in words."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize
from omegaconf import OmegaConf
from rich.console import Console

from agents import make_agent
from experiments.publish import publish
from mhgym.cli import main
from mhgym.evaluation.published import FOLDER, Published, published_names, read_published
from mhgym.evaluation.score import score

OUTSIDER = """
import numpy as np
from mhgym.view import Pair

class Oldest:
    name = "oldest"
    def __init__(self, fails_at=None):
        self.fails_at = fails_at
    def reset(self, scenario, rng):
        pass
    def act(self, view):
        if self.fails_at is not None and view.now > self.fails_at:
            raise RuntimeError("tired")
        row = int(np.flatnonzero(view.legal.any(axis=1))[0])
        idle = np.where(view.legal[row], view.staff.idle_since, np.inf)
        return Pair(row, int(np.argmin(idle)))
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Published results of a small comparison."""
    folder = tmp_path_factory.mktemp("published")
    with initialize(version_base="1.3", config_path="../../conf"):
        overrides = ["agent=[fcfs,cmt]", "scenario=[eran_heavy]", "evaluation.traces=6", "evaluation.workers=1"]
        raw = compose("publish", [*overrides, "staffing=3", f"cache={folder / 'cells'}"])
    publish(OmegaConf.to_object(raw), folder, Console(quiet=True))
    return read_published("eran_heavy", folder)


def test_what_was_published_is_read_back(own: Published, tmp_path: Path) -> None:
    assert (own.preset, own.overrides) == ("EranHeavy", {"staffing": 3})
    assert list(own.objectives) == ["fcfs", "cmt"]
    assert len(own.scenario.roster) == 3
    again = read_published("eran_heavy", own.write(tmp_path).parent)
    assert replace(again, objectives={}) == replace(own, objectives={})
    assert all(np.array_equal(again.objectives[name], own.objectives[name]) for name in own.objectives)


def test_a_baseline_scores_what_was_published_of_it(own: Published) -> None:
    result = score(make_agent("cmt"), own)
    np.testing.assert_allclose(result.objective, own.objectives["cmt"], rtol=1e-8)
    assert result.minus("cmt").estimate == pytest.approx(0.0, abs=1e-9)
    assert "cmt" in result.text()
    assert score(make_agent("fcfs"), own, 3).objective.shape == (3,)


def test_other_traces_than_the_published_are_refused(own: Published) -> None:
    other = replace(own, trace_hashes=("0" * 16, *own.trace_hashes[1:]))
    with pytest.raises(ValueError, match=r"trace 2000000 of eran_heavy comes out otherwise .* install that version"):
        score(make_agent("cmt"), other)
    with pytest.raises(ValueError, match="6 published traces; traces must be 2 to that many, got 7"):
        score(make_agent("cmt"), own, 7)
    with pytest.raises(ValueError, match="no published results of 'nowhere'"):
        read_published("nowhere")


@pytest.mark.parametrize("name", published_names())
def test_published_results_are_those_of_this_build(name: str) -> None:
    """The first traces of each file, replayed by first come, first served."""
    published = read_published(name)
    assert len(published.seeds) >= 100
    np.testing.assert_allclose(score(make_agent("fcfs"), published, 4).objective, published.objectives["fcfs"][:4])


def test_the_command_scores_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    file.write_text(OUTSIDER, encoding="utf-8")
    command = ["evaluate", "--policy", f"{file}:Oldest", "--traces", "5"]
    assert main([*command, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["policy"] == "oldest"
    assert printed["minus"]["fcfs"]["estimate"] == pytest.approx(0.0, abs=1e-9)
    assert printed["illegal"] == 0
    assert main(command) == 0
    assert "oldest minus it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--settings", '{"fails_at": 20}'], r"oldest\.py:Oldest failed in act at minute .*RuntimeError: tired"),
        (["--settings", "fails_at=20"], "--settings must be JSON"),
        (["--settings", "[1]"], "--settings must be a JSON object"),
        (["--settings", '{"mood": 1}'], "does not take these settings"),
        (["--scenario", "nowhere"], "no published results of 'nowhere'"),
        (["--seconds", "0"], "limit decision must be above 0 and finite"),
    ],
)
def test_what_goes_wrong_is_said(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "oldest.py"
    file.write_text(OUTSIDER, encoding="utf-8")
    assert main(["evaluate", "--policy", f"{file}:Oldest", "--traces", "5", *arguments]) == 2
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(capsys.readouterr().err)


def test_files_are_in_the_package() -> None:
    assert published_names() == sorted(path.stem for path in FOLDER.glob("*.csv"))
    assert "eran_heavy" in published_names()

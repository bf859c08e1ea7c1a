"""Tuning: the search finds the best, spends what it may, scores as the evaluation does, and keeps the splits apart."""

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf
from rich.console import Console

from agents import make_agent
from experiments.search import Range, Scorer, draw_candidates, halve
from experiments.tune import TuneConfig, search
from mhgym.evaluation.rollout import run_episodes
from mhgym.evaluation.splits import SPLITS
from mhgym.presets import make_scenario

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = sorted(path.stem for path in (ROOT / "conf/agent").glob("*.yaml"))


def compose_tune(*overrides: str) -> TuneConfig:
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = OmegaConf.to_object(compose("tune", list(overrides)))
    assert isinstance(config, TuneConfig)
    return config


class NoisyTarget:
    """Scores a setting x by -(x - .3)² and noise that all candidates share in part, as traces are shared."""

    def __init__(self, size: int) -> None:
        self.seeds = range(size)
        self.spent = 0
        self._noise = np.random.default_rng(0).normal(0, 0.1, (size, 2))

    def score(self, x: float, count: int) -> Any:
        self.spent += count
        return -((x - 0.3) ** 2) + self._noise[:count, 0] + x * self._noise[:count, 1]


def test_halving_finds_the_best_within_its_budget() -> None:
    """With 5,000 traces in the last round the noise of a difference d is .1·d/√5000, far below the curvature."""
    candidates = [{"x": x} for x in np.linspace(0, 1, 81)]
    scorer = NoisyTarget(5_000)
    rounds = list(halve(lambda settings: settings["x"], candidates, scorer, 50_000))
    assert [len(played.candidates) for played in rounds] == [81, 27, 9, 3]
    assert [played.traces for played in rounds] == [154, 462, 1388, 4166]
    assert scorer.spent == sum(len(played.means) * played.traces for played in rounds) <= 50_000
    assert rounds[-1].candidates[0]["x"] == pytest.approx(0.3, abs=0.05)
    for earlier, later in itertools.pairwise(rounds):
        assert all(settings in earlier.candidates[: len(later.candidates)] for settings in later.candidates)


def test_halving_refuses_a_budget_without_a_trace_for_everybody() -> None:
    with pytest.raises(ValueError, match="9 candidates in 2 rounds need 18 episodes, got 17"):
        next(halve(lambda settings: settings["x"], [{"x": 0.0}] * 9, NoisyTarget(10), 17))


@pytest.mark.parametrize("agent", ["cmt", "best_match", "ip_matcher"])
@pytest.mark.parametrize("objective", ["per_arrival", "served"])
def test_scores_are_the_kpis_of_the_evaluation(agent: str, objective: str) -> None:
    scenario, seeds = make_scenario("EranHeavy"), range(20)
    policy = make_agent(agent, **({"thresholds": (0.3,)} if agent == "best_match" else {}))
    scored = Scorer(scenario, seeds, objective).score(policy, len(seeds))
    kpis = [episode.kpis[f"objective_{objective}"] for episode in run_episodes(scenario, policy, seeds)]
    np.testing.assert_allclose(scored, kpis, rtol=0, atol=1e-12)


def test_candidates_lie_in_their_ranges_and_begin_with_the_defaults() -> None:
    space = {"a": Range(1.0, 100.0, log=True), "b": Range(0, 3, whole=True), "c": Range(-1.0, 1.0, size=2)}
    first, *others = draw_candidates(space, {"a": 7.0, "name": "it"}, 400, np.random.default_rng(0))
    assert first == {"a": 7.0, "name": "it"}
    assert all(1 <= one["a"] <= 100 and one["name"] == "it" and len(one["c"]) == 2 for one in others)
    assert {one["b"] for one in others} == {0, 1, 2, 3}
    assert all(-1 <= value <= 1 for one in others for value in one["c"])
    # Half of a logarithmic range lies below its geometric mean; 4 standard deviations of 399 draws are 40.
    assert abs(sum(one["a"] < 10 for one in others) - 200) < 40


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"low": 2.0, "high": 1.0}, "low at most high"),
        ({"high": 1.0}, "low at most high, got nan and 1.0"),
        ({"low": 0.0, "high": 1.0, "log": True}, "above 0"),
        ({"low": 0.0, "high": 1.0, "among": [1]}, "either between numbers or among values"),
    ],
)
def test_impossible_ranges_are_refused(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Range(**values)


@pytest.mark.parametrize("agent", list(compose_tune().spaces))
def test_every_space_belongs_to_an_agent_and_its_ends_can_be_built(agent: str) -> None:
    assert agent in OPTIONS
    config = compose_tune(f"agent={agent}")
    entry = config.agents[agent]
    for end in (0, -1):
        make_agent(entry.name, **{**entry.settings, **{name: last(part, end) for name, part in space(agent).items()}})


def space(agent: str) -> dict[str, Range]:
    return {name: Range(**part) for name, part in compose_tune().spaces[agent].items()}


def last(part: Range, end: int) -> Any:
    """The first or last value of a range."""
    value = part.among[end] if part.among else (part.low, part.high)[end]
    return [value] * part.size if part.size else value


def test_values_of_any_kind_can_be_searched() -> None:
    part = Range(among=[{"name": "cmt"}, "halving", None])
    drawn = [part.draw(np.random.default_rng(number)) for number in range(40)]
    assert all(value in part.among for value in drawn)
    assert all(value in drawn for value in part.among)


def test_splits_are_disjoint_and_a_search_stays_within_its_own() -> None:
    config = compose_tune()
    ordered = sorted(SPLITS.values())
    assert set(SPLITS) == {"train", "validation", "test"}
    assert min(b - a for a, b in itertools.pairwise(ordered)) >= 1_000_000
    assert max(config.training_traces, config.validation_traces) <= 1_000_000


def test_the_command_writes_a_configuration_that_can_be_used(tmp_path: Path) -> None:
    words = ["agent=best_match", "budget=60", "candidates=3", "training_traces=20", "validation_traces=20"]
    places = [f"output={tmp_path}/out", f"hydra.run.dir={tmp_path}/run"]
    command = [sys.executable, "-m", "experiments.tune", *words, *places]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "out/best_match.yaml").read_text()
    assert text.startswith("# @package agents.best_match\n# python -m experiments.tune agent=best_match budget=60")
    written = OmegaConf.to_object(OmegaConf.create(text))
    assert isinstance(written, dict)
    make_agent(written["name"], **written["settings"])
    assert (tmp_path / "out/search.json").is_file()


@pytest.mark.parametrize(
    ("override", "named"),
    [("agent=fcfs", "'fcfs'"), ("agent=[cmu,best_match]", "got 2 and 1"), ("budget=10", "got 10")],
)
def test_bad_searches_are_refused_by_name(override: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        search(compose_tune(override), Console(quiet=True))


def test_misspelt_settings_are_refused_by_name() -> None:
    with pytest.raises(ConfigCompositionException, match="budgt"):
        compose_tune("budgt=1")

"""The study of a learner: begins from what is configured, cuts short, and goes on after a kill."""

import json
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from optuna.trial import TrialState
from rich.console import Console

from experiments.training import Progress
from experiments.tune_learner import TuneLearnerConfig, space_of, tune

CONF = Path(__file__).resolve().parents[2] / "conf"
QUICK = (
    "decisions=512",  # four rollouts
    "validation_traces=4",
    "validate_every=2",
    "checkpoint_seconds=0",
    "trials=3",
    "startup_trials=3",
    "warm_up=0",
    "learners.ppo.width=8",
    "learners.ppo.critic_width=8",
    "learners.ppo.num_envs=16",
    "learners.ppo.num_steps=8",
    "learners.ppo.batch_size=64",
    "learners.ppo.bank=32",
    "learners.ppo.renewed=8",
)
RATE = {"low": 1e-4, "high": 1e-2, "log": True}
QUIET = Console(quiet=True)


def compose_study(*overrides: str, **space: dict[str, Any]) -> TuneLearnerConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_object(compose("tune_learner", [*QUICK, *overrides]))
    assert isinstance(config, TuneLearnerConfig)
    config.space["ppo"] = space or {"learning_rate": RATE, "epochs": {"low": 1, "high": 3, "whole": True}}
    return config


def test_a_study_begins_from_the_configuration_and_goes_on_for_more(tmp_path: Path) -> None:
    first = tune(compose_study(), tmp_path, QUIET)
    assert first.trials[0].params == {"learning_rate": 5e-4, "epochs": 2}
    assert [trial.state for trial in first.trials] == [TrialState.COMPLETE] * 3
    assert len({trial.params["learning_rate"] for trial in first.trials}) == 3
    assert first.best_value == max(trial.value for trial in first.trials)
    tried = [trial.params for trial in first.trials]
    again = tune(compose_study(), tmp_path, QUIET)
    assert [trial.params for trial in again.trials] == tried
    more = tune(compose_study("trials=4"), tmp_path, QUIET)
    assert [trial.params for trial in more.trials[:3]] == tried
    assert more.trials[3].params not in tried
    found = json.loads((tmp_path / "study.json").read_text())
    assert found["best"]["settings"] == more.best_params
    assert [len(trial["curve"]) for trial in found["trials"]] == [2, 2, 2, 2]
    assert not list(tmp_path.glob("trials/*/checkpoint.pt"))
    with pytest.raises(ValueError, match=r"holds a training with other settings of decisions; choose another folder"):
        tune(compose_study("decisions=1024"), tmp_path, QUIET)


@pytest.mark.parametrize("base", [BaseException, KeyboardInterrupt])
def test_a_killed_study_goes_on_inside_the_training_under_way(
    base: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after 2 of 4 rollouts; the training takes 2 more, and ends where an undisturbed one does."""
    whole = tune(compose_study("trials=1"), tmp_path / "whole", QUIET)

    class KilledError(base):  # type: ignore[misc, valid-type]
        pass

    save, rollouts = Progress.save, []

    def kill(self: Progress, path: Path) -> None:
        save(self, path)
        rollouts.append(self.rollouts)
        if len(rollouts) == 2:
            raise KilledError

    monkeypatch.setattr(Progress, "save", kill)
    with pytest.raises(KilledError):
        tune(compose_study("trials=1"), tmp_path / "killed", QUIET)
    resumed = tune(compose_study("trials=1"), tmp_path / "killed", QUIET)
    assert rollouts == [1, 2, 3, 4]
    assert [trial.state for trial in resumed.trials] == [TrialState.FAIL, TrialState.COMPLETE]
    assert resumed.best_params == whole.best_params
    assert resumed.best_value == whole.best_value


def test_a_training_below_the_median_is_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a validation is the learning rate: after one training any with a smaller one ends at its first point."""
    monkeypatch.setattr(Progress, "validate", lambda self: self._learner.learning_rate)
    study = tune(compose_study("startup_trials=1", "trials=8", learning_rate=RATE), tmp_path, QUIET)
    cut = [trial for trial in study.trials if trial.state == TrialState.PRUNED]
    assert 0 < len(cut) < 7
    for trial in cut:
        assert list(trial.intermediate_values) == [256]
        assert trial.params["learning_rate"] < study.best_value
    assert study.best_value == max(trial.params["learning_rate"] for trial in study.trials)


@pytest.mark.parametrize(
    ("overrides", "space", "message"),
    [
        (["agent=cmt"], {}, "space and learners do not say how to search 'cmt'"),
        ([], {"speed": {"low": 0, "high": 1}}, "space has 'speed', which is no single setting of a learner"),
        ([], {"clip": {"low": 2, "high": 1}}, "a range needs low at most high, got 2 and 1"),
        ([], {"clip": {"low": 0.3, "high": 1}}, "space.ppo.clip does not hold what is configured, 0.2"),
        ([], {"epochs": {"among": [1, 3]}}, "space.ppo.epochs does not hold what is configured, 2"),
    ],
)
def test_impossible_studies_are_refused(
    overrides: list[str], space: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        tune(compose_study(*overrides, **space), tmp_path, QUIET)


def test_the_configured_space_holds_what_is_configured() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for label in ("ppo", "ppo_mlp"):
            config = OmegaConf.to_object(compose("tune_learner", [f"agent={label}"]))
            assert isinstance(config, TuneLearnerConfig)
            assert space_of(config)[0] == label

"""How a network learns best, by Optuna: `python -m experiments.tune_learner agent=ppo scenario=eran_heavy`.

Every trial is a training of `experiments.train`, cut short where its learning curve falls below the median of those
before it. The study lies in a file, and the same command goes on with it: after a kill, also inside the training that
was under way. What is compared is the last validation; test seeds are never touched.
"""

import hashlib
import json
import logging
import sys
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

import hydra
import optuna
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from rich.console import Console

from experiments.configs import register_configs
from experiments.report import write_json
from experiments.search import Range
from experiments.train import TrainConfig, check_folder, settings_of, train
from experiments.training import LearnerConfig, Point

_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass
class TuneLearnerConfig(TrainConfig):
    """A study: trainings of one agent on one scenario.

    Attributes:
        trials: Trainings in all, those cut short included; more may be asked for later.
        startup_trials: Trainings that are never cut short, and whose settings are drawn at random; the first has those
            of the configuration.
        warm_up: Share of a training before which it is not cut short.
        space: By the label of the agent, the `Range` of each setting of its `LearnerConfig`.
    """

    trials: int = 30
    startup_trials: int = 6
    warm_up: float = 0.3
    space: dict[str, dict[str, Any]] = field(default_factory=dict)


register_configs()
ConfigStore.instance().store(name="tune_learner_schema", node=TuneLearnerConfig)


def tune(config: TuneLearnerConfig, folder: Path, console: Console) -> optuna.Study:
    """Run what is left of a study."""
    label, space = space_of(config)
    check_folder(settings_of(config), folder)
    logging.getLogger("optuna").setLevel(logging.WARNING)
    study = open_study(config, folder)
    if not study.trials:
        study.enqueue_trial({name: getattr(config.learners[label], name) for name in space})
    take_up_lost(study)

    def objective(trial: optuna.Trial) -> float:
        settings = {name: suggest(trial, name, part) for name, part in space.items()}
        return run_trial(config, settings, trial, folder, console)

    left = config.trials - len(study.get_trials(states=_ENDED))
    if left > 0:
        study.optimize(objective, n_trials=left)
    write_json(folder / "study.json", report(study))
    return study


def take_up_lost(study: optuna.Study) -> None:
    """Put at the head of a study the trainings that a kill or an error has left without an end."""
    kept = [trial.params for trial in study.get_trials(states=_ENDED)]
    for trial in study.get_trials(states=(TrialState.RUNNING, TrialState.FAIL)):
        if trial.state == TrialState.RUNNING:
            study.tell(trial.number, state=TrialState.FAIL)
        if trial.params not in kept:
            study.enqueue_trial(trial.params)
            kept.append(trial.params)


def space_of(config: TuneLearnerConfig) -> tuple[str, dict[str, Range]]:
    """The label of the agent and where each of its settings is searched.

    Raises:
        ValueError: If there is nothing to search, a setting is none of the learner's, or it lies outside of its range.
    """
    label = next(iter(config.agents), "")
    if label not in config.learners or not config.space.get(label):
        raise ValueError(f"space and learners do not say how to search {label!r} (known: {', '.join(config.space)})")
    space = {name: Range(**values) for name, values in config.space[label].items()}
    known = {item.name for item in fields(LearnerConfig)}
    for name, part in space.items():
        if name not in known or part.size:
            raise ValueError(
                f"space has {name!r}, which is no single setting of a learner ({', '.join(sorted(known))})"
            )
        own = getattr(config.learners[label], name)
        if own not in part.among if part.among else not part.low <= own <= part.high:
            raise ValueError(
                f"space.{label}.{name} does not hold what is configured, {own!r}; widen one or change the other"
            )
    return label, space


def open_study(config: TuneLearnerConfig, folder: Path) -> optuna.Study:
    """The study in a folder, a new one or one to go on with."""
    storage = JournalStorage(JournalFileBackend(str(folder / "study.log")))
    study = optuna.create_study(storage=storage, study_name="learner", direction="maximize", load_if_exists=True)
    # A sampler starts anew with its process; with the same seed it would draw the same candidates again.
    study.sampler = TPESampler(n_startup_trials=config.startup_trials, seed=config.seed + len(study.trials))
    study.pruner = MedianPruner(config.startup_trials, n_warmup_steps=int(config.warm_up * config.decisions))
    return study


def suggest(trial: optuna.Trial, name: str, part: Range) -> Any:
    """A value of a setting."""
    if part.among:
        return trial.suggest_categorical(name, part.among)
    if part.whole:
        return trial.suggest_int(name, int(part.low), int(part.high), log=part.log)
    return trial.suggest_float(name, part.low, part.high, log=part.log)


def run_trial(
    config: TuneLearnerConfig, settings: dict[str, Any], trial: optuna.Trial, folder: Path, console: Console
) -> float:
    """Train with these settings; the last validation.

    Raises:
        optuna.TrialPruned: If the curve is below the median of those before.
    """
    label = next(iter(config.agents))
    own = {item.name: getattr(config, item.name) for item in fields(TrainConfig)}
    learners = {label: replace(config.learners[label], **settings)}
    digest = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=8).hexdigest()
    place = folder / "trials" / digest  # by its settings, so that a training begun before a kill goes on
    shown = ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in settings.items()
    )
    console.print(f"trial {trial.number}: {shown}", soft_wrap=True, highlight=False)

    def watch(point: Point) -> None:
        assert point.validation is not None
        trial.report(point.validation, point.decisions)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        if not (place / "curve.json").exists():
            train(TrainConfig(**{**own, "learners": learners}), place, Console(quiet=True), watch)
    finally:
        ended = (place / "curve.json").exists() or isinstance(sys.exc_info()[1], optuna.TrialPruned)
        if ended:
            (place / "checkpoint.pt").unlink(missing_ok=True)
    value = json.loads((place / "curve.json").read_text(encoding="utf-8"))["points"][-1]["validation"]
    console.print(f"  validation {value:.4f}", highlight=False)
    return float(value)


def report(study: optuna.Study) -> dict[str, Any]:
    """What a study found, for its folder."""
    return {
        "best": {"settings": study.best_params, "validation": study.best_value},
        "trials": [
            {
                "number": trial.number,
                "state": trial.state.name.lower(),
                "settings": trial.params,
                "curve": sorted(trial.intermediate_values.items()),
                "validation": trial.value,
            }
            for trial in study.trials
        ],
    }


@hydra.main(version_base="1.3", config_path="../conf", config_name="tune_learner")
def main(raw: DictConfig) -> None:
    """Compose the configuration and search."""
    console = Console()
    try:
        config = cast(TuneLearnerConfig, OmegaConf.to_object(raw))
        name = f"tune-learner-{'-'.join([*config.agents, *config.scenarios])}"
        folder = Path(config.output or f"results/{name}")
        study = tune(config, folder, console)
    except (ValueError, TypeError) as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True)
        sys.exit(2)
    (label,) = config.agents
    best = " ".join(f"learners.{label}.{name}={value}" for name, value in study.best_params.items())
    console.print(f"best validation {study.best_value:.4f} with {best}", soft_wrap=True, highlight=False)
    console.print(f"results: {folder}")


if __name__ == "__main__":
    main()

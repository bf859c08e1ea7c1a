"""Train a routing policy: `python -m experiments.train agent=ppo scenario=eran_heavy seed=1`.

The same command again goes on from the last checkpoint, so a killed run loses a minute and a rollout.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

import hydra
import numpy as np
import torch
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents import make_agent
from agents.network_card import Card
from agents.ppo import RoutingPPO
from agents.zoo import digest_of_files, find_network, load_network, save_network
from experiments.configs import LeaderboardConfig, register_configs
from experiments.leaderboard import build_preset
from experiments.report import machine, write_json
from experiments.search import Scorer
from experiments.training import LearnerConfig, Point, Progress, make_model, split_by_staffing
from mhgym.evaluation.splits import seeds_of
from mhgym.presets import ScenarioSampler
from mhgym.scenario import Scenario

REFERENCES = ("fcfs", "cmt")


@dataclass
class SamplerConfig:
    """Scenarios to draw for the episodes of a training, see `mhgym.presets.ScenarioSampler`; neither set for none.

    Attributes:
        flow: Least and largest mean arrivals per hour.
        staffing: Least and largest number of counsellors, or of full-time staff per shift in Open Up.
    """

    flow: list[float] = field(default_factory=list)
    staffing: list[int] = field(default_factory=list)


@dataclass
class TrainConfig(LeaderboardConfig):
    """A training: one agent and one scenario of those that the main job knows.

    Attributes:
        learners: By the label of the agent in `conf/agent`, how it learns.
        sampler: Draws the scenario of each episode, of training and validation, in the place of one flow and staffing.
        start: Network to go on from, a file or the name of one in `agents/networks`; null to begin anew.
        decisions: To take in training.
        seed: Of everything random in it.
        validation_traces: On which the curve is measured.
        validate_every: Rollouts between two validations.
        checkpoint_seconds: Least time between two checkpoints.
        tensorboard: Whether to write its log.
        threads: Of torch; one is fastest for small networks.
    """

    learners: dict[str, LearnerConfig] = field(default_factory=dict)
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    start: str | None = None
    decisions: int = 5_000_000
    seed: int = 0
    validation_traces: int = 1_000
    validate_every: int = 10
    checkpoint_seconds: float = 60.0
    tensorboard: bool = True
    threads: int = 1


register_configs()
ConfigStore.instance().store(name="train_schema", node=TrainConfig)


def train(config: TrainConfig, folder: Path, console: Console, watch: Callable[[Point], None] | None = None) -> Path:
    """Train, or go on training; the file of the network.

    Args:
        config: The training.
        folder: For what comes out of it.
        console: Is told the curve.
        watch: Is given every point that was validated, and ends the training by an exception.
    """
    if len(config.agents) != 1 or len(config.scenarios) != 1:
        raise ValueError(f"training takes 1 agent and 1 scenario, got {len(config.agents)} and {len(config.scenarios)}")
    (label,), (place,) = config.agents, config.scenarios
    if label not in config.learners:
        raise ValueError(f"learners does not say how {label!r} learns (known: {', '.join(config.learners)})")
    torch.set_num_threads(config.threads)
    learner, scenario = config.learners[label], build_source(config, place)
    settings = settings_of(config)
    model = make_model(learner, scenario, config.seed, str(folder / "tensorboard") if config.tensorboard else None)
    begun = None if config.start is None else begin_with(model, learner, config.start)
    check_folder(settings, folder)
    seeds = seeds_of("validation", config.validation_traces)
    references = reference_scores(scenario, seeds)
    console.print(", ".join(f"{name} {score:.4f}" for name, score in references.items()) + " on the validation traces")

    def report(point: Point) -> None:
        tell(point, config.decisions, console)
        if watch is not None:
            watch(point)

    progress = Progress(
        scenario,
        seeds,
        learner,
        validate_every=config.validate_every,
        checkpoint=folder / "checkpoint.pt",
        checkpoint_seconds=config.checkpoint_seconds,
        report=report,
    )
    if (folder / "checkpoint.pt").exists():
        progress.load(folder / "checkpoint.pt", model)
        console.print(f"going on after {model.num_timesteps:,} decisions")
    if model.num_timesteps < config.decisions:
        model.learn(
            config.decisions - model.num_timesteps,
            callback=progress,
            tb_log_name="ppo",
            reset_num_timesteps=model.num_timesteps == 0,
        )
    write_json(folder / "curve.json", {"points": [asdict(point) for point in progress.curve], "references": references})
    path = folder / f"{label}_{place}.safetensors"
    save_network(path, model.policy.actor, model.policy.critic, card_of(config, settings, begun, model, progress.curve))
    return path


def begin_with(model: RoutingPPO, learner: LearnerConfig, start: str) -> Mapping[str, Any]:
    """Give a learner the weights of a network; how that was trained.

    Raises:
        ValueError: If the network is not of the learner's kind and sizes.
    """
    actor, critic, card = load_network(find_network(start))
    policy, layout = model.policy, model.policy.layout
    own = policy.settings | {"num_extra": policy.num_extra, "preferences": tuple(learner.preferences)}
    own["may_hold"] = learner.may_hold
    if card.network == "mlp":
        own |= {"num_slots": layout.num_slots, "num_counsellors": layout.num_counsellors, "inboxes": layout.inboxes}
    different = [
        f"{name} is {getattr(card, name)}, not {value}" for name, value in own.items() if getattr(card, name) != value
    ]
    if different:
        raise ValueError(
            f"start={start} is not a network as this one learns: {'; '.join(different)}; set the learner's to its own"
        )
    policy.actor.load_state_dict(actor.state_dict())
    policy.critic.load_state_dict(critic.state_dict())
    return card.training


def tell(point: Point, decisions: int, console: Console) -> None:
    """Print a point of the curve."""
    exploring = "-" if point.training is None else f"{point.training:.4f}"
    speed = point.decisions / max(point.seconds, 1e-9)
    console.print(
        f"{point.decisions / decisions:6.1%}  {point.decisions:>12,} decisions  {point.seconds:6.0f} s "
        f"({speed:,.0f}/s)  training {exploring}  validation {point.validation:.4f}",
        highlight=False,
        soft_wrap=True,
    )


def build_source(config: TrainConfig, place: str) -> Scenario | ScenarioSampler:
    """What episodes are drawn from.

    Raises:
        ValueError: If a sampler is not two ranges, or flow or staffing is also fixed.
    """
    preset, sampler = build_preset(config, place), config.sampler
    if not sampler.flow and not sampler.staffing:
        return preset.build()
    if len(sampler.flow) != 2 or len(sampler.staffing) != 2:
        raise ValueError(
            f"sampler needs flow and staffing, each as [least, largest], got {sampler.flow} and {sampler.staffing}"
        )
    if config.flow is not None or config.staffing is not None:
        raise ValueError(f"a sampler draws flow and staffing, got also flow={config.flow}, staffing={config.staffing}")
    drawn = {"flow", "staffing"}
    overrides = {item.name: getattr(preset, item.name) for item in fields(preset) if item.name not in drawn}
    (slow, busy), (few, many) = sampler.flow, sampler.staffing
    return ScenarioSampler(type(preset).__name__, (slow, busy), (few, many), overrides)


def reference_scores(scenario: Scenario | ScenarioSampler, seeds: range) -> dict[str, float]:
    """Mean return of the references on the validation traces."""
    parts = [(Scorer(part, own), len(own)) for part, own in split_by_staffing(scenario, seeds)]
    return {
        name: float(np.concatenate([scorer.score(make_agent(name), count) for scorer, count in parts]).mean())
        for name in REFERENCES
    }


def check_folder(settings: Mapping[str, Any], folder: Path) -> None:
    """Keep a training apart from others in the same folder.

    Args:
        settings: What its outcome depends on.
        folder: Of what comes out of it; made where there is none.

    Raises:
        ValueError: If a training with other settings began there.
    """
    own = json.loads(json.dumps(settings))
    path = folder / "configuration.json"
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))["configuration"]
        different = sorted(name for name in own.keys() | known.keys() if own.get(name) != known.get(name))
        if different:
            raise ValueError(
                f"{folder} holds a training with other settings of {', '.join(different)}; "
                "choose another folder by output=, or delete that one"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, {"configuration": own, "machine": machine()})


def settings_of(config: TrainConfig) -> dict[str, Any]:
    """What the weights depend on."""
    values = cast(dict[str, Any], OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True))
    (label,) = config.agents
    ignored = ("output", "cache", "plots", "evaluation", "agents", "tensorboard", "checkpoint_seconds", "trials")
    kept = {name: value for name, value in values.items() if name not in ignored}
    if config.start is not None:
        path = find_network(config.start)
        kept["start"] = [path.stem, digest_of_files(path)]
    return kept | {"learners": {label: kept["learners"][label]}}


def card_of(
    config: TrainConfig,
    settings: Mapping[str, Any],
    begun: Mapping[str, Any] | None,
    model: RoutingPPO,
    curve: list[Point],
) -> Card:
    """What the network is, for the header of its file; `begun` is how the network that it went on from was trained."""
    (label,), (place,) = config.agents, config.scenarios
    learner, layout = config.learners[label], model.policy.layout
    training = {"scenario": place, **settings}
    if begun is not None:
        training["begun"] = dict(begun)
    training["curve"] = [
        [point.decisions, round(point.validation, 5)] for point in curve if point.validation is not None
    ]
    return Card(
        network=learner.network,
        width=learner.width,
        critic_width=learner.critic_width,
        num_slots=layout.num_slots,
        num_counsellors=layout.num_counsellors,
        num_extra=model.policy.num_extra,
        inboxes=layout.inboxes,
        preferences=tuple(learner.preferences),
        may_hold=learner.may_hold,
        training=training,
    )


@hydra.main(version_base="1.3", config_path="../conf", config_name="train")
def main(raw: DictConfig) -> None:
    """Compose the configuration and train."""
    console = Console()
    try:
        config = cast(TrainConfig, OmegaConf.to_object(raw))
        name = f"train-{'-'.join([*config.agents, *config.scenarios])}-{config.seed}"
        path = train(config, Path(config.output or f"results/{name}"), console)
    except (ValueError, TypeError) as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True)
        sys.exit(2)
    console.print(f"network: {path}")


if __name__ == "__main__":
    main()

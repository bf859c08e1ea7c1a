"""Settings of one policy from training traces: `python -m experiments.tune agent=best_match_above`.

The search spends a stated budget of episodes on training seeds; the winner then meets the settings it started from, CMT
and FCFS on validation seeds, which took no part in the choice. Test seeds are never touched.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import hydra
import numpy as np
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents import make_agent
from experiments.configs import LeaderboardConfig, register_configs
from experiments.leaderboard import build_scenario
from experiments.report import machine, whole_folder, write_json
from experiments.search import Range, Round, Scorer, draw_candidates, halve
from mhgym.evaluation.splits import seeds_of
from mhgym.evaluation.statistics import Interval, bootstrap_interval, paired_interval

REFERENCES = ("fcfs", "cmt")


@dataclass
class TuneConfig(LeaderboardConfig):
    """A search: one agent and one scenario of those that the main job knows, and how much it may cost.

    Attributes:
        budget: Training episodes in all.
        candidates: Settings tried, the configured ones among them.
        seed: Of the candidates.
        training_traces: Most distinct training traces.
        validation_traces: Traces on which the winner is compared.
        spaces: By the label of the agent in `conf/agent`, the `Range` of each setting.
    """

    budget: int = 300_000
    candidates: int = 243
    seed: int = 0
    training_traces: int = 10_000
    validation_traces: int = 2_000
    spaces: dict[str, dict[str, Any]] = field(default_factory=dict)


register_configs()
ConfigStore.instance().store(name="tune_schema", node=TuneConfig)


@dataclass(frozen=True)
class Outcome:
    """What a search found.

    Attributes:
        settings: The winner's.
        rounds: Of the search.
        spent: Training episodes.
        score: The winner's mean on validation traces.
        gains: Its gain over the settings it started from and over the references, on the same traces.
    """

    settings: dict[str, Any]
    rounds: list[Round]
    spent: int
    score: Interval
    gains: dict[str, Interval]


def search(config: TuneConfig, console: Console) -> Outcome:
    """Tune the one agent of the configuration on its one scenario."""
    if len(config.agents) != 1 or len(config.scenarios) != 1:
        raise ValueError(f"a search takes 1 agent and 1 scenario, got {len(config.agents)} and {len(config.scenarios)}")
    (label, entry), (place,) = next(iter(config.agents.items())), config.scenarios
    if label not in config.spaces:
        raise ValueError(f"spaces has no ranges for {label!r} (known: {', '.join(config.spaces)})")

    def make(settings: dict[str, Any]) -> Any:
        return make_agent(entry.name, **settings)

    scenario, evaluation = build_scenario(config, place), config.evaluation
    training = Scorer(scenario, seeds_of("train", config.training_traces), evaluation.objective)
    rng = np.random.default_rng(config.seed)
    space = {name: Range(**values) for name, values in config.spaces[label].items()}
    candidates = draw_candidates(space, entry.settings, config.candidates, rng)
    rounds = []
    for played in halve(make, candidates, training, config.budget):
        rounds.append(played)
        best = f"{played.means[0]:.4f} with {played.candidates[0]}"
        console.print(f"{len(played.means):4d} candidates, {played.traces} traces: {best}", soft_wrap=True)
    winner = rounds[-1].candidates[0]
    validation = Scorer(scenario, seeds_of("validation", config.validation_traces), evaluation.objective)
    rivals = {"start": make(entry.settings), **{name: make_agent(name) for name in REFERENCES}}
    own = validation.score(make(winner), config.validation_traces)
    shown = {"confidence": evaluation.confidence, "resamples": evaluation.resamples}
    gains = {
        name: paired_interval(
            own, validation.score(rival, config.validation_traces), rng=np.random.default_rng(0), **shown
        )
        for name, rival in rivals.items()
    }
    score = bootstrap_interval(own, rng=np.random.default_rng(0), **shown)
    return Outcome(winner, rounds, training.spent, score, gains)


def write(config: TuneConfig, outcome: Outcome, target: Path, overrides: list[str]) -> None:
    """The winner as a file for `conf/agent`, and how it was found."""
    (label, entry), (place,) = next(iter(config.agents.items())), config.scenarios
    command = " ".join(["python -m experiments.tune", *overrides])
    lines = [f"# @package agents.{label}", f"# {command}"]
    gains = ", ".join(f"{name} {gain.format(digits=4)}" for name, gain in outcome.gains.items())
    lines += [f"# {place}, validation: {outcome.score.format(digits=4)}; gain over {gains}"]
    body = OmegaConf.to_yaml({"name": entry.name, "settings": outcome.settings})
    with whole_folder(target) as draft:
        (draft / f"{label}.yaml").write_text("\n".join(lines) + "\n" + body, encoding="utf-8")
        report = {
            "command": command,
            "configuration": OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True),
            "machine": machine(),
            "spent": outcome.spent,
            "winner": outcome.settings,
            "rounds": [
                {
                    "traces": played.traces,
                    "candidates": [
                        {"settings": settings, "mean": mean}
                        for settings, mean in zip(played.candidates, played.means, strict=True)
                    ],
                }
                for played in outcome.rounds
            ],
        }
        write_json(draft / "search.json", report)


@hydra.main(version_base="1.3", config_path="../conf", config_name="tune")
def main(raw: DictConfig) -> None:
    """Compose the configuration, search, and write what was found."""
    console = Console()
    overrides = list(hydra.core.hydra_config.HydraConfig.get().overrides.task)
    try:
        config = cast(TuneConfig, OmegaConf.to_object(raw))
        outcome = search(config, console)
    except (ValueError, TypeError) as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True)
        sys.exit(2)
    console.print(f"validation: {outcome.score.format(digits=4)}", soft_wrap=True, highlight=False)
    for name, gain in outcome.gains.items():
        console.print(f"  minus {name}: {gain.format(digits=4)}", soft_wrap=True, highlight=False)
    target = Path(config.output or f"results/tune-{'-'.join([*config.agents, *config.scenarios])}")
    write(config, outcome, target, [word for word in overrides if not word.startswith("output=")])
    console.print(f"results: {target}")


if __name__ == "__main__":
    main()

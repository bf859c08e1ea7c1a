"""Episodes of a policy as a Minari dataset: `python -m experiments.export agent=cmt scenario=eran_heavy`.

Minari says where datasets lie: in `MINARI_DATASETS_PATH`, or else in `~/.minari/datasets`.
"""

import copy
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, cast

import gymnasium
import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from experiments.configs import AgentConfig, LeaderboardConfig, register_configs
from experiments.entrants import Outsider, entrants, opened
from experiments.leaderboard import build_preset
from experiments.offline import dataset_folder, write_dataset
from experiments.recording import Recorded, record_episode
from experiments.report import machine
from mhgym.evaluation.isolation import PolicyError
from mhgym.evaluation.splits import seeds_of
from mhgym.metrics import COMPONENTS
from mhgym.policy import Policy
from mhgym.presets import Preset
from mhgym.registration import ANY_ID, IDS


@dataclass
class ExportConfig(LeaderboardConfig):
    """A dataset of the episodes of one policy in one scenario.

    Attributes:
        dataset: Its name, as Minari has them: folders, a name, a version; null for `mhgym/<scenario>/<policy>-v0`.
        slots: Queue slots of observations and actions.
    """

    dataset: str | None = None
    slots: int = 16


register_configs()
ConfigStore.instance().store(name="export_schema", node=ExportConfig)


def export(config: ExportConfig, console: Console) -> str:
    """Play the episodes and write them; the name of the dataset.

    Raises:
        ValueError: If it is not one policy in one scenario, or the dataset is there already or cannot be written.
        PolicyError: If somebody else's policy fails.
    """
    taking = entrants(config)
    if taking.failures:
        raise PolicyError("; ".join(taking.failures.values()))
    if len(taking.policies) != 1 or len(config.scenarios) != 1:
        names = ", ".join(policy.name for policy in taking.policies.values())
        raise ValueError(
            f"a dataset has 1 policy and 1 scenario, got {names or 'none'} in {', '.join(config.scenarios) or 'none'}; "
            "with policy=, ~agent leaves out the agent that is there otherwise"
        )
    ((label, entrant),), (place,) = taking.policies.items(), config.scenarios
    name = config.dataset or f"mhgym/{place}/{entrant.name}-v0"
    dataset_folder(name)
    preset, evaluation = build_preset(config, place), config.evaluation
    spec = spec_of(preset, config.slots)
    entry = config.scenarios[place]
    seeds = seeds_of(evaluation.split, entry.traces if evaluation.traces is None else evaluation.traces)
    agent = asdict(config.agents.get(label) or AgentConfig(source=label))
    told: dict[str, Any] = {
        "algorithm_name": entrant.name,
        "description": f"{len(seeds)} episodes of {entrant.name} in {place} of mhgym; observations are flat, masks of "
        "legal actions and the reward as a vector are in infos, and options in the metadata of episodes to reset with",
        "mhgym": {"policy": agent | code_of(entrant), **provenance(config, place, preset)},
    }
    with opened(entrant) as policy, closing(gymnasium.make(spec, engine=evaluation.engine)) as env:
        episodes = play(env, policy, seeds, console)
        write_dataset(name, spec, (env.observation_space, env.action_space), episodes, told)
    return name


def play(env: gymnasium.Env[Any, Any], policy: Policy, seeds: range, console: Console) -> Iterator[Recorded]:
    """The episodes, one by one."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("episodes", total=len(seeds))
        for seed in seeds:
            yield record_episode(env.unwrapped, policy, seed)  # type: ignore[arg-type]
            progress.advance(task)


def spec_of(preset: Preset, slots: int) -> Any:
    """The environment of a preset, which a dataset recovers: its id with what is set otherwise than by default."""
    name = type(preset).__name__
    own = {preset_name: env_id for env_id, preset_name in IDS.items()}
    spec = copy.deepcopy(gymnasium.spec(own.get(name, ANY_ID)))
    spec.kwargs |= {"scenario": name, "num_slots": slots, **preset.overrides}
    return spec


def code_of(entrant: Policy | Outsider) -> dict[str, str]:
    """The digest of somebody else's code; ours is that of the version."""
    return {"code": entrant.digest} if isinstance(entrant, Outsider) else {}


def provenance(config: ExportConfig, place: str, preset: Preset) -> dict[str, Any]:
    """All that the numbers of a dataset depend on, but its policy and its traces."""
    return {
        "scenario": place,
        "preset": type(preset).__name__,
        "overrides": preset.overrides,
        "weights": dict(zip(COMPONENTS, preset.build().weights.as_tuple(), strict=True)),
        "split": config.evaluation.split,
        "engine": config.evaluation.engine,
        "slots": config.slots,
        "machine": machine(),
    }


@hydra.main(version_base="1.3", config_path="../conf", config_name="export")
def main(raw: DictConfig) -> None:
    """Compose the configuration and export."""
    console = Console()
    try:
        name = export(cast(ExportConfig, OmegaConf.to_object(raw)), console)
    except (ValueError, TypeError, PolicyError) as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(2)
    console.print(f"dataset: {name} (minari.load_dataset)", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    main()

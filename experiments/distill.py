"""Distil search into a network: `python -m experiments.distill network=ppo_eran_heavy_seed0 scenario=eran_heavy`.

In each iteration a search guided by the network plays training traces, and the network learns from all that was weighed
so far, see `agents.distillation`. Lessons lie in files by blocks of traces, so the same command goes on after a kill.
The critic stays as it was.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import hydra
import numpy as np
import torch
from hydra.core.config_store import ConfigStore
from joblib import Parallel, delayed
from numpy.typing import NDArray
from omegaconf import MISSING, DictConfig, OmegaConf
from rich.console import Console
from rich.progress import track
from torch import nn

from agents import make_agent
from agents.distillation import Fitting, Lessons, fit
from agents.guided_search import GuidedSearch
from agents.learned import play
from agents.network_card import Card
from agents.zoo import digest_of_files, find_network, load_network, save_network
from experiments.configs import LeaderboardConfig, register_configs
from experiments.leaderboard import build_preset
from experiments.lessons import collect
from experiments.train import check_folder
from mhgym.evaluation.splits import seeds_of
from mhgym.evaluation.statistics import bootstrap_interval
from mhgym.scenario import Scenario

_BLOCK = 25  # traces
_CENTRE = ("scenarios", "flow", "staffing", "weights", "arrivals")  # settings of a centre


@dataclass
class DistillConfig(LeaderboardConfig):
    """Expert iteration from one network in one scenario.

    Attributes:
        network: Where it begins: a file, or the name of one in `agents/networks`, of kind `index_rule`.
        search: Settings of the guided search that teaches, its network aside.
        fitting: How the network learns.
        iterations: Times that a search plays with the network as it is by then, which then learns from all lessons.
        traces: Training traces of each iteration; 0 to learn from `lessons` alone.
        lessons: Folders of other runs, whose lessons are learnt from, too.
        seed: The traces are the `traces * iterations` of the training split from that multiple on; seeds the fit too.
        validation_traces: On which iterations are compared.
        workers: Processes that collect; the result does not depend on them.
    """

    network: str = MISSING
    search: dict[str, Any] = field(default_factory=dict)
    fitting: Fitting = field(default_factory=Fitting)
    iterations: int = 1
    traces: int = 2000
    lessons: list[str] = field(default_factory=list)
    seed: int = 0
    validation_traces: int = 4000
    workers: int = 2


register_configs()
ConfigStore.instance().store(name="distill_schema", node=DistillConfig)


def distill(config: DistillConfig, folder: Path, console: Console) -> Path:
    """Run what is left of the iterations; the file of the network that validated best."""
    torch.set_num_threads(1)
    if len(config.scenarios) != 1:
        raise ValueError(f"a network is distilled in 1 scenario, got {len(config.scenarios)}")
    if config.iterations < 1 or config.traces < 0 or (config.traces == 0 and not config.lessons):
        raise ValueError(
            "distilling needs at least 1 iteration and traces, or lessons of other runs, got "
            f"iterations={config.iterations}, traces={config.traces}, lessons={config.lessons}"
        )
    (place,) = config.scenarios
    scenario, start = build_preset(config, place).build(), find_network(config.network)
    search_with(config, start)  # refuses what it cannot do before anything is written
    settings = settings_of(config, start)
    shared = [read_lessons(file) for other in config.lessons for file in lesson_files(Path(other))]
    check_folder(settings, folder)
    actor, critic, card = load_network(start)
    begun = best = validate(actor, scenario, card, config)
    console.print(f"{start.stem}: {begun.mean():.4f} on {len(begun)} validation traces", highlight=False)
    chosen = start
    paths, lessons = [start], shared
    for number in range(1, config.iterations + 1):
        lessons += collect_all(config, scenario, paths[-1], number, folder, console)
        actor, critic, _ = load_network(paths[-1])
        everything = Lessons.join(lessons)
        gained = [*fit(actor, card.network, card.sight(scenario), everything, config.fitting, config.seed)]
        path = folder / f"{start.stem}_{place}_{number}.safetensors"
        scores = validate(actor, scenario, card, config)
        told = settings | {
            "iteration": number,
            "num_lessons": len(everything.gains),
            "gained": [round(value, 6) for value in gained],
            "validation": [round(float(begun.mean()), 5), round(float(scores.mean()), 5)],
        }
        training = {"scenario": place, "distilled": told, "begun": dict(card.training)}
        save_network(path, actor, critic, replace(card, training=training))
        gain = bootstrap_interval(scores - begun, rng=np.random.default_rng(0))
        console.print(
            f"iteration {number}: {len(everything.gains):,} lessons, {scores.mean():.4f} on the validation traces, "
            f"{gain.format(4)} over the beginning",
            highlight=False,
            soft_wrap=True,
        )
        if scores.mean() > best.mean():
            best, chosen = scores, path
        paths.append(path)
    return chosen


def search_with(config: DistillConfig, network: Path) -> GuidedSearch:
    """The search that teaches."""
    search = make_agent("guided_search", network=str(network), **config.search)
    assert isinstance(search, GuidedSearch)
    return search


def collect_all(
    config: DistillConfig, scenario: Scenario, network: Path, number: int, folder: Path, console: Console
) -> list[Lessons]:
    """The lessons of an iteration, in files by blocks of traces; the blocks that are there are not played again."""
    if not config.traces:
        return []
    first = (config.seed * config.iterations + number - 1) * config.traces
    seeds = seeds_of("train", first + config.traces)[first:]
    blocks = [seeds[k : k + _BLOCK] for k in range(0, len(seeds), _BLOCK)]
    files = [folder / "lessons" / f"{number}-{block.start}.npz" for block in blocks]
    (folder / "lessons").mkdir(exist_ok=True)
    left = [(block, file) for block, file in zip(blocks, files, strict=True) if not file.exists()]
    tasks = (delayed(_collect_block)(config, scenario, network, block, file) for block, file in left)
    running = Parallel(n_jobs=config.workers, return_as="generator_unordered")(tasks)
    for _ in track(running, f"lessons of iteration {number}", total=len(left), console=console):
        pass
    return [read_lessons(file) for file in files]


def lesson_files(folder: Path) -> list[Path]:
    """Those of another run.

    Raises:
        ValueError: If there are none.
    """
    files = sorted((folder / "lessons").glob("*.npz"))
    if not files:
        raise ValueError(f"{folder} has no lessons; give folders that experiments.distill wrote")
    return files


def read_lessons(file: Path) -> Lessons:
    """Lessons of some traces."""
    with np.load(file) as arrays:
        return Lessons(*(arrays[name] for name in Lessons._fields))


def _collect_block(config: DistillConfig, scenario: Scenario, network: Path, seeds: range, file: Path) -> None:
    """Write the lessons of some traces into a file that appears whole."""
    search = search_with(config, network)
    lessons = collect(search, search.sight_of(scenario), scenario, seeds)
    draft = file.with_suffix(".draft")
    with draft.open("wb") as stream:
        np.savez(stream, **lessons._asdict())
    os.replace(draft, file)


def validate(actor: nn.Module, scenario: Scenario, card: Card, config: DistillConfig) -> NDArray[np.float64]:
    """`[validation_traces]` objective per arrival."""
    seeds: Sequence[int] = seeds_of("validation", config.validation_traces)
    totals: NDArray[np.float64] = play(actor, scenario, seeds, card.sight(scenario)) @ scenario.weights.as_tuple()
    return totals


def settings_of(config: DistillConfig, start: Path) -> dict[str, Any]:
    """What the weights depend on; without a search where none plays."""
    values = cast(dict[str, Any], OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True))
    names = ["fitting", "iterations", "traces", "seed", "validation_traces", *_CENTRE]
    centre = json.loads(json.dumps({name: values[name] for name in _CENTRE}))
    return {
        "network": [start.stem, digest_of_files(start)],
        "lessons_of": [describe_lessons(Path(other), centre) for other in config.lessons],
        **({"search": values["search"]} if config.traces else {}),
        **{name: values[name] for name in names},
    }


def describe_lessons(folder: Path, centre: dict[str, Any]) -> dict[str, Any]:
    """What lessons of another run are: its settings, what there is of them, and a digest.

    Raises:
        ValueError: If they are of another centre.
    """
    files = lesson_files(folder)
    own = json.loads((folder / "configuration.json").read_text(encoding="utf-8"))["configuration"]
    if different := [name for name in _CENTRE if own[name] != centre[name]]:
        raise ValueError(f"{folder} has lessons of another centre: other settings of {', '.join(different)}")
    kept = {name: own[name] for name in ("network", "search", "traces", "iterations", "seed")}
    return {"run": folder.name, "files": len(files), "digest": digest_of_files(*files), **kept}


@hydra.main(version_base="1.3", config_path="../conf", config_name="distill")
def main(raw: DictConfig) -> None:
    """Compose the configuration and distil."""
    console = Console()
    try:
        config = cast(DistillConfig, OmegaConf.to_object(raw))
        place = "-".join(config.scenarios)
        folder = Path(config.output or f"results/distill-{Path(config.network).stem}-{place}-{config.seed}")
        path = distill(config, folder, console)
    except (ValueError, TypeError) as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True)
        sys.exit(2)
    console.print(f"network: {path}", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    main()

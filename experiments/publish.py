"""Publish the baselines' results trace by trace with the package: `python -m experiments.publish`.

What has been played before is taken from the cells. Published are the test traces, whose seeds everyone knows.
"""

import sys
from pathlib import Path
from typing import Any, cast

import hydra
import polars as pl
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.markup import escape

from agents import make_agent
from experiments.cells import Cell, collect
from experiments.configs import LeaderboardConfig
from experiments.leaderboard import build_cells, build_preset
from experiments.workers import WorkersDiedError, compute_all
from mhgym import __version__
from mhgym.evaluation.published import FOLDER, Published
from mhgym.presets.base import Preset


def publish(config: LeaderboardConfig, folder: Path, console: Console) -> list[Path]:
    """Play what has not been played, and write a file for each scenario; their paths."""
    if config.policy is not None or any(own.name is None for own in config.agents.values()):
        raise ValueError("only agents of this checkout are published, which everyone can play again; leave policy out")
    cells, cache = build_cells(config), Path(config.cache)
    for _ in compute_all(cells, cache, config.evaluation.workers, config.evaluation.backend):
        pass
    entries = {
        make_agent(str(own.name), **own.settings).name: {"name": own.name, "settings": own.settings}
        for own in config.agents.values()
    }
    paths = []
    for label in config.scenarios:
        own = [cell for cell in cells if cell.scenario_label == label]
        results = tabulate(label, build_preset(config, label), own, collect(own, cache, "episodes"), entries)
        paths.append(results.write(folder))
        console.print(f"{paths[-1].name}: {len(results.seeds)} traces, {', '.join(results.objectives)}")
    return paths


def tabulate(
    label: str, preset: Preset, cells: list[Cell], episodes: pl.DataFrame, entries: dict[str, dict[str, Any]]
) -> Published:
    """The results of one scenario, policies in the order of the comparison."""
    policies = list(dict.fromkeys(cell.policy.name for cell in cells))
    tables = {name: episodes.filter(pl.col("policy") == name).sort("seed") for name in policies}
    first = tables[policies[0]]
    hashes = first["trace_hash"].to_list()
    different = [name for name, table in tables.items() if table["trace_hash"].to_list() != hashes]
    if different:
        raise ValueError(f"{', '.join(different)} and {policies[0]} did not play the same traces of {label}")
    objectives = {name: table["objective"].to_numpy() for name, table in tables.items()}
    seeds = tuple(first["seed"].to_list())
    what = type(preset).__name__, preset.overrides, __version__
    return Published(label, *what, seeds, tuple(hashes), objectives, {name: entries[name] for name in policies})


@hydra.main(version_base="1.3", config_path="../conf", config_name="publish")
def main(raw: DictConfig) -> None:
    """Compose the configuration and publish."""
    console = Console()
    try:
        config = cast(LeaderboardConfig, OmegaConf.to_object(raw))
        publish(config, Path(config.output or FOLDER), console)
    except (ValueError, TypeError, WorkersDiedError) as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()

"""Playing a row of results again: `python -m experiments.leaderboard replay=eran_heavy/cmt`.

A results folder is a manifest of its rows: `summary.json` has the configuration, `episodes.parquet` the figures of each
trace. What is published with the package is one, too: `replay=published/eran_heavy/cmt`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import joblib
import polars as pl
from omegaconf import OmegaConf

from agents import make_agent
from experiments.cells import Cell
from experiments.comparison import compare
from experiments.configs import LeaderboardConfig
from experiments.entrants import Outsider, entrants
from mhgym import __version__
from mhgym.evaluation.published import as_published, read_published
from mhgym.presets import find_preset

#: The folder of a row without one: what comes with the package.
PUBLISHED = "published"
_LABELS = ("scenario", "policy", "seed")  # which are no figures


class Difference(NamedTuple):
    """A figure that came out otherwise; `seed` is None for one of the whole row."""

    seed: int | None
    figure: str
    was: Any
    now: Any


@dataclass(frozen=True)
class Replayed:
    """A row that was played again.

    Attributes:
        row: Scenario and policy.
        version: Of mhgym that played it first.
        traces: Played.
        figures: Compared in all.
        differences: None where every figure is the same.
    """

    row: str
    version: str
    traces: int
    figures: int
    differences: tuple[Difference, ...]

    def text(self) -> str:
        """For people."""
        head = f"{self.row}: {self.traces:,} traces, {self.figures:,} figures"
        if not self.differences:
            return f"{head}, every one the same"
        shown = [
            f"  {'row' if seed is None else f'trace {seed}'}: {figure} was {was}, is {now}"
            for seed, figure, was, now in self.differences[:5]
        ]
        told = f"mhgym {self.version} played it first, this is {__version__}; planners budgeted in milliseconds vary"
        return "\n".join([f"{head}, {len(self.differences):,} of them differ ({told})", *shown])


def replay_row(row: str, folder: Path, workers: int) -> Replayed:
    """Play the cells of a row again, from its traces and without the cache.

    Args:
        row: `scenario/policy` of a results folder, or `published/scenario/policy`.
        folder: The results folder.
        workers: Processes.

    Raises:
        ValueError: If there is no such row.
    """
    place, _, name = row.rpartition("/")
    source, _, scenario = place.rpartition("/")
    if not scenario or source not in ("", PUBLISHED):
        raise ValueError(f"replay takes scenario/policy or {PUBLISHED}/scenario/policy, got {row!r}")
    return _replay_published(scenario, name, workers) if source else _replay_folder(folder, scenario, name, workers)


def _replay_published(scenario: str, name: str, workers: int) -> Replayed:
    published = read_published(scenario)
    _check_known(name, published.objectives, f"the published results of {scenario}")
    entry = published.policies[name]
    policy = make_agent(entry["name"], **entry["settings"])
    parts = [range(seeds[0], seeds[-1] + 1) for seeds in _blocks(published.seeds, workers)]
    cells = [Cell(scenario, published.scenario, policy, part) for part in parts]
    fresh = _play(cells, workers)
    now = zip(fresh["trace_hash"].to_list(), map(as_published, fresh["objective"].to_list()), strict=True)
    was = zip(published.trace_hashes, map(as_published, published.objectives[name].tolist()), strict=True)
    differences = [
        Difference(seed, figure, old, new)
        for seed, before, after in zip(published.seeds, was, now, strict=True)
        for figure, old, new in zip(("trace_hash", "objective"), before, after, strict=True)
        if old != new
    ]
    seeds = len(published.seeds)
    return Replayed(f"{PUBLISHED}/{scenario}/{name}", published.version, seeds, 2 * seeds, tuple(differences))


def _replay_folder(folder: Path, scenario: str, name: str, workers: int) -> Replayed:
    from experiments.leaderboard import build_cells  # which imports this module

    if not (folder / "summary.json").is_file():
        raise ValueError(f"there are no results in {str(folder)!r}; run the leaderboard, or name them by output=...")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    rows = {(own["scenario"], own["policy"]): own for own in summary["results"]}
    _check_known(f"{scenario}/{name}", ["/".join(key) for key in rows], str(folder))
    config = configuration_of(summary)
    policies, failures = entrants(config)
    if name not in {policy.name for policy in policies.values()}:
        raise ValueError(f"{name} cannot be made now: {'; '.join(failures.values())}")
    own = [
        cell for cell in build_cells(config, policies) if (cell.scenario_label, cell.policy.name) == (scenario, name)
    ]
    kept = pl.read_parquet(folder / "episodes.parquet")
    mine = (pl.col("scenario") == scenario) & (pl.col("policy") == name)
    was = kept.filter(mine).sort("seed")
    # Figures that only other scenarios have, such as of a role, are null here.
    now = pl.concat([was.clear(), _play(own, workers)], how="diagonal_relaxed")
    differences = _compare_code(summary, own[0]) + _compare_episodes(was, now)
    bounds = folder / "bounds.parquet"
    ceiling = pl.read_parquet(bounds) if bounds.is_file() else None
    others = kept.filter((pl.col("scenario") == scenario) & (pl.col("policy") != name))
    again = compare(pl.concat([others, now.select(kept.columns)]), config.evaluation, ceiling)
    row = next(own.as_json() for own in again if own.policy == name)
    before, after = dict(_leaves(rows[scenario, name])), dict(_leaves(row))
    differences += [Difference(None, key, old, after.get(key)) for key, old in before.items() if old != after.get(key)]
    figures = len(was) * (len(was.columns) - len(_LABELS)) + len(before) - len(_LABELS[:2])
    return Replayed(f"{scenario}/{name}", summary["version"], len(was), figures, tuple(differences))


def configuration_of(summary: Mapping[str, Any]) -> LeaderboardConfig:
    """The configuration that a summary was made with."""
    merged = OmegaConf.merge(OmegaConf.structured(LeaderboardConfig), summary["configuration"])
    config = cast(LeaderboardConfig, OmegaConf.to_object(merged))
    for label, entry in config.scenarios.items():
        entry.settings = find_preset(summary["presets"][label])(**entry.settings)
    return config


def _play(cells: Sequence[Cell], workers: int) -> pl.DataFrame:
    """The episodes of some cells, by seed."""
    parts = joblib.Parallel(n_jobs=workers)(joblib.delayed(_episodes)(cell) for cell in cells)
    return pl.concat(parts).sort("seed")


def _episodes(cell: Cell) -> pl.DataFrame:
    return cell.tables()["episodes"]


def _compare_code(summary: Mapping[str, Any], cell: Cell) -> list[Difference]:
    """Whether somebody else's policy is the one that played."""
    if not isinstance(cell.policy, Outsider) or (was := summary["code"][cell.policy.name]) == cell.policy.digest:
        return []
    return [Difference(None, "code of the policy", was, cell.policy.digest)]


def _compare_episodes(was: pl.DataFrame, now: pl.DataFrame) -> list[Difference]:
    """Every figure of every trace, to the last bit."""
    if was["seed"].to_list() != now["seed"].to_list():
        raise ValueError(f"the row has {len(was)} traces, its configuration {len(now)}; the folder is not of one run")
    return [
        Difference(seed, name, old, new)
        for name in was.columns
        for seed, old, new in zip(was["seed"].to_list(), was[name].to_list(), now[name].to_list(), strict=True)
        if old != new and not (old != old and new != new)
    ]


def _leaves(value: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    """Every figure of nested data with its path."""
    if isinstance(value, dict | list | tuple):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _blocks(seeds: Sequence[int], number: int) -> list[Sequence[int]]:
    size = -(-len(seeds) // number)
    return [seeds[k : k + size] for k in range(0, len(seeds), size)]


def _check_known(name: str, known: Iterable[str], where: str) -> None:
    known = list(known)
    if name not in known:
        raise ValueError(f"{where} has no row {name!r} (known: {', '.join(known)})")

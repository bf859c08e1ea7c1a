"""The main job: `python -m experiments.leaderboard`.

Every policy meets the same traces; what comes out is a folder with a table per episode (`episodes.parquet`), a summary
(`summary.json`), the table that a person reads (`leaderboard.md`), plots, and decision latencies apart
(`timings.json`, `timings.md`). `index.html` shows all of it and replays episodes. Where a scenario asks for it the
clairvoyant bound stands beside the policies.
"""

import hashlib
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from agents import make_agent
from agents.bound import check_defined
from experiments.bounds import BoundCell
from experiments.cells import Cell, collect
from experiments.comparison import Failed, Row, compare
from experiments.configs import LeaderboardConfig, known_agents, register_configs
from experiments.entrants import Outsider, entrants
from experiments.manifest import replay_row
from experiments.page.record import ReplayCell
from experiments.page.write import replay_cells, write_page
from experiments.report import machine, markdown, timings, timings_markdown, whole_folder, write_json
from experiments.workers import WorkersDiedError, compute_all
from mhgym import __version__
from mhgym.engines.registry import ENGINES
from mhgym.evaluation.isolation import PolicyError
from mhgym.evaluation.rollout import run_episodes
from mhgym.evaluation.splits import seeds_of
from mhgym.policy import Policy
from mhgym.presets.base import Preset
from mhgym.scenario import Scenario

register_configs()
AnyCell = TypeVar("AnyCell", Cell, ReplayCell)
#: Parts into which the traces of a policy are cut at least; not by workers, for any number of whom cells are the same.
_FEWEST_BLOCKS = 4


def build_preset(config: LeaderboardConfig, label: str) -> Preset:
    """The settings of one scenario of the comparison with what holds for all of them."""
    changes: dict[str, Any] = {}
    for name in ("flow", "staffing", "weights"):
        if (value := getattr(config, name)) not in (None, {}):
            changes[name] = value
    if config.arrivals.law != "preset":
        law = config.arrivals
        changes |= {"arrivals": law.law, "arrivals_path": law.path, "arrivals_column": law.column}
    preset: Preset = replace(config.scenarios[label].settings, **changes)
    return preset


def build_scenario(config: LeaderboardConfig, label: str) -> Scenario:
    """One scenario of the comparison."""
    return build_preset(config, label).build()


def build_cells(config: LeaderboardConfig, policies: Mapping[str, Policy | Outsider] | None = None) -> list[Cell]:
    """Scenario by scenario and policy by policy, the traces in blocks; None for all policies that can be made."""
    evaluation = config.evaluation
    policies = entrants(config).policies if policies is None else policies
    if not policies or not config.scenarios:
        raise ValueError(f"a comparison needs policies and scenarios, got {len(policies)} and {len(config.scenarios)}")
    if evaluation.engine not in ENGINES:
        raise ValueError(f"unknown engine {evaluation.engine!r} (known: {', '.join(ENGINES)})")
    if evaluation.block < 1:
        raise ValueError(f"evaluation.block must be at least 1 episode, got {evaluation.block}")
    cells = []
    for label, entry in config.scenarios.items():
        scenario = build_scenario(config, label)
        seeds = seeds_of(evaluation.split, entry.traces if evaluation.traces is None else evaluation.traces)
        block = min(evaluation.block, -(-len(seeds) // _FEWEST_BLOCKS))
        for policy in players_of(config, label, policies):
            parts = [seeds[k : k + block] for k in range(0, len(seeds), block)]
            cells += [Cell(label, scenario, policy, part, evaluation.engine) for part in parts]
    return cells


def players_of(
    config: LeaderboardConfig, scenario: str, policies: Mapping[str, Policy | Outsider]
) -> list[Policy | Outsider]:
    """Who plays a scenario."""
    chosen = config.players.get(scenario)
    if chosen is None:
        return list(policies.values())
    if unknown := set(chosen) - {*config.agents, *known_agents()}:
        raise ValueError(
            f"players.{scenario} has {', '.join(sorted(unknown))} (known: {', '.join(sorted(config.agents))})"
        )
    playing = [policy for label, policy in policies.items() if label in chosen or label not in config.agents]
    if not playing:
        raise ValueError(
            f"nobody plays {scenario}: players.{scenario} has {', '.join(chosen)}, agent {', '.join(policies)}"
        )
    return playing


def build_bounds(config: LeaderboardConfig, cells: list[Cell]) -> list[BoundCell]:
    """The bounds of the scenarios that ask for them and have one, in the blocks of their first policy."""
    seconds = config.evaluation.bound_seconds
    first = {cell.scenario_label: cell.policy.name for cell in reversed(cells)}
    return [
        BoundCell(cell.scenario_label, cell.scenario, cell.seeds, seconds)
        for cell in cells
        if cell.policy.name == first[cell.scenario_label]
        and config.scenarios[cell.scenario_label].bound
        and no_bound(config, cell.scenario) is None
    ]


def no_bound(config: LeaderboardConfig, scenario: Scenario) -> str | None:
    """Why a scenario of this comparison has no clairvoyant bound; None if it has one."""
    if config.evaluation.objective != "per_arrival":
        return f"the bound is of the objective 'per_arrival', got {config.evaluation.objective!r}"
    try:
        check_defined(scenario)
    except ValueError as error:
        return str(error)
    return None


def run(config: LeaderboardConfig, target: Path, console: Console) -> list[Row]:
    """Compute what is missing, compare, and write the results folder."""
    policies, refused = entrants(config)
    if refused and not policies:
        raise ValueError("no policy could be made: " + "; ".join(refused.values()))
    failures = [Failed(label, source, words) for label in config.scenarios for source, words in refused.items()]
    cells = build_cells(config, policies)
    bounds, replays = build_bounds(config, cells), replay_cells(cells, config.shifts)
    if config.evaluation.engine == "compiled":
        compile_engine(cells[0], console)
    failures += play(config, cells, bounds, replays, console)
    cells, replays = without(cells, failures), without(replays, failures)
    if silent := [label for label in config.scenarios if all(cell.scenario_label != label for cell in cells)]:
        raise ValueError(f"no policy has finished {', '.join(silent)}: " + "; ".join(told.words for told in failures))
    cache = Path(config.cache)
    episodes = collect(cells, cache, "episodes")
    ceiling = collect(bounds, cache, "bound") if bounds else None
    rows = compare(episodes, config.evaluation, ceiling)
    latency = timings(collect(cells, cache, "latency"))
    told = summary(config, cells, episodes, rows, failures)
    text = markdown(rows, config.evaluation.reference, config.evaluation.confidence, failures)
    with whole_folder(target) as draft:
        episodes.write_parquet(draft / "episodes.parquet")
        write_json(draft / "summary.json", told)
        write_json(draft / "timings.json", how_timed(config, latency))
        (draft / "timings.md").write_text(timings_markdown(latency, rows), encoding="utf-8")
        if ceiling is not None:
            ceiling.write_parquet(draft / "bounds.parquet")
        (draft / "leaderboard.md").write_text(text, encoding="utf-8")
        write_page(draft / "index.html", told, rows, latency, cells, replays, cache)
        if config.plots:
            from experiments.figures import draw_figures  # which loads matplotlib

            draw_figures(draft, cells, rows, cache)
    show(config, cells, rows, latency, failures, console)
    console.print(f"results: {target}")
    return rows


def play(
    config: LeaderboardConfig,
    cells: Sequence[Cell],
    bounds: Sequence[BoundCell],
    replays: Sequence[ReplayCell],
    console: Console,
) -> list[Failed]:
    """Compute what is missing; what policies of others failed in, each once a scenario."""
    cache, evaluation = Path(config.cache), config.evaluation
    everything = [*cells, *bounds, *replays]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    words: dict[str, str] = {}
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("cells", total=len(everything))
        for failure in compute_all(everything, cache, evaluation.workers, evaluation.backend):
            progress.advance(task)
            if failure is not None:
                words[failure.key] = failure.words
    found = {
        (cell.scenario_label, cell.policy.name): words[cell.key]
        for cell in reversed([*cells, *replays])
        if cell.key in words
    }
    return [Failed(label, name, why) for (label, name), why in sorted(found.items())]


def without(cells: Sequence[AnyCell], failures: Sequence[Failed]) -> list[AnyCell]:
    """The cells of policies that did not fail in their scenario."""
    broken = {(failed.scenario, failed.policy) for failed in failures}
    return [cell for cell in cells if (cell.scenario_label, cell.policy.name) not in broken]


def show(
    config: LeaderboardConfig,
    cells: Sequence[Cell],
    rows: list[Row],
    latency: list[dict[str, Any]],
    failures: Sequence[Failed],
    console: Console,
) -> None:
    """Tell the terminal what came out."""
    for table in tables(rows, latency, config.evaluation.reference):
        console.print(table)
    for cell in {cell.scenario_label: cell for cell in cells}.values():
        if config.scenarios[cell.scenario_label].bound and (reason := no_bound(config, cell.scenario)):
            console.print(f"{cell.scenario_label} stands without a bound: {reason}", soft_wrap=True)
    for failed in failures:
        console.print(f"[bold red]{escape(failed.text())}[/]", soft_wrap=True)


def tables(rows: list[Row], latency: list[dict[str, Any]], reference: str) -> list[Table]:
    """What the terminal shows: objectives, gains over the reference, the way to the bound, and what decisions cost."""
    medians = {(entry["scenario"], entry["policy"]): entry["median_ms"] for entry in latency}
    result = []
    for scenario in dict.fromkeys(row.scenario for row in rows):
        part = [row for row in rows if row.scenario == scenario]
        bound = "" if part[0].bound is None else f", bound {part[0].bound[0]:.3f}"
        table = Table(title=f"{scenario}, {part[0].traces} traces{bound}", title_justify="left")
        for name in ("policy", "objective", f"minus {reference}", "p (Holm)", "to bound", "ms"):
            table.add_column(name, no_wrap=True)
        for row in part:
            gain = "" if row.difference is None else row.difference.format(digits=3)
            p_value = "" if row.p_value is None else f"{row.p_value:.2g}"
            share = "" if row.share is None else f"{row.share.estimate:.0%}"
            median = medians.get((row.scenario, row.policy))
            cost = "" if median is None else f"{median:.2f}"
            table.add_row(row.policy, row.objective.format(digits=3), gain, p_value, share, cost)
        result.append(table)
    return result


def compile_engine(cell: Cell, console: Console) -> None:
    """Compile once, before workers would do it side by side; later runs find it in Numba's cache."""
    with console.status("compiling the engine (about a minute the first time)"):
        run_episodes(cell.scenario, make_agent("cmt"), cell.seeds[:2], "compiled")


def summary(
    config: LeaderboardConfig, cells: list[Cell], episodes: Any, rows: list[Row], failures: Sequence[Failed]
) -> dict[str, Any]:
    """Everything that traces a number back: configuration, versions, seeds, traces, machine, results."""
    traces: dict[str, Any] = {}
    for label in config.scenarios:
        first = next(cell.policy.name for cell in cells if cell.scenario_label == label)
        seeds = [seed for cell in cells if cell.scenario_label == label for seed in cell.seeds]
        own = episodes.filter((episodes["scenario"] == label) & (episodes["policy"] == first)).sort("seed")
        hashes = own["trace_hash"].to_list()
        digest = hashlib.blake2b("".join(hashes).encode(), digest_size=8).hexdigest()
        traces[label] = {"first_seed": min(seeds), "last_seed": max(seeds), "traces": len(hashes), "digest": digest}
    return {
        "version": __version__,
        "configuration": what_was_run(config),
        "presets": {label: type(entry.settings).__name__ for label, entry in config.scenarios.items()},
        "scenarios": {cell.scenario_label: repr(cell.scenario) for cell in cells},
        "traces": traces,
        "code": {cell.policy.name: cell.policy.digest for cell in cells if isinstance(cell.policy, Outsider)},
        "machine": machine(),
        "results": [row.as_json() for row in rows],
        "failures": [asdict(failed) for failed in failures],
    }


def how_timed(config: LeaderboardConfig, latency: list[dict[str, Any]]) -> dict[str, Any]:
    """What decisions took, and where."""
    evaluation = config.evaluation
    where = {"machine": machine(), "workers": evaluation.workers, "backend": evaluation.backend}
    return {**where, "decisions": latency}


def what_was_run(config: LeaderboardConfig) -> dict[str, Any]:
    """The configuration without what changes no result: places, workers and their backend."""
    told = cast(dict[str, Any], OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True))
    for name in ("workers", "backend"):
        del told["evaluation"][name]
    for name in ("output", "cache", "replay"):
        del told[name]
    return told


def default_target(overrides: list[str]) -> Path:
    """A results folder named after what was changed on the command line."""
    if not overrides:
        return Path("results/leaderboard")
    readable = re.sub(r"[^A-Za-z0-9.=]+", "-", ",".join(overrides)).strip("-")[:80]
    digest = hashlib.blake2b(",".join(overrides).encode(), digest_size=4).hexdigest()
    return Path(f"results/leaderboard-{readable}-{digest}")


@hydra.main(version_base="1.3", config_path="../conf", config_name="leaderboard")
def main(raw: DictConfig) -> None:
    """Compose the configuration and run."""
    console = Console()
    try:
        config = cast(LeaderboardConfig, OmegaConf.to_object(raw))
        if config.replay is not None:
            replayed = replay_row(config.replay, Path(config.output or default_target([])), config.evaluation.workers)
            console.print(replayed.text(), soft_wrap=True, highlight=False)
            sys.exit(1 if replayed.differences else 0)
        target = Path(config.output) if config.output else default_target(list(HydraConfig.get().overrides.task))
        run(config, target, console)
    except (ValueError, TypeError, FileNotFoundError, PolicyError, WorkersDiedError) as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()

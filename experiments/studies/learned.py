"""What learning gains: networks of several training seeds beside rules and planners, on common traces.

A row of networks is all training seeds of one setting; its intervals resample seeds and traces, so that they hold the
luck of training too. Distilled networks of one preset learnt from lessons that they share, so of theirs the intervals
hold the luck of PPO only, not that of the lessons. The networks are those of `agents/networks`, named after scenario
and seed: `ppo_` as PPO left them, `distilled_` after `experiments.distill`, `distilled_wide_` of twice the width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from agents import make_agent
from agents.zoo import FOLDER
from experiments.bounds import BoundCell
from experiments.cells import Cell, Computed, collect
from experiments.comparison import check_bound
from experiments.configs import agent_settings
from experiments.studies.transfer import objectives
from experiments.turns import milliseconds
from experiments.workers import compute_all
from mhgym.evaluation.splits import seeds_of
from mhgym.evaluation.statistics import Interval, crossed_interval, probability_of_improvement
from mhgym.policy import Policy
from mhgym.presets import make_scenario

Floats = NDArray[np.float64]

_BLOCK = 25
_BOUND_SECONDS = 30.0  # for a trace
_RESAMPLES = 2000
_FEWEST = 2  # training seeds


@dataclass(frozen=True)
class Arena:
    """A preset and who competes in it.

    Attributes:
        preset: Name.
        networks: By the label of their row, how the names of its networks in `agents/networks` begin; the rest is the
            training seed.
        rules: Labels in `conf/agent`, FCFS first.
        rule: The one that all are compared with.
        planners: All planners, by their labels in `conf/agent`.
        planner: The one that all are compared with.
        rival: One of a larger budget, with which all are compared, too.
        times: Traces in the place of one replication, where differences are small.
        share: Of the traces that planners play, where a decision of theirs takes long.
        bound: Whether the clairvoyant bound is computed, on as many traces as there are replications.
    """

    preset: str
    networks: Mapping[str, str]
    rules: tuple[str, ...]
    rule: str
    planners: tuple[str, ...]
    planner: str
    rival: str
    times: int = 1
    share: float = 1.0
    bound: bool = False


def _networks(place: str, *more: str) -> dict[str, str]:
    return {kind: f"{kind}_{place}_seed" for kind in ("ppo", "distilled", *more)}


_RULES = ("fcfs", "cmt", "best_match_above", "best_match_wait")
_PLANNERS = ("mcts", "mcts_threshold_rollouts")
ARENAS = (
    Arena(
        preset="EranHeavy",
        networks=_networks("eran_heavy", "distilled_wide"),
        rules=_RULES,
        rule="best_match_wait",
        planners=(*_PLANNERS, "guided_search_heavy"),
        planner="mcts",
        rival="mcts_threshold_rollouts",
        times=6,
        bound=True,
    ),
    Arena(
        preset="EranStandard",
        networks=_networks("eran_standard"),
        rules=_RULES,
        rule="best_match_wait",
        planners=(*_PLANNERS, "guided_search_standard"),
        planner="mcts",
        rival="mcts_threshold_rollouts",
        bound=True,
    ),
    Arena(
        preset="EranDay",
        networks=_networks("eran_day"),
        rules=_RULES,
        rule="best_match_wait",
        planners=("mcts_day", "mcts_day_600", "guided_search_day"),
        planner="mcts_day",
        rival="mcts_day_600",
        share=0.5,
    ),
    Arena(
        preset="OpenUp",
        networks={"ppo": "ppo_open_up_day_seed", "ppo_imitation": "ppo_open_up_day_imitation_seed"},
        rules=("fcfs", "lcfs", "newest_within", "likely_there"),
        rule="likely_there",
        planners=("mcts_likely_there", "mcts_likely_there_600", "guided_search_open_up"),
        planner="mcts_likely_there",
        rival="mcts_likely_there_600",
        share=0.1,
    ),
)


@dataclass(frozen=True)
class Row:
    """A policy, or the networks of all seeds, on the traces of a preset.

    Attributes:
        preset: Name.
        label: Of the policy.
        scores: `[seeds, traces]` objective per arrival; one seed for what was not trained.
        milliseconds: Of a decision asked from a view, in the mean; see `experiments.turns`.
    """

    preset: str
    label: str
    scores: Floats
    milliseconds: float

    def interval(self, statistic: str = "mean") -> Interval:
        """Of the objective."""
        return _crossed(self.scores, statistic)

    def minus(self, other: "Row") -> Interval:
        """Mean difference on the traces that both played."""
        left, right = _common(self, other)
        return _crossed(left - right.mean(axis=0), "mean")

    def beats(self, other: "Row") -> Interval:
        """Probability of improvement on the traces that both played."""
        return probability_of_improvement(*_common(self, other), rng=np.random.default_rng(0), resamples=_RESAMPLES)

    def share(self, floor: "Row", ceiling: Floats) -> float:
        """Of the way from another policy to the bound `[T]`, on its `T` traces, which are the first."""
        low = float(floor.scores[:, : len(ceiling)].mean())
        return (float(self.scores[:, : len(ceiling)].mean()) - low) / (float(ceiling.mean()) - low)


def _common(left: Row, right: Row) -> tuple[Floats, Floats]:
    number = min(left.scores.shape[1], right.scores.shape[1])
    return left.scores[:, :number], right.scores[:, :number]


def _crossed(scores: Floats, statistic: str) -> Interval:
    table = np.repeat(scores, 2, axis=0) if len(scores) == 1 else scores  # the same seed twice: no luck of training
    settings: dict[str, Any] = {"statistic": statistic, "resamples": _RESAMPLES}
    return crossed_interval(table, rng=np.random.default_rng(0), **settings)


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write the report into a folder; the same as plain data.

    Args:
        replications: Test traces of each preset; its `times` as many where it has them.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    tables, data = [], []
    for arena in ARENAS:
        networks = networks_of(arena)
        if not networks:
            console.print(f"{arena.preset} is left out: {missing(arena)}", soft_wrap=True)
            continue
        rows, bound = measure(arena, networks, replications, workers)
        tables.append(markdown(arena, rows, bound))
        console.print(tables[-1], highlight=False, soft_wrap=True)
        data += [plain(row) for row in rows]
    head = (
        "# What learning gains\n\n"
        "Objective per arrival with 95 % intervals; those of networks resample training seeds and traces. Differences "
        "are taken on common traces; a row of fewer traces has its own mean. Distilled networks share their lessons, "
        "whose luck their intervals leave out.\n"
    )
    (folder / "report.md").write_text("\n".join([head, *tables]), encoding="utf-8")
    return {"rows": data}


def networks_of(arena: Arena, folder: Path = FOLDER) -> dict[str, list[Path]]:
    """By label, networks of all training seeds; a label with too few of them is left out."""
    found = {label: sorted(folder.glob(f"{begin}*.safetensors")) for label, begin in arena.networks.items()}
    return {label: paths for label, paths in found.items() if len(paths) >= _FEWEST}


def missing(arena: Arena) -> str:
    """What an arena without networks needs."""
    begin = next(iter(arena.networks.values()))
    return f"it needs {_FEWEST} networks {begin}*.safetensors in agents/networks; experiments.train makes them"


def measure(
    arena: Arena,
    networks: Mapping[str, Sequence[Path]],
    replications: int,
    workers: int,
    cache: Path = Path(".cache/cells"),
) -> tuple[list[Row], Floats | None]:
    """Rows of a preset, FCFS first, and the bound of each of the first `replications` traces where there is one."""
    seeds = seeds_of("test", arena.times * replications)
    few = seeds[: max(2, round(arena.share * len(seeds)))]
    cells = {label: _cells(arena, _named(label), seeds) for label in arena.rules}
    cells |= {label: _cells(arena, _named(label), few) for label in arena.planners}
    bounds = _bounds(arena, seeds[:replications]) if arena.bound else []
    everything: list[Computed] = [cell for own in cells.values() for cell in own]
    for _ in compute_all([*everything, *bounds], cache, workers):
        pass
    bound = collect(bounds, cache, "bound") if arena.bound else None
    scores = {}
    for label, own in cells.items():
        table = collect(own, cache, "episodes")
        if bound is not None:
            both = min(len(table), len(bound))
            check_bound(arena.preset, label, table.head(both), bound.head(both))
        scores[label] = table["objective"].to_numpy()[None]
    scenario = make_scenario(arena.preset)
    for label, paths in networks.items():
        scores[label] = objectives(list(paths), scenario, seeds)
        if bound is not None:
            for own in scores[label]:
                check_bound(arena.preset, label, bound.with_columns(objective=own[:replications]), bound)
    policies = {label: _named(label) for label in cells}
    policies |= {label: make_agent("learned", network=str(paths[0])) for label, paths in networks.items()}
    times = milliseconds(policies, scenario, seeds)
    rows = [Row(arena.preset, label, own, times[label]) for label, own in scores.items()]
    return rows, None if bound is None else bound["bound"].to_numpy()


def _named(label: str) -> Policy:
    name, settings = agent_settings(label)
    return make_agent(name, **settings)


def _parts(seeds: range) -> list[range]:
    return [seeds[first : first + _BLOCK] for first in range(0, len(seeds), _BLOCK)]


def _cells(arena: Arena, policy: Policy, seeds: range) -> list[Cell]:
    scenario = make_scenario(arena.preset)
    return [Cell(arena.preset, scenario, policy, part) for part in _parts(seeds)]


def _bounds(arena: Arena, seeds: range) -> list[BoundCell]:
    scenario = make_scenario(arena.preset)
    return [BoundCell(arena.preset, scenario, part, _BOUND_SECONDS) for part in _parts(seeds)]


def plain(row: Row) -> dict[str, Any]:
    """A row as plain data."""
    return {
        "preset": row.preset,
        "label": row.label,
        "seeds": len(row.scores),
        "traces": row.scores.shape[1],
        "objective": vars(row.interval()),
        "by_seed": row.scores.mean(axis=1).tolist(),
        "milliseconds": row.milliseconds,
    }


def markdown(arena: Arena, rows: list[Row], bound: Floats | None) -> str:
    """A table of a preset, best first, and the networks seed by seed."""
    named = {row.label: row for row in rows}
    floor, rule, planner, rival = rows[0], named[arena.rule], named[arena.planner], named[arena.rival]
    lines = [
        f"## {arena.preset}",
        "",
        f"| policy | traces | objective | IQM | minus {arena.rule} | minus {arena.planner} | beats {arena.planner} | "
        f"minus {arena.rival} | of the way to the bound | a decision |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in sorted(rows, key=lambda row: -float(row.scores.mean())):
        compared = [
            "" if row is rule else row.minus(rule).format(4),
            *(("", "") if row is planner else (row.minus(planner).format(4), row.beats(planner).format(2))),
            "" if row is rival else row.minus(rival).format(4),
            "" if bound is None else f"{row.share(floor, bound):.3f}",
        ]
        time = f"{row.milliseconds:.2f} ms"
        label = f"{row.label}, {len(row.scores)} seeds" if row.label in arena.networks else row.label
        head = [label, str(row.scores.shape[1]), row.interval().format(4), row.interval("iqm").format(4)]
        lines.append(f"| {' | '.join([*head, *compared, time])} |")
    lines.append("")
    for label in (label for label in arena.networks if label in named):
        by_seed = ", ".join(f"{mean:.4f}" for mean in named[label].scores.mean(axis=1))
        lines.append(f"{label} seed by seed: {by_seed}.")
    if bound is not None:
        lines.append(f"The clairvoyant bound on the first {len(bound):,} traces: {bound.mean():.4f}.")
    return "\n".join(lines) + "\n"

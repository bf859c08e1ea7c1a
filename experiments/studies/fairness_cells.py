"""What a policy does to the groups of a centre, trace by trace, computed once and kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from experiments.cells import Cell, collect, digest_of
from experiments.studies.fairness_centres import FCFS, Centre, Grouping
from experiments.workers import compute_all
from mhgym.evaluation.rollout import run_episodes
from mhgym.evaluation.splits import seeds_of
from mhgym.metrics.by_group import CALLER_SUMS, COUNSELLOR_SUMS, caller_sums, counsellor_sums
from mhgym.trace import Trace

Floats = NDArray[np.float64]

_BLOCK = 50
STAFF = ("experienced", "new")  # groups of counsellors, in the order of their codes


@dataclass(frozen=True)
class GroupCell(Cell):
    """A cell that counts by group.

    Attributes:
        groupings: Of callers.
    """

    groupings: tuple[Grouping, ...] = ()

    @property
    def key(self) -> str:
        """See `Cell.key`."""
        return digest_of("groups", repr(self.groupings), super().key)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Play the episodes: their KPIs, and the sums of each group."""
        rows: dict[str, list[dict[str, Any]]] = {"episodes": [], "callers": [], "counsellors": []}
        roster, until, horizon = self.scenario.roster, self.scenario.until, self.scenario.horizon
        for episode in run_episodes(self.scenario, self.policy, self.seeds, self.engine):
            log, trace = episode.log, Trace.sample(self.scenario, episode.seed)
            head = {"seed": episode.seed, "trace_hash": episode.trace_hash}
            rows["episodes"].append(head | episode.kpis)
            for grouping in self.groupings:
                sums = caller_sums(log, grouping.codes(trace), len(grouping.groups))
                rows["callers"] += _rows(head | {"grouping": grouping.name}, grouping.groups, CALLER_SUMS, sums)
            group = np.where(roster.answers(), roster.new(), -1)  # new at any time, among those who answer
            sums = counsellor_sums(log, roster, group, len(STAFF), until, horizon)
            rows["counsellors"] += _rows(head, STAFF, COUNSELLOR_SUMS, sums)
        return {name: pl.DataFrame(table) for name, table in rows.items()}


def _rows(head: Mapping[str, Any], groups: Sequence[str], names: Sequence[str], sums: Floats) -> list[dict[str, Any]]:
    return [
        {**head, "group": group, **dict(zip(names, row, strict=True))}
        for group, row in zip(groups, sums.tolist(), strict=True)
    ]


@dataclass(frozen=True)
class Played:
    """A policy on `n` traces of a centre.

    Attributes:
        kpis: `[n]` each, by name.
        callers: By grouping, `[n, G, 6]` the sums of `CALLER_SUMS`.
        counsellors: `[n, 2, 5]` the sums of `COUNSELLOR_SUMS`, in the order of `STAFF`.
    """

    kpis: Mapping[str, Floats]
    callers: Mapping[str, Floats]
    counsellors: Floats


def play(
    centre: Centre, plays: Sequence[tuple[str, float]], split: str, replications: int, workers: int, cache: Path
) -> dict[tuple[str, float], Played]:
    """Policies of a centre, each a label and a weight of fairness, on the same traces of a split.

    Raises:
        ValueError: If they met different traces.
    """
    scenario, seeds = centre.scenario(), seeds_of(split, centre.traces(replications))
    parts = [seeds[first : first + _BLOCK] for first in range(0, len(seeds), _BLOCK)]
    cells = {
        one: [
            GroupCell(centre.label, scenario, centre.policy(*one), part, groupings=centre.groupings) for part in parts
        ]
        for one in plays
    }
    for _ in compute_all([cell for own in cells.values() for cell in own], cache, workers):
        pass
    hashes = {one: collect(own, cache, "episodes")["trace_hash"].to_list() for one, own in cells.items()}
    if len(set(map(tuple, hashes.values()))) > 1:
        raise ValueError("every policy must meet the same traces; clear the cache of cells and run again")
    return {one: _load(own, cache, centre) for one, own in cells.items()}


def _load(cells: Sequence[GroupCell], cache: Path, centre: Centre) -> Played:
    episodes, callers, staff = (collect(cells, cache, name) for name in ("episodes", "callers", "counsellors"))
    number = len(episodes)
    return Played(
        {name: episodes[name].to_numpy() for name in episodes.columns if name not in ("seed", "trace_hash")},
        {
            grouping.name: callers.filter(pl.col("grouping") == grouping.name)
            .select(CALLER_SUMS)
            .to_numpy()
            .reshape(number, len(grouping.groups), len(CALLER_SUMS))
            for grouping in centre.groupings
        },
        staff.select(COUNSELLOR_SUMS).to_numpy().reshape(number, len(STAFF), len(COUNSELLOR_SUMS)),
    )


def everybody(centre: Centre) -> list[tuple[str, float]]:
    """The policies of a centre as they are, FCFS first."""
    return [(label, 0.0) for label in sorted(centre.policies, key=lambda label: label != FCFS)]

"""Cells of a comparison: one policy on a block of traces of one scenario, computed once and kept.

A cell is a folder of Parquet tables that appears by one rename, so that a killed run loses at most the cells under
way and a rerun computes nothing twice. Its name is a digest of all that its content depends on, source code included.
"""

import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import polars as pl

from experiments.entrants import Outsider, opened
from experiments.source_code import source_digest
from mhgym.domain import Outcome
from mhgym.evaluation.isolation import PolicyError
from mhgym.evaluation.rollout import Episode, run_episodes
from mhgym.metrics.profile import occupancy_by_hour
from mhgym.policy import Policy
from mhgym.scenario import Scenario

_STALE = 3600.0  # seconds
_KEY = 24  # characters


@dataclass(frozen=True)
class Cell:
    """One policy on a block of traces."""

    scenario_label: str
    scenario: Scenario
    policy: Policy | Outsider
    seeds: range
    engine: str = "compiled"

    @property
    def key(self) -> str:
        """Digest of scenario, policy, seeds and source code; the engine changes no result."""
        parts = (self.scenario_label, told(self.scenario), type(self.policy).__qualname__, told(self.policy))
        return digest_of(*parts, repr(self.seeds))

    def tables(self) -> dict[str, pl.DataFrame]:
        """Play the episodes."""
        with opened(self.policy) as policy:
            return _tables(self, run_episodes(self.scenario, policy, self.seeds, self.engine))


class Computed(Protocol):
    """Something to compute once and keep: a cell, or one of `experiments.bounds`."""

    @property
    def key(self) -> str:
        """Digest of all that the tables depend on."""
        ...

    def tables(self) -> dict[str, pl.DataFrame]:
        """Compute the tables by name."""
        ...


class Failure(NamedTuple):
    """Somebody's policy failed; `key` is of the cell."""

    key: str
    words: str


def digest_of(*parts: str) -> str:
    """A name for what depends on these words and on the source code."""
    return hashlib.blake2b("\n".join((*parts, source_digest())).encode(), digest_size=_KEY // 2).hexdigest()


def told(thing: Scenario | Policy | Outsider) -> str:
    """All that a scenario or a policy is, in words.

    Raises:
        ValueError: If a part of it has none of its own, so that results of two could be taken for each other.
    """
    with np.printoptions(threshold=sys.maxsize, floatmode="unique"):
        words = repr(thing)
    if found := re.search(r"<[^<>]* at 0x[0-9a-f]+>", words):
        raise ValueError(
            f"{getattr(thing, 'name', type(thing).__name__)} has a part that is no more than {found[0]}, by which its "
            "results could not be told from others; make it a dataclass, or give it a __repr__"
        )
    return words


def compute(cell: Computed, key: str, cache: Path) -> Failure | None:
    """Compute a cell if it is not there yet, and keep it in a folder of its key; None, or why it could not be done.

    The key is told by whoever begins the run, as other processes may find source code that has been edited since.
    """
    folder = cache / key
    if folder.is_dir():
        return None
    try:
        tables = cell.tables()
    except PolicyError as error:
        return Failure(key, str(error))
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=cache))
    for name, table in tables.items():
        table.write_parquet(draft / f"{name}.parquet")
    try:
        os.rename(draft, folder)
    except OSError:
        shutil.rmtree(draft)
        if not folder.is_dir():
            raise
        # Else another process was faster; its cell is the same.
    return None


def remove_drafts(cache: Path) -> None:
    """Remove what killed runs left half written more than an hour ago."""
    for draft in cache.glob(f".{'[0-9a-f]' * _KEY}-????????"):
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _STALE:
                shutil.rmtree(draft, ignore_errors=True)


def _tables(cell: Cell, episodes: list[Episode]) -> dict[str, pl.DataFrame]:
    label = {"scenario": cell.scenario_label, "policy": cell.policy.name}
    weights = np.array(cell.scenario.weights.as_tuple())
    rows = []
    for episode in episodes:
        kpis = episode.kpis
        vector = np.array([kpis[name] for name in ("quality", "quantity", "burden", "fairness")])
        head = {"seed": episode.seed, "trace_hash": episode.trace_hash, "decisions": episode.decisions}
        counts = {"illegal": episode.illegal, "simulations": episode.simulations}
        rows.append({**label, **head, **counts, "objective": float(weights @ vector), **kpis})
    hours = [occupancy_by_hour(ep.log, cell.scenario.roster, cell.scenario.horizon) for ep in episodes]
    return {
        "episodes": pl.DataFrame(rows),
        "waits": pl.concat([_waits(label, episode) for episode in episodes]),
        "occupancy": pl.DataFrame(
            {**label, "seed": episode.seed, "hour": range(len(curve)), "occupancy": curve}
            for episode, curve in zip(episodes, hours, strict=True)
        ).explode("hour", "occupancy"),
        "latency": pl.DataFrame(
            [{**label, "seed": episode.seed, "seconds": episode.latencies.tolist()} for episode in episodes],
            schema_overrides={"seconds": pl.List(pl.Float64)},  # also where nobody called
        ).explode("seconds"),
    }


def _waits(label: dict[str, str], episode: Episode) -> pl.DataFrame:
    """Minutes to the first answer of every offered contact; null if it never came."""
    log = episode.log
    offered = log.outcome != Outcome.REJECTED
    waits = (log.answered_at - log.arrived_at)[offered]
    columns = {name: pl.lit(value) for name, value in label.items()}
    return pl.DataFrame({"wait": waits}).select(
        *(value.alias(name) for name, value in columns.items()),
        pl.lit(episode.seed).alias("seed"),
        pl.col("wait").fill_nan(None),
    )


def collect(cells: Sequence[Computed], cache: Path, table: str) -> pl.DataFrame:
    """One table of all cells, in the order of the cells, whoever computed them."""
    return pl.concat([pl.read_parquet(cache / cell.key / f"{table}.parquet") for cell in cells], how="diagonal")

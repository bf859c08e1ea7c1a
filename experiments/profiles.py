"""Waits and occupancy of the policies of a scenario, from the tables of their cells."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from experiments.cells import Cell, collect
from mhgym.domain.contact import Floats

_HOURS_A_DAY = 24


def waits_by_policy(cells: Sequence[Cell], cache: Path) -> dict[str, Floats]:
    """Minutes to the first answer of every offered contact of one scenario; NaN if it never came."""
    waits = _by_policy(collect(cells, cache, "waits"))
    return {name: table["wait"].fill_null(np.nan).to_numpy() for name, table in waits.items()}


def occupancy_by_policy(cells: Sequence[Cell], cache: Path) -> dict[str, Floats]:
    """`[H]` mean occupancy in each hour of the day of one scenario; NaN where nobody is staffed."""
    by_hour = collect(cells, cache, "occupancy").with_columns(pl.col("hour") % _HOURS_A_DAY)
    return {
        name: table.group_by("hour")
        .agg(pl.col("occupancy").mean())
        .sort("hour")["occupancy"]
        .fill_null(np.nan)
        .to_numpy()
        for name, table in _by_policy(by_hour).items()
    }


def _by_policy(table: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {str(name): part for (name,), part in table.group_by(["policy"], maintain_order=True)}

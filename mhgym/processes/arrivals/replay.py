"""Replay of recorded arrivals, and the reading of such records."""

import csv
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mhgym.processes.arrivals.law import ArrivalLaw, Floats, check_horizon


@dataclass(frozen=True, repr=False)
class ReplayArrivals:
    """Arrivals as they were recorded; after the last recorded one nobody arrives.

    Every draw gives the same times. Planners must not see the recording: what they can know is `planning_law`, from
    which `resample` and `mean_rate` come.

    Args:
        gaps: Minutes from the start to the first arrival and from each arrival to the next.
        planning_law: The law fitted to such data.

    Raises:
        ValueError: If there are no gaps, or one is negative or not finite.
    """

    gaps: tuple[float, ...]
    planning_law: ArrivalLaw

    def __post_init__(self) -> None:
        gaps = np.asarray(self.gaps, dtype=np.float64)
        if gaps.ndim != 1 or not len(gaps):
            raise ValueError(f"a replay needs one row of at least one gap, got shape {gaps.shape}")
        wrong = np.flatnonzero(~(np.isfinite(gaps) & (gaps >= 0)))
        if len(wrong):
            raise ValueError(f"a gap must be finite and at least 0 minutes, got {gaps[wrong[0]]} at index {wrong[0]}")
        object.__setattr__(self, "gaps", tuple(gaps.tolist()))

    def __repr__(self) -> str:
        digest = hashlib.sha256(np.array(self.gaps, dtype="<f8").tobytes()).hexdigest()
        return f"ReplayArrivals(gaps=<{len(self.gaps)} gaps, sha256 {digest}>, planning_law={self.planning_law!r})"

    def sample(self, horizon: float, rng: np.random.Generator) -> Floats:
        """The `[n]` recorded times in [0, horizon), in order; the generator is not used. See `ArrivalLaw.sample`."""
        check_horizon(horizon)
        times = np.cumsum(self.gaps)
        return times[: np.searchsorted(times, horizon)]

    def resample(self, seen: Floats, now: float, horizon: float, rng: np.random.Generator) -> Floats:
        """Draw `[n]` times in (now, horizon) from the planning law; see `ArrivalLaw.resample`."""
        return self.planning_law.resample(seen, now, horizon, rng)

    def mean_rate(self, horizon: float) -> float:
        """Expected arrivals per minute under the planning law, averaged over [0, horizon)."""
        return self.planning_law.mean_rate(horizon)


def read_gaps(path: str | Path, column: str | None = None) -> tuple[float, ...]:
    """Read recorded gaps between arrivals.

    Args:
        path: A file with one gap in minutes a line and no header, or a CSV file with a header.
        column: Name of the column with the gaps; None for a file without a header.

    Returns:
        The gaps in minutes, in the order of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not text, the column is not there, or a gap is not a finite number of at
            least 0; the message names the file, the line, the value and the rule.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"{file}: recorded gaps need a file, got none at this path")
    try:
        gaps = tuple(_gap(file, line, text) for line, text in _cells(file, column))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file}: recorded gaps must be UTF-8 text, got byte {error.object[error.start]:#x}"
        ) from error
    except csv.Error as error:
        raise ValueError(f"{file}: recorded gaps must be a well-formed CSV file, got: {error}") from error
    if not gaps:
        raise ValueError(f"{file}: recorded gaps need at least one line of data, got 0")
    return gaps


def _cells(file: Path, column: str | None) -> Iterator[tuple[int, str]]:
    """Line numbers from 1 and the text of the gap on each."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        if column is None:
            yield from ((line, text.strip()) for line, text in enumerate(stream, start=1))
            return
        rows = csv.reader(stream)
        header = [name.strip() for name in next(rows, [])]
        if header.count(column) != 1:
            raise ValueError(
                f"{file}, line 1: the header must name the column {column!r} once, "
                f"got {header.count(column)} of it in {header}"
            )
        index = header.index(column)
        for row in rows:
            if len(row) != len(header):
                raise ValueError(
                    f"{file}, line {rows.line_num}: a row must have the {len(header)} cells of the header, "
                    f"got {len(row)}"
                )
            yield rows.line_num, row[index].strip()


def _gap(file: Path, line: int, text: str) -> float:
    try:
        gap = float(text.replace("_", "?"))  # Python alone reads 1_0 as 10
    except ValueError:
        raise ValueError(f"{file}, line {line}: a gap must be a number of minutes, got {text!r}") from None
    if not (math.isfinite(gap) and gap >= 0):
        raise ValueError(f"{file}, line {line}: a gap must be finite and at least 0 minutes, got {text!r}")
    return gap

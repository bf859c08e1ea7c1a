"""Rows, cells and times of a CSV file, with errors that name file, row, column, value and rule."""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

YES, NO = "yes", "no"
MINUTES_PER_DAY = 1440.0


@dataclass(frozen=True)
class Row:
    """One row of a file; `number` is its line, the header being line 1."""

    path: Path
    number: int
    cells: dict[str, str]

    def error(self, column: str, rule: str) -> ValueError:
        """An error that names this row's cell and the rule it breaks."""
        value = self.cells.get(column, "")
        return ValueError(f"{self.path}, row {self.number}, column {column}: {rule}, got {value!r}")

    def text(self, column: str, default: str = "") -> str:
        """The cell without surrounding blanks; `default` if it is empty or the file lacks the column."""
        return self.cells.get(column, "") or default

    def required(self, column: str, because: str = "must not be empty") -> str:
        """The cell, refused if empty."""
        if not self.text(column):
            raise self.error(column, because)
        return self.text(column)

    def choice(self, column: str, names: Sequence[str], default: str = "") -> int:
        """The index of the cell among `names`."""
        value = self.text(column, default).lower()
        if value not in names:
            raise self.error(column, f"must be one of {', '.join(names)}")
        return list(names).index(value)

    def number_within(self, column: str, low: float, high: float) -> float:
        """The cell as a number in [low, high]; NaN if it is empty."""
        if not self.text(column):
            return math.nan
        rule = f"must be a number from {low:g} to {high:g}"
        try:
            value = float(self.text(column))
        except ValueError:
            raise self.error(column, rule) from None
        if not low <= value <= high:
            raise self.error(column, rule)
        return value


@dataclass(frozen=True)
class Clock:
    """How times become minutes: `origin` is the earliest midnight, or None where times are minutes already."""

    origin: datetime | None = None

    def minutes(self, row: Row, column: str) -> float:
        """The time in one cell, in minutes, at least 0; NaN if the cell is empty."""
        if not row.text(column):
            return math.nan
        if self.origin is not None:
            return (_timestamp(row, column) - self.origin).total_seconds() / 60
        rule = "must be minutes as a finite number of at least 0, as in the first time of the log"
        try:
            value = float(row.text(column))
        except ValueError:
            raise row.error(column, rule) from None
        if not 0 <= value < math.inf:
            raise row.error(column, rule)
        return value


def read_rows(path: Path, required: Sequence[str], optional: Sequence[str]) -> list[Row]:
    """Read a CSV file with a header.

    Args:
        path: UTF-8 file with commas.
        required: Columns that it must have.
        optional: Columns that it may have.

    Raises:
        ValueError: If the file is not UTF-8 CSV, a column is missing, repeated or unknown, or a row has too many cells.
        OSError: If the file cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.reader(handle, strict=True)
            header = [name.strip() for name in next(reader, [])]
            _check_header(path, header, required, optional)
            return [_row(path, reader.line_num, header, cells) for cells in reader if any(map(str.strip, cells))]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: must be UTF-8 text, got {error.object[error.start : error.end]!r}") from None
    except csv.Error as error:
        raise ValueError(f"{path}: must be comma-separated values: {error}") from None


def find_clock(cells: Iterable[tuple[Row, str]]) -> Clock:
    """The clock of all given cells (row, column): minutes if the first that is not empty is a number, else ISO 8601.

    Raises:
        ValueError: If timestamps are not ISO 8601, or only some carry a UTC offset.
    """
    filled = [(row, column) for row, column in cells if row.text(column)]
    if not filled or _is_number(filled[0][0].text(filled[0][1])):
        return Clock()
    stamps = [_timestamp(row, column) for row, column in filled]
    aware = stamps[0].tzinfo is not None
    for (row, column), stamp in zip(filled, stamps, strict=True):
        if (stamp.tzinfo is not None) is not aware:
            raise row.error(column, "timestamps must carry a UTC offset either all or none")
    return Clock(min(stamps).replace(hour=0, minute=0, second=0, microsecond=0))


def _check_header(path: Path, header: list[str], required: Sequence[str], optional: Sequence[str]) -> None:
    """Refuse a header with missing, repeated or unknown columns."""
    missing = [name for name in required if name not in header]
    if missing:
        raise ValueError(
            f"{path}, row 1: the header must have column {missing[0]}, got {', '.join(header) or 'nothing'}"
        )
    for position, name in enumerate(header):
        if name in header[:position]:
            raise ValueError(f"{path}, row 1, column {name}: a column must appear once, got it twice")
        if name not in required and name not in optional:
            known = ", ".join([*required, *optional])
            raise ValueError(f"{path}, row 1, column {name}: must be one of {known}, got {name!r}")


def _row(path: Path, number: int, header: list[str], cells: list[str]) -> Row:
    """One row; cells missing at its end are empty."""
    if len(cells) > len(header):
        raise ValueError(f"{path}, row {number}: must have at most {len(header)} cells, got {len(cells)}")
    return Row(path, number, dict(zip(header, map(str.strip, cells), strict=False)))


def _timestamp(row: Row, column: str) -> datetime:
    """The cell as ISO 8601 date and time."""
    try:
        return datetime.fromisoformat(row.text(column))
    except ValueError:
        raise row.error(column, "must be an ISO 8601 timestamp, as in the first time of the log") from None


def _is_number(text: str) -> bool:
    """Whether Python reads the text as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True

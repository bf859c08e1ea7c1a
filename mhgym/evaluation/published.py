"""The published results of the baselines, trace by trace, which come with the package.

A file for each scenario, `published/<name>.csv`: a first line in JSON says what was played; then stand the columns
`seed`, `trace_hash` and one for each policy, its objective per arrival. `python -m experiments.publish` writes them;
`python -m experiments.leaderboard replay=published/<name>/<policy>` plays a column again.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhgym.presets import make_scenario
from mhgym.scenario import Scenario

Floats = NDArray[np.float64]
FOLDER = Path(__file__).parent / "published"
_DIGITS = 9


@dataclass(frozen=True)
class Published:
    """Objectives of the baselines on common traces.

    Attributes:
        name: Of the file, without its end.
        preset: Name.
        overrides: Settings of the preset.
        version: Of mhgym that played them.
        seeds: `[n]` of the traces.
        trace_hashes: `[n]` of the traces.
        objectives: By policy, `[n]`.
        policies: Of each column, its `name` among the agents of a checkout and its `settings`.
    """

    name: str
    preset: str
    overrides: dict[str, Any]
    version: str
    seeds: tuple[int, ...]
    trace_hashes: tuple[str, ...]
    objectives: dict[str, Floats]
    policies: dict[str, dict[str, Any]]

    @property
    def scenario(self) -> Scenario:
        """The centre."""
        return make_scenario(self.preset, **self.overrides)

    def write(self, folder: Path) -> Path:
        """Write the file; its path."""
        path = folder / f"{self.name}.csv"
        names = ("preset", "overrides", "version", "policies")
        head = {name: getattr(self, name) for name in names}
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(json.dumps(head) + "\n")
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(["seed", "trace_hash", *self.objectives])
            columns = [[as_published(value) for value in own] for own in self.objectives.values()]
            rows.writerows(zip(self.seeds, self.trace_hashes, *columns, strict=True))
        return path


def as_published(value: float) -> str:
    """A figure as it stands in the file."""
    return f"{value:.{_DIGITS}g}"


def published_names(folder: Path = FOLDER) -> list[str]:
    """Scenarios that have published results."""
    return sorted(path.stem for path in folder.glob("*.csv"))


def read_published(name: str, folder: Path = FOLDER) -> Published:
    """The published results of a scenario.

    Raises:
        ValueError: If there are none.
    """
    if name not in published_names(folder):
        raise ValueError(f"there are no published results of {name!r} (known: {', '.join(published_names(folder))})")
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        head = json.loads(file.readline())
        names, *rows = list(csv.reader(file))
    seeds, hashes, *columns = zip(*rows, strict=True)
    objectives = {policy: np.array(column, dtype=np.float64) for policy, column in zip(names[2:], columns, strict=True)}
    return Published(name, **head, seeds=tuple(map(int, seeds)), trace_hashes=hashes, objectives=objectives)

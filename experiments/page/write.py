"""Writing the page: the data of a comparison beside the template, the style and the scripts of this folder."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.cells import Cell, collect
from experiments.colours import CYCLE, GREY
from experiments.comparison import Row
from experiments.page.record import ReplayCell
from experiments.profiles import occupancy_by_policy, waits_by_policy
from mhgym.domain import LegKind, Outcome
from mhgym.metrics import GLOSSARY
from mhgym.metrics.profile import SpellEnd
from mhgym.rendering import palette
from mhgym.scenario import Scenario

_FOLDER = Path(__file__).parent
_SCRIPTS = ("draw.js", "table.js", "charts.js", "replay.js", "main.js")
_POINTS = 81  # of a curve of waits
_RARE = 0.995  # share of answered waits that the curves show


def replay_cells(cells: Sequence[Cell], shifts: int) -> list[ReplayCell]:
    """The first traces of every scenario, each by every policy."""
    found: dict[str, set[int]] = {}
    for cell in cells:
        found.setdefault(cell.scenario_label, set()).update(cell.seeds)
    first = {label: sorted(seeds)[:shifts] for label, seeds in found.items()}
    return [
        ReplayCell(cell.scenario_label, cell.scenario, cell.policy, seed, cell.engine)
        for cell in cells
        for seed in cell.seeds
        if seed in first[cell.scenario_label]
    ]


def write_page(
    path: Path,
    summary: Mapping[str, Any],
    rows: Sequence[Row],
    latency: Sequence[Mapping[str, Any]],
    cells: Sequence[Cell],
    replays: Sequence[ReplayCell],
    cache: Path,
) -> None:
    """Write the page of a comparison.

    Args:
        path: File to write.
        summary: Of `experiments.leaderboard`: what was run, where, and the results.
        rows: The results.
        latency: Of decisions, see `experiments.report.timings`.
        cells: Computed.
        replays: Computed.
        cache: Where both are.
    """
    configuration = summary["configuration"]
    labels = list(dict.fromkeys(cell.scenario_label for cell in cells))
    data = {
        "version": summary["version"],
        "machine": summary["machine"],
        "evaluation": configuration["evaluation"],
        "units": {name: GLOSSARY[name].unit for name in rows[0].means},
        "codes": {
            "outcome": _words(Outcome),
            "leg": _words(LegKind),
            "spell": _words(SpellEnd),
            "risk": list(palette.RISK_LETTER.values()),
        },
        "scenarios": [
            _scenario(label, [cell for cell in cells if cell.scenario_label == label], rows, latency, cache)
            | {"failures": [own for own in summary["failures"] if own["scenario"] == label]}
            | {"traces": summary["traces"][label], "replays": _records(label, replays, rows, cells, cache)}
            for label in labels
        ],
    }
    path.write_text(fill(data), encoding="utf-8")


def fill(data: Mapping[str, Any]) -> str:
    """The template with the data, the style and the scripts in it."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    parts = {
        "<!-- style -->": _colours() + _read("style.css"),
        "<!-- script -->": "\n".join(_read(name) for name in _SCRIPTS),
        "<!-- data -->": text,
    }
    page = _read("template.html")
    for marker, part in parts.items():
        page = page.replace(marker, part)
    return page


def _scenario(
    label: str, cells: Sequence[Cell], rows: Sequence[Row], latency: Sequence[Mapping[str, Any]], cache: Path
) -> dict[str, Any]:
    scenario = cells[0].scenario
    costs = {entry["policy"]: entry for entry in latency if entry["scenario"] == label}
    return {
        "label": label,
        "weights": dict(zip(("quality", "quantity", "burden", "fairness"), scenario.weights.as_tuple(), strict=True)),
        "rows": [row.as_json() | {"latency": costs.get(row.policy)} for row in rows if row.scenario == label],
        "waits": _shares(waits_by_policy(cells, cache)),
        "occupancy": {name: _plain(curve) for name, curve in occupancy_by_policy(cells, cache).items()},
        "staff": _people(scenario),
        "zombies": scenario.rules.zombies == "kept",
        "horizon": scenario.horizon,
    }


def _shares(waits: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, Any]:
    """By policy, the shares of offered contacts answered within each of some minutes."""
    answered = np.concatenate([own[np.isfinite(own)] for own in waits.values()])
    longest = max(1.0, float(np.quantile(answered, _RARE))) if len(answered) else 1.0
    minutes = np.linspace(0.0, longest, _POINTS)
    shares = {
        name: _plain(np.searchsorted(np.sort(own[np.isfinite(own)]), minutes, side="right") / max(1, len(own)))
        for name, own in waits.items()
    }
    return {"minutes": _plain(minutes), "shares": shares}


def _people(scenario: Scenario) -> list[dict[str, Any]]:
    people = zip(scenario.roster.names(), scenario.roster, strict=True)
    return [
        {
            "name": name,
            "short": f"{palette.ROLE_LETTERS[person.role]} {index}",
            "capacity": person.capacity,
            "inbox": person.inbox,
        }
        for index, (name, person) in enumerate(people)
    ]


def _records(
    label: str, replays: Sequence[ReplayCell], rows: Sequence[Row], cells: Sequence[Cell], cache: Path
) -> list[dict[str, Any]]:
    """The records of a scenario, policies in the order of the results, and whether each is the episode in the table."""
    own = [cell for cell in replays if cell.scenario_label == label]
    if not own:
        return []
    episodes = collect([cell for cell in cells if cell.scenario_label == label], cache, "episodes")
    known = {(policy, seed): score for policy, seed, score in episodes["policy", "seed", "objective"].iter_rows()}
    order = [row.policy for row in rows if row.scenario == label]
    records = [json.loads(text) for text in collect(own, cache, "replay")["record"]]
    records.sort(key=lambda record: (record["seed"], order.index(record["policy"])))
    return [record | {"same": known[record["policy"], record["seed"]] == record["objective"]} for record in records]


def _words(codes: Any) -> list[str]:
    return [code.name.lower().replace("_", " ") for code in codes]


def _plain(values: np.ndarray[Any, Any]) -> list[float | None]:
    """Four digits behind the point; null for what is not a number."""
    return [round(value, 4) if np.isfinite(value) else None for value in values.tolist()]


def _colours() -> str:
    """The palette as CSS variables."""
    lines = {f"line-{number}": colour for number, colour in enumerate(CYCLE)}
    lines["line-6"] = "currentColor"  # black, which a dark page cannot show
    lines |= {f"risk-{palette.RISK_LETTER[risk]}": f"rgb{colour}" for risk, colour in palette.RISK.items()}
    return ":root{" + "".join(f"--{name}:{value};" for name, value in {**lines, "grey": GREY}.items()) + "}\n"


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")

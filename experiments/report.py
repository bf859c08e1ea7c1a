"""Writing a results folder, whole or not at all."""

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from experiments.comparison import Failed, Row

_PACKAGES = ("mhgym", "numpy", "scipy", "numba", "simpy", "gymnasium", "hydra-core", "polars")
_HEADER = ("policy", "objective (95 % interval)", "minus {reference} (95 % interval)", "p (Holm)")
_SHARE = "share of the way to the bound (95 % interval)"


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A draft folder that becomes `target` when the block ends well, replacing what was there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft)
        raise
    old = None
    if target.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
        os.rename(target, old / target.name)
    os.chmod(draft, 0o755)
    os.rename(draft, target)
    if old is not None:
        shutil.rmtree(old)


def machine() -> dict[str, Any]:
    """What the run ran on: processor, cores, system, Python and packages."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def markdown(rows: list[Row], reference: str, confidence: float, failures: Sequence[Failed] = ()) -> str:
    """The rows as one Markdown table a scenario, and under it who failed."""
    lines: list[str] = []
    columns = list(rows[0].means)
    for scenario in dict.fromkeys(row.scenario for row in rows):
        part = [row for row in rows if row.scenario == scenario]
        bounded = part[0].share is not None
        names = (*_HEADER, _SHARE) if bounded else _HEADER
        header = [name.format(reference=reference).replace("95", f"{100 * confidence:g}") for name in names]
        lines += [f"## {scenario} ({part[0].traces} traces)", ""]
        if part[0].bound is not None:
            mean, gap = part[0].bound
            gap_words = "solved on every trace" if gap < 1e-9 else f"its gap at most {gap:.4f}"
            lines += [f"Clairvoyant bound {mean:.4f}, {gap_words}.", ""]
        lines += ["| " + " | ".join([*header, *columns]) + " |", "|" + "---|" * (len(header) + len(columns))]
        for row in part:
            difference = "" if row.difference is None else row.difference.format(digits=4)
            p_value = "" if row.p_value is None else f"{row.p_value:.2g}"
            cells = [row.policy, row.objective.format(digits=4), difference, p_value]
            if row.share is not None:
                cells.append(row.share.format(digits=3))
            lines.append("| " + " | ".join([*cells, *(f"{row.means[name]:.3f}" for name in columns)]) + " |")
        failed = [f"- {own.text()}" for own in failures if own.scenario == scenario]
        lines += ["", *failed, ""] if failed else [""]
    return "\n".join(lines)


def timings(latency: pl.DataFrame) -> list[dict[str, Any]]:
    """Median and 99th percentile of the decision latency, in milliseconds."""
    table = latency.drop_nulls("seconds").group_by(["scenario", "policy"], maintain_order=True)
    return [
        {
            "scenario": scenario,
            "policy": policy,
            "decisions": len(part),
            "median_ms": float(np.median(part["seconds"].to_numpy()) * 1e3),
            "p99_ms": float(np.quantile(part["seconds"].to_numpy(), 0.99) * 1e3),
        }
        for (scenario, policy), part in table
    ]


def timings_markdown(entries: list[dict[str, Any]], rows: list[Row]) -> str:
    """What a decision costs, one table a scenario, the policies in the order of the results."""
    found = {(entry["scenario"], entry["policy"]): entry for entry in entries}
    lines: list[str] = []
    for scenario in dict.fromkeys(row.scenario for row in rows):
        lines += [f"## {scenario}", "", "| policy | decision, median | 99 % | simulations |", "|---|---:|---:|---:|"]
        for row in rows:
            if row.scenario == scenario:
                entry = found.get((scenario, row.policy))  # none where nobody ever waited for a decision
                times = f"{entry['median_ms']:.3f} ms | {entry['p99_ms']:.3f} ms" if entry else " | "
                lines.append(f"| {row.policy} | {times} | {row.simulations:.0f} |")
        lines.append("")
    return "\n".join(lines)


def write_json(path: Path, data: object) -> None:
    """Readable JSON; a value that is not a number is refused."""
    path.write_text(json.dumps(data, indent=2, allow_nan=False) + "\n", encoding="utf-8")

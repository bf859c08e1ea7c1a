"""Measure everything, print it, and write `throughput.json` and `throughput.md`.

python -m benchmarks.throughput
"""

import argparse
import os
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.bars import judge_all
from benchmarks.episodes import measure_engines, measure_month
from benchmarks.learning import measure_learning
from benchmarks.report import markdown
from benchmarks.sizes import FULL, TINY, Sizes
from benchmarks.start_up import measure_starts
from benchmarks.stepping import measure_parts, measure_steps
from benchmarks.timing import Result
from benchmarks.tracing import measure_traces
from benchmarks.yardsticks import measure_ciw, measure_gymnasium
from experiments.report import machine, write_json

RESULTS = Path(__file__).resolve().parent / "results"
MEASUREMENTS = (
    measure_steps,
    measure_parts,
    measure_engines,
    measure_month,
    measure_gymnasium,
    measure_ciw,
    measure_traces,
    measure_learning,
    measure_starts,
)


def run(sizes: Sizes, folder: Path) -> list[Result]:
    """Take every measurement and write both reports into a folder."""
    described = machine()
    described["packages"]["ciw"] = version("ciw")
    described["measured_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    described["load_before"] = os.getloadavg()[0]
    results: list[Result] = []
    text = ""
    folder.mkdir(parents=True, exist_ok=True)
    for measure in MEASUREMENTS:
        print(f"{measure.__name__} ...", flush=True)
        results += measure(sizes)
        described["load_after"] = os.getloadavg()[0]
        text = write(folder, results, described)  # after each, so that a run cut short leaves what it measured
    print(text)
    return results


def write(folder: Path, results: list[Result], described: dict[str, Any]) -> str:
    """Write both reports; the Markdown."""
    bars = judge_all(results)
    data = {"machine": described, "bars": bars, "results": [result.as_dict() for result in results]}
    write_json(folder / "throughput.json", data)
    how = "Medians over interleaved rounds, per second of processor time on one core; the clock's median beside it."
    text = markdown("Throughput", how, results, bars, described)
    (folder / "throughput.md").write_text(text, encoding="utf-8")
    return text


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Throughput and latency of mhgym on this machine.")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the reports")
    parser.add_argument("--tiny", action="store_true", help="only see that everything runs")
    options = parser.parse_args(arguments)
    run(TINY if options.tiny else FULL, options.output)


if __name__ == "__main__":
    main()

"""What computing in processes gains and costs: the speed-up of a comparison on two workers, and the overhead of a cell.

python -m benchmarks.scaling

All times are by the clock, since processes share the machine; leave it alone meanwhile.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import polars as pl

from agents import make_agent
from benchmarks.bars import Bar
from benchmarks.report import markdown
from benchmarks.timing import Result
from experiments.cells import Cell, Computed, digest_of
from experiments.report import machine, write_json
from experiments.workers import compute_all
from mhgym.presets import make_scenario

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        rounds: Of everything, in turn.
        traces: Of EranHeavy, routed by MCTS.
        block: Of them, in a cell.
        empty: Cells that hold nothing.
        backends: Of joblib, see `experiments.workers`.
    """

    rounds: int = 5
    traces: int = 80
    block: int = 4
    empty: int = 400
    backends: tuple[str, ...] = ("loky",)


FULL = Plan()
#: Enough to see that everything runs; the numbers mean nothing.
TINY = Plan(rounds=1, traces=2, block=1, empty=4)
#: Not in the design: what two cores can give, and a tenth of the shortest cell of the main job.
BARS = (
    Bar("MCTS on EranHeavy, two workers over one", "speed_up.loky", 1.8),
    Bar("overhead of a cell, two workers", "overhead.loky.2", 10.0, at_most=True),
)


@dataclass(frozen=True)
class Empty:
    """A cell with nothing to compute."""

    number: int

    @property
    def key(self) -> str:
        """Of its number."""
        return digest_of("empty", str(self.number))

    def tables(self) -> dict[str, pl.DataFrame]:
        """One number."""
        return {"number": pl.DataFrame({"number": [self.number]})}


def seconds(cells: Sequence[Computed], cache: Path, workers: int, backend: str = "loky") -> float:
    """By the clock, until all are computed."""
    start = perf_counter()
    for _ in compute_all(cells, cache, workers, backend):
        pass
    return perf_counter() - start


def comparison(plan: Plan) -> list[Cell]:
    """MCTS with 300 simulations a decision."""
    scenario, policy = make_scenario("EranHeavy"), make_agent("mcts", simulations=300)
    blocks = [range(first, min(first + plan.block, plan.traces)) for first in range(0, plan.traces, plan.block)]
    return [Cell("eran_heavy", scenario, policy, block) for block in blocks]


def measure(plan: Plan) -> list[Result]:
    """Everything in turn, each into a folder of its own; the first round, which starts the workers, does not count."""
    cells, empty = comparison(plan), [Empty(number) for number in range(plan.empty)]
    tasks: dict[str, Callable[[Path], float]] = {"one": lambda cache: seconds(cells, cache, 1)}
    for backend in plan.backends:
        tasks[f"two.{backend}"] = lambda cache, backend=backend: seconds(cells, cache, 2, backend)
        for workers in (1, 2):
            tasks[f"empty.{backend}.{workers}"] = lambda cache, backend=backend, workers=workers: seconds(
                empty, cache, workers, backend
            )
    times: dict[str, list[float]] = {name: [] for name in (*tasks, "found")}
    for _ in range(plan.rounds + 1):
        for name, task in tasks.items():
            with tempfile.TemporaryDirectory() as folder:
                times[name].append(task(Path(folder)))
                if name == "empty.loky.1":
                    times["found"].append(seconds(empty, Path(folder), 1))
    return results_of({name: own[1:] for name, own in times.items()}, plan)


def results_of(times: dict[str, list[float]], plan: Plan) -> list[Result]:
    """The lines of the report."""
    size = f"{plan.traces} traces in cells of {plan.block}"
    lines = [_line("one", f"MCTS on EranHeavy, {size}, one worker", "s", times["one"])]
    for backend in plan.backends:
        two = times[f"two.{backend}"]
        ratios = [one / other for one, other in zip(times["one"], two, strict=True)]
        lines += [
            _line(f"two.{backend}", f"the same, two workers of {backend}", "s", two),
            _line(f"speed_up.{backend}", f"two workers of {backend} over one", "×", ratios),
        ]
        for workers in (1, 2):
            each = [1e3 * own / plan.empty for own in times[f"empty.{backend}.{workers}"]]
            what = f"a cell with nothing in it, written, {workers} worker{'s' * (workers > 1)} of {backend}"
            lines.append(_line(f"overhead.{backend}.{workers}", what, "ms", each))
    found = [1e3 * own / plan.empty for own in times["found"]]
    return [*lines, _line("found", "a cell that is found completed", "ms", found)]


def _line(key: str, what: str, unit: str, values: list[float]) -> Result:
    middle = median(values)
    return Result(key, what, unit, middle, min(values), max(values), middle, len(values))


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Speed-up and overhead of computing in processes, on this machine.")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the reports")
    parser.add_argument("--tiny", action="store_true", help="only see that everything runs")
    options = parser.parse_args(arguments)
    plan = TINY if options.tiny else FULL
    described: dict[str, Any] = machine()
    described["measured_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    described["load_before"] = os.getloadavg()[0]
    results = measure(plan)
    described["load_after"] = os.getloadavg()[0]
    table = {result.key: result for result in results}
    bars = [verdict for bar in BARS if (verdict := bar.judge(table)) is not None]
    options.output.mkdir(parents=True, exist_ok=True)
    data = {"machine": described, "plan": asdict(plan), "bars": bars, "results": [own.as_dict() for own in results]}
    write_json(options.output / "scaling.json", data)
    text = markdown("Scaling", "Medians over rounds in turn, all by the clock.", results, bars, described)
    (options.output / "scaling.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

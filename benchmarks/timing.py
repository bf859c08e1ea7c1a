"""Timing tasks in turn, so that a load on the machine falls on all of them alike."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter, process_time
from typing import Any


@dataclass(frozen=True)
class Timing:
    """One run of a task.

    Attributes:
        work: Units done: decisions, events, episodes.
        cpu: Processor seconds; what other processes take does not count, so rates are per second and core.
        wall: Seconds on the clock.
    """

    work: int
    cpu: float
    wall: float


Series = list[Timing]


@dataclass(frozen=True)
class Result:
    """One line of the report: the median over repeats, by processor time unless it says otherwise, and their range.

    Attributes:
        key: Name for machines.
        what: Name for people.
        unit: Of the numbers.
        value: Median by processor time, or by the clock for what runs on several cores.
        low: Least.
        high: Largest.
        wall: Median by the clock; equal to `value` but for load on the machine and for input and output.
        repeats: Runs behind the median.
    """

    key: str
    what: str
    unit: str
    value: float
    low: float
    high: float
    wall: float
    repeats: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure(task: Callable[[], int]) -> Timing:
    """Run a task, which returns the work it did."""
    wall, cpu = perf_counter(), process_time()
    work = task()
    return Timing(work, process_time() - cpu, perf_counter() - wall)


def interleave(tasks: Mapping[str, Callable[[], int]], repeats: int) -> dict[str, Series]:
    """Run every task once to warm up, then all of them in turn, `repeats` times."""
    for task in tasks.values():
        task()
    series: dict[str, Series] = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            series[name].append(measure(task))
    return series


def rate(key: str, what: str, unit: str, series: Series, *, by_clock: bool = False) -> Result:
    """Work per second of processor time, or of the clock for what runs on several cores; `unit` names the work."""
    values = [timing.work / (timing.wall if by_clock else timing.cpu) for timing in series]
    wall = median(timing.work / timing.wall for timing in series)
    return Result(key, what, f"{unit}/s", median(values), min(values), max(values), wall, len(series))


def duration(key: str, what: str, unit: str, series: Series) -> Result:
    """Time per unit of work, in `s`, `ms` or `µs`."""
    scale = {"s": 1.0, "ms": 1e3, "µs": 1e6}[unit]
    values = [scale * timing.cpu / timing.work for timing in series]
    wall = median(scale * timing.wall / timing.work for timing in series)
    return Result(key, what, unit, median(values), min(values), max(values), wall, len(series))


def speed_up(key: str, what: str, fast: Series, slow: Series) -> Result:
    """How many times faster one task is than another, round by round."""
    pairs = list(zip(fast, slow, strict=True))
    values = [(a.work / a.cpu) / (b.work / b.cpu) for a, b in pairs]
    wall = median((a.work / a.wall) / (b.work / b.wall) for a, b in pairs)
    return Result(key, what, "×", median(values), min(values), max(values), wall, len(pairs))

"""The weekly matcher from 150 × 15 to 8000 × 500: time, memory, and where each method stops.

python -m benchmarks.matching

Every run is a process of its own with a limit on time and memory, so that its peak of memory is its own and a method
that does not finish says how it ended.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from agents.weekly_greedy import offer_by_severity
from agents.weekly_matcher import offer_exactly
from agents.weekly_oracle import offer_as_printed
from benchmarks.bars import Bar
from benchmarks.report import number, row
from benchmarks.timing import Result
from experiments.report import machine, write_json
from mhgym.matching import Offers, Week, WeekGenerator, columns, objectives, violations
from mhgym.matching.traits import SEVERITIES
from mhgym.matching.week import SLOTS

RESULTS = Path(__file__).resolve().parent / "results"
GIB = 2**30


def _printed_small(week: Week, most_offers: int) -> Offers:
    """The transcription with coefficients 1 to 7, which have the same optimum as the report's."""
    return offer_as_printed(week, most_offers, coefficients=range(1, SEVERITIES + 1))


METHODS: dict[str, Callable[[Week, int], Offers]] = {
    "exact": offer_exactly,
    "greedy by severity": offer_by_severity,
    "transcription, the report's coefficients": offer_as_printed,
    "transcription, coefficients 1 to 7": _printed_small,
}


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        sizes: Patients and volunteers: the report's, and ten and twenty times as many; the last two have few patients
            for each volunteer, so that little is scarce and the linear program is large.
        seeds: Weeks of each size for the methods that are quick.
        seconds: Limit of a run.
        memory: Limit of a run, GiB.
    """

    sizes: tuple[tuple[int, int], ...] = (
        *((150, 15), (400, 25), (1000, 60), (2000, 125), (4000, 250), (8000, 500)),
        *((500, 200), (2000, 1000)),
    )
    seeds: int = 3
    seconds: float = 180.0
    memory: float = 8.0


FULL = Plan()
#: Enough to see that everything runs; the numbers mean nothing.
TINY = Plan(sizes=((8, 3),), seeds=1, seconds=60.0)
BARS = (
    Bar("400 × 25, three offers", "exact.400x25.3", 0.5, at_most=True),
    Bar("4000 × 250, three offers", "exact.4000x250.3", 10.0, at_most=True),
    Bar("8000 × 500, three offers", "exact.8000x500.3", 30.0, at_most=True),
    Bar("8000 × 500, one offer", "exact.8000x500.1", 5.0, at_most=True),
)


@dataclass(frozen=True)
class Run:
    """One method on one week.

    Attributes:
        method: Name.
        patients: Of the week.
        volunteers: Of the week.
        most_offers: The report's k.
        seed: Of the week.
        ended: `solved`, or how it stopped.
        cpu: Processor seconds, from the week to the offers.
        wall: Seconds by the clock.
        memory: Peak of the process, GiB, of which Python and its libraries are about 0.2.
        printed_columns: x of the printed model.
        columns: Of these, what pruning leaves.
        ranked: The three objectives, as text, since the first is a large number.
        feasible: Whether every rule is kept.
    """

    method: str
    patients: int
    volunteers: int
    most_offers: int
    seed: int
    ended: str
    cpu: float | None = None
    wall: float | None = None
    memory: float | None = None
    printed_columns: int | None = None
    columns: int | None = None
    ranked: tuple[str, ...] | None = None
    feasible: bool | None = None


def solve_here(method: str, size: tuple[int, int], most_offers: int, seed: int) -> Run:
    """Run a method in this process."""
    matcher = METHODS[method]
    matcher(WeekGenerator(num_patients=6, num_volunteers=2, severity=0).sample(0), most_offers)  # to load libraries
    week = WeekGenerator(num_patients=size[0], num_volunteers=size[1]).sample(seed)
    wall, cpu = perf_counter(), process_time()
    offers = matcher(week, most_offers)
    cpu, wall = process_time() - cpu, perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB
    return Run(
        *(method, *size, most_offers, seed, "solved", cpu, wall, peak),
        printed_columns=size[0] * size[1] * SLOTS,
        columns=len(columns(week)),
        ranked=tuple(str(value) for value in objectives(week, offers).ranked),
        feasible=violations(week, offers, most_offers) == [],
    )


def solve_apart(plan: Plan, method: str, size: tuple[int, int], most_offers: int, seed: int) -> Run:
    """Run a method in a process of its own, within the limits."""
    asked = (method, *size, most_offers, seed)
    limit = int(plan.memory * GIB)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.matching", "--one", *map(str, asked)],
            capture_output=True,
            text=True,
            check=False,
            timeout=plan.seconds,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        )
    except subprocess.TimeoutExpired:
        return Run(*asked, ended=f"no answer in {plan.seconds:g} s")
    if done.returncode == 0:
        run = Run(**json.loads(done.stdout))
        return replace(run, ranked=tuple(run.ranked or ()))  # a list in JSON
    last = done.stderr.strip().splitlines()[-1:]
    if done.returncode < 0 or any("MemoryError" in line or "bad_alloc" in line for line in last):
        return Run(*asked, ended=f"more than {plan.memory:g} GiB")
    return Run(*asked, ended=" ".join(last).split(";")[0])  # the rule, without the way out


def measure(plan: Plan) -> list[Run]:
    """Every method at every size, until it stops."""
    runs: list[Run] = []
    for method in METHODS:
        for most_offers in (1, 3):
            stopped = False
            for size in plan.sizes:
                if stopped and size[0] * size[1] > runs[-1].patients * runs[-1].volunteers:
                    continue  # it stopped at a smaller size
                for seed in range(plan.seeds if "transcription" not in method else 1):
                    runs.append(solve_apart(plan, method, size, most_offers, seed))
                    print(_line(runs[-1:]), flush=True)
                stopped = runs[-1].ended != "solved"
    return runs


def results_of(runs: list[Run]) -> list[Result]:
    """The medians over weeks of what was solved."""
    results = []
    for group in _groups(runs):
        first, cpu = group[0], [run.cpu for run in group if run.cpu is not None]
        if cpu:
            size = f"{first.patients}x{first.volunteers}"
            wall = median(run.wall for run in group if run.wall is not None)
            what = f"{first.method}, {size}, {first.most_offers} offers"
            key = f"{first.method}.{size}.{first.most_offers}"
            results.append(Result(key, what, "s", median(cpu), min(cpu), max(cpu), wall, len(cpu)))
    return results


def disagreements(runs: list[Run]) -> list[str]:
    """Weeks on which an exact method is infeasible or differs from another."""
    values: dict[tuple[int, int, int, int], set[tuple[str, ...]]] = {}
    wrong = [f"infeasible: {run}" for run in runs if run.feasible is False]
    for run in runs:
        if run.ranked is not None and run.method != "greedy by severity":
            values.setdefault((run.patients, run.volunteers, run.most_offers, run.seed), set()).add(run.ranked)
    return wrong + [f"different optima: {week} {found}" for week, found in values.items() if len(found) > 1]


def markdown(runs: list[Run], bars: list[dict[str, Any]], described: dict[str, Any], plan: Plan) -> str:
    """Bars, then every size."""
    wrong = disagreements(runs)
    lines = [
        "# Weekly matcher",
        "",
        f"{described['processor']}, {described['cores']} cores, Python {described['python']}, HiGHS "
        f"{described['packages']['highspy']}; load average before and after: {described['load_before']:.1f}, "
        f"{described['load_after']:.1f} (this run makes up 1).",
        "",
        f"Processor seconds on one core, medians over weeks; at most {plan.seconds:g} s and {plan.memory:g} GiB a run. "
        "A method is not tried on larger weeks than one that stopped it.",
        "",
        "All answers keep every rule, and exact methods agree wherever two finish." if not wrong else "\n".join(wrong),
        "",
        row("bar", "to reach", "measured", "met"),
        row("---", "---:", "---:", "---"),
    ]
    lines += [
        row(bar["what"], bar["bar"], f"{number(bar['measured'])} {bar['unit']}", "yes" if bar["met"] else "**no**")
        for bar in bars
    ]
    lines += [
        "",
        row("method", "week", "offers", "columns, printed", "pruned", "seconds", "by the clock", "GiB", "weeks"),
        row("---", *["---:"] * 8),
        *(_line(group) for group in _groups(runs)),
    ]
    return "\n".join([*lines, ""])


def _groups(runs: list[Run]) -> list[list[Run]]:
    """Runs that differ in the seed only."""
    groups: dict[tuple[str, int, int, int], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.method, run.patients, run.volunteers, run.most_offers), []).append(run)
    return list(groups.values())


def _line(group: list[Run]) -> str:
    """A line of the report."""
    first = group[0]
    head = (first.method, f"{first.patients} × {first.volunteers}", str(first.most_offers))
    printed = f"{first.patients * first.volunteers * SLOTS:,}"
    stopped = [run.ended for run in group if run.ended != "solved"]
    if stopped:
        return row(*head, printed, "", f"stopped: {stopped[0]}", "", "", str(len(group)))
    cpu, wall, memory = (median(getattr(run, name) for run in group) for name in ("cpu", "wall", "memory"))
    return row(*head, printed, f"{first.columns:,}", number(cpu), number(wall), f"{memory:.2f}", str(len(group)))


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Time and memory of the weekly matcher on this machine.")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the reports")
    parser.add_argument("--tiny", action="store_true", help="only see that everything runs")
    parser.add_argument("--one", nargs=5, metavar=("METHOD", "P", "V", "K", "SEED"), help="one run, in this process")
    options = parser.parse_args(arguments)
    if options.one:
        patients, volunteers, most_offers, seed = map(int, options.one[1:])
        print(json.dumps(asdict(solve_here(options.one[0], (patients, volunteers), most_offers, seed))))
        return
    plan = TINY if options.tiny else FULL
    described = machine()
    described["packages"]["highspy"] = version("highspy")
    described["measured_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    described["load_before"] = os.getloadavg()[0]
    runs = measure(plan)
    described["load_after"] = os.getloadavg()[0]
    table = {result.key: result for result in results_of(runs)}
    bars = [verdict for bar in BARS if (verdict := bar.judge(table)) is not None]
    options.output.mkdir(parents=True, exist_ok=True)
    data = {"machine": described, "plan": asdict(plan), "bars": bars, "runs": [asdict(run) for run in runs]}
    write_json(options.output / "matching.json", data)
    text = markdown(runs, bars, described, plan)
    (options.output / "matching.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

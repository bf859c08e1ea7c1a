"""What a contact costs as the centre grows: a day of Open Up with so many times the callers and the staff, under FCFS.

Processor time on the machine that runs it, medians over days; the engine alone, a whole episode with its trace and
KPIs, and the same day played through the steps of an environment, whose observation grows with the roster by its
nature. Nobody's result depends on it.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from rich.console import Console

from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.episodes import run_rule
from mhgym.engines.rules import Rule
from mhgym.envs.vector import RoutingBatch
from mhgym.presets import make_scenario
from mhgym.presets.open_up_roster import BASE_STAFFING
from mhgym.processes.arrivals import OPEN_UP_VISITORS_PER_HOUR
from mhgym.scenario import Scenario
from mhgym.trace import Trace

FACTORS = (1, 3, 10, 30, 100)
STEP_DAYS = 3  # days that are played by steps, too, which takes a hundred times as long


@dataclass(frozen=True)
class Size:
    """One size of the centre; times in microseconds of processor time for each offered contact, medians over days.

    Attributes:
        factor: Times the callers and the staff of the base case.
        counsellors: On the roster.
        contacts: Offered in a day, mean.
        engine: The compiled engine.
        trace: Drawing the trace.
        kpis: Computing all KPIs.
        steps: Playing the day step by step with observations, masks and rewards of 16 queue slots; fewer days.
        quantity: Answered, share of the offered, mean.
    """

    factor: int
    counsellors: int
    contacts: float
    engine: float
    trace: float
    kpis: float
    steps: float
    quantity: float

    @property
    def episode(self) -> float:
        """A day under a rule: its trace, the engine and KPIs."""
        return self.engine + self.trace + self.kpis


def grown(factor: int) -> Scenario:
    """A day of Open Up with so many times the callers, and the staff of each shift and role.

    Raises:
        ValueError: If the factor is below 1.
    """
    if factor < 1:
        raise ValueError(f"a centre grows by a whole factor of at least 1, got {factor}")
    per_hour = sum(OPEN_UP_VISITORS_PER_HOUR) / len(OPEN_UP_VISITORS_PER_HOUR)
    staffing = {
        shift: {role: factor * number for role, number in roles.items()} for shift, roles in BASE_STAFFING.items()
    }
    return make_scenario("OpenUp", flow=factor * per_hour, staffing=staffing)


def measure(factor: int, days: int) -> Size:
    """Play days of one size, the first once more beforehand so that nothing is measured cold."""
    scenario = grown(factor)
    engine, batch = CompiledEngine(scenario), RoutingBatch(1, scenario)
    run_rule(engine, Trace.sample(scenario, 0), Rule.FIRST_COME)
    play_steps(batch, Trace.sample(scenario, 0))
    rows = []
    for seed in range(days):
        times = [process_time()]
        trace = Trace.sample(scenario, seed)
        times.append(process_time())
        run_rule(engine, trace, Rule.FIRST_COME)
        times.append(process_time())
        kpis = engine.kpis()
        times.append(process_time())
        if seed < STEP_DAYS:
            play_steps(batch, trace)
        times.append(process_time())
        rows.append((*np.diff(times) / max(1, trace.offered) * 1e6, trace.offered, kpis["quantity"]))
    columns = np.array(rows)
    trace_cost, engine_cost, kpi_cost = np.median(columns[:, :3], axis=0).tolist()
    step_cost = float(np.median(columns[:STEP_DAYS, 3]))
    contacts, quantity = columns[:, 4:].mean(axis=0).tolist()
    return Size(factor, len(scenario.roster), contacts, engine_cost, trace_cost, kpi_cost, step_cost, quantity)


def play_steps(batch: RoutingBatch, trace: Trace) -> None:
    """Take the first legal action at every step of a day: the longest waiting contact that anybody can take."""
    batch.begin([0], [trace])
    everybody = np.ones(1, dtype=np.bool_)
    while not batch.step(batch.mask.argmax(axis=1), everybody):
        pass


def growth(sizes: list[Size], name: str) -> list[float]:
    """Exponents b of total cost ∝ contacts^b from each size to the next; 1 is linear."""
    contacts = np.log([size.contacts for size in sizes])
    total = contacts + np.log([getattr(size, name) for size in sizes])
    exponents: list[float] = (np.diff(total) / np.diff(contacts)).tolist()
    return exponents


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write the report into a folder; the same as plain data.

    Args:
        replications: Days of each size.
        workers: Not used: processes would disturb one another's times.
        folder: Of the results.
        console: Where to print.
    """
    del workers
    sizes = []
    for factor in FACTORS:
        sizes.append(measure(factor, replications))
        console.print(f"× {factor}: {sizes[-1].engine:.1f} µs a contact in the engine", highlight=False)
    exponents = {name: growth(sizes, name) for name in ("engine", "episode", "steps")}
    (folder / "report.md").write_text(markdown(sizes, exponents), encoding="utf-8")
    return {"sizes": [asdict(size) | {"episode": size.episode} for size in sizes], "exponents": exponents}


def markdown(sizes: list[Size], exponents: dict[str, list[float]]) -> str:
    """One row a size."""
    lines = [
        "# A day of Open Up, larger and larger: microseconds of processor time for each contact",
        "",
        "| times | counsellors | contacts a day | answered | engine | trace | KPIs | together | by steps |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for size in sizes:
        values = size.engine, size.trace, size.kpis, size.episode, size.steps
        costs = " | ".join(f"{value:.1f}" for value in values)
        lines.append(f"| {size.factor} | {size.counsellors} | {size.contacts:.0f} | {size.quantity:.3f} | {costs} |")
    steps = {name: ", ".join(f"{exponent:.2f}" for exponent in values) for name, values in exponents.items()}
    lines += [
        "",
        f"From each size to the next the cost of a day under a rule grows with contacts to the powers of "
        f"{steps['episode']}, that of the engine alone {steps['engine']}; 1 is linear. Played by steps it grows with "
        f"{steps['steps']}: each observation tells all counsellors, and all pairs with the contacts in 16 slots.",
    ]
    return "\n".join(lines) + "\n"

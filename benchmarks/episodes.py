"""Whole episodes, first come, first served: the compiled engine over the SimPy engine, and a month of Open Up."""

from typing import Any

import numpy as np

from agents.first_come import FirstCome
from benchmarks import loops
from benchmarks.sizes import Sizes
from benchmarks.timing import Result, Series, duration, interleave, rate, speed_up
from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.episodes import run_rule
from mhgym.engines.packing import load_trace, make_chance, make_plan, make_state
from mhgym.engines.protocol import EventKind
from mhgym.engines.reference import ReferenceEngine
from mhgym.engines.rules import NO_PARAMS, Rule
from mhgym.presets import make_scenario
from mhgym.scenario import Scenario
from mhgym.trace import Trace


def run_compiled(engine: CompiledEngine, trace: Trace) -> CompiledEngine:
    """One episode in one compiled loop, loading the trace included."""
    run_rule(engine, trace, Rule.FIRST_COME)
    return engine


def run_lean(engine: ReferenceEngine, trace: Trace) -> ReferenceEngine:
    """One episode on SimPy with the leanest driver: the pair is picked from the engine's own lists, without a view."""
    engine.reset(trace)
    risks, risk_of = engine.fixed.risks.tolist(), trace.risk.tolist()
    while engine.advance():
        takers = [desk for desk in engine.desks if desk.can_take(engine.now)]
        for row, contact in enumerate(engine.queue):
            able = [desk for desk in takers if risks[desk.index][risk_of[contact]]]
            if able:
                engine.assign(row, min(able, key=lambda desk: desk.free[0]).index)
                break
    return engine


def run_viewed(engine: ReferenceEngine, trace: Trace) -> ReferenceEngine:
    """One episode on SimPy as a policy sees it: a view for each decision."""
    engine.reset(trace)
    policy = FirstCome()
    while engine.advance():
        engine.assign(*policy.act(engine.view()))
    return engine


def count_events(scenario: Scenario, traces: list[Trace]) -> int:
    """Events of these episodes, assignments apart; raises if the engines do not agree."""
    recording, plain = CompiledEngine(scenario, record=True), ReferenceEngine(scenario)
    total = 0
    for trace in traces:
        run_compiled(recording, trace)
        total += sum(kind != EventKind.ASSIGNMENT for _, kind, _, _ in recording.events)
        for run in (run_lean, run_viewed):
            other = run(plain, trace).log()
            if not np.array_equal(recording.log().answered_at, other.answered_at, equal_nan=True):
                raise AssertionError(f"{scenario.name}, seed {trace.seed}: the engines decide differently")
    return total


def _pooled(scenario: Scenario, traces: list[Trace]) -> tuple[Any, Any, Any]:
    plan, room = make_plan(scenario), max(len(trace) for trace in traces)
    pool, state = make_chance(plan, len(traces), room), make_state(plan, len(traces), room)
    for row, trace in enumerate(traces):
        load_trace(pool, row, trace)
    return plan, pool, state


def _compare(name: str, scenario: Scenario, traces: list[Trace], repeats: int) -> list[Result]:
    """Events per second of each engine on the same traces, and the ratio."""
    events = count_events(scenario, traces)
    arrays = _pooled(scenario, traces)
    fast, slow = CompiledEngine(scenario), ReferenceEngine(scenario)
    rounds = 20

    def loop() -> int:
        for _ in range(rounds):
            loops.run_pool(*arrays, NO_PARAMS)
        return events * rounds

    def each(run: Any, engine: Any, times: int = 1) -> int:
        for _ in range(times):
            for trace in traces:
                run(engine, trace)
        return events * times

    series: dict[str, Series] = interleave(
        {
            "loop": loop,
            "compiled": lambda: each(run_compiled, fast, rounds),
            "lean": lambda: each(run_lean, slow),
            "viewed": lambda: each(run_viewed, slow),
        },
        repeats,
    )
    words = {
        "loop": "compiled, all episodes in one compiled loop",
        "compiled": "compiled, one call from Python an episode",
        "lean": "SimPy, leanest driver",
        "viewed": "SimPy, with views",
    }
    rates = [rate(f"events.{name}.{key}", f"{name}, FCFS: {words[key]}", "events", series[key]) for key in words]
    return rates + [
        speed_up(f"ratio.{name}.{a}.{b}", f"{name}, FCFS: {words[a]} over {words[b]}", series[a], series[b])
        for a, b in (("loop", "lean"), ("loop", "viewed"), ("compiled", "lean"))
    ]


def measure_engines(sizes: Sizes) -> list[Result]:
    """The compiled engine over the SimPy engine on the same traces and decisions."""
    results = []
    for name, number in (("EranHeavy", sizes.heavy_traces), ("OpenUp", sizes.day_traces)):
        scenario = make_scenario(name)
        traces = [Trace.sample(scenario, seed) for seed in range(number)]
        results += _compare(name, scenario, traces, sizes.repeats)
    return results


def measure_month(sizes: Sizes) -> list[Result]:
    """A month of Open Up, trace drawing apart."""
    scenario = make_scenario("OpenUp", horizon=sizes.month_minutes)
    trace, engine = Trace.sample(scenario, 0), CompiledEngine(scenario)

    def serve() -> int:
        run_compiled(engine, trace)
        return 1

    def draw() -> int:
        Trace.sample(scenario, 0)
        return 1

    series = interleave({"serve": serve, "draw": draw}, sizes.repeats)
    days = f"OpenUp, {sizes.month_minutes / 1440:g} days"
    return [
        duration("month.serve", f"{days}, FCFS, compiled ({len(trace)} visitors)", "ms", series["serve"]),
        duration("month.draw", f"{days}: drawing the trace", "ms", series["draw"]),
    ]

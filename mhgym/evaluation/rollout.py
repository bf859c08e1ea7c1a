"""Running a policy on traces: common random numbers, latency apart from results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import ContactLog
from mhgym.engines.registry import make_engine
from mhgym.metrics.ratios import share
from mhgym.policy import Policy, policy_rng
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import HOLD


@dataclass(frozen=True)
class Episode:
    """One policy on one trace.

    Attributes:
        seed: Of the trace.
        trace_hash: Names all chance of the episode.
        kpis: Every KPI, see `metrics.GLOSSARY`.
        log: Contact records.
        decisions: Decisions asked for.
        illegal: Decisions that were not legal and counted as HOLD.
        simulations: Futures that a planner played in all, where it says so (`simulated`); 0 for others.
        latencies: Wall-clock seconds of each decision, where it was taken in Python; never part of a result.
    """

    seed: int
    trace_hash: str
    kpis: dict[str, float]
    log: ContactLog
    decisions: int
    illegal: int
    simulations: int
    latencies: NDArray[np.float64]


def run_episode(scenario: Scenario, policy: Policy, trace: Trace, engine_name: str = "simpy") -> Episode:
    """Let a policy route one trace of a scenario; the engines give the same episode."""
    engine = make_engine(engine_name, scenario)
    engine.reset(trace)
    policy.reset(scenario.public, policy_rng(trace.hash, policy.name))
    latencies: list[float] = []
    illegal = 0
    while engine.advance():
        view = engine.view()
        begun = perf_counter()
        pair = policy.act(view)
        latencies.append(perf_counter() - begun)
        if pair == HOLD:
            engine.hold()
        elif not engine.assign(*pair):
            illegal += 1
            engine.hold()
    log = engine.log()
    counts = len(latencies), illegal, int(getattr(policy, "simulated", 0))
    return Episode(trace.seed, trace.hash, engine.kpis(), log, *counts, np.array(latencies))


def run_episodes(scenario: Scenario, policy: Policy, seeds: Iterable[int], engine_name: str = "simpy") -> list[Episode]:
    """Let a policy route the trace of each seed; the same seeds give every policy the same traces.

    On the compiled engine a policy that names a `compiled_rule` (and its `compiled_params`, if it has any) plays all
    episodes but the first without any Python per decision: the results are the same, and the first episode's decisions
    stand for the latency.
    """
    rule = getattr(policy, "compiled_rule", None) if engine_name == "compiled" else None
    traces = [Trace.sample(scenario, seed) for seed in seeds]
    if rule is None:
        return [run_episode(scenario, policy, trace, engine_name) for trace in traces]
    first = [run_episode(scenario, policy, trace, engine_name) for trace in traces[:1]]
    return first + _run_rule(scenario, policy, rule, traces[1:])


def _run_rule(scenario: Scenario, policy: Policy, rule: int, traces: list[Trace]) -> list[Episode]:
    from mhgym.engines.compiled import CompiledEngine
    from mhgym.engines.episodes import run_rule
    from mhgym.engines.rules import Rule, params_of

    engine, no_latency = CompiledEngine(scenario), np.empty(0)
    params = params_of(policy)
    episodes = []
    for trace in traces:
        decisions = run_rule(engine, trace, Rule(rule), params)
        log = engine.log()
        episodes.append(Episode(trace.seed, trace.hash, engine.kpis(), log, decisions, 0, 0, no_latency))
    return episodes


def rule_kpis(
    scenario: Scenario, rule: int, seeds: Iterable[int], params: Sequence[float] = ()
) -> list[dict[str, float]]:
    """The KPIs of a compiled rule (`engines.rules.Rule`) on the trace of each seed: the fastest way to all of them."""
    from mhgym.engines.compiled import CompiledEngine
    from mhgym.engines.episodes import run_rule
    from mhgym.engines.rules import Rule, pack_params

    engine, packed = CompiledEngine(scenario), pack_params(params)
    rows = []
    for seed in seeds:
        run_rule(engine, Trace.sample(scenario, seed), Rule(rule), packed)
        rows.append(engine.kpis())
    return rows


def rule_shares(scenario: Scenario, rules: Sequence[int], seeds: Iterable[int]) -> dict[str, NDArray[np.float64]]:
    """The KPIs `quality_served` and `quantity` alone, read from the engine's running counts in a sixth of the time.

    Args:
        scenario: The centre.
        rules: `R` compiled rules (`engines.rules.Rule`) without parameters, each on the same traces.
        seeds: Of `n` traces; none is kept, so that hundreds of thousands need little memory.

    Returns:
        `[n, R]` values by name, the same as `rule_kpis` gives.
    """
    from mhgym.engines.compiled import CompiledEngine
    from mhgym.engines.episodes import run_rule
    from mhgym.engines.rules import Rule

    engine = CompiledEngine(scenario)
    rows = []
    for seed in seeds:
        trace = Trace.sample(scenario, seed)
        offered = trace.offered
        for rule in rules:
            run_rule(engine, trace, Rule(rule))
            tally = engine.tally
            rows.append((share(tally.feedback, tally.answered), share(tally.answered, offered)))
    values = np.array(rows, dtype=np.float64).reshape(-1, len(rules), 2)
    return {"quality_served": values[..., 0], "quantity": values[..., 1]}

"""Decisions per second of the compiled engine: kernels alone, called from Python, and behind the environments."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks import loops
from benchmarks.sizes import Sizes
from benchmarks.timing import Result, duration, interleave, rate
from mhgym.engines.addresses import room_for
from mhgym.engines.packing import load_trace, make_chance, make_state
from mhgym.engines.rules import NO_PARAMS
from mhgym.envs.routing import RoutingEnv
from mhgym.envs.vector import RoutingBatch, RoutingVectorEnv
from mhgym.mdp.kernels import BATCH, Batch, locate
from mhgym.presets import make_scenario
from mhgym.scenario import Scenario
from mhgym.trace import Trace

DAY_BATCH = 64  # centres of Open Up
_PARTS = (
    (loops.EVENTS, "events, FCFS"),
    (loops.REWARD, "+ reward"),
    (loops.NO_PAIRS, "+ observation without pairs"),
    (loops.FULL, "+ pair block and mask"),
)


@dataclass
class PooledBatch:
    """A batch whose episodes start on traces drawn beforehand.

    Attributes:
        batch: The centres.
        pool: Traces, packed.
    """

    batch: RoutingBatch
    pool: Any
    cursor: int = field(default=0, init=False)

    @classmethod
    def of(cls, scenario: Scenario, num_envs: int, traces: list[Trace]) -> "PooledBatch":
        """Start every centre on a trace of the pool."""
        batch = RoutingBatch(num_envs, scenario)
        longest = max(traces, key=len)
        batch.begin([0], [longest])  # room for all of the pool
        batch.begin(range(num_envs), [traces[e % len(traces)] for e in range(num_envs)])
        pool = make_chance(batch.plan, len(traces), batch.state.queue.shape[1])
        for row, trace in enumerate(traces):
            load_trace(pool, row, trace)
        return cls(batch, pool)

    def __post_init__(self) -> None:
        num_envs = self.batch.num_envs
        self.chosen = np.zeros(num_envs, dtype=np.int64)
        self.everybody = np.ones(num_envs, dtype=np.bool_)

    def roll(self, decisions: int) -> int:
        """Decide at least so often, in compiled code alone."""
        batch, actions = self.batch, self.batch.actions
        centres = Batch(
            batch.plan, batch.chance, batch.state, batch.obs, batch.mask, batch.reward, batch.elapsed, batch.over
        )
        sizes = actions.num_slots, actions.num_counsellors
        chosen, everybody = self.chosen, self.everybody
        room = room_for(BATCH)
        locate(room, centres)
        taken, self.cursor = loops.roll(room, centres, self.pool, chosen, everybody, *sizes, self.cursor, decisions)
        return int(taken)

    def call(self, decisions: int) -> int:
        """Decide at least so often, with one call of the step kernel from Python for each step of the batch.

        A second call, of a few hundred nanoseconds, chooses the actions.
        """
        batch, taken = self.batch, 0
        step, choose = batch.step, loops.choose
        mask, clock_i, chosen, everybody = batch.mask, batch.state.clock_i, self.chosen, self.everybody
        while taken < decisions:
            taken += choose(mask, clock_i, chosen)
            if step(chosen, everybody):
                self.cursor = loops.reload(batch.chance, self.pool, batch.over, self.cursor)
                batch.steps.begin(np.flatnonzero(batch.over))
        return taken


def step_vector(env: RoutingVectorEnv, decisions: int) -> int:
    """Decide at least so often in the vector environment, trace drawing and infos included; resets do not count."""
    chosen = np.zeros(env.num_envs, dtype=np.int64)
    taken = 0
    while taken < decisions:
        taken += loops.choose(env.batch.mask, env.batch.state.clock_i, chosen)
        env.step(chosen)
    return taken


def step_single(env: RoutingEnv, decisions: int) -> int:
    """Decide so often in one Gymnasium environment, trace drawing included."""
    _, info = env.reset()
    for _ in range(decisions):
        _, _, terminated, truncated, info = env.step(np.int64(info["action_mask"].argmax()))
        if terminated or truncated:
            _, info = env.reset()
    return decisions


def _tasks(preset: str, batches: tuple[int, ...], sizes: Sizes) -> dict[str, Callable[[], int]]:
    scenario = make_scenario(preset)
    traces = [Trace.sample(scenario, seed) for seed in range(sizes.pool)]
    tasks: dict[str, Callable[[], int]] = {}
    for size in batches:
        pooled = PooledBatch.of(scenario, size, traces)
        vector = RoutingVectorEnv(size, scenario)
        vector.reset(seed=0)
        trainer = RoutingVectorEnv(size, scenario, with_kpis=False, bank=sizes.pool)
        trainer.reset(seed=0)
        tasks[f"kernel.{size}"] = lambda pooled=pooled: pooled.roll(sizes.decisions)  # type: ignore[misc]
        tasks[f"call.{size}"] = lambda pooled=pooled: pooled.call(sizes.python_decisions)  # type: ignore[misc]
        tasks[f"vector.{size}"] = lambda vector=vector: step_vector(vector, sizes.slow_decisions)  # type: ignore[misc]
        tasks[f"bank.{size}"] = lambda trainer=trainer: step_vector(trainer, sizes.python_decisions)  # type: ignore[misc]
    return tasks


def measure_steps(sizes: Sizes) -> list[Result]:
    """Decisions per second with full observation, pair block, mask and reward, N = 16."""
    words = {
        "kernel": "kernels alone, traces drawn beforehand",
        "call": "kernels called from Python, traces drawn beforehand",
        "vector": "`RoutingVectorEnv.step`, trace drawing, KPIs and infos included",
        "bank": "`RoutingVectorEnv.step` with a bank of traces and without KPIs, as training uses it",
    }
    results = []
    for preset, batches in (("EranHeavy", sizes.batches), ("OpenUp", (min(DAY_BATCH, sizes.batches[-1]),))):
        tasks = _tasks(preset, batches, sizes)
        if preset == "EranHeavy":
            env = RoutingEnv(preset, engine="compiled")
            env.reset(seed=0)
            tasks["single.1"] = lambda env=env: step_single(env, sizes.slow_decisions)  # type: ignore[misc]
        for name, series in interleave(tasks, sizes.repeats).items():
            how, size = name.split(".")
            text = words.get(how, '`RoutingEnv(engine="compiled")`, trace drawing included')
            results.append(rate(f"steps.{preset}.{name}", f"{preset}, batch {size}: {text}", "decisions", series))
    return results


def measure_parts(sizes: Sizes) -> list[Result]:
    """What a decision of EranHeavy costs as parts of the step are added."""
    scenario = make_scenario("EranHeavy")
    traces = [Trace.sample(scenario, seed) for seed in range(sizes.pool)]
    pooled = PooledBatch.of(scenario, 1, traces)
    batch, actions = pooled.batch, pooled.batch.actions
    state = make_state(batch.plan, len(traces), batch.state.queue.shape[1])
    rounds = max(1, sizes.decisions // (10 * len(traces)))

    def run(part: int) -> int:
        buffers = batch.obs[0], batch.mask[0], batch.reward[0]
        sizes_ = actions.num_slots, actions.num_counsellors
        return sum(
            loops.run_parts(batch.plan, pooled.pool, state, *sizes_, *buffers, part, NO_PARAMS) for _ in range(rounds)
        )

    series = interleave({words: lambda part=part: run(part) for part, words in _PARTS}, sizes.repeats)  # type: ignore[misc]
    return [
        duration(f"parts.EranHeavy.{part}", f"EranHeavy, one decision: {words}", "µs", series[words])
        for part, words in _PARTS
    ]

"""Traces drawn ahead of time, so that an episode starts by copying numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mhgym.engines.columns import Chance, Plan
from mhgym.engines.packing import load_trace, make_chance
from mhgym.presets import ScenarioSampler
from mhgym.scenario import Scenario
from mhgym.trace import Trace


def draw_trace(source: Scenario | ScenarioSampler, rng: np.random.Generator) -> Trace:
    """The trace of an episode, from a scenario drawn for it where there is a sampler."""
    scenario = source.sample(rng) if isinstance(source, ScenarioSampler) else source
    return Trace.sample(scenario, int(rng.integers(2**32)))


def seeded_trace(source: Scenario | ScenarioSampler, seed: int) -> Trace:
    """The trace that a seed stands for, which draws the scenario, too, where there is a sampler."""
    scenario = source.sample(np.random.default_rng(seed)) if isinstance(source, ScenarioSampler) else source
    return Trace.sample(scenario, seed)


def draw_traces(source: Scenario | ScenarioSampler, size: int, rng: np.random.Generator) -> list[Trace]:
    """The traces of `size` episodes."""
    return [draw_trace(source, rng) for _ in range(size)]


@dataclass(frozen=True)
class TraceBank:
    """Traces of centres with one plan, packed as the compiled engine takes them.

    Attributes:
        traces: Of the bank.
        packed: The same, one row each.
    """

    traces: tuple[Trace, ...]
    packed: Chance

    @classmethod
    def sample(cls, source: Scenario | ScenarioSampler, plan: Plan, size: int, rng: np.random.Generator) -> Self:
        """Draw `size` traces.

        Raises:
            ValueError: If there is none to draw.
        """
        if size < 1:
            raise ValueError(f"a bank needs at least 1 trace, got {size}")
        return cls.pack(plan, draw_traces(source, size, rng))

    @classmethod
    def pack(cls, plan: Plan, traces: Sequence[Trace]) -> Self:
        """A bank of these traces."""
        packed = make_chance(plan, len(traces), max(len(trace) for trace in traces))
        for row, trace in enumerate(traces):
            load_trace(packed, row, trace)
        return cls(tuple(traces), packed)

    @property
    def longest(self) -> int:
        """Contacts of the longest trace."""
        return int(self.packed.keys.shape[1])

    def load(self, chance: Chance, rows: NDArray[np.int64], picks: NDArray[np.int64]) -> None:
        """Put traces `picks` `[k]` into `rows` `[k]` of a batch that has room for the longest."""
        chance.size[rows], chance.offered[rows] = self.packed.size[picks], self.packed.offered[picks]
        chance.staff[rows] = self.packed.staff[picks]
        for name in ("callers_f", "callers_i", "keys"):
            getattr(chance, name)[rows, : self.longest] = getattr(self.packed, name)[picks]

"""Traces drawn ahead of time, so that an episode starts by copying numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mhgym.engines.columns import Chance, Plan
from mhgym.engines.packing import load_trace, make_chance
from mhgym.scenario import Scenario
from mhgym.trace import Trace


@dataclass(frozen=True)
class TraceBank:
    """Traces of one scenario, packed as the compiled engine takes them.

    Attributes:
        traces: Of the bank.
        packed: The same, one row each.
    """

    traces: tuple[Trace, ...]
    packed: Chance

    @classmethod
    def sample(cls, scenario: Scenario, plan: Plan, size: int, rng: np.random.Generator) -> Self:
        """Draw `size` traces.

        Raises:
            ValueError: If there is none to draw.
        """
        if size < 1:
            raise ValueError(f"a bank needs at least 1 trace, got {size}")
        return cls.pack(plan, [Trace.sample(scenario, int(seed)) for seed in rng.integers(2**32, size=size)])

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

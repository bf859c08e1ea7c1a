"""What nobody can exceed on each trace of a scenario, computed in cells like the policies."""

from dataclasses import dataclass

import polars as pl

from agents.bound import ClairvoyantBound, PerArrival
from agents.bound_penalty import Penalised
from experiments.cells import digest_of
from mhgym.scenario import Scenario
from mhgym.trace import Trace


@dataclass(frozen=True)
class BoundCell:
    """The clairvoyant bound on a block of traces.

    Attributes:
        scenario_label: Of the scenario.
        scenario: One for which the bound is defined, see `agents.bound`.
        seeds: Of the traces.
        seconds: Most time for a trace; what is not solved by then has a gap, which depends on the machine.
        penalised: Whether foresight is penalised; the bound then holds in the mean over traces only.
    """

    scenario_label: str
    scenario: Scenario
    seeds: range
    seconds: float
    penalised: bool = False

    @property
    def key(self) -> str:
        """Digest of all that the bounds depend on, source code included."""
        return digest_of("bound", repr(self))

    def tables(self) -> dict[str, pl.DataFrame]:
        """`bound`: for each trace the bound, and how far below it the best schedule found stays."""
        solver = ClairvoyantBound(self.scenario, Penalised() if self.penalised else PerArrival())
        rows = []
        for seed in self.seeds:
            trace = Trace.sample(self.scenario, seed)
            bound = solver.solve(trace, time_limit=self.seconds)
            head = {"scenario": self.scenario_label, "seed": seed, "trace_hash": trace.hash}
            rows.append({**head, "bound": bound.upper, "gap": bound.gap})
        return {"bound": pl.DataFrame(rows)}

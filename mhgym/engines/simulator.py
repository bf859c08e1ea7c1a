"""A planner's simulator: a future drawn from what a view shows, on the reference engine.

`engines.posterior` holds the laws; `engines.futures` runs many futures at once in compiled code.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from mhgym.engines.posterior import Drawn, draw_futures
from mhgym.engines.protocol import Situation
from mhgym.engines.reference import ReferenceEngine
from mhgym.engines.situation import situation_of
from mhgym.processes.population import Callers
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import CentreView


@dataclass(frozen=True)
class Simulator:
    """One possible future of a centre, ready to be run.

    Attributes:
        scenario: The centre.
        trace: Chance of this future; its first contacts are those that the view shows, by arrival.
        situation: Where it begins.
    """

    scenario: Scenario
    trace: Trace
    situation: Situation

    @classmethod
    def from_view(cls, view: CentreView, scenario: Scenario, rng: np.random.Generator) -> Self:
        """Draw one future.

        Args:
            view: What can be known now.
            scenario: The public description of the centre.
            rng: The planner's own randomness.
        """
        return cls.of(view, scenario, draw_futures(view, scenario, rng, 1), 0)

    @classmethod
    def of(cls, view: CentreView, scenario: Scenario, drawn: Drawn, number: int) -> Self:
        """One of the futures that were drawn from a view."""
        return cls(scenario, _compose(view, scenario, drawn, number), situation_of(view, drawn, number))

    def start(self) -> ReferenceEngine:
        """An engine at the epoch of the view, asking."""
        engine = ReferenceEngine(self.scenario)
        engine.reset(self.trace, self.situation)
        return engine


def _compose(view: CentreView, scenario: Scenario, drawn: Drawn, number: int) -> Trace:
    """The trace of a future: the contacts that the view shows, by arrival, then new ones."""
    num_known = len(drawn.rank)
    order = np.argsort(drawn.rank)
    known = number * num_known + order
    first = int(drawn.counts[:number].sum())
    new = slice(first, first + int(drawn.counts[number]))
    callers = Callers(
        *(
            np.concatenate([getattr(drawn.known, item.name)[known], getattr(drawn.callers, item.name)[new]])
            for item in fields(Callers)
        )
    )
    arrived_at = np.concatenate([drawn.known_arrivals[order], drawn.arrivals[new]])
    staff = drawn.staff[number].copy()
    return Trace.compose(scenario, arrived_at, callers, staff, known=drawn.latent[number][order])

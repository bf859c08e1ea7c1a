"""A planner's simulator: a future drawn from what a view shows, on the reference engine.

`engines.posterior` holds the laws; `engines.futures` runs many futures at once in compiled code.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from mhgym.engines.posterior import Drawn, draw_futures
from mhgym.engines.protocol import KnownHand, KnownWaiting, Situation
from mhgym.engines.reference import ReferenceEngine
from mhgym.processes.population import Callers
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import CentreView, Phase


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


def situation_of(view: CentreView, drawn: Drawn, number: int) -> Situation:
    """Where one of the futures begins."""
    staff = view.staff
    return Situation(
        now=view.now,
        waiting=_waiting(view, drawn, number),
        in_hand=_in_hand(view, drawn, number),
        chats=tuple(staff.chats.tolist()),
        taken=tuple(staff.taken.tolist()),
        on_duty=tuple(staff.on_duty.tolist()),
        back_at=tuple(staff.back_at.tolist()),
        break_due=tuple(staff.break_due.tolist()),
        idle_since=tuple(staff.idle_since.tolist()),
        busy_since=tuple(staff.busy_since.tolist()),
        arrivals=tuple(view.arrivals.tolist()),
    )


def _waiting(view: CentreView, drawn: Drawn, number: int) -> tuple[KnownWaiting, ...]:
    queue, leaves_at = view.waiting, drawn.leaves_at[number]
    return tuple(
        KnownWaiting(
            contact=int(drawn.rank[row]),
            joined_at=float(queue.joined_at[row]),
            transferred=bool(queue.transferred[row]),
            zombie=bool(leaves_at[row] <= view.now),
            leaves_at=float(leaves_at[row]),
            remaining=float(drawn.remaining[number, row]),
            predicted_rest=float(queue.remaining[row]),
        )
        for row in range(len(queue))
    )


def _in_hand(view: CentreView, drawn: Drawn, number: int) -> tuple[KnownHand, ...]:
    held = view.in_hand
    return tuple(
        KnownHand(
            contact=int(drawn.rank[len(view.waiting) + k]),
            counsellor=int(held.counsellor[k]),
            phase=Phase(int(held.phase[k])),
            started_at=float(held.started_at[k]),
            service_end=float(drawn.service_end[number, k]),
            end=float(drawn.end[number, k]),
            predicted=float(held.predicted[k]),
        )
        for k in range(len(held))
    )


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
    staff = view.staff.effects.copy()
    return Trace.compose(scenario, arrived_at, callers, staff, known=drawn.latent[number][order])

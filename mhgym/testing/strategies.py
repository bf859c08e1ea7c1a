"""Hypothesis strategies for small scenarios, with whatever makes an engine stumble.

Rosters of one to four counsellors with one or two shifts, breaks, closed intervals and cut-offs; every combination of
rules; inboxes and bridges in every other; smooth populations, and one on a grid of whole minutes in which simultaneous
events, zero patience and service of no length are common. Hypothesis is imported when a strategy is asked for, so that
the library does not need it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import Counsellor, Risk, Role, Roster, Shift
from mhgym.presets.eran_population import ERAN_OUTCOMES, ERAN_REMAINING, EranPopulation, EranStaff
from mhgym.presets.open_up_population import ROLE_OUTCOMES, OpenUpPopulation, RoleStaff
from mhgym.presets.therapists_population import THERAPIST_OUTCOMES, TherapistCallers, TherapistStaff
from mhgym.processes import draws
from mhgym.processes.arrivals import ArrivalLaw, HourlyRates, PoissonArrivals, ReplayArrivals
from mhgym.processes.markovian import ExponentialPopulation
from mhgym.processes.outcomes import OutcomeLaw, RemainingTimeModel
from mhgym.processes.population import Callers, UniformStaff, new_keys
from mhgym.scenario import Rules, Scenario, Weights

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


_ELIGIBILITIES = (frozenset(Risk), frozenset({Risk.LOW, Risk.MEDIUM}), frozenset({Risk.HIGH}), frozenset({Risk.LOW}))


@dataclass(frozen=True)
class GridPopulation:
    """Callers whose service and patience are whole minutes, 0 among them: ties everywhere. For tests only.

    Attributes:
        longest_service: Largest service, minutes.
        longest_patience: Largest patience, minutes.
    """

    longest_service: int = 12
    longest_patience: int = 9

    def sample(self, size: int, rng: np.random.Generator) -> Callers:
        """See `Population.sample`."""
        caller_type = rng.integers(0, 2, size)
        risk = rng.integers(0, 3, size)
        attributes = np.full((size, 3), -1, dtype=np.int64)
        values = self.draw_values(caller_type, risk, attributes, rng)
        return Callers(rng.random(size) < 0.8, caller_type, risk, attributes, values, new_keys(size, rng))

    def draw_values(self, caller_type: Ints, risk: Ints, attributes: Ints, rng: np.random.Generator) -> Floats:
        """See `Population.draw_values`."""
        del caller_type, attributes
        size = len(risk)
        values = np.zeros((size, draws.NUM_CALLER_VALUES))
        values[:, draws.FEEDBACK_MEAN] = rng.integers(1, 6, size)
        values[:, draws.SERVICE_MEAN] = 1.0 + self.longest_service // 2
        service = rng.integers(0, self.longest_service + 1, size)
        values[:, draws.SERVICE_SHIFT] = service - values[:, draws.SERVICE_MEAN]
        values[:, draws.PATIENCE] = rng.integers(0, self.longest_patience + 1, size)
        values[:, draws.PATIENCE_MEAN] = 0.5 + self.longest_patience / 2
        return values

    def resample_service(
        self, predicted: Floats, elapsed: Floats, caller_type: Ints, risk: Ints, rng: np.random.Generator
    ) -> Floats:
        """See `Population.resample_service`: whole minutes beyond the time elapsed."""
        del predicted, caller_type, risk
        return np.floor(elapsed) + rng.integers(1, self.longest_service + 2, elapsed.shape)

    def resample_patience(self, mean: Floats, waited: Floats, rng: np.random.Generator) -> Floats:
        """See `Population.resample_patience`: whole minutes beyond the wait."""
        del mean
        return np.floor(waited) + rng.integers(1, self.longest_patience + 2, waited.shape)


def rosters(horizon: int, *, on_grid: bool, inboxes: bool = False) -> SearchStrategy[Roster]:
    """Rosters of one to four counsellors around an episode of so many minutes; some shifts outlast it.

    Args:
        horizon: Minutes.
        on_grid: Whether all times are whole minutes.
        inboxes: Whether some may have inboxes.
    """
    from hypothesis import strategies as st

    minutes = _minutes(horizon, on_grid=on_grid)

    @st.composite
    def shift(draw: DrawFn, start: float, end: float) -> Shift:
        edges = sorted({start, end, *draw(st.lists(minutes, max_size=4))})
        inside = [edge for edge in edges if start <= edge <= end]
        breaks = tuple(pair for pair in zip(inside[::2], inside[1::2], strict=False) if pair != (start, end))
        closed = draw(st.lists(minutes, min_size=2, max_size=2, unique=True).map(sorted) | st.none())
        cutoff = draw(st.none() | st.sampled_from([0.0, 1.0, 5.0]))
        return Shift(start, end, breaks, () if closed is None else ((closed[0], closed[1]),), cutoff)

    @st.composite
    def counsellor(draw: DrawFn) -> Counsellor:
        edges = sorted(draw(st.lists(minutes, min_size=2, max_size=4, unique=True)))
        edges = edges[: len(edges) - len(edges) % 2]
        if len(edges) == 4 and draw(st.booleans()):
            edges[2] = edges[1]  # back to back
        shifts = tuple(draw(shift(edges[k], edges[k + 1])) for k in range(0, len(edges), 2))
        risks = draw(st.sampled_from(_ELIGIBILITIES))
        role = draw(st.sampled_from(list(Role)))
        new, inbox = draw(st.booleans()), draw(st.integers(0, 3)) if inboxes else 0
        until = draw(st.just(math.inf) | st.integers(1, horizon).map(float)) if new else math.inf
        return Counsellor(role, shifts, draw(st.integers(1, 3)), risks, new, new_until=until, inbox=inbox)

    return st.lists(counsellor(), min_size=1, max_size=4).map(lambda people: Roster(tuple(people)))


def rules(*, on_grid: bool) -> SearchStrategy[Rules]:
    """Every combination of the centre's rules; the queue discipline that leaks is left out."""
    from hypothesis import strategies as st

    short = st.integers(0, 6).map(float) if on_grid else st.sampled_from([0.0, 0.5, 3.7, 20.0])
    return st.builds(
        Rules,
        cutoff=short,
        wrap_up=short,
        zombie_wrap_up=short,
        on_sign_out=st.sampled_from(["transfer", "finish"]),
        on_break=st.sampled_from(["transfer", "postpone"]),
        zombies=st.sampled_from(["kept", "evicted"]),
        closing=st.sampled_from(["drain", "cut"]),
        review_interval=st.sampled_from([0.0, 0.0, 2.0, 7.5]),
    )


def scenarios(*, longest: int = 120) -> SearchStrategy[Scenario]:
    """Small scenarios; draw the trace from a seed with `Trace.sample`.

    Args:
        longest: Largest horizon, minutes.
    """
    from hypothesis import strategies as st

    @st.composite
    def scenario(draw: DrawFn) -> Scenario:
        on_grid = draw(st.booleans())
        horizon = draw(st.integers(20, longest))
        roster = draw(rosters(horizon, on_grid=on_grid, inboxes=draw(st.booleans())))
        times, minutes = draw(st.integers(0, 2)), draw(st.sampled_from([0.0, 2.0, 20.0]))
        bridging: dict[str, Any] = {"bridges": times, "bridge_minutes": minutes} if roster.has_inboxes else {}
        return Scenario(
            name="random scenario",
            roster=roster,
            arrivals=draw(_arrivals(on_grid=on_grid)),
            horizon=float(horizon),
            rules=replace(draw(rules(on_grid=on_grid)), **bridging),
            weights=Weights(0.5, 0.5, 1.0, 1.0),
            **draw(_people(on_grid=on_grid)),
        )

    return scenario()


def _minutes(horizon: int, *, on_grid: bool) -> SearchStrategy[float]:
    from hypothesis import strategies as st

    latest = horizon + 30
    return st.integers(0, latest).map(float) if on_grid else st.floats(0, latest, width=32)


def _arrivals(*, on_grid: bool) -> SearchStrategy[ArrivalLaw]:
    """Recorded gaps, on the grid with many simultaneous arrivals, or a Poisson law."""
    from hypothesis import strategies as st

    plan = PoissonArrivals(HourlyRates((20.0,)))
    gaps: SearchStrategy[float] = st.integers(0, 4).map(float) if on_grid else st.floats(0, 10, width=32)
    recorded = st.lists(gaps, min_size=8, max_size=40).map(lambda row: ReplayArrivals(tuple(row), plan))
    if on_grid:
        return recorded
    return recorded | st.sampled_from([30.0, 60.0, 6.0, 0.0]).map(lambda rate: PoissonArrivals(HourlyRates((rate,))))


def _people(*, on_grid: bool) -> SearchStrategy[dict[str, Any]]:
    """Callers with the laws that go with them."""
    from hypothesis import strategies as st

    if on_grid:
        sizes = st.tuples(st.integers(0, 20), st.integers(0, 10))
        return sizes.map(
            lambda size: {"population": GridPopulation(*size), "outcomes": OutcomeLaw(), "staff": UniformStaff()}
        )
    chats = {"population": OpenUpPopulation(feedback="by_role"), "outcomes": ROLE_OUTCOMES, "staff": RoleStaff()}
    calls = {"population": EranPopulation(), "outcomes": ERAN_OUTCOMES, "staff": EranStaff()}
    textbook = {"population": ExponentialPopulation(8.0, 5.0), "outcomes": OutcomeLaw(), "staff": UniformStaff()}
    patient = {**textbook, "population": ExponentialPopulation(8.0)}
    requests = {"population": TherapistCallers(), "outcomes": THERAPIST_OUTCOMES, "staff": TherapistStaff()}
    modelled = [{**people, "remaining": ERAN_REMAINING} for people in (chats, calls)]
    choices = [chats, *modelled, textbook, patient, requests]
    return st.sampled_from([{"remaining": RemainingTimeModel(), **choice} for choice in choices])

"""A planner's simulator: futures drawn from what a view shows, so that no planner can be clairvoyant.

Everything that is not yet manifest is drawn anew from its law given what was seen: who of the waiting is still there,
their patience, the rest of contacts in service given the predicted remaining time, feedback, future arrivals and
callers. The truth behind the view cannot be reached: only the view, the public scenario and the planner's own
generator come in.
"""

import math
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from mhgym.engines.protocol import KnownHand, KnownWaiting, Situation
from mhgym.engines.reference import ReferenceEngine
from mhgym.processes import draws
from mhgym.processes.population import Callers, new_keys
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import CentreView, Phase

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Candidates among which the rest of a contact in service is resampled by the likelihood of its prediction.
NUM_CANDIDATES = 64


@dataclass(frozen=True)
class Simulator:
    """One possible future of a centre, ready to be run.

    Attributes:
        scenario: The centre.
        trace: Chance of this future; its first contacts are those waiting (in the order of the view), then those in
        hand. situation: Where it begins.
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
        rank = _ranks(view)
        waiting = _draw_waiting(view, scenario, rng, rank)
        in_hand = _draw_in_hand(view, scenario, rng, rank)
        trace = _compose(view, scenario, rng, rank, waiting, in_hand)
        staff = view.staff
        situation = Situation(
            now=view.now,
            waiting=waiting,
            in_hand=in_hand,
            chats=tuple(staff.chats.tolist()),
            taken=tuple(staff.taken.tolist()),
            on_duty=tuple(staff.on_duty.tolist()),
            back_at=tuple(staff.back_at.tolist()),
            break_due=tuple(staff.break_due.tolist()),
            idle_since=tuple(staff.idle_since.tolist()),
            busy_since=tuple(staff.busy_since.tolist()),
            arrivals=tuple(view.arrivals.tolist()),
        )
        return cls(scenario, trace, situation)

    def start(self) -> ReferenceEngine:
        """An engine at the epoch of the view, asking."""
        engine = ReferenceEngine(self.scenario)
        engine.reset(self.trace, self.situation)
        return engine


def resample_remaining(
    scenario: Scenario,
    predicted_total: Floats,
    predicted_remaining: Floats,
    elapsed: Floats,
    caller_type: Ints,
    risk: Ints,
    rng: np.random.Generator,
) -> Floats:
    """Draw remaining service minutes of contacts `[k]` given what the models say of them.

    The law of service beyond the time elapsed, weighted by the likelihood of the predicted remaining time
    (sampling-importance-resampling over `NUM_CANDIDATES` draws, Rubin 1987).
    """
    shape = (NUM_CANDIDATES, len(elapsed))
    totals = scenario.population.resample_service(
        np.broadcast_to(predicted_total, shape),
        np.broadcast_to(elapsed, shape),
        np.broadcast_to(caller_type, shape),
        np.broadcast_to(risk, shape),
        rng,
    )
    remaining = np.maximum(totals - elapsed, 1e-6)
    log_weights = scenario.remaining.log_likelihood(predicted_remaining, remaining)
    gumbel = rng.gumbel(size=shape)
    chosen = np.argmax(log_weights + gumbel, axis=0)
    drawn: Floats = remaining[chosen, np.arange(len(elapsed))]
    return drawn


def _known_arrivals(view: CentreView) -> Floats:
    """Arrivals of those waiting, then of those in hand; of the latter the start of service is all that a view shows."""
    return np.concatenate([view.waiting.arrived_at, view.in_hand.started_at])


def _ranks(view: CentreView) -> Ints:
    """Row in the trace of each contact that the view shows, those waiting first."""
    order = np.argsort(_known_arrivals(view), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank


def _draw_waiting(
    view: CentreView, scenario: Scenario, rng: np.random.Generator, rank: Ints
) -> tuple[KnownWaiting, ...]:
    """Who of the waiting is still there, until when, and what is left of transferred contacts."""
    queue, wait = view.waiting, view.wait
    rest = queue.patience * rng.standard_exponential(len(queue))
    # With zombies kept a contact is alive with probability S(wait): patience is drawn afresh and may have run out.
    # Without them patience is memoryless.
    leaves_at = rest + (queue.joined_at if scenario.rules.zombies == "kept" else view.now)
    remaining = np.full(len(queue), math.nan)
    back = np.flatnonzero(queue.transferred)
    if len(back):
        predicted = queue.remaining[back]
        nothing = np.zeros(len(back))
        remaining[back] = resample_remaining(
            scenario, predicted, predicted, nothing, queue.caller_type[back], queue.risk[back], rng
        )
    return tuple(
        KnownWaiting(
            contact=int(rank[row]),
            joined_at=float(view.now - wait[row]),
            transferred=bool(queue.transferred[row]),
            zombie=bool(leaves_at[row] <= view.now),
            leaves_at=float(leaves_at[row]),
            remaining=float(remaining[row]),
            predicted_rest=float(queue.remaining[row]),
        )
        for row in range(len(queue))
    )


def _draw_in_hand(view: CentreView, scenario: Scenario, rng: np.random.Generator, rank: Ints) -> tuple[KnownHand, ...]:
    """When each contact in hand will be over."""
    held = view.in_hand
    ends = view.now + held.remaining
    service_ends = ends.copy()
    serving = np.flatnonzero(held.phase == Phase.SERVICE)
    if len(serving):
        elapsed = view.now - held.started_at[serving]
        rest = resample_remaining(
            scenario,
            held.predicted[serving],
            held.remaining[serving],
            elapsed,
            held.caller_type[serving],
            held.risk[serving],
            rng,
        )
        service_ends[serving] = view.now + rest
        ends[serving] = service_ends[serving] + scenario.rules.wrap_up
    wrapping = held.phase == Phase.WRAP_UP
    service_ends[wrapping] = np.maximum(held.started_at[wrapping], ends[wrapping] - scenario.rules.wrap_up)
    return tuple(
        KnownHand(
            contact=int(rank[len(view.waiting) + k]),
            counsellor=int(held.counsellor[k]),
            phase=Phase(int(held.phase[k])),
            started_at=float(held.started_at[k]),
            service_end=float(service_ends[k]),
            end=float(ends[k]),
            predicted=float(held.predicted[k]),
        )
        for k in range(len(held))
    )


def _compose(
    view: CentreView,
    scenario: Scenario,
    rng: np.random.Generator,
    rank: Ints,
    waiting: tuple[KnownWaiting, ...],
    in_hand: tuple[KnownHand, ...],
) -> Trace:
    """The trace of this future: the contacts known from the view, then new ones."""
    arrivals = scenario.arrivals.resample(view.arrivals, view.now, scenario.horizon, rng)
    future = scenario.population.sample(len(arrivals), rng)
    known = _known_callers(view, scenario, rng)
    latent = np.concatenate([_latent_predictions(view, scenario, rng), _latent_in_hand(view, scenario, known, rng)])
    order = np.argsort(rank)
    for contact in waiting:
        row = int(order[contact.contact])
        known.values[row, draws.PATIENCE] = contact.leaves_at - contact.joined_at
    serving = np.flatnonzero(view.in_hand.phase == Phase.SERVICE)
    rest = np.array([in_hand[k].service_end - view.now for k in serving])
    noise = scenario.remaining.noise_behind(view.in_hand.remaining[serving], rest, rng)
    known.values[len(view.waiting) + serving, draws.REMAINING_NOISE] = noise
    columns = (item.name for item in fields(Callers))
    callers = Callers(*(np.concatenate([getattr(known, name)[order], getattr(future, name)]) for name in columns))
    return Trace.compose(
        scenario,
        np.concatenate([_known_arrivals(view)[order], arrivals]),
        callers,
        view.staff.effects.copy(),
        known=latent[order],
    )


def _known_callers(view: CentreView, scenario: Scenario, rng: np.random.Generator) -> Callers:
    """Rows of the contacts that the view shows, those waiting first, with errors and noise drawn afresh."""
    queue, held = view.waiting, view.in_hand
    caller_type = np.concatenate([queue.caller_type, held.caller_type])
    risk = np.concatenate([queue.risk, held.risk])
    attributes = np.concatenate([queue.attributes, held.attributes])
    values = scenario.population.draw_values(caller_type, risk, attributes, rng)
    accepted = np.ones(len(risk), dtype=np.bool_)
    return Callers(accepted, caller_type, risk, attributes, values, new_keys(len(risk), rng))


def _latent_in_hand(view: CentreView, scenario: Scenario, known: Callers, rng: np.random.Generator) -> Floats:
    """`[k, C, 2]` latent predictions of contacts in hand for every counsellor, which matter after a transfer only."""
    law, effects = scenario.outcomes, view.staff.effects
    values = known.values[len(view.waiting) :]
    normals = rng.standard_normal((2, len(values), len(view.staff)))
    rho = law.pair_correlation
    normals[1] = rho * normals[0] + math.sqrt(1.0 - rho * rho) * normals[1]
    bonus = law.senior_bonus * np.outer(values[:, draws.SENIOR], effects[:, draws.STAFF_SENIOR])
    feedback = np.add.outer(values[:, draws.FEEDBACK_MEAN], effects[:, draws.FEEDBACK_EFFECT]) + bonus
    minutes = np.add.outer(values[:, draws.SERVICE_MEAN], effects[:, draws.SERVICE_EFFECT])
    return np.stack([feedback + law.pair_feedback_sd * normals[0], minutes + law.pair_service_sd * normals[1]], axis=-1)


def _latent_predictions(view: CentreView, scenario: Scenario, rng: np.random.Generator) -> Floats:
    """`[n, C, 2]` latent feedback and minutes before fatigue, given the predictions that the view shows."""
    law = scenario.outcomes
    chats = view.staff.chats
    mean, sd = _latent_feedback_law(scenario)
    fatigue = law.feedback_per_chat * chats
    shown = 1.0 + 4.0 * view.quality
    if sd > 0.0:
        low = np.where(shown <= 1.0, -np.inf, shown - 0.5)
        high = np.where(shown >= 5.0, np.inf, shown + 0.5)
        below, above = ndtr((low - mean + fatigue) / sd), ndtr((high - mean + fatigue) / sd)
        share = np.clip(below + (above - below) * rng.random(shown.shape), 1e-12, 1.0 - 1e-12)
        shown = np.clip(mean - fatigue + sd * ndtri(share), low, high)
    minutes = view.service_time - law.service_per_chat * chats
    return np.stack([shown + fatigue, minutes], axis=-1)


@lru_cache(maxsize=64)
def _latent_feedback_law(scenario: Scenario) -> tuple[float, float]:
    """Mean and standard deviation of a pair's latent feedback before fatigue, over callers and counsellors."""
    rng = np.random.default_rng(0)
    callers = scenario.population.sample(1024, rng)
    staff = np.concatenate([scenario.staff.sample(scenario.roster, rng) for _ in range(64)])
    caller, counsellor = callers.values[:, draws.FEEDBACK_MEAN], staff[:, draws.FEEDBACK_EFFECT]
    variance = caller.var() + counsellor.var() + scenario.outcomes.pair_feedback_sd**2
    return float(caller.mean() + counsellor.mean()), math.sqrt(variance)

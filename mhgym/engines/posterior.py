"""What a view leaves open, drawn from its law given what was seen: many futures of one view at once.

Who of the waiting is still there and for how long, the rest of contacts in service given the predicted remaining time,
feedback, future arrivals and callers. Nothing but the view, the public scenario and the planner's own generator comes
in, so that no planner can be clairvoyant.

`M` futures, `n` waiting contacts, `k` in hand, `C` counsellors. Contacts that the view shows stand in its order, those
waiting first; in a future's trace they are sorted by arrival, see `Drawn.rank`.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from mhgym.processes import draws
from mhgym.processes.arrivals import resample_many
from mhgym.processes.population import Callers, new_keys
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Phase

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Least candidates among which the rest of a contact in service is resampled by the likelihood of its prediction.
NUM_CANDIDATES = 64


@dataclass(frozen=True)
class Drawn:
    """`M` futures of one view.

    Attributes:
        rank: `[n + k]` row in the trace of each contact that the view shows.
        known_arrivals: `[n + k]` arrivals of those waiting and of those whose wait is being bridged; of others in hand
            the start of service.
        leaves_at: `[M, n]` minute at which each waiting contact leaves, or left, the queue.
        remaining: `[M, n]` minutes of service left of transferred contacts, NaN for others.
        service_end: `[M, k]` minute at which service ends.
        end: `[M, k]` minute at which the counsellor is done.
        known: Callers `[M * (n + k)]` that the view shows, future by future, with errors and noise drawn afresh.
        latent: `[M, n + k, C, 2]` their latent predictions.
        counts: `[M]` arrivals to come.
        arrivals: `[counts.sum()]` their minutes, future by future.
        callers: `[counts.sum()]` their callers.
        staff: `[M, C, ...]` what counsellors are like, with what is unknown of them.
    """

    rank: Ints
    known_arrivals: Floats
    leaves_at: Floats
    remaining: Floats
    service_end: Floats
    end: Floats
    known: Callers
    latent: Floats
    counts: Ints
    arrivals: Floats
    callers: Callers
    staff: Floats

    def __len__(self) -> int:
        return len(self.counts)


def draw_futures(
    view: CentreView, scenario: Scenario, rng: np.random.Generator, size: int, *, until: float = math.inf
) -> Drawn:
    """Draw `size` futures of a view.

    Args:
        view: What can be known now.
        scenario: The public description of the centre.
        rng: The planner's own randomness.
        size: M.
        until: Minute after which nobody arrives any more, for planners that look no further.

    Raises:
        ValueError: If there is no future to draw.
    """
    if size < 1:
        raise ValueError(f"a planner draws at least 1 future, got {size}")
    held = view.in_hand
    begun = np.where(held.phase == Phase.BRIDGE, held.arrived_at, held.started_at)
    known_arrivals = np.concatenate([view.waiting.arrived_at, begun])
    rank = np.empty(len(known_arrivals), dtype=np.int64)
    rank[np.argsort(known_arrivals, kind="stable")] = np.arange(len(rank))
    leaves_at = _draw_leaves_at(view, scenario, rng, size)
    remaining = _draw_transferred(view, scenario, rng, size)
    service_end, end = _draw_ends(view, scenario, rng, size)
    counts, arrivals = resample_many(scenario.arrivals, view.arrivals, view.now, scenario.horizon, size, rng, until)
    known = _draw_known(view, scenario, rng, leaves_at, service_end)
    latent = np.concatenate(
        [_latent_waiting(view, scenario, rng, size), _latent_in_hand(view, scenario, known, rng, size)], axis=1
    )
    return Drawn(
        rank=rank,
        known_arrivals=known_arrivals,
        leaves_at=leaves_at,
        remaining=remaining,
        service_end=service_end,
        end=end,
        known=known,
        latent=latent,
        counts=counts,
        arrivals=arrivals,
        callers=scenario.population.sample(len(arrivals), rng),
        staff=_draw_staff(view, rng, size),
    )


def resample_remaining(
    scenario: Scenario,
    predicted_total: Floats,
    predicted_remaining: Floats,
    elapsed: Floats,
    caller_type: Ints,
    risk: Ints,
    size: int,
    rng: np.random.Generator,
) -> Floats:
    """Draw remaining service minutes `[size, k]` of contacts `[k]` given what the models say of them.

    The law of service beyond the time elapsed, weighted by the likelihood of the predicted remaining time
    (sampling-importance-resampling, Rubin 1987, over `NUM_CANDIDATES` draws or twice as many as are wanted). A model
    without error leaves nothing to draw.
    """
    if scenario.remaining.exact:
        return np.tile(predicted_remaining, (size, 1))
    shape = (max(NUM_CANDIDATES, 2 * size), len(elapsed))
    totals = scenario.population.resample_service(
        np.broadcast_to(predicted_total, shape),
        np.broadcast_to(elapsed, shape),
        np.broadcast_to(caller_type, shape),
        np.broadcast_to(risk, shape),
        rng,
    )
    candidates = np.maximum(totals - elapsed, 1e-6)
    log_weights = scenario.remaining.log_likelihood(predicted_remaining, candidates)
    cumulative = np.cumsum(np.exp(log_weights - log_weights.max(axis=0)), axis=0)
    wanted = rng.random((size, len(elapsed))) * cumulative[-1]
    chosen = np.column_stack(
        [np.searchsorted(cumulative[:, k], wanted[:, k], side="right") for k in range(len(elapsed))]
    )
    drawn: Floats = candidates[np.minimum(chosen, shape[0] - 1), np.arange(len(elapsed))]
    return drawn


def _draw_staff(view: CentreView, rng: np.random.Generator, size: int) -> Floats:
    """`[M, C, ...]` the counsellors; what is unknown of them is normal, and feedback, which tells, is not seen."""
    staff = np.tile(view.staff.effects, (size, 1, 1))
    if staff.shape[2] > draws.NUM_STAFF_VALUES:
        staff[:, :, draws.UNKNOWN_EFFECT] = staff[:, :, draws.UNKNOWN_SD] * rng.standard_normal(staff.shape[:2])
    return staff


def _draw_leaves_at(view: CentreView, scenario: Scenario, rng: np.random.Generator, size: int) -> Floats:
    """`[M, n]` until when each waiting contact stays.

    With zombies kept a contact is alive with probability S(wait): patience is drawn afresh and may have run out.
    Without them whoever is in the queue has not left it.
    """
    queue = view.waiting
    unseen = scenario.rules.zombies == "kept"
    waited = np.zeros(len(queue)) if unseen else view.now - queue.joined_at
    shape = (size, len(queue))
    patience = scenario.population.resample_patience(
        np.broadcast_to(queue.patience, shape), np.broadcast_to(waited, shape), rng
    )
    leaves_at: Floats = queue.joined_at + patience
    return leaves_at if unseen else np.maximum(leaves_at, np.nextafter(view.now, math.inf))


def _draw_transferred(view: CentreView, scenario: Scenario, rng: np.random.Generator, size: int) -> Floats:
    """`[M, n]` what is left of transferred contacts."""
    queue = view.waiting
    remaining = np.full((size, len(queue)), math.nan)
    back = np.flatnonzero(queue.transferred)
    if len(back):
        predicted, nothing = queue.remaining[back], np.zeros(len(back))
        remaining[:, back] = resample_remaining(
            scenario, predicted, predicted, nothing, queue.caller_type[back], queue.risk[back], size, rng
        )
    return remaining


def _draw_ends(view: CentreView, scenario: Scenario, rng: np.random.Generator, size: int) -> tuple[Floats, Floats]:
    """`[M, k]` when the service of each contact in hand ends, and when the counsellor is done with it."""
    held = view.in_hand
    end = np.tile(view.now + held.remaining, (size, 1))
    service_end = end.copy()
    serving = np.flatnonzero(held.phase == Phase.SERVICE)
    if len(serving):
        service_end[:, serving] = view.now + resample_remaining(
            scenario,
            held.predicted[serving],
            held.remaining[serving],
            view.now - held.started_at[serving],
            held.caller_type[serving],
            held.risk[serving],
            size,
            rng,
        )
        end[:, serving] = service_end[:, serving] + scenario.rules.wrap_up
    bridging = np.flatnonzero(held.phase == Phase.BRIDGE)
    if len(bridging):
        rest = rng.standard_exponential((size, len(bridging)))
        end[:, bridging] = service_end[:, bridging] = view.now + scenario.rules.bridge_minutes * rest
    wrapping = held.phase == Phase.WRAP_UP
    service_end[:, wrapping] = np.maximum(held.started_at[wrapping], end[:, wrapping] - scenario.rules.wrap_up)
    return service_end, end


def _draw_known(
    view: CentreView, scenario: Scenario, rng: np.random.Generator, leaves_at: Floats, service_end: Floats
) -> Callers:
    """Rows `[M * (n + k)]` of the contacts that the view shows."""
    queue, held, size = view.waiting, view.in_hand, len(leaves_at)
    caller_type = np.tile(np.concatenate([queue.caller_type, held.caller_type]), size)
    risk = np.tile(np.concatenate([queue.risk, held.risk]), size)
    attributes = np.tile(np.concatenate([queue.attributes, held.attributes]), (size, 1))
    flat = scenario.population.draw_values(caller_type, risk, attributes, rng)
    values = flat.reshape(size, len(queue) + len(held), flat.shape[1])
    values[:, : len(queue), draws.PATIENCE] = leaves_at - queue.joined_at
    values[:, : len(queue), draws.PATIENCE_MEAN] = queue.patience
    values[:, len(queue) :, draws.PATIENCE_MEAN] = held.patience
    serving = np.flatnonzero(held.phase == Phase.SERVICE)
    rest = service_end[:, serving] - view.now
    noise = scenario.remaining.noise_behind(held.remaining[serving], rest, rng)
    values[:, len(queue) + serving, draws.REMAINING_NOISE] = noise
    accepted = np.ones(len(risk), dtype=np.bool_)
    return Callers(accepted, caller_type, risk, attributes, flat, new_keys(len(risk), rng))


def _latent_in_hand(
    view: CentreView, scenario: Scenario, known: Callers, rng: np.random.Generator, size: int
) -> Floats:
    """`[M, k, C, 2]` latent predictions of contacts in hand for every counsellor; they matter after a transfer only."""
    law, effects = scenario.outcomes, view.staff.effects
    size_known = len(view.waiting) + len(view.in_hand)
    values = known.values.reshape(size, size_known, known.values.shape[1])[:, len(view.waiting) :, None]
    normals = rng.standard_normal((2, size, len(view.in_hand), len(view.staff)))
    rho = law.pair_correlation
    normals[1] = rho * normals[0] + math.sqrt(1.0 - rho * rho) * normals[1]
    bonus = law.senior_bonus * values[..., draws.SENIOR] * effects[:, draws.STAFF_SENIOR]
    feedback = values[..., draws.FEEDBACK_MEAN] + effects[:, draws.FEEDBACK_EFFECT] + bonus
    if effects.shape[1] > draws.NUM_STAFF_VALUES:
        feedback = feedback + values[:, :, 0, draws.NUM_CALLER_VALUES :] @ effects[:, draws.FIRST_PROFILE :].T
    minutes = values[..., draws.SERVICE_MEAN] + effects[:, draws.SERVICE_EFFECT]
    return np.stack([feedback + law.pair_feedback_sd * normals[0], minutes + law.pair_service_sd * normals[1]], axis=-1)


def _latent_waiting(view: CentreView, scenario: Scenario, rng: np.random.Generator, size: int) -> Floats:
    """`[M, n, C, 2]` latent feedback and minutes before fatigue, given the predictions that the view shows."""
    law = scenario.outcomes
    chats = view.staff.chats
    mean, sd = _latent_feedback_law(scenario)
    fatigue = law.feedback_per_chat * chats
    if view.staff.effects.shape[1] > draws.NUM_STAFF_VALUES:
        taken = view.staff.taken.tolist()
        fatigue = fatigue + [draws.inexperience(view.staff.effects, j, answers) for j, answers in enumerate(taken)]
    shape = (size, *view.quality.shape)
    shown = np.broadcast_to(1.0 + 4.0 * view.quality, shape)
    if sd > 0.0:
        low = np.where(shown[0] <= 1.0, -np.inf, shown[0] - 0.5)
        high = np.where(shown[0] >= 5.0, np.inf, shown[0] + 0.5)
        below, above = ndtr((low - mean + fatigue) / sd), ndtr((high - mean + fatigue) / sd)
        share = np.clip(below + (above - below) * rng.random(shape), 1e-12, 1.0 - 1e-12)
        shown = np.clip(mean - fatigue + sd * ndtri(share), low, high)
    minutes = np.broadcast_to(view.service_time - law.service_per_chat * chats, shape)
    return np.stack([shown + fatigue, minutes], axis=-1)


@lru_cache(maxsize=64)
def _latent_feedback_law(scenario: Scenario) -> tuple[float, float]:
    """Mean and standard deviation of a pair's latent feedback before fatigue, over callers and counsellors."""
    rng = np.random.default_rng(0)
    callers = scenario.population.sample(1024, rng)
    staff = np.concatenate([scenario.staff.sample(scenario.roster, rng) for _ in range(64)])
    caller, counsellor = callers.values[:, draws.FEEDBACK_MEAN], staff[:, draws.FEEDBACK_EFFECT]
    variance = caller.var() + counsellor.var() + scenario.outcomes.pair_feedback_sd**2
    if scenario.profile_size:
        profiles = callers.values[:, draws.NUM_CALLER_VALUES :] @ staff[:, draws.FIRST_PROFILE :].T
        return float(caller.mean() + counsellor.mean() + profiles.mean()), math.sqrt(variance + profiles.var())
    return float(caller.mean() + counsellor.mean()), math.sqrt(variance)

"""The leak test's redraw in a centre with inboxes; see `testing.redraw`."""

import numpy as np
from numpy.typing import NDArray

from mhgym.processes import draws
from mhgym.scenario import Scenario
from mhgym.testing.hidden import LEAST_REST, WIDEST_REST, redraw_service, set_service
from mhgym.trace import Trace
from mhgym.view import CentreView, Phase

Floats = NDArray[np.float64]


def redraw_with_inboxes(
    scenario: Scenario,
    trace: Trace,
    view: CentreView,
    values: Floats,
    keys: NDArray[np.uint64],
    fresh: Floats,
    rng: np.random.Generator,
) -> Floats:
    """New hidden numbers in a centre with inboxes, where nobody outside sees what is taken out of them.

    So it goes by the view alone: those in the queue and in hand. Patience that has outlasted an earlier wait grows;
    service under way is redrawn where contacts are never transferred, so that it is their first; the first bridge under
    way lasts longer than so far. Kept is what happens to transferred contacts, and bridges after the first.

    Returns:
        `[n, C, 2]` latent predictions of the contacts that have arrived, which stay though the key behind them changes.
    """
    queue, held = view.waiting, view.in_hand
    latent = np.array([[_latent(trace, i, j) for j in range(len(trace.staff))] for i in range(len(values))])
    first = np.flatnonzero(~queue.transferred)
    unanswered = np.concatenate([queue.contact[first], held.contact[held.phase == Phase.BRIDGE]])
    redraw_service(unanswered, values, keys, fresh, rng)
    waited = np.zeros(len(queue)) if scenario.rules.zombies == "kept" else view.wait
    for row in first.tolist():
        contact, untouched = queue.contact[row], queue.bridges[row] == 0
        least = waited[row] if untouched else values[contact, draws.PATIENCE]
        values[contact, draws.PATIENCE] = least + fresh[contact, draws.PATIENCE]
        if untouched:
            keys[contact, draws.PREDICTION_KEY] = rng.integers(0, 2**64, dtype=np.uint64)
    transfers = scenario.rules.on_sign_out == "transfer" or scenario.rules.on_break == "transfer"
    for k, contact in enumerate(held.contact.tolist()):
        elapsed, counsellor = view.now - held.started_at[k], int(held.counsellor[k])
        if held.phase[k] in (Phase.BRIDGE, Phase.SERVICE):
            values[contact, draws.PATIENCE] += fresh[contact, draws.PATIENCE]
        if held.phase[k] == Phase.BRIDGE and held.bridges[k] == 1:
            mean, bridge = scenario.rules.bridge_minutes, 0.0
            while bridge <= elapsed and mean > 0.0:
                keys[contact, draws.PREDICTION_KEY] = rng.integers(0, 2**64, dtype=np.uint64)
                bridge = draws.bridge_minutes(mean, keys, contact, counsellor, 0)
        elif held.phase[k] == Phase.SERVICE and not (transfers or scenario.remaining.knots):
            longest = min(scenario.outcomes.service_max, elapsed + WIDEST_REST)
            least = max(scenario.outcomes.service_min, elapsed + LEAST_REST)
            total = least + max(0.0, longest - least) * rng.random()
            set_service(scenario, trace.staff, contact, counsellor, float(held.predicted[k]), total, values, keys, rng)
    return latent.reshape(len(values), len(trace.staff), 2)


def _latent(trace: Trace, contact: int, counsellor: int) -> tuple[float, float]:
    arrays = trace.law, trace.values, trace.keys, trace.staff, trace.known
    feedback, minutes = draws.latent_pair(*arrays, contact, counsellor)
    return float(feedback), float(minutes)

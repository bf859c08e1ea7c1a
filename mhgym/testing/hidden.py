"""Hidden numbers of contacts, drawn anew for the leak test; see `testing.redraw`."""

import numpy as np
from numpy.typing import NDArray

from mhgym.processes import draws
from mhgym.scenario import Scenario

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Least remaining minutes of a redrawn contact in service: it must not be over at the epoch itself.
LEAST_REST = 1e-3
#: Minutes beyond the time elapsed over which a redrawn service time is uniform; wide enough for any remaining time.
WIDEST_REST = 120.0


def redraw_service(
    contacts: Ints, values: Floats, keys: NDArray[np.uint64], fresh: Floats, rng: np.random.Generator
) -> None:
    """New service and errors of contacts that nobody has answered."""
    for column in (draws.SERVICE_SHIFT, draws.REMAINING_NOISE):
        values[contacts, column] = fresh[contacts, column]
    keys[contacts, draws.ERROR_KEY] = rng.integers(0, 2**64, size=len(contacts), dtype=np.uint64)


def set_service(
    scenario: Scenario,
    staff: Floats,
    contact: int,
    counsellor: int,
    predicted: float,
    total: float,
    values: Floats,
    keys: NDArray[np.uint64],
    rng: np.random.Generator,
) -> None:
    """Have the service of a contact, predicted so with a counsellor, take `total` minutes, with new errors."""
    keys[contact, draws.ERROR_KEY] = rng.integers(0, 2**64, dtype=np.uint64)
    values[contact, draws.SERVICE_SHIFT] = 0.0
    unclipped = scenario.outcomes.packed().copy()
    unclipped[draws.SERVICE_MIN], unclipped[draws.SERVICE_MAX] = -np.inf, np.inf
    _, minutes = draws.realise_predicted(unclipped, values, keys, staff, contact, counsellor, 0.0, predicted)
    values[contact, draws.SERVICE_SHIFT] = total - float(minutes)


def noise_behind(scenario: Scenario, predicted: float, rest: float, rng: np.random.Generator) -> float | None:
    """The noise with which `rest` true minutes give the prediction; None if no noise does."""
    model = scenario.remaining
    if not model.knots:
        return float(rng.standard_normal())
    spread = float(draws.interpolate(rest, *model.arrays()))
    if spread <= 0.0:
        return None
    noise = (predicted - rest) / spread
    at_floor = predicted <= model.floor
    return noise - float(rng.standard_exponential()) if at_floor else noise

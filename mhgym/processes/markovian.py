"""The textbook population: exponential service and patience, for tests against closed forms."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mhgym.processes import draws
from mhgym.processes.population import Callers, exponential_patience, new_keys

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ExponentialPopulation:
    """Callers of an M/M/n+M centre; every answered contact has full feedback.

    Attributes:
        mean_service: Mean service time, minutes.
        mean_patience: Mean patience, minutes; infinite for callers who never leave.
    """

    mean_service: float
    mean_patience: float = math.inf

    def __post_init__(self) -> None:
        for name in ("mean_service", "mean_patience"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)} minutes")

    def sample(self, size: int, rng: np.random.Generator) -> Callers:
        """See `Population.sample`."""
        zeros = np.zeros(size, dtype=np.int64)
        attributes = np.full((size, 3), -1, dtype=np.int64)
        values = self.draw_values(zeros, zeros, attributes, rng)
        return Callers(np.ones(size, dtype=np.bool_), zeros, zeros, attributes, values, new_keys(size, rng))

    def draw_values(self, caller_type: Ints, risk: Ints, attributes: Ints, rng: np.random.Generator) -> Floats:
        """See `Population.draw_values`."""
        del risk, attributes
        size = len(caller_type)
        values = np.zeros((size, draws.NUM_CALLER_VALUES))
        values[:, draws.FEEDBACK_MEAN] = 5.0
        values[:, draws.SERVICE_MEAN] = self.mean_service
        values[:, draws.SERVICE_SHIFT] = self.mean_service * (rng.standard_exponential(size) - 1.0)
        values[:, draws.PATIENCE_MEAN] = self.mean_patience
        values[:, draws.PATIENCE] = exponential_patience(values[:, draws.PATIENCE_MEAN], rng)
        return values

    def resample_service(
        self, predicted: Floats, elapsed: Floats, caller_type: Ints, risk: Ints, rng: np.random.Generator
    ) -> Floats:
        """See `Population.resample_service`; memoryless."""
        del predicted, caller_type, risk
        return elapsed + self.mean_service * rng.standard_exponential(elapsed.shape)

    def resample_patience(self, mean: Floats, waited: Floats, rng: np.random.Generator) -> Floats:
        """See `Population.resample_patience`; memoryless."""
        return exponential_patience(mean, rng, waited)

"""Any legal pair, with equal chance."""

from dataclasses import dataclass, field

import numpy as np

from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair


@dataclass
class UniformRandom:
    """A uniformly random legal pair; never holds. The floor of every comparison."""

    name: str = "random"
    _rng: np.random.Generator = field(default_factory=np.random.default_rng, init=False, repr=False)

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Take the episode's own randomness."""
        self._rng = rng

    def act(self, view: CentreView) -> Pair:
        """Draw a pair."""
        rows, counsellors = np.nonzero(view.legal)
        chosen = self._rng.integers(len(rows))
        return Pair(int(rows[chosen]), int(counsellors[chosen]))

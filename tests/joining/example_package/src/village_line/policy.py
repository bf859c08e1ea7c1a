"""A policy of one's own."""

from dataclasses import dataclass

import numpy as np

from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair


@dataclass
class LeastPatient:
    """Serve whoever is predicted to leave first, by the counsellor of the best predicted feedback.

    Attributes:
        price: Predicted feedback that a minute of patience left is worth.
        name: Label in tables.
    """

    price: float = 1.0
    name: str = "least_patient"

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: CentreView) -> Pair:
        """The legal pair of the largest index."""
        left = view.waiting.patience - (view.now - view.waiting.joined_at)
        index = np.where(view.legal, view.quality - self.price * left[:, None], -np.inf)
        row, counsellor = np.unravel_index(index.argmax(), index.shape)
        return Pair(int(row), int(counsellor))

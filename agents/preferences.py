"""Preferences: weights of the reward's components, of which one network learns many."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mhgym.metrics import COMPONENTS


@dataclass(frozen=True)
class Preferences:
    """All weights of some components that add up to 1.

    Attributes:
        components: Names; none where a network knows one preference only, which nobody tells it.

    Raises:
        ValueError: If a name is unknown or named twice, or there is a single one.
    """

    components: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.components if name not in COMPONENTS]
        if unknown or len(set(self.components)) < len(self.components) or len(self.components) == 1:
            raise ValueError(
                f"preferences must be two or more of {', '.join(COMPONENTS)}, each once, got "
                f"{', '.join(self.components)}; none for one preference"
            )

    @property
    def num_extra(self) -> int:
        """W: features by which a network is told a preference."""
        return len(COMPONENTS) if self.components else 0

    def draw(self, size: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """`[size, 4]` weights, uniform over all that add up to 1 (a flat Dirichlet law); 0 for other components."""
        weights = np.zeros((size, len(COMPONENTS)), dtype=np.float32)
        weights[:, [COMPONENTS.index(name) for name in self.components]] = rng.dirichlet(
            np.ones(len(self.components)), size
        )
        return weights

    def tell(self, weights: Mapping[str, float]) -> NDArray[np.float32]:
        """`[W]` what a network is told of weights by component, scaled to add up to 1: the scale changes no decision.

        Raises:
            ValueError: If a weight is negative, all are 0, or a component has weight that is not among these.
        """
        if not self.components:
            return np.zeros(0, dtype=np.float32)
        strange = [name for name, weight in weights.items() if weight and name not in self.components]
        if strange or min(weights.values(), default=0.0) < 0.0 or not sum(weights.values()) > 0.0:
            raise ValueError(
                f"this network knows weights of at least 0 for {', '.join(self.components)}, not all 0, got "
                f"{ {name: float(weight) for name, weight in weights.items()} }"
            )
        told = np.array([weights.get(name, 0.0) for name in COMPONENTS], dtype=np.float32)
        return told / told.sum()

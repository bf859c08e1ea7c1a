"""Multi-objective environments: the reward is its vector, as MO-Gymnasium has it."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mhgym.metrics import COMPONENTS

#: One step may take back what another paid; burden, per staffed minute, has no bound.
_BOUNDS = {"burden": np.inf}


def reward_box() -> spaces.Box:
    """The space of reward vectors, in the order of `metrics.COMPONENTS`."""
    high = np.array([_BOUNDS.get(name, 1.0) for name in COMPONENTS], dtype=np.float32)
    return spaces.Box(-high, high, dtype=np.float32)


class VectorReward:
    """Mixin, put before an environment whose infos have `reward_vector`: `step` gives that, `[reward_dim]` float32.

    A class that mixes it in sets `reward_space` and `reward_dim`, and `reward_weights`, by which the scalar environment
    weighs the components.
    """

    def step(self, action: Any) -> tuple[Any, NDArray[np.float32], bool, bool, dict[str, Any]]:
        """As the environment's own, with the vector in the reward's place."""
        observation, _, terminated, truncated, info = super().step(action)  # type: ignore[misc]
        return observation, info["reward_vector"].astype(np.float32), terminated, truncated, info

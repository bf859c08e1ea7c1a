"""The week after a disaster with its reward as a vector."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mhgym.matching.env import DisasterReliefEnv
from mhgym.matching.scoring import COMPONENTS
from mhgym.mdp.vector_reward import VectorReward


class MODisasterReliefEnv(VectorReward, DisasterReliefEnv):  # type: ignore[misc]  # a reward that is no float
    """`DisasterReliefEnv` whose reward is the vector of severity and compatibility, each in [0, 1] over a week.

    Args:
        *args: As `DisasterReliefEnv`.
        **settings: As `DisasterReliefEnv`.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.reward_space = spaces.Box(0.0, 1.0, (len(COMPONENTS),), np.float32)
        self.reward_dim = len(COMPONENTS)

    @property
    def reward_weights(self) -> NDArray[np.float64]:
        """`[2]` by which the scalar environment weighs the components of the week under way."""
        assert self.week is not None, "the weights are the week's; call reset() first"
        return self.week.worth.weights

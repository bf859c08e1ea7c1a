"""Wrappers that change the form of an observation, not what is known."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mhgym.mdp.observation import HIGH, LOW


class DictObservation(gymnasium.ObservationWrapper[dict[str, Any], np.int64, NDArray[np.float32]]):
    """The flat observation as a Dict of `globals`, `queue`, `counsellors`, `pairs` and `action_mask`."""

    def __init__(self, env: gymnasium.Env[NDArray[np.float32], np.int64]) -> None:
        super().__init__(env)
        self._layout = env.get_wrapper_attr("layout")
        boxes = {name: spaces.Box(LOW, HIGH, shape, np.float32) for name, shape in self._layout.shapes.items()}
        actions = env.action_space
        assert isinstance(actions, spaces.Discrete)
        mask = spaces.Box(0, 1, (int(actions.n),), np.int8)
        self.observation_space = spaces.Dict({**boxes, "action_mask": mask})

    def observation(self, observation: NDArray[np.float32]) -> dict[str, Any]:
        """Split the vector and add the mask."""
        mask = self.env.get_wrapper_attr("action_masks")().astype(np.int8)
        return {**self._layout.split(observation), "action_mask": mask}

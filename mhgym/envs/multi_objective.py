"""Multi-objective faces to MO-Gymnasium's convention, and the way back to a scalar."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from mhgym.envs.routing import RoutingEnv
from mhgym.envs.vector import Observations, RoutingVectorEnv
from mhgym.mdp.vector_reward import VectorReward, reward_box
from mhgym.metrics import COMPONENTS


class MORoutingEnv(VectorReward, RoutingEnv):  # type: ignore[misc]  # a reward that is no float
    """`RoutingEnv` whose reward is the vector of quality, quantity, burden and fairness.

    Args:
        *args: As `RoutingEnv`.
        **settings: As `RoutingEnv`; `weights` only sets `reward_weights`.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.reward_space = reward_box()
        self.reward_dim = len(COMPONENTS)

    @property
    def reward_weights(self) -> NDArray[np.float64]:
        """`[4]` by which the scalar environment weighs the components."""
        return self.core.weights


class MORoutingVectorEnv(RoutingVectorEnv):
    """`RoutingVectorEnv` whose rewards are vectors `[E, 4]`.

    Args:
        *args: As `RoutingVectorEnv`.
        **settings: As `RoutingVectorEnv`.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.reward_space = reward_box()
        self.reward_dim = len(COMPONENTS)

    def step(  # type: ignore[override]
        self, actions: NDArray[np.int64]
    ) -> tuple[Observations, NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """As `RoutingVectorEnv.step`, with vectors in the rewards' place."""
        observations, _, terminated, truncated, infos = super().step(actions)
        vectors = infos["reward_vector"].astype(np.float32)
        if "final_info" in infos:  # what stands outside of it belongs to the new episodes
            ended = infos["_final_info"]
            vectors[ended] = infos["final_info"]["reward_vector"][ended]
        return observations, vectors, terminated, truncated, infos


class LinearScalarisation(gymnasium.Wrapper[Any, Any, Any, Any], gymnasium.utils.RecordConstructorArgs):
    """The weighted sum of a vector reward; the vector is `info["vector_reward"]`.

    Args:
        env: An environment with `reward_space`, ours or MO-Gymnasium's.
        weights: `[reward_dim]` one for each component; None for the environment's own `reward_weights`.

    Raises:
        ValueError: If there is not one finite weight for each component.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], weights: Sequence[float] | None = None) -> None:
        gymnasium.utils.RecordConstructorArgs.__init__(self, weights=weights)
        super().__init__(env)
        size = env.get_wrapper_attr("reward_space").shape
        if weights is not None and (np.shape(weights) != size or not np.all(np.isfinite(weights))):
            raise ValueError(f"weights must be {size[0]} finite numbers, one for each component, got {weights}")
        self._weights = None if weights is None else np.array(weights, dtype=np.float64)

    @property
    def weights(self) -> NDArray[np.float64]:
        """`[reward_dim]` in use."""
        own: NDArray[np.float64] = (
            self._weights if self._weights is not None else self.get_wrapper_attr("reward_weights")
        )
        return own

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """As the environment's own, with the weighted sum as the reward."""
        observation, vector, terminated, truncated, info = self.env.step(action)
        reward = float(self.weights @ np.asarray(vector, dtype=np.float64))
        return observation, reward, terminated, truncated, {**info, "vector_reward": vector}

"""Counsellors who share a policy as Stable-Baselines3's `VecEnv`: the native batch, or PettingZoo through SuperSuit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import (
    VecEnv,
    VecEnvIndices,
    VecEnvObs,
    VecEnvStepReturn,
    VecEnvWrapper,
)

from agents.vec_env import RoutingVecEnv
from mhgym.envs.multi.batch import CounsellorsVectorEnv
from mhgym.scenario import Scenario


class CounsellorsVecEnv(RoutingVecEnv):
    """In each centre one counsellor at each step; see `CounsellorsVectorEnv`.

    Args:
        num_envs: Centres.
        scenario: A scenario, or the name of a preset.
        with_kpis: As `RoutingVecEnv`.
        **settings: As `CounsellorsVectorEnv`.
    """

    def __init__(
        self, num_envs: int, scenario: Scenario | str = "EranHeavy", *, with_kpis: bool = False, **settings: Any
    ) -> None:
        self.vector = CounsellorsVectorEnv(num_envs, scenario, with_kpis=with_kpis, **settings)
        self._actions: NDArray[np.int64] = np.zeros(num_envs, dtype=np.int64)
        self._return = np.zeros(num_envs)
        self._length = np.zeros(num_envs, dtype=np.int64)
        self.reward_weights = np.tile(self.vector.batch.weights.astype(np.float32), (num_envs, 1))
        self.render_mode = None
        VecEnv.__init__(self, num_envs, self.vector.single_observation_space, self.vector.single_action_space)


class MaskedVecEnv(VecEnvWrapper):
    """PettingZoo's Dict taken apart: the observations to learn from, and the masks for sb3-contrib's `MaskablePPO`.

    Args:
        venv: What SuperSuit's `concat_vec_envs_v1(..., base_class="stable_baselines3")` makes of a parallel
            environment.
    """

    def __init__(self, venv: VecEnv) -> None:
        assert isinstance(venv.observation_space, spaces.Dict)
        super().__init__(venv, venv.observation_space["observation"])
        self._masks: NDArray[np.bool_] = np.zeros((venv.num_envs, 0), dtype=np.bool_)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed the sequences of episodes, which SuperSuit's batch can only do by a reset."""
        assert isinstance(self.venv, VecEnvWrapper)
        self.venv.venv.reset(seed=seed)  # type: ignore[call-arg]  # SuperSuit's batch, which is no VecEnv
        return [seed] * self.num_envs

    def reset(self) -> VecEnvObs:
        """Begin an episode in every centre."""
        return self._take(self.venv.reset())

    def step_wait(self) -> VecEnvStepReturn:
        """Hear every agent of every centre."""
        seen, rewards, dones, infos = self.venv.step_wait()
        for info in infos:
            if "terminal_observation" in info:
                info["terminal_observation"] = info["terminal_observation"]["observation"]
        return self._take(seen), rewards, dones, infos

    def _take(self, seen: VecEnvObs) -> VecEnvObs:
        assert isinstance(seen, dict)
        self._masks = seen["action_mask"].astype(np.bool_)
        return seen["observation"]

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call `action_masks` of the agents.

        Raises:
            AttributeError: For any other method.
        """
        if method_name != "action_masks":
            raise AttributeError(f"agents know the method action_masks, not {method_name!r}")
        return list(self._masks)

    def has_attr(self, attr_name: str) -> bool:
        """Whether it is `action_masks`: MaskablePPO asks."""
        return attr_name == "action_masks"

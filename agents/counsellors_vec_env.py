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

from mhgym.envs.multi.batch import CounsellorsVectorEnv
from mhgym.scenario import Scenario


class CounsellorsVecEnv(VecEnv):
    """In each centre one counsellor at each step; see `CounsellorsVectorEnv`.

    Args:
        num_envs: Centres.
        scenario: A scenario, or the name of a preset.
        **settings: As `CounsellorsVectorEnv`.
    """

    def __init__(self, num_envs: int, scenario: Scenario | str = "EranHeavy", **settings: Any) -> None:
        self.vector = CounsellorsVectorEnv(num_envs, scenario, **{"with_kpis": False} | settings)
        self._actions: NDArray[np.int64] = np.zeros(num_envs, dtype=np.int64)
        self._return, self._length = np.zeros(num_envs), np.zeros(num_envs, dtype=np.int64)
        self.render_mode = None
        super().__init__(num_envs, self.vector.single_observation_space, self.vector.single_action_space)

    def reset(self) -> VecEnvObs:
        """Begin an episode in every centre."""
        obs, _ = self.vector.reset(seed=list(self._seeds) if any(own is not None for own in self._seeds) else None)
        self._return[:], self._length[:] = 0.0, 0
        self._reset_seeds()
        return obs

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions until `step_wait`."""
        self._actions = np.asarray(actions, dtype=np.int64)

    def step_wait(self) -> VecEnvStepReturn:
        """Hear one counsellor of every centre; one whose episode has ended starts anew."""
        obs, rewards, terminated, truncated, batched = self.vector.step(self._actions)
        dones, infos = terminated | truncated, [dict[str, Any]() for _ in range(self.num_envs)]
        self._return += rewards
        self._length += 1
        for row in np.flatnonzero(dones).tolist():
            episode = {"r": float(self._return[row]), "l": int(self._length[row])}
            last = {"terminal_observation": batched["final_obs"][row], "TimeLimit.truncated": bool(truncated[row])}
            infos[row] = {**last, "episode": episode}
        self._return[dones], self._length[dones] = 0.0, 0
        return obs, rewards.astype(np.float32), dones, infos

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call `action_masks` of the counsellors who are asked.

        Raises:
            AttributeError: For any other method: a native batch has no environments to call.
        """
        if method_name != "action_masks":
            raise AttributeError(f"a native batch knows the method action_masks, not {method_name!r}")
        masks = self.vector.action_masks()
        return [masks[row] for row in self._get_indices(indices)]

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute of the batch, once for each centre asked for."""
        return [getattr(self.vector, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Refused: the centres of a batch share their settings."""
        raise AttributeError(f"the centres of a native batch share their settings; {attr_name!r} cannot be set")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: VecEnvIndices = None) -> list[bool]:
        """Never: a batch has no wrappers inside."""
        return [False for _ in self._get_indices(indices)]

    def close(self) -> None:
        """Nothing to close."""


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

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """No picture; SuperSuit's batch has no other attributes to tell."""
        if attr_name != "render_mode":
            raise AttributeError(f"SuperSuit's batch tells no attribute of its environments, asked for {attr_name!r}")
        return [None for _ in self._get_indices(indices)]

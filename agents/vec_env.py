"""The native batch as Stable-Baselines3's `VecEnv`, masks included."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices, VecEnvObs, VecEnvStepReturn

from agents.preferences import Preferences
from agents.sight import Sight
from mhgym.envs.mixture import MixtureVectorEnv
from mhgym.envs.vector import RoutingVectorEnv
from mhgym.mdp.observation import HIGH, LOW
from mhgym.metrics import COMPONENTS
from mhgym.presets import ScenarioSampler
from mhgym.scenario import Scenario

#: What every info has of the last step.
_SHOWN = ("elapsed", "reward_vector")


class RoutingVecEnv(VecEnv):
    """Centres for Stable-Baselines3 and sb3-contrib; `env_method("action_masks")` serves MaskablePPO.

    Args:
        num_envs: Centres.
        scenario: A scenario, the name of a preset, or a sampler, which draws the scenario of each episode.
        with_kpis: Whether the last info of an episode has `kpis`; they cost more than all of its decisions.
        preferences: Components whose weights are drawn for each episode, see `Preferences.draw`, and follow the
            observation, so that it is `[size + 4]`; none to weight them as the scenario does.
        may_hold: Whether HOLD is unmasked where a pair can be assigned.
        **settings: As `RoutingVectorEnv`.
    """

    def __init__(
        self,
        num_envs: int,
        scenario: Scenario | ScenarioSampler | str,
        *,
        with_kpis: bool = False,
        preferences: Sequence[str] = (),
        may_hold: bool = True,
        **settings: Any,
    ) -> None:
        settings |= {"autoreset_mode": AutoresetMode.SAME_STEP, "with_kpis": with_kpis}
        self.vector: RoutingVectorEnv | MixtureVectorEnv = (
            MixtureVectorEnv(num_envs, scenario, **settings)
            if isinstance(scenario, ScenarioSampler)
            else RoutingVectorEnv(num_envs, scenario, **settings)
        )
        self._actions: NDArray[np.int64] = np.zeros(num_envs, dtype=np.int64)
        self._return = np.zeros(num_envs)
        self._length = np.zeros(num_envs, dtype=np.int64)
        #: `[E, 4]` by which the reward vector of each centre is weighted.
        self.reward_weights = np.tile(self.vector.weights.astype(np.float32), (num_envs, 1))
        self.preferences = Preferences(tuple(preferences))
        own = dict(zip(COMPONENTS, self.vector.weights.tolist(), strict=True))
        #: What a network that learns here is shown where it decides by the scenario's own weights.
        self.sight = Sight(self.vector.layout, self.preferences.tell(own), may_hold)
        #: `[E]` of the decisions that are asked for.
        self.minutes = np.zeros(num_envs)
        self._rng = np.random.default_rng()
        size = self.vector.layout.size + self.preferences.num_extra
        self.render_mode = None
        super().__init__(num_envs, spaces.Box(LOW, HIGH, (size,), np.float32), self.vector.single_action_space)

    def reset(self) -> VecEnvObs:
        """Begin an episode in every centre."""
        seed = list(self._seeds) if any(own is not None for own in self._seeds) else None
        if seed is not None:
            self._rng = np.random.default_rng([own for own in seed if own is not None])
        obs, infos = self.vector.reset(seed=seed)
        self.minutes = infos["minute"]
        self._draw_preferences(np.arange(self.num_envs))
        self._return[:] = 0.0
        self._length[:] = 0
        self.reset_infos = self._split(infos)
        self._reset_seeds()
        self._reset_options()
        return self._tell(obs)

    def _draw_preferences(self, rows: NDArray[np.int64]) -> None:
        if self.preferences.components:
            self.reward_weights[rows] = self.preferences.draw(len(rows), self._rng)

    def _tell(self, obs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Observations `[E, size]` with the weights of their episodes, if these are drawn."""
        return np.hstack([obs, self.reward_weights]) if self.preferences.components else obs

    def action_masks(self) -> NDArray[np.bool_]:
        """`[E, N * C + 1]` what may be chosen."""
        return self.sight.allow(self.vector.action_masks())

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions until `step_wait`."""
        self._actions = np.asarray(actions, dtype=np.int64)

    def step_wait(self) -> VecEnvStepReturn:
        """Step every centre; one whose episode has ended starts anew."""
        obs, rewards, terminated, truncated, batched = self.vector.step(self._actions)
        dones = terminated | truncated
        self.minutes = batched["minute"]
        last = batched.get("final_info", {})  # what stands outside of it belongs to the new episode
        if self.preferences.components:
            rewards = np.where(dones[:, None], last.get("reward_vector", 0.0), batched["reward_vector"])
            rewards = (rewards * self.reward_weights).sum(axis=1)
        self._return += rewards
        self._length += 1
        infos = self._split(batched)
        for row in np.flatnonzero(dones).tolist():
            told = self.reward_weights[row, : self.preferences.num_extra]
            infos[row]["terminal_observation"] = np.concatenate([batched["final_obs"][row], told])
            infos[row]["TimeLimit.truncated"] = bool(truncated[row])
            infos[row] |= {name: last[name][row] for name in _SHOWN}
            if "kpis" in last:
                kpis = last["kpis"]
                infos[row]["kpis"] = {name: float(kpis[name][row]) for name in kpis if not name.startswith("_")}
            infos[row]["episode"] = {"r": float(self._return[row]), "l": int(self._length[row])}
            self._return[row], self._length[row] = 0.0, 0
        self._draw_preferences(np.flatnonzero(dones))
        return self._tell(obs), rewards.astype(np.float32), dones, infos

    def _split(self, infos: dict[str, Any]) -> list[dict[str, Any]]:
        return [{name: infos[name][row] for name in _SHOWN} for row in range(self.num_envs)]

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call `action_masks` of the centres.

        Raises:
            AttributeError: For any other method: a native batch has no environments to call.
        """
        if method_name != "action_masks":
            raise AttributeError(f"a native batch knows the method action_masks, not {method_name!r}")
        masks = self.action_masks()
        return [masks[row] for row in self._get_indices(indices)]

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute of the batch, once for each centre asked for."""
        value = self.action_masks if attr_name == "action_masks" else getattr(self.vector, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Refused: the centres of a batch share their settings."""
        raise AttributeError(f"the centres of a native batch share their settings; {attr_name!r} cannot be set")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: VecEnvIndices = None) -> list[bool]:
        """Never: a batch has no wrappers inside. Episode statistics are in `info["episode"]` all the same."""
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """None: a batch has no picture."""
        return [None] * self.num_envs

    def close(self) -> None:
        """Nothing to close."""

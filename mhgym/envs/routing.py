"""The Gymnasium environment."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mhgym.envs.core import RoutingCore, SavedCore
from mhgym.envs.screen import RENDER_FPS, RENDER_MODES, Screen
from mhgym.mdp.observation import HIGH, LOW
from mhgym.presets import ScenarioSampler
from mhgym.presets.base import suggest
from mhgym.scenario import Scenario
from mhgym.trace import Trace

_RESET_OPTIONS = ["trace", "trace_seed"]


class RoutingEnv(gymnasium.Env[NDArray[np.float32], np.int64]):
    """Route waiting contacts to counsellors, one pair or HOLD at a time.

    Observation: a flat `Box(float32)`; `env.unwrapped.layout` names its parts. Action: `Discrete(N * C + 1)`, pair of
    queue slot and counsellor, the last one HOLD. Reward: the weighted sum of quality, quantity, burden and fairness,
    which over an episode adds up to the weighted KPIs; the vector is `info["reward_vector"]`. Decision epochs are
    unevenly spaced: `info["elapsed"]` has the minutes since the decision before.

    Args:
        scenario: Name of a preset, a scenario, or a sampler of scenarios.
        num_slots: N queue slots.
        engine: `simpy`, the definition, or `compiled`, the same episodes faster.
        render_mode: `ansi`, `rgb_array` or `human`.
        **overrides: Settings of the preset: `flow`, `staffing`, `weights`, `zombies`, `horizon` and others.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": RENDER_MODES, "render_fps": RENDER_FPS}  # type: ignore[misc]

    def __init__(
        self,
        scenario: Scenario | ScenarioSampler | str,
        *,
        num_slots: int = 16,
        engine: str = "simpy",
        render_mode: str | None = None,
        **overrides: Any,
    ) -> None:
        self.core = RoutingCore(scenario, num_slots=num_slots, engine=engine, **overrides)
        self.layout = self.core.observations
        self.render_mode = render_mode
        self.observation_space = spaces.Box(LOW, HIGH, (self.layout.size,), np.float32)
        self.action_space = spaces.Discrete(self.core.actions.size)
        self._screen = Screen(self.core, render_mode)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: Seed of the sequence of episodes.
            options: `trace_seed` fixes this episode's chance by number, `trace` by a `Trace` of this scenario.
        """
        super().reset(seed=seed)
        options = options or {}
        for name in options:
            if name not in _RESET_OPTIONS:
                raise ValueError(f"unknown reset option {name!r}{suggest(name, _RESET_OPTIONS)}")
        trace = options.get("trace")
        if trace is not None and not isinstance(trace, Trace):
            raise TypeError(f"option 'trace' must be a Trace, got {type(trace).__name__}")
        self.core.reset(self.np_random, options.get("trace_seed"), trace)
        self._screen.follow()
        return self.core.observation(), self._info(np.zeros(4), self.core.centre.engine.now)

    def step(self, action: np.int64) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Decide, and run to the next decision epoch or to the end of the episode."""
        step = self.core.step(int(action))
        info = self._info(step.reward, step.elapsed)
        if step.over:
            info["kpis"] = self.core.kpis()
        self._screen.follow()
        reward = float(self.core.weights @ step.reward)
        cut = self.core.cuts
        return self.core.observation(), reward, step.over and not cut, step.over and cut, info

    def save_state(self) -> SavedCore:
        """Copy the episode under way; needs `engine="compiled"`."""
        return self.core.save()

    def restore_state(self, saved: SavedCore) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Go back to a saved episode; what `reset` would return. The seeds of later episodes are not touched."""
        self.core.restore(saved)
        return self.core.observation(), self._info(np.zeros(4), 0.0)

    def action_masks(self) -> NDArray[np.bool_]:
        """`[N * C + 1]` the legal actions, as sb3-contrib's MaskablePPO asks for them."""
        return self.core.mask().astype(np.bool_)

    def _info(self, reward: NDArray[np.float64], elapsed: float) -> dict[str, Any]:
        return {
            "action_mask": self.core.mask(),
            "elapsed": float(elapsed),
            "minute": float(self.core.centre.engine.now),
            "reward_vector": np.array(reward),
            "illegal_actions": self.core.centre.illegal_actions,
        }

    def render(self) -> Any:
        """Draw the present view: text, an RGB array, or a window."""
        return self._screen.draw()

    def close(self) -> None:
        """Close the window, if there is one."""
        self._screen.close()

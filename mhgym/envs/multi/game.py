"""What the AEC and the parallel form share: agents, spaces, observations, rewards and infos."""

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils import seeding
from numpy.typing import NDArray

from mhgym.envs.core import RoutingCore
from mhgym.envs.multi.layout import CounsellorLayout
from mhgym.envs.multi.order import refuse_inboxes
from mhgym.envs.multi.rewards import make_division
from mhgym.envs.multi.turns import Turns
from mhgym.envs.screen import Screen
from mhgym.mdp.observation import HIGH, LOW
from mhgym.mdp.vector_reward import reward_box
from mhgym.presets import ScenarioSampler
from mhgym.presets.base import suggest
from mhgym.scenario import Scenario
from mhgym.trace import Trace

Floats = NDArray[np.float64]
_RESET_OPTIONS = ["trace", "trace_seed"]
_PLAIN_OPTION = "options"  # what PettingZoo's checkers hand to `reset`


class Game:
    """A centre whose counsellors are the players `counsellor_0`, `counsellor_1`, ...

    Observation of each: a Dict of `observation`, a flat `Box(float32)` laid out by `CounsellorLayout`, and
    `action_mask`. Action: `Discrete(N + 1)`, one of the callers shown, the last one to decline; an illegal action is to
    decline. Reward: see `mhgym.envs.multi.rewards`; the vector is `info["reward_vector"]`.

    Args:
        scenario: Name of a preset, a scenario, or a sampler of scenarios.
        num_slots: N queue slots.
        engine: `simpy`, the definition, or `compiled`, the same episodes faster.
        reward: `shared` or `own`.
        vector: Whether the reward is its vector, `[4]` float32 in `reward_space`, and not the weighted sum.
        render_mode: `ansi`, `rgb_array` or `human`.
        max_cycles: Turns after which an agent is truncated; None for as many as the shift brings.
        **overrides: Settings of the preset: `flow`, `staffing`, `weights`, `zombies`, `horizon` and others.

    Raises:
        ValueError: If a setting is unknown or out of range.
    """

    def __init__(
        self,
        scenario: Scenario | ScenarioSampler | str = "EranHeavy",
        *,
        num_slots: int = 16,
        engine: str = "simpy",
        reward: str = "shared",
        vector: bool = False,
        render_mode: str | None = None,
        max_cycles: int | None = None,
        **overrides: Any,
    ) -> None:
        if max_cycles is not None and max_cycles < 1:
            raise ValueError(f"max_cycles must be at least 1 turn, got {max_cycles}; None for no limit")
        self.core = RoutingCore(scenario, num_slots=num_slots, engine=engine, **overrides)
        refuse_inboxes(self.core.scenario)
        self.turns = Turns(self.core, make_division(reward))
        self.layout = CounsellorLayout(self.core.observations)
        self.reward_space = reward_box()
        self._vector = vector
        self.screen = Screen(self.core, render_mode)
        self.max_cycles = max_cycles
        self.index = {f"counsellor_{j}": j for j in range(self.core.actions.num_counsellors)}
        box = spaces.Box(LOW, HIGH, (self.layout.size,), np.float32)
        parts: dict[str, spaces.Space[Any]] = {
            "observation": box,
            "action_mask": spaces.Box(0, 1, (num_slots + 1,), np.int8),
        }
        self.observation_spaces = {agent: spaces.Dict(parts) for agent in self.index}
        self.action_spaces = {agent: spaces.Discrete(num_slots + 1) for agent in self.index}
        self.state_space = spaces.Box(LOW, HIGH, (self.core.observations.size,), np.float32)
        self._rng = seeding.np_random(None)[0]

    def reset(self, seed: int | None, options: dict[str, Any] | None) -> list[str]:
        """Begin an episode; who takes part.

        Args:
            seed: Seed of the sequence of episodes.
            options: `trace_seed` fixes this episode's chance by number, `trace` by a `Trace` of this scenario.

        Raises:
            ValueError: If an option is unknown.
            TypeError: If `trace` is no trace.
        """
        if seed is not None:
            self._rng = seeding.np_random(seed)[0]
        options = {name: value for name, value in (options or {}).items() if name != _PLAIN_OPTION}
        for name in options:
            if name not in _RESET_OPTIONS:
                raise ValueError(f"unknown reset option {name!r}{suggest(name, _RESET_OPTIONS)}")
        trace = options.get("trace")
        if trace is not None and not isinstance(trace, Trace):
            raise TypeError(f"option 'trace' must be a Trace, got {type(trace).__name__}")
        self.turns.reset(self._rng, **options)
        self.screen.follow()
        return list(self.index)[: len(self.core.scenario.roster)]

    @property
    def asked(self) -> str:
        """Whose turn it is."""
        return f"counsellor_{max(self.turns.asked, 0)}"

    def observe(self, agent: str) -> dict[str, Any]:
        """What an agent sees, in fresh arrays."""
        j = self.index[agent]
        seen = self.layout.encode(self.core.centre.obs[None], np.array([j]))
        return {"observation": seen[0], "action_mask": self.turns.mask(j)}

    def nothing(self) -> Any:
        """A reward of 0, fresh."""
        return np.zeros(4, dtype=np.float32) if self._vector else 0.0

    def pay(self, agents: list[str]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Rewards and infos of agents for all that has happened since this was last called."""
        vectors, elapsed = self.turns.collect()
        rewards: dict[str, Any] = {}
        infos: dict[str, dict[str, Any]] = {}
        kpis = self.core.kpis() if self.turns.over else None
        for agent in agents:
            vector = vectors[self.index[agent]]
            rewards[agent] = vector.astype(np.float32) if self._vector else float(self.core.weights @ vector)
            infos[agent] = {
                "elapsed": elapsed,
                "minute": self.turns.minute,
                "reward_vector": vector.copy(),
                "illegal_actions": self.turns.illegal[self.index[agent]],
            }
            if kpis is not None:
                infos[agent]["kpis"] = dict(kpis)
        return rewards, infos


class Seats:
    """Mixin, put before PettingZoo's class: what an agent meets in both forms is that of the `game`."""

    game: Game

    def observation_space(self, agent: str) -> spaces.Dict:
        """The same object for the same agent."""
        return self.game.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Discrete:
        """The same object for the same agent."""
        return self.game.action_spaces[agent]

    def reward_space(self, agent: str) -> spaces.Box:
        """Of reward vectors, the same for all, as MOMAland has it."""
        return self.game.reward_space

    @property
    def state_space(self) -> spaces.Box:
        """Of `state`."""
        return self.game.state_space

    def state(self) -> NDArray[np.float32]:
        """`[size]` what a dispatcher sees."""
        return self.game.core.observation()

    def render(self) -> Any:
        """Draw the present view: text, an RGB array, or a window."""
        return self.game.screen.draw()

    def close(self) -> None:
        """Close the window, if there is one."""
        self.game.screen.close()

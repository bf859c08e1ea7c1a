"""Compiled steps from Python: the arrays that the kernels write, and the calls that write them."""

import numpy as np
from numpy.typing import NDArray

from mhgym.engines import columns as col
from mhgym.engines.columns import Chance, Plan, State
from mhgym.mdp import kernels
from mhgym.mdp.action import ActionLayout
from mhgym.mdp.observation import ObservationLayout


class CompiledSteps:
    """Steps `E` centres by one compiled call; every call overwrites what the one before wrote.

    Args:
        num_envs: E.
        num_slots: N queue slots.
        num_counsellors: C counsellors, padding included.

    Attributes:
        obs: `[E, size]` observations.
        mask: `[E, N * C + 1]` legal actions; HOLD alone when the episode is over.
        reward: `[E, 4]` components in the order of `metrics.COMPONENTS`.
        elapsed: `[E]` minutes since the decision before.
        over: `[E]` whether the episode has ended.
    """

    def __init__(self, num_envs: int, num_slots: int, num_counsellors: int) -> None:
        self._sizes = num_slots, num_counsellors
        size, num_actions = (layout(*self._sizes).size for layout in (ObservationLayout, ActionLayout))
        self.obs = np.zeros((num_envs, size), dtype=np.float32)
        self.mask = np.zeros((num_envs, num_actions), dtype=np.int8)
        self.reward = np.zeros((num_envs, 4))
        self.elapsed = np.zeros(num_envs)
        self.over = np.zeros(num_envs, dtype=np.bool_)

    def begin(self, plan: Plan, chance: Chance, state: State, rows: NDArray[np.int64]) -> None:
        """Begin new episodes in some centres, whose traces are loaded, and run each to its first decision epoch."""
        kernels.begin(plan, chance, state, rows, *self._sizes, self.obs, self.mask)
        self.reward[rows] = 0.0
        self.elapsed[rows] = state.clock_f[rows, col.NOW]
        self.over[rows] = False

    def step(
        self, plan: Plan, chance: Chance, state: State, actions: NDArray[np.int64], active: NDArray[np.bool_]
    ) -> None:
        """Step the active centres `[E]`; the others keep what they show."""
        written = self.obs, self.mask, self.reward, self.elapsed, self.over
        kernels.step(plan, chance, state, actions, active, *self._sizes, *written)

"""Compiled steps from Python: the arrays that the kernels write, and the calls that write them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhgym.engines import columns as col
from mhgym.engines.addresses import room_for
from mhgym.engines.columns import Chance, Plan, State
from mhgym.mdp import kernels
from mhgym.mdp.action import ActionLayout
from mhgym.mdp.observation import ObservationLayout


class CompiledSteps:
    """Steps `E` centres by one compiled call; every call overwrites what the one before wrote.

    Args:
        plan: Shared by the batch.
        chance: Traces.
        state: Changed in place.
        num_slots: N queue slots.
        num_counsellors: C counsellors, padding included.

    Raises:
        ValueError: If the plan has more than C counsellors.

    Attributes:
        obs: `[E, size]` observations.
        mask: `[E, N * C + 1]` legal actions; HOLD alone when the episode is over.
        reward: `[E, 4]` components in the order of `metrics.COMPONENTS`.
        elapsed: `[E]` minutes since the decision before.
        over: `[E]` whether the episode has ended.
    """

    def __init__(self, plan: Plan, chance: Chance, state: State, num_slots: int, num_counsellors: int) -> None:
        num_envs = len(chance.size)
        self._sizes = num_slots, num_counsellors
        size = ObservationLayout(*self._sizes, bool(plan.rules_i[col.INBOXES])).size
        num_actions = ActionLayout(*self._sizes).size
        self.obs = np.zeros((num_envs, size), dtype=np.float32)
        self.mask = np.zeros((num_envs, num_actions), dtype=np.int8)
        self.reward = np.zeros((num_envs, 4))
        self.elapsed = np.zeros(num_envs)
        self.over = np.zeros(num_envs, dtype=np.bool_)
        self._no_actions = np.zeros(num_envs, dtype=np.int64)
        self._room = room_for(kernels.BATCH)
        self.attach(plan, chance, state)

    def attach(self, plan: Plan, chance: Chance, state: State) -> None:
        """Step the centres in these arrays from now on; there are as many.

        Raises:
            ValueError: If the plan has more counsellors than observations and actions, which kernels do not check.
        """
        if len(plan.people_i) > self._sizes[1]:
            raise ValueError(f"the layout holds {self._sizes[1]} counsellors, the roster has {len(plan.people_i)}")
        batch = kernels.Batch(plan, chance, state, self.obs, self.mask, self.reward, self.elapsed, self.over)
        kernels.locate(self._room, batch)
        self._batch = batch  # kept alive, as the room holds bare addresses; the one before until it is out of the room

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_room"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy, also one in another process, has arrays of its own and so addresses of its own."""
        vars(self).update(state)
        self._room = room_for(kernels.BATCH)
        kernels.locate(self._room, self._batch)

    def begin(self, rows: NDArray[np.int64]) -> None:
        """Begin new episodes in some centres, whose traces are loaded, and run each to its first decision epoch."""
        self._run(kernels.BEGIN, rows)

    def observe(self, rows: NDArray[np.int64]) -> None:
        """Write anew the observations and masks of some centres, whose state came from elsewhere."""
        self._run(kernels.OBSERVE, rows)

    def _run(self, job: int, rows: NDArray[np.int64]) -> None:
        active = np.zeros(len(self.over), dtype=np.bool_)
        active[rows] = True
        kernels.run(self._room, job, active, self._no_actions, *self._sizes)

    def step(self, actions: NDArray[np.int64], active: NDArray[np.bool_]) -> int:
        """Step the active centres `[E]`, the others keep what they show; how many episodes have ended."""
        ended: int = kernels.run(self._room, kernels.STEP, active, actions, *self._sizes)
        return ended

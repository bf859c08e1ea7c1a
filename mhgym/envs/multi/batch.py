"""A native batch for a policy that all counsellors share: in each centre one of them is asked at each step.

It is the agent environment cycle of `counsellors_v0` with the shared reward, many centres at once: who is asked, what
they see and what a step pays are the same on the same traces.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mhgym.engines import columns as col
from mhgym.envs.centre import idle_since
from mhgym.envs.multi.layout import CounsellorLayout
from mhgym.envs.multi.order import NOBODY, next_asked, refuse_inboxes
from mhgym.envs.vector import Observations, RoutingVectorEnv
from mhgym.mdp.observation import HIGH, LOW
from mhgym.presets import ScenarioSampler
from mhgym.scenario import Scenario

Rows = NDArray[np.bool_]


class CounsellorsVectorEnv(RoutingVectorEnv):
    """`E` centres; each step one counsellor of each pulls a caller or declines, in the order of `multi.turns`.

    Observation: laid out by `CounsellorLayout`. Action: `Discrete(N + 1)`, the last one to decline, as an illegal one
    is. Reward: the centre's. A centre whose episode has ended starts anew in the same step.

    Args:
        num_envs: E centres.
        scenario: See `RoutingVectorEnv`.
        **settings: See `RoutingVectorEnv`, but for `autoreset_mode`.

    Attributes:
        asked: `[E]` whose turn it is.
    """

    def __init__(
        self, num_envs: int, scenario: Scenario | ScenarioSampler | str = "EranHeavy", **settings: Any
    ) -> None:
        super().__init__(num_envs, scenario, autoreset_mode=AutoresetMode.SAME_STEP, **settings)
        refuse_inboxes(self.batch.scenario)
        dispatcher = self.batch.layout
        self._num_slots, self._num_counsellors = dispatcher.num_slots, dispatcher.num_counsellors
        self.layout: CounsellorLayout = CounsellorLayout(dispatcher)  # type: ignore[assignment]
        self.single_observation_space = spaces.Box(LOW, HIGH, (self.layout.size,), np.float32)
        self.single_action_space = spaces.Discrete(self._num_slots + 1)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.asked = np.zeros(num_envs, dtype=np.int64)
        self._declined = np.zeros((num_envs, self._num_counsellors), dtype=np.bool_)
        self._each = np.arange(num_envs)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode in every centre; centre `i` is seeded `seed + i`."""
        _, infos = super().reset(seed=seed, options=options)
        return self._observe(), infos

    def _begin(self, rows: Sequence[int]) -> None:
        super()._begin(rows)
        begun = np.zeros(self.num_envs, dtype=np.bool_)
        begun[list(rows)] = True
        self._declined[begun] = False
        self._look(begun)
        self.asked[begun] = np.maximum(self.asked[begun], 0)

    def step(  # type: ignore[override]
        self, actions: NDArray[np.int64]
    ) -> tuple[Observations, NDArray[np.float64], Rows, Rows, dict[str, Any]]:
        """Hear the counsellor who is asked in every centre.

        Raises:
            ResetNeeded: If no episode is under way.
            ValueError: If there is not one action for each centre.
        """
        if not self._started:
            raise gymnasium.error.ResetNeeded("no episode is under way; call reset() first")
        actions, batch = np.asarray(actions, dtype=np.int64), self.batch
        if actions.shape != (self.num_envs,):
            raise ValueError(f"actions must have shape ({self.num_envs},), one for each centre, got {actions.shape}")
        batch.reward[:], batch.elapsed[:] = self._hear(actions)
        over = batch.over.copy()
        ended = np.flatnonzero(over)
        rewards, final = batch.reward @ batch.weights, {}
        if len(ended):
            final = self._final(ended, self._kpis(ended) if self._with_kpis else {})
            self._begin(ended.tolist())
        nobody = np.zeros(self.num_envs, dtype=np.bool_)
        terminated, truncated = (nobody, over) if self._cut else (over, nobody)
        return self._observe(), rewards, terminated, truncated, {**self._infos(), **final}

    def _hear(self, actions: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Carry out pulls and declines and go on until somebody is asked; `[E, 4]` reward and `[E]` minutes."""
        hold = self.batch.actions.hold
        inside = (actions >= 0) & (actions < self._num_slots)
        pulls = inside & self.action_masks()[self._each, np.where(inside, actions, 0)]
        self.batch.state.clock_i[:, col.ILLEGAL] += ~pulls & (actions != self._num_slots)
        self._declined[self._each[~pulls], self.asked[~pulls]] = True
        pairs = np.where(pulls, actions * self._num_counsellors + self.asked, hold)
        reward, elapsed = np.zeros((self.num_envs, 4)), np.zeros(self.num_envs)
        self._look(~pulls)
        active = pulls | (self.asked == NOBODY)
        while active.any():
            self.batch.step(pairs, active)
            reward[active] += self.batch.reward[active]
            elapsed[active] += self.batch.elapsed[active]
            self._declined[active & ((pairs == hold) | (self.batch.elapsed > 0.0))] = False
            self._look(active)
            pairs[:] = hold
            active = (self.asked == NOBODY) & ~self.batch.over
        return reward, elapsed

    def _look(self, rows: Rows) -> None:
        """See who is asked next in some centres."""
        legal = self._legal()[rows].any(axis=1)
        since = idle_since(self.batch.state)[rows]
        padding = np.full((len(since), self._num_counsellors - since.shape[1]), np.nan)
        self.asked[rows] = next_asked(legal & ~self._declined[rows], np.concatenate([since, padding], axis=1))

    def _legal(self) -> Rows:
        """`[E, N, C]` pairs that may be assigned now."""
        shape = self.num_envs, self._num_slots, self._num_counsellors
        return self.batch.mask[:, :-1].reshape(shape).astype(np.bool_)

    def _observe(self) -> Observations:
        return self.layout.encode(self.batch.obs, np.maximum(self.asked, 0))

    def action_masks(self) -> NDArray[np.bool_]:
        """`[E, N + 1]` what the counsellor who is asked may do."""
        masks = np.ones((self.num_envs, self._num_slots + 1), dtype=np.bool_)
        masks[:, :-1] = self._legal()[self._each, :, np.maximum(self.asked, 0)]
        return masks

    def _final(self, ended: NDArray[np.int64], final: dict[str, Any]) -> dict[str, Any]:
        final = super()._final(ended, final)
        seen = self.layout.encode(self.batch.obs[ended], np.maximum(self.asked[ended], 0))
        for row, own in zip(ended.tolist(), seen, strict=True):
            final["final_obs"][row] = own
        return final

    def _infos(self) -> dict[str, Any]:
        own = {"action_mask": self.action_masks().astype(np.int8), "asked": self.asked.copy()}
        everybody = np.ones(self.num_envs, dtype=np.bool_)
        return {**super()._infos(), **own, "_asked": everybody}

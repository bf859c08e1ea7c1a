"""A scenario per episode for many centres at once: a native batch for each number of counsellors, seen as one."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mhgym.envs.vector import Observations, RoutingVectorEnv, padded_size
from mhgym.policy import Policy
from mhgym.presets import ScenarioSampler

Infos = dict[str, Any]


class MixtureVectorEnv(VectorEnv[Observations, NDArray[np.int64], NDArray[np.float64]]):
    """Centres of a sampler: the staffing is fixed for each centre, the flow is drawn for each episode.

    Numbers of counsellors have as equal numbers of centres as can be, the small ones first; rosters are padded to one
    layout. Centre `i` is seeded as centre `i` of a plain batch.

    Args:
        num_envs: E centres.
        sampler: Of scenarios.
        num_counsellors: C of observations and actions, padding included; None for the largest roster's.
        autoreset_mode: As `RoutingVectorEnv`.
        bank: Traces drawn ahead, shared out among the numbers of counsellors.
        **settings: As `RoutingVectorEnv`.

    Raises:
        ValueError: If there are fewer centres than numbers of counsellors, or C is below the largest roster.

    Attributes:
        parts: The batches.
        layout: Of observations.
        weights: `[4]` of the reward's components.
    """

    def __init__(
        self,
        num_envs: int,
        sampler: ScenarioSampler,
        *,
        num_counsellors: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        bank: int = 0,
        **settings: Any,
    ) -> None:
        strata = sampler.by_staffing()
        if num_envs < len(strata):
            low, high = sampler.staffing
            raise ValueError(
                f"staffing {low} to {high} needs at least {len(strata)} centres, one for each number, got {num_envs}"
            )
        size = padded_size(num_counsellors, sampler.largest())
        shared = {"num_counsellors": size, "autoreset_mode": autoreset_mode, **settings}
        sizes, banks = share_out(num_envs, len(strata)), share_out(max(bank, len(strata)) if bank else 0, len(strata))
        self.parts = [
            RoutingVectorEnv(number, stratum, bank=ahead, **shared)
            for stratum, number, ahead in zip(strata, sizes, banks, strict=True)
        ]
        first = self.parts[0]
        self.num_envs, self.layout, self.weights = num_envs, first.layout, first.weights
        self.metadata, self.render_mode = first.metadata, None
        self.single_observation_space = first.single_observation_space
        self.single_action_space = first.single_action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._ends = np.cumsum(sizes)[:-1]

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, Infos]:
        """Begin an episode in every centre; centre `i` is seeded `seed + i`.

        Raises:
            ValueError: If there is not one seed for each centre, or there are options, of which there are none.
        """
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed
        if seeds is not None and len(seeds) != self.num_envs:
            raise ValueError(f"there must be one seed for each of {self.num_envs} centres, got {len(seeds)}")
        begun, start = [], 0
        for part in self.parts:
            own = None if seeds is None else list(seeds[start : start + part.num_envs])
            begun.append(part.reset(seed=own, options=options))
            start += part.num_envs
        return np.concatenate([obs for obs, _ in begun]), self._join([infos for _, infos in begun])

    def step(  # type: ignore[override]  # as in `RoutingVectorEnv`
        self, actions: NDArray[np.int64]
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], Infos]:
        """Step every centre; one whose episode has ended starts anew, as `autoreset_mode` says.

        Raises:
            ResetNeeded: If no episode is under way.
            ValueError: If there is not one action for each centre.
        """
        actions = np.asarray(actions, dtype=np.int64)
        if actions.shape != (self.num_envs,):
            raise ValueError(f"actions must have shape ({self.num_envs},), one for each centre, got {actions.shape}")
        own = np.split(actions, self._ends)
        steps = [part.step(chosen) for part, chosen in zip(self.parts, own, strict=True)]
        obs, rewards, terminated, truncated = (np.concatenate([step[k] for step in steps]) for k in range(4))
        return obs, rewards, terminated, truncated, self._join([step[4] for step in steps])

    @property
    def episodes(self) -> NDArray[np.int64]:
        """`[E]` which trace of its group each centre plays, see `same_traces`."""
        return np.concatenate([part.episodes for part in self.parts])

    def labels(self, policy: Policy) -> NDArray[np.int64]:
        """`[E]` the actions that a policy with a compiled rule would take, see `RoutingBatch.labels`."""
        return np.concatenate([part.labels(policy) for part in self.parts])

    def action_masks(self) -> NDArray[np.bool_]:
        """`[E, N * C + 1]` the legal actions."""
        return np.concatenate([part.action_masks() for part in self.parts])

    def renew_bank(self, number: int) -> None:
        """Replace the oldest traces of the banks by new ones, `number` in all; episodes under way keep theirs.

        Raises:
            RuntimeError: If there is no bank yet.
        """
        for part, own in zip(self.parts, share_out(number, len(self.parts)), strict=True):
            part.renew_bank(own)

    def _join(self, infos: Sequence[Mapping[str, Any]]) -> Infos:
        """The infos of all parts as those of one batch; what only some have stands empty in the others."""
        joined: Infos = {}
        for name in dict.fromkeys(name for own in infos for name in own):
            values = [own.get(name) for own in infos]
            some = next(value for value in values if value is not None)
            if isinstance(some, dict):
                joined[name] = self._join([value or {} for value in values])
                continue
            joined[name] = np.concatenate(
                [
                    _blank(part.num_envs, some) if value is None else value
                    for part, value in zip(self.parts, values, strict=True)
                ]
            )
        return joined


def share_out(number: int, parts: int) -> list[int]:
    """Whole shares of a number, as equal as can be, the larger ones first."""
    least, more = divmod(number, parts)
    return [least + (k < more) for k in range(parts)]


def _blank(size: int, like: NDArray[Any]) -> NDArray[Any]:
    empty = None if like.dtype == object else np.zeros((), like.dtype)
    return np.full((size, *like.shape[1:]), empty, dtype=like.dtype)

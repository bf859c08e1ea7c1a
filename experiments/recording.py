"""Episodes as a learner would have met them: what an environment shows while a policy decides from views."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhgym.envs import RoutingEnv
from mhgym.policy import Policy, policy_rng
from mhgym.view import CentreView, Pair


@dataclass(frozen=True)
class Recorded:
    """An episode of `T` steps; an episode in which no decision is asked for has one step, HOLD.

    Attributes:
        seed: Of the trace.
        trace_hash: Names all chance of the episode.
        observations: `[T + 1, size]`, the last one after the end.
        infos: By name, `[T + 1, ...]`: `action_mask`, `reward_vector` (0 at first), `elapsed` and `minute`.
        actions: `[T]`.
        rewards: `[T]`.
        cut: Whether the end cuts through a continuing service (truncation); otherwise it is that of a shift.
        kpis: Of the episode.
    """

    seed: int
    trace_hash: str
    observations: NDArray[np.float32]
    infos: dict[str, NDArray[Any]]
    actions: NDArray[np.int64]
    rewards: NDArray[np.float64]
    cut: bool
    kpis: dict[str, float]


INFOS = ("action_mask", "reward_vector", "elapsed", "minute")


def record_episode(env: RoutingEnv, policy: Policy, seed: int) -> Recorded:
    """Let a policy play the trace of a seed in an environment; the episode is that of `run_episodes`.

    Raises:
        ValueError: If it serves somebody whom no queue slot of the environment shows.
    """
    observation, info = env.reset(options={"trace_seed": seed})
    trace = env.core.trace
    assert trace is not None
    policy.reset(env.core.scenario.public, policy_rng(trace.hash, policy.name))
    observations, infos = [observation], [info]
    actions: list[int] = []
    rewards: list[float] = []
    terminated = truncated = False
    while not (terminated or truncated):
        actions.append(_choose(env, policy))
        observation, reward, terminated, truncated, info = env.step(np.int64(actions[-1]))
        observations.append(observation)
        infos.append(info)
        rewards.append(reward)
    return Recorded(
        seed,
        trace.hash,
        np.array(observations),
        {name: np.array([own[name] for own in infos]) for name in INFOS},
        np.array(actions, dtype=np.int64),
        np.array(rewards),
        truncated,
        info["kpis"],
    )


def _choose(env: RoutingEnv, policy: Policy) -> int:
    """The action that stands for what the policy decides; HOLD for anything illegal, as which it counts."""
    view, layout = env.core.view, env.core.actions
    if not view.legal.any():
        return layout.hold
    pair = policy.act(view)
    if not _legal(view, pair):
        return layout.hold
    action = layout.encode(pair, view)
    if action == layout.hold:
        raise ValueError(
            f"at minute {view.now:.1f} {policy.name} serves number {pair.row + 1} of {len(view.waiting)} in the queue, "
            f"whom none of the {layout.num_slots} queue slots shows; raise slots to at least {len(view.waiting)}"
        )
    return action


def _legal(view: CentreView, pair: Pair) -> bool:
    rows, counsellors = view.legal.shape
    return 0 <= pair.row < rows and 0 <= pair.counsellor < counsellors and bool(view.legal[pair.row, pair.counsellor])

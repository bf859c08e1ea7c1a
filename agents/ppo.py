"""Maskable PPO on the native batch, with a value for each reward component and undiscounted returns."""

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.buffers import MaskableRolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import FloatSchedule, explained_variance
from torch import Tensor
from torch.nn.functional import mse_loss

from agents.common_luck import without_luck
from agents.imitation import Teacher
from agents.ppo_policy import RoutingActorCritic, entropies
from agents.vec_env import RoutingVecEnv
from mhgym.mdp.labels import NO_ACTION
from mhgym.mdp.observation import PAIR_FEATURES, ObservationLayout
from mhgym.metrics import COMPONENTS

Floats = NDArray[np.float32]

_LEVELS = 5  # of feedback
_QUALITY = PAIR_FEATURES.index("quality")
_QUALITY_PAID, _QUANTITY_PAID = COMPONENTS.index("quality"), COMPONENTS.index("quantity")


class Samples(NamedTuple):
    """A minibatch of `B` decisions; `K` reward components.

    Attributes:
        observations: `[B, size]`.
        actions: `[B]`.
        masks: `[B, N * C + 1]`.
        log_probs: `[B]` when they were taken.
        advantages: `[B]` scalarised.
        returns: `[B, K]`.
        taught: `[B]` what the teacher would have done; `NO_ACTION` where there is none.
    """

    observations: Tensor
    actions: Tensor
    masks: Tensor
    log_probs: Tensor
    advantages: Tensor
    returns: Tensor
    taught: Tensor


class VectorRolloutBuffer(MaskableRolloutBuffer):
    """A rollout of `T` decisions in `E` centres, whose rewards, values and returns have `K` components.

    Advantages are estimated for each component and then weighted, which gives the same as the advantage of the weighted
    reward, as all of it is linear.
    """

    num_components = 4

    def reset(self) -> None:
        """Make room for a rollout."""
        super().reset()
        shape = (self.buffer_size, self.n_envs)
        self.action_masks = np.zeros((*shape, self.mask_dims), dtype=np.int8)  # type: ignore[assignment]
        self.rewards = np.zeros((*shape, self.num_components), dtype=np.float32)
        self.values = np.zeros_like(self.rewards)
        self.returns = np.zeros_like(self.rewards)
        self.discounts = np.ones(shape, dtype=np.float32)
        self.weights = np.zeros((*shape, self.num_components), dtype=np.float32)
        self.taught = np.full(shape, NO_ACTION)
        self.episodes = np.zeros(shape, dtype=np.int64)
        self.minutes = np.zeros(shape)

    def record(
        self,
        obs: Floats,
        actions: NDArray[np.int64],
        masks: NDArray[np.bool_],
        log_probs: Tensor,
        values: Tensor,
    ) -> None:
        """Keep what was seen and decided; `reward` closes the step."""
        self.observations[self.pos] = obs
        self.actions[self.pos, :, 0] = actions
        self.action_masks[self.pos] = masks
        self.log_probs[self.pos] = log_probs.numpy()
        self.values[self.pos] = values.numpy()

    def reward(self, rewards: Floats, weights: Floats, dones: NDArray[np.bool_], discounts: Floats) -> None:
        """Keep what the decisions brought `[E, K]`, its weights, whether the episodes are over, the discounts `[E]`."""
        self.rewards[self.pos] = rewards
        self.weights[self.pos] = weights
        self.discounts[self.pos] = discounts
        self.episode_starts[self.pos] = dones  # here: whether the episode ended with this step
        self.pos += 1
        self.full = self.pos == self.buffer_size

    def estimate(self, last_values: Floats) -> None:
        """Generalised advantage estimation (Schulman et al. 2016) by component, then weighted.

        Args:
            last_values: `[E, K]` of the observations after the rollout.
        """
        advantage = np.zeros_like(last_values)
        following = last_values
        advantages = np.zeros_like(self.rewards)
        for t in reversed(range(self.buffer_size)):
            going = (self.discounts[t] * (1.0 - self.episode_starts[t]))[:, None]
            delta = self.rewards[t] + going * following - self.values[t]
            advantage = delta + going * self.gae_lambda * advantage
            advantages[t] = advantage
            following = self.values[t]
        self.returns = advantages + self.values
        self.advantages = (advantages * self.weights).sum(axis=2)

    def minibatches(self, size: int) -> Generator[Samples, None, None]:
        """All decisions once, in random order."""
        num = self.buffer_size * self.n_envs
        flat = [
            torch.from_numpy(array.reshape(num, *array.shape[2:]))
            for array in (
                self.observations,
                self.actions[:, :, 0],
                self.action_masks,
                self.log_probs,
                self.advantages,
                self.returns,
                self.taught,
            )
        ]
        order = torch.randperm(num)
        for start in range(0, num, size):
            rows = order[start : start + size]
            observations, actions, *others = (tensor[rows] for tensor in flat)
            yield Samples(observations, actions.long(), *others)


class QualityMeans:
    """Mean quality of answers by their predicted feedback, learnt from what came out.

    Args:
        layout: Of the observations, which show the prediction of each pair.
    """

    def __init__(self, layout: ObservationLayout) -> None:
        self._first = layout.slices["pairs"].start + _QUALITY
        self.total, self.count = np.zeros(_LEVELS), np.zeros(_LEVELS)

    def replace(self, rewards: Floats, obs: Floats, actions: NDArray[np.int64]) -> None:
        """Put the mean in the place of the quality of every answer in rewards `[E, 4]`.

        Args:
            rewards: Changed in place; an answer has a quantity of 1 / offered contacts.
            obs: `[E, size]` on which was decided.
            actions: `[E]`.
        """
        answers = np.flatnonzero(rewards[:, _QUANTITY_PAID] > 0.0)
        predicted = obs[answers, self._first + actions[answers] * len(PAIR_FEATURES)]
        level = np.rint(predicted * (_LEVELS - 1)).astype(np.int64)
        share = rewards[answers, _QUANTITY_PAID]
        np.add.at(self.total, level, rewards[answers, _QUALITY_PAID] / share)
        np.add.at(self.count, level, 1.0)
        rewards[answers, _QUALITY_PAID] = share * (self.total[level] / self.count[level])


class RoutingPPO(MaskablePPO):
    """Maskable PPO (Schulman et al. 2017) for centres, whose rewards are vectors.

    Args:
        env: The native batch.
        expect_quality: Whether the quality of an answer counts with its mean over all answers so far of equal predicted
            quality, instead of with what came out: the same in the mean, as the policy sees no more, and with less
            noise. For scenarios where answers are not taken back by transfers.
        teacher: Whose decisions the policy is pulled to in the beginning; null for nobody.
        same_traces: Centres beside each other that play the same traces, as the environment lets them: above 1 what is
            luck of a trace is taken out of advantages, see `agents.common_luck`.
        half_life: Minutes in which a reward loses half of its worth, for continuing scenarios; null for none, as
            episodes are finite and their objective is a plain sum.
        ent_coef: Weight of the entropy at the beginning; falls to 0 with the learning rate.
        policy_kwargs: As `RoutingActorCritic`, less the layout.
        **settings: As `MaskablePPO`.
    """

    policy: RoutingActorCritic
    rollout_buffer: VectorRolloutBuffer

    def __init__(
        self,
        env: RoutingVecEnv,
        *,
        expect_quality: bool = False,
        teacher: Teacher | None = None,
        same_traces: int = 1,
        half_life: float | None = None,
        ent_coef: float = 0.003,
        policy_kwargs: dict[str, Any] | None = None,
        _init_setup_model: bool = True,
        **settings: Any,
    ) -> None:
        if half_life is not None and half_life <= 0.0:
            raise ValueError(f"half_life must be minutes above 0, or null for no discounting, got {half_life}")
        self.half_life, self.teacher, self.same_traces = half_life, teacher, same_traces
        self.qualities = QualityMeans(env.vector.layout) if expect_quality else None
        self._entropy_schedule = FloatSchedule(lambda remaining: ent_coef * remaining)
        super().__init__(
            RoutingActorCritic,
            env,
            ent_coef=ent_coef,
            gamma=1.0,
            rollout_buffer_class=VectorRolloutBuffer,
            policy_kwargs={"layout": env.vector.layout, **(policy_kwargs or {})},
            device="cpu",
            _init_setup_model=_init_setup_model,
            **settings,
        )

    def collect_rollouts(  # type: ignore[override]
        self,
        env: RoutingVecEnv,
        callback: BaseCallback,
        rollout_buffer: VectorRolloutBuffer,
        n_rollout_steps: int,
        use_masking: bool = True,
    ) -> bool:
        """Let the policy decide for some steps; False if the callback stops it. A horizon that cuts is an end."""
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()
        obs = np.asarray(self._last_obs)
        for _ in range(n_rollout_steps):
            masks = env.action_masks()
            with torch.no_grad():
                actions, values, log_probs = self.policy(torch.from_numpy(obs), action_masks=masks)
            if self.teacher is not None and self.teacher.weight(self._current_progress_remaining) > 0.0:
                rollout_buffer.taught[rollout_buffer.pos] = env.vector.labels(self.teacher.policy)
            rollout_buffer.record(obs, actions.numpy(), masks, log_probs, values)
            rollout_buffer.episodes[rollout_buffer.pos] = env.vector.episodes
            rollout_buffer.minutes[rollout_buffer.pos] = env.minutes
            seen, weights = obs, env.reward_weights.copy()
            obs, _, dones, infos = env.step(actions.numpy())  # type: ignore[assignment]
            vectors = np.array([info["reward_vector"] for info in infos], dtype=np.float32)
            if self.qualities is not None:
                self.qualities.replace(vectors, seen, actions.numpy())
            rollout_buffer.reward(vectors, weights, dones, self._discounts(infos))
            self.num_timesteps += env.num_envs
            self._update_info_buffer(infos, dones)
            callback.update_locals({"infos": infos, "dones": dones})
            if not callback.on_step():
                return False
        self._last_obs = obs
        with torch.no_grad():
            rollout_buffer.estimate(self.policy.predict_values(torch.from_numpy(obs)).numpy())
        if self.same_traces > 1:
            buffer = rollout_buffer
            buffer.advantages, share = without_luck(
                buffer.advantages, buffer.episodes, buffer.minutes, self.same_traces
            )
            self.logger.record("train/common_luck", share)
        callback.on_rollout_end()
        return True

    def _discounts(self, infos: list[dict[str, Any]]) -> Floats:
        elapsed = np.array([info["elapsed"] for info in infos], dtype=np.float32)
        return np.ones_like(elapsed) if self.half_life is None else np.float32(0.5) ** (elapsed / self.half_life)

    def train(self) -> None:
        """Improve actor and critic on the rollout."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        remaining = self._current_progress_remaining
        clip, entropy_weight = self.clip_range(remaining), self._entropy_schedule(remaining)  # type: ignore[operator]
        records: dict[str, list[float]] = {}
        for _ in range(self.n_epochs):
            for samples in self.rollout_buffer.minibatches(self.batch_size or len(self.rollout_buffer.actions)):
                for name, value in self._improve(samples, clip, entropy_weight).items():
                    records.setdefault(name, []).append(value)
            self._n_updates += 1
        for name, values in records.items():
            self.logger.record(f"train/{name}", float(np.mean(values)))
        buffer = self.rollout_buffer
        totals = [(array * buffer.weights).sum(axis=2).ravel() for array in (buffer.values, buffer.returns)]
        self.logger.record("train/explained_variance", explained_variance(*totals))
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")

    def _improve(self, samples: Samples, clip: float, entropy_weight: float) -> dict[str, float]:
        """One step of the optimiser on a minibatch; what to log of it."""
        policy = self.policy
        values, log_probabilities = policy.evaluate(samples.observations, samples.masks)
        log_prob = log_probabilities.gather(1, samples.actions.unsqueeze(1)).squeeze(1)
        entropy = entropies(log_probabilities)
        advantages = samples.advantages
        if self.normalize_advantage:
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        log_ratio = log_prob - samples.log_probs
        ratio = log_ratio.exp()
        gain = torch.min(advantages * ratio, advantages * ratio.clamp(1.0 - clip, 1.0 + clip)).mean()
        value_loss = mse_loss(values, samples.returns)
        loss = -gain - entropy_weight * entropy.mean() + self.vf_coef * value_loss
        records = {}
        if self.teacher is not None and (pull := self.teacher.weight(self._current_progress_remaining)) > 0.0:
            distance = self.teacher.distance(log_probabilities, samples.masks, samples.taught)
            loss, records = loss + pull * distance, {"distance_to_teacher": distance.item()}
        policy.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for network in (policy.actor, policy.critic):
            torch.nn.utils.clip_grad_norm_(network.parameters(), self.max_grad_norm)
        policy.optimizer.step()
        with torch.no_grad():
            return records | {
                "policy_gain": gain.item(),
                "value_loss": value_loss.item(),
                "entropy": entropy.mean().item(),
                "approx_kl": (ratio - 1.0 - log_ratio).mean().item(),
                "clip_fraction": ((ratio - 1.0).abs() > clip).float().mean().item(),
            }

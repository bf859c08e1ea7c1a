"""How a policy learns, and what accompanies its training: validation, the curve, checkpoints to resume from."""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback

from agents import make_agent
from agents.imitation import Teacher
from agents.learned import play
from agents.ppo import RoutingPPO
from agents.ppo_policy import RoutingActorCritic
from agents.vec_env import RoutingVecEnv
from experiments.configs import agent_settings
from mhgym.presets import ScenarioSampler
from mhgym.scenario import Scenario


@dataclass
class LearnerConfig:
    """How PPO learns.

    Attributes:
        network: `index_rule`, which fits any queue and roster, or `mlp` on the flat observation.
        width: Hidden features of the actor.
        critic_width: Of the critic.
        num_slots: N queue slots of an observation.
        num_counsellors: C counsellors of an observation, padding included; null for the largest roster of the training.
        num_envs: Centres at once.
        num_steps: Decisions in each of them between two improvements.
        epochs: Passes over those decisions.
        batch_size: Decisions in a step of the optimiser.
        learning_rate: At the beginning; falls to 0 in a straight line.
        entropy: Weight of the entropy at the beginning; falls likewise.
        gae_lambda: Of generalised advantage estimation.
        clip: Of the ratio of probabilities.
        value_weight: Weight of the critic's loss.
        max_grad_norm: Longest gradient, of actor and critic each.
        expect_quality: Whether answers count with the mean quality of their prediction, see `agents.ppo`.
        half_life: Minutes in which a reward loses half its worth; null for none.
        preferences: Reward components whose weights are drawn for every episode, uniformly over all that add up to 1,
            and told to actor and critic; empty to learn the scenario's weights alone.
        may_hold: Whether the policy may hold where a pair can be assigned, in training and after.
        imitate: Label in `conf/agent` of a policy with a compiled rule, to which the policy is pulled in the beginning;
            null for none. See `agents.imitation`.
        pull: Weight of that pull at the beginning.
        pull_until: Share of the training in which it falls to 0.
        softness: Probability that its target shares out to all legal actions.
        same_traces: Centres that share each trace, so that its luck is taken out of advantages; see
            `agents.common_luck`. 1 for none.
        bank: Traces drawn ahead.
        renewed: Traces of the bank that each rollout replaces by new ones.
    """

    network: str = "index_rule"
    width: int = 64
    critic_width: int = 64
    num_slots: int = 16
    num_counsellors: int | None = None
    num_envs: int = 512
    num_steps: int = 64
    epochs: int = 2
    batch_size: int = 4096
    learning_rate: float = 1e-3
    entropy: float = 0.003
    gae_lambda: float = 0.97
    clip: float = 0.2
    value_weight: float = 0.5
    max_grad_norm: float = 0.5
    expect_quality: bool = False
    half_life: float | None = None
    preferences: list[str] = field(default_factory=list)
    may_hold: bool = True
    imitate: str | None = None
    pull: float = 1.0
    pull_until: float = 0.3
    softness: float = 0.2
    same_traces: int = 1
    bank: int = 4096
    renewed: int = 256

    def __post_init__(self) -> None:
        for name in ("width", "critic_width", "num_slots", "num_envs", "num_steps", "epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.renewed <= self.bank:
            raise ValueError(f"renewed must be between 0 and the {self.bank} traces of the bank, got {self.renewed}")


@dataclass(frozen=True)
class Point:
    """A point of the learning curve.

    Attributes:
        decisions: Taken so far in training.
        seconds: Of training so far, validation not counted.
        training: Mean return of the last episodes, as the policy explores; None before one has ended.
        validation: Mean return on the validation traces, deciding without chance; None where it was not measured.
    """

    decisions: int
    seconds: float
    training: float | None
    validation: float | None


def make_model(
    learner: LearnerConfig, scenario: Scenario | ScenarioSampler, seed: int, tensorboard: str | None = None
) -> RoutingPPO:
    """A learner at its beginning; equal seeds begin and go on equally."""
    env = RoutingVecEnv(
        learner.num_envs,
        scenario,
        num_slots=learner.num_slots,
        num_counsellors=learner.num_counsellors,
        bank=learner.bank,
        preferences=learner.preferences,
        may_hold=learner.may_hold,
        same_traces=learner.same_traces,
    )
    env.seed(seed)
    return RoutingPPO(
        env,
        seed=seed,
        n_steps=learner.num_steps,
        batch_size=learner.batch_size,
        n_epochs=learner.epochs,
        learning_rate=lambda remaining: learner.learning_rate * remaining,
        ent_coef=learner.entropy,
        gae_lambda=learner.gae_lambda,
        clip_range=learner.clip,
        vf_coef=learner.value_weight,
        max_grad_norm=learner.max_grad_norm,
        expect_quality=learner.expect_quality,
        teacher=make_teacher(learner),
        same_traces=learner.same_traces,
        half_life=learner.half_life,
        stats_window_size=10 * learner.num_envs,
        tensorboard_log=tensorboard,
        policy_kwargs={
            "network": learner.network,
            "width": learner.width,
            "critic_width": learner.critic_width,
        },
    )


def make_teacher(learner: LearnerConfig) -> Teacher | None:
    """Whom a learner imitates."""
    if learner.imitate is None:
        return None
    name, settings = agent_settings(learner.imitate)
    return Teacher(make_agent(name, **settings), learner.pull, learner.pull_until, learner.softness)


def split_by_staffing(
    scenario: Scenario | ScenarioSampler, seeds: range
) -> list[tuple[Scenario | ScenarioSampler, range]]:
    """Traces by their seeds, dealt out to the numbers of counsellors of a sampler; all of them to a scenario.

    Raises:
        ValueError: If a number would get no trace.
    """
    if not isinstance(scenario, ScenarioSampler):
        return [(scenario, seeds)]
    parts = scenario.by_staffing()
    if len(seeds) < len(parts):
        raise ValueError(f"{len(parts)} numbers of counsellors need a trace each, got {len(seeds)}")
    return [(part, seeds[k :: len(parts)]) for k, part in enumerate(parts)]


class Progress(BaseCallback):
    """Validates, draws the curve and writes checkpoints, each at the boundary of two rollouts.

    Args:
        scenario: For validation; a sampler is validated on as many scenarios as there are traces.
        seeds: Of the validation traces.
        learner: How the model learns.
        validate_every: Rollouts between two validations.
        checkpoint: File to write; None for none.
        checkpoint_seconds: Least time between two checkpoints.
        report: Is told every point that was validated.
    """

    def __init__(
        self,
        scenario: Scenario | ScenarioSampler,
        seeds: range,
        learner: LearnerConfig,
        *,
        validate_every: int,
        checkpoint: Path | None,
        checkpoint_seconds: float,
        report: Any,
    ) -> None:
        super().__init__()
        self.curve: list[Point] = []
        self.rollouts = 0
        self._seconds = 0.0
        self._parts, self._learner = split_by_staffing(scenario, seeds), learner
        self._validate_every, self._checkpoint = validate_every, checkpoint
        self._checkpoint_seconds, self._report = checkpoint_seconds, report
        self._begun = self._saved = monotonic()

    def _on_step(self) -> bool:
        return True

    def _on_training_start(self) -> None:
        self._begun = self._saved = monotonic()

    def _on_rollout_start(self) -> None:
        """Between the improvement of the rollout before and this one."""
        if self.model.num_timesteps == 0 or (self.curve and self.curve[-1].decisions == self.model.num_timesteps):
            return
        self._boundary()

    def _on_training_end(self) -> None:
        self._boundary(last=True)

    def _boundary(self, last: bool = False) -> None:
        self._seconds += monotonic() - self._begun
        self.rollouts += 1
        validation = self.validate() if last or self.rollouts % self._validate_every == 0 else None
        window = self.model.ep_info_buffer
        training = float(np.mean([episode["r"] for episode in window])) if window else None
        point = Point(self.model.num_timesteps, round(self._seconds, 2), training, validation)
        self.curve.append(point)
        if validation is not None:
            self.logger.record("validation/objective", validation)
            self._report(point)
        if self._learner.renewed:
            self.env.vector.renew_bank(self._learner.renewed)
        if self._checkpoint is not None and (last or monotonic() - self._saved >= self._checkpoint_seconds):
            self.save(self._checkpoint)
            self._saved = monotonic()
        self._begun = monotonic()

    @property
    def env(self) -> RoutingVecEnv:
        """The batch that the model learns in."""
        env = self.model.env
        assert isinstance(env, RoutingVecEnv)
        return env

    def validate(self) -> float:
        """Mean return on the validation traces, by the scenario's weights."""
        policy = self.model.policy
        assert isinstance(policy, RoutingActorCritic)
        policy.set_training_mode(False)
        totals = np.concatenate([play(policy.actor, part, seeds, self.env.sight) for part, seeds in self._parts])
        return float((totals @ self.env.vector.weights).mean())

    def save(self, path: Path) -> None:
        """Everything that the rest of the training depends on, in one file that appears whole."""
        model = self.model
        state = {
            "policy": model.policy.state_dict(),
            "optimizer": model.policy.optimizer.state_dict(),
            "torch": torch.get_rng_state(),
            "env": model.env,
            "last_obs": model._last_obs,
            "num_timesteps": model.num_timesteps,
            "n_updates": model._n_updates,
            "qualities": model.qualities,
            "episodes": (model.ep_info_buffer, model.ep_success_buffer),
            "curve": [asdict(point) for point in self.curve],
            "rollouts": self.rollouts,
        }
        draft = path.with_suffix(".draft")
        torch.save(state, draft)
        os.replace(draft, path)

    def load(self, path: Path, model: RoutingPPO) -> None:
        """Put a model where a checkpoint was; what follows is what would have followed.

        A checkpoint is one's own: it holds pickled objects, which run code when they are read.
        """
        state = torch.load(path, weights_only=False)
        model.policy.load_state_dict(state["policy"])
        model.policy.optimizer.load_state_dict(state["optimizer"])
        model.env = state["env"]
        model._last_obs, model.qualities = state["last_obs"], state["qualities"]
        model.num_timesteps, model._n_updates = state["num_timesteps"], state["n_updates"]
        model.ep_info_buffer, model.ep_success_buffer = state["episodes"]
        self.curve = [Point(**point) for point in state["curve"]]
        self.rollouts = state["rollouts"]
        self._seconds = self.curve[-1].seconds if self.curve else 0.0
        torch.set_rng_state(state["torch"])

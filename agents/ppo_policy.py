"""What PPO trains: an actor and a critic of their own, over observations of one layout, masks applied always."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from sb3_contrib.common.maskable.distributions import MaskableDistribution
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from torch import Tensor, nn

from agents.index_network import ILLEGAL, IndexRuleActor, IndexRuleCritic, Scene, initialise, scene_of
from mhgym.mdp.observation import ObservationLayout
from mhgym.metrics import COMPONENTS


def multilayer(num_inputs: int, width: int, num_outputs: int, gain: float) -> nn.Sequential:
    """The usual perceptron on the flat observation: two hidden layers."""
    network = nn.Sequential(
        nn.Linear(num_inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, num_outputs)
    )
    initialise(network)
    last = network[-1]
    assert isinstance(last, nn.Linear)
    nn.init.orthogonal_(last.weight, gain=gain)
    return network


def build_actor(network: str, layout: ObservationLayout, width: int, num_extra: int) -> nn.Module:
    """A network to logits `[B, N * C + 1]`, from a `Scene` (`index_rule`) or from observations `[B, size + W]` (`mlp`).

    Args:
        network: `index_rule` or `mlp`.
        layout: Of the observations.
        width: Features of a hidden layer.
        num_extra: W, features beyond the observation.

    Raises:
        ValueError: If the network is unknown.
    """
    if network == "index_rule":
        return IndexRuleActor(width, num_extra)
    if network == "mlp":
        num_actions = layout.num_slots * layout.num_counsellors + 1
        return multilayer(layout.size + num_extra, width, num_actions, gain=0.01)
    raise ValueError(f"unknown network {network!r} (known: index_rule, mlp)")


def build_critic(network: str, layout: ObservationLayout, width: int, num_extra: int) -> nn.Module:
    """A network to values `[B, K]`, one for each reward component, from the same input as the actor."""
    if network == "index_rule":
        return IndexRuleCritic(width, num_extra, len(COMPONENTS))
    return multilayer(layout.size + num_extra, width, len(COMPONENTS), gain=1.0)


def read_observations(network: str, obs: Tensor, layout: ObservationLayout) -> Scene | Tensor:
    """Observations `[B, size + W]` as a network of this kind takes them."""
    return scene_of(obs, layout) if network == "index_rule" else obs


def entropies(log_probabilities: Tensor) -> Tensor:
    """`[B]` entropies of distributions `[B, A]`; an action without probability adds none."""
    return -(log_probabilities * log_probabilities.exp()).sum(dim=1)


class RoutingActorCritic(MaskableActorCriticPolicy):
    """Actor and critic without a common layer; the critic has a head for each reward component.

    Args:
        observation_space: Flat observations.
        action_space: `Discrete(N * C + 1)`.
        lr_schedule: Learning rate by the share of training that remains.
        layout: Of the observations.
        network: `index_rule` or `mlp`.
        width: Hidden features of the actor.
        critic_width: Hidden features of the critic.
        **kwargs: As Stable-Baselines3's policies.
    """

    def __init__(
        self,
        observation_space: spaces.Box,
        action_space: spaces.Discrete,
        lr_schedule: Callable[[float], float],
        *,
        layout: ObservationLayout,
        network: str = "index_rule",
        width: int = 64,
        critic_width: int = 64,
        **kwargs: Any,
    ) -> None:
        self.layout = layout
        self.settings: dict[str, Any] = {"network": network, "width": width, "critic_width": critic_width}
        super().__init__(observation_space, action_space, lr_schedule, **kwargs)

    def _build(self, lr_schedule: Callable[[float], float]) -> None:
        network = self.settings["network"]
        self.num_extra = self.observation_space.shape[0] - self.layout.size  # type: ignore[index]
        self.actor = build_actor(network, self.layout, self.settings["width"], self.num_extra)
        self.critic = build_critic(network, self.layout, self.settings["critic_width"], self.num_extra)
        self.optimizer = self.optimizer_class(self.parameters(), lr=lr_schedule(1.0), **self.optimizer_kwargs)  # type: ignore[call-arg]

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {"layout": self.layout} | self.settings

    def read(self, obs: Tensor) -> Scene | Tensor:
        """Observations `[B, size + W]` as the networks take them."""
        return read_observations(self.settings["network"], obs, self.layout)

    def log_probabilities(self, read: Scene | Tensor, masks: NDArray[np.bool_] | Tensor | None) -> Tensor:
        """`[B, N * C + 1]` of every action; only legal ones have a probability."""
        logits: Tensor = self.actor(read)
        if masks is not None:
            allowed = torch.as_tensor(masks).reshape(logits.shape)
            logits = torch.where(allowed > 0, logits, ILLEGAL)
        return torch.log_softmax(logits, dim=1)

    def forward(
        self, obs: Tensor, deterministic: bool = False, action_masks: NDArray[np.bool_] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Actions `[B]`, values `[B, K]` and log probabilities `[B]`."""
        read = self.read(obs)
        log_probabilities = self.log_probabilities(read, action_masks)
        if deterministic:
            actions = log_probabilities.argmax(dim=1)
        else:
            actions = torch.multinomial(log_probabilities.exp(), 1).squeeze(1)
        return actions, self.critic(read), log_probabilities.gather(1, actions.unsqueeze(1)).squeeze(1)

    def evaluate_actions(
        self, obs: Tensor, actions: Tensor, action_masks: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Values `[B, K]`, log probabilities `[B]` of the actions, and entropies `[B]`."""
        values, log_probabilities = self.evaluate(obs, action_masks)
        return values, log_probabilities.gather(1, actions.unsqueeze(1)).squeeze(1), entropies(log_probabilities)

    def evaluate(self, obs: Tensor, action_masks: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Values `[B, K]`, and log probabilities `[B, N * C + 1]` of all actions."""
        read = self.read(obs)
        log_probabilities = self.log_probabilities(read, action_masks)
        return self.critic(read), log_probabilities

    def predict_values(self, obs: Tensor) -> Tensor:  # type: ignore[override]
        """`[B, K]` what is left to gain of each reward component."""
        values: Tensor = self.critic(self.read(obs))
        return values

    def get_distribution(  # type: ignore[override]
        self, obs: Tensor, action_masks: NDArray[np.bool_] | None = None
    ) -> MaskableDistribution:
        """The distribution over actions."""
        logits = self.log_probabilities(self.read(obs), action_masks)
        return self.action_dist.proba_distribution(logits)  # type: ignore[no-any-return]

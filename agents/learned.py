"""A trained network as a policy: the legal action with the highest score, the first of equals."""

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.index_network import ILLEGAL
from agents.ppo_policy import read_observations
from agents.zoo import find_network, load_network
from mhgym.envs.vector import RoutingBatch
from mhgym.mdp import ActionLayout
from mhgym.mdp.observation import ObservationLayout
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import CentreView, Pair


def best_actions(actor: nn.Module, kind: str, layout: ObservationLayout, obs: Tensor, masks: Tensor) -> Tensor:
    """`[B]` the legal actions of the highest score for observations `[B, size]`, the first of equals."""
    with torch.inference_mode():
        logits = actor(read_observations(kind, obs, layout))
        return torch.where(masks > 0, logits, ILLEGAL).argmax(dim=1)


class Learned:
    """Decides by a trained network, which sees what the view shows and nothing else.

    Args:
        network: A file, or the name of one in `agents/networks`.
        num_slots: N queue slots that the network is shown; null for as many as in its training.
        name: Label in tables; null for the name of the file.

    Raises:
        ValueError: If there is no such network, or it does not fit.
    """

    def __init__(self, network: str, num_slots: int | None = None, name: str | None = None) -> None:
        path = find_network(network)
        self.name = name or path.stem
        self._path = path
        self._actor, _, self._card = load_network(path)
        self._num_slots = num_slots or self._card.num_slots

    def __repr__(self) -> str:
        """What decides, weights included, so that results are kept apart by it."""
        digest = hashlib.blake2b(self._path.read_bytes(), digest_size=8).hexdigest()
        return f"Learned({self._path.stem}, {digest}, num_slots={self._num_slots})"

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Lay observations out for the centre."""
        del rng
        self.layout = self._card.layout_for(self._num_slots, len(scenario.roster))
        self.actions = ActionLayout(self._num_slots, len(scenario.roster))

    def act(self, view: CentreView) -> Pair:
        """The pair of the highest score, or HOLD."""
        obs, mask = self.see(view)
        action = best_actions(self._actor, self._card.network, self.layout, obs, mask)
        return self.actions.decode(int(action), view)

    def see(self, view: CentreView) -> tuple[Tensor, Tensor]:
        """Observation `[1, size]` and mask `[1, N * C + 1]` of a view."""
        obs, mask = torch.from_numpy(self.layout.encode(view)), torch.from_numpy(self.actions.mask(view))
        return obs.unsqueeze(0), mask.unsqueeze(0)

    def score(self, obs: Tensor) -> Tensor:
        """`[B, N * C + 1]` scores of observations `[B, size]`, differentiable in them."""
        scores: Tensor = self._actor(read_observations(self._card.network, obs, self.layout))
        return scores


def play(
    actor: nn.Module, kind: str, scenario: Scenario, seeds: range, num_slots: int, num_envs: int = 256
) -> NDArray[np.float64]:
    """Let a network route traces, many at once: the episodes that `Learned` gives, without their records.

    Args:
        actor: The network.
        kind: `index_rule` or `mlp`.
        scenario: The centre.
        seeds: Of `T` traces.
        num_slots: N queue slots.
        num_envs: Centres at once.

    Returns:
        `[T, 4]` the reward vector of each episode.
    """
    batch = RoutingBatch(min(num_envs, len(seeds)), scenario, num_slots=num_slots)
    traces = iter(enumerate(seeds))
    totals = np.zeros((len(seeds), 4))
    playing = np.full(batch.num_envs, -1)

    def begin(rows: list[int]) -> None:
        starting = [(row, *pair) for row, pair in zip(rows, traces, strict=False)]
        playing[rows] = -1
        if starting:
            batch.begin([row for row, _, _ in starting], [Trace.sample(scenario, seed) for _, _, seed in starting])
            for row, index, _ in starting:
                playing[row] = index

    begin(list(range(batch.num_envs)))
    while (active := playing >= 0).any():
        rows = np.flatnonzero(active)
        actions = np.full(batch.num_envs, batch.actions.hold)
        obs, masks = torch.from_numpy(batch.obs[rows]), torch.from_numpy(batch.mask[rows])
        actions[rows] = best_actions(actor, kind, batch.layout, obs, masks).numpy()
        batch.step(actions, active)
        totals[playing[rows]] += batch.reward[rows]
        begin(np.flatnonzero(active & batch.over).tolist())
    return totals

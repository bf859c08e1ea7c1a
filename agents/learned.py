"""A trained network as a policy: the legal action with the highest score, the first of equals."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.compiled_network import CompiledActor
from agents.index_network import ILLEGAL, IndexRuleActor
from agents.ppo_policy import read_observations
from agents.sight import Sight
from agents.zoo import digest_of_files, find_network, load_network
from mhgym.envs.bank import seeded_trace
from mhgym.envs.vector import RoutingBatch
from mhgym.mdp.observation import ObservationLayout
from mhgym.policy import Weighed
from mhgym.presets import ScenarioSampler
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair

#: From observations `[B, size]` to scores `[B, N * C + 1]`.
Scores = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def fast_scores(actor: nn.Module, layout: ObservationLayout) -> Scores:
    """The scores of an actor, in compiled code where it is an index-rule network; its weights are those of now."""
    if isinstance(actor, IndexRuleActor):
        return CompiledActor(actor, layout)

    def scores(obs: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return actor(torch.from_numpy(obs)).numpy()  # type: ignore[no-any-return]

    return scores


def best_actions(scores: NDArray[np.float32], masks: NDArray[np.int8]) -> NDArray[np.int64]:
    """`[B]` the legal actions of the highest score `[B, N * C + 1]`, the first of equals."""
    return np.where(masks > 0, scores, ILLEGAL).argmax(axis=1)


class Learned:
    """Decides by a trained network, which sees what the view shows and nothing else, padded as in its training.

    Args:
        network: A file, or the name of one in `agents/networks`.
        num_slots: N queue slots that the network is shown; null for as many as in its training.
        weights: Of the reward's components, by which a network of many preferences decides; null for the scenario's.
        name: Label in tables; null for the name of the file.

    Raises:
        ValueError: If there is no such network, or it does not fit.
    """

    def __init__(
        self,
        network: str,
        num_slots: int | None = None,
        name: str | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        path = find_network(network)
        self.name = name or path.stem
        self._path = path
        self._actor, _, self._card = load_network(path)
        self._num_slots = num_slots or self._card.num_slots
        self._weights = None if weights is None else dict(weights)

    def __repr__(self) -> str:
        """What decides, weights included, so that results are kept apart by it."""
        digest = digest_of_files(self._path)
        told = "" if self._weights is None else f", weights={self._weights}"
        return f"Learned({self._path.stem}, {digest}, num_slots={self._num_slots}{told})"

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Lay observations out for the centre."""
        del rng
        self._sight = self._card.sight(scenario, self._num_slots, self._weights)
        self.layout, self.actions = self._sight.layout, self._sight.actions
        self._scores = fast_scores(self._actor, self.layout)

    def act(self, view: CentreView) -> Pair:
        """The pair of the highest score, or HOLD."""
        obs, mask = self._sight.see(view)
        return self.actions.decode(int(best_actions(self._scores(obs[None]), mask[None])[0]), view)

    def weigh(self, view: CentreView) -> Weighed:
        """The scores of all that it may do."""
        obs, mask = self._sight.see(view)
        actions = np.flatnonzero(mask).tolist()
        scores = self._scores(obs[None])[0, actions].tolist()
        return Weighed("score of the network", tuple(self.actions.decode(a, view) for a in actions), tuple(scores))

    def see(self, view: CentreView) -> tuple[Tensor, Tensor]:
        """Observation `[1, size + W]`, told weights included, and mask `[1, N * C + 1]` of a view."""
        obs, mask = self._sight.see(view)
        return torch.from_numpy(obs).unsqueeze(0), torch.from_numpy(mask).unsqueeze(0)

    def score(self, obs: Tensor) -> Tensor:
        """`[B, N * C + 1]` scores of observations `[B, size + W]`, differentiable in them."""
        scores: Tensor = self._actor(read_observations(self._card.network, obs, self.layout))
        return scores


def play(
    actor: nn.Module,
    scenario: Scenario | ScenarioSampler,
    seeds: Sequence[int],
    sight: Sight,
    num_envs: int = 256,
) -> NDArray[np.float64]:
    """Let a network route traces, many at once: the episodes that `Learned` gives, without their records.

    Args:
        actor: The network.
        scenario: The centre, or a sampler of centres with one number of counsellors.
        seeds: Of `T` traces.
        sight: What the network is shown of it.
        num_envs: Centres at once.

    Returns:
        `[T, 4]` the reward vector of each episode.
    """
    layout = sight.layout
    sizes = {"num_slots": layout.num_slots, "num_counsellors": layout.num_counsellors}
    batch = RoutingBatch(min(num_envs, len(seeds)), scenario, **sizes)
    scores = fast_scores(actor, batch.layout)
    traces = iter(enumerate(seeds))
    totals = np.zeros((len(seeds), 4))
    playing = np.full(batch.num_envs, -1)

    def begin(rows: list[int]) -> None:
        starting = [(row, *pair) for row, pair in zip(rows, traces, strict=False)]
        playing[rows] = -1
        if starting:
            batch.begin([row for row, _, _ in starting], [seeded_trace(scenario, seed) for _, _, seed in starting])
            for row, index, _ in starting:
                playing[row] = index

    begin(list(range(batch.num_envs)))
    while (active := playing >= 0).any():
        rows = np.flatnonzero(active)
        actions = np.full(batch.num_envs, batch.actions.hold)
        actions[rows] = best_actions(scores(sight.tell(batch.obs[rows])), sight.allow(batch.mask[rows]))
        batch.step(actions, active)
        totals[playing[rows]] += batch.reward[rows]
        begin(np.flatnonzero(active & batch.over).tolist())
    return totals

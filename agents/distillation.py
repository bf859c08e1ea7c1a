"""Expert iteration: a network learns what a search that it guides finds better than its own decisions.

Each lesson is an observation, the decisions that the search weighed there, and what each was worth in the mean over
common futures. The network then maximises what its policy is worth there plus its entropy, at a temperature: of all
policies over the weighed decisions the best is the softmax of expected worth over temperature, so that scores become
gains in units of the temperature, and noise of the simulations averages out over lessons. Sources: Anthony, Tian &
Barber (2017), "Thinking fast and slow with deep learning and tree search"; for the objective Haarnoja, Tang, Abbeel &
Levine (2017), "Reinforcement learning with deep energy-based policies".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.ppo_policy import read_observations
from agents.sight import Sight
from mhgym.mdp.labels import NO_ACTION


class Lessons(NamedTuple):
    """What a search weighed at `L` decisions, at most `K` candidates at each.

    Attributes:
        observations: `[L, size + W]` as the network is given them.
        actions: `[L, K]` the candidates; `NO_ACTION` where there were fewer.
        gains: `[L, K]` of each over the first, in the mean over the futures that both met; 0 where there is none.
    """

    observations: NDArray[np.float32]
    actions: NDArray[np.int64]
    gains: NDArray[np.float32]

    @classmethod
    def join(cls, parts: Sequence["Lessons"]) -> Self:
        """All lessons of several lots.

        Raises:
            ValueError: If there is none.
        """
        if not sum(len(part.gains) for part in parts):
            raise ValueError("no decision had two candidates; give the search more simulations or candidates")
        widest = max(part.gains.shape[1] for part in parts)

        def pad(table: NDArray, fill: int) -> NDArray:  # type: ignore[type-arg]
            return np.pad(table, ((0, 0), (0, widest - table.shape[1])), constant_values=fill)

        return cls(
            np.concatenate([part.observations for part in parts]),
            np.concatenate([pad(part.actions, NO_ACTION) for part in parts]),
            np.concatenate([pad(part.gains, 0) for part in parts]),
        )

    def take(self, rows: NDArray[np.int64]) -> Self:
        """Some of the lessons."""
        return type(self)(*(array[rows] for array in self))


@dataclass
class Fitting:
    """How a network learns from lessons.

    Attributes:
        temperature: Objective that weighs as much as a unit of entropy.
        epochs: Passes over the lessons.
        batch_size: Lessons in a step of the optimiser.
        learning_rate: At the beginning; falls to 0 in a straight line.
        max_grad_norm: Longest gradient.

    Raises:
        ValueError: If a number is not positive.
    """

    temperature: float = 0.003
    epochs: int = 20
    batch_size: int = 1024
    learning_rate: float = 1e-3
    max_grad_norm: float = 0.5

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name} must be above 0, got {value}")


def worth(scores: Tensor, actions: Tensor, gains: Tensor) -> tuple[Tensor, Tensor]:
    """`[B]` what the policy over the weighed decisions gains, and its entropy.

    Args:
        scores: `[B, N * C + 1]` of the network.
        actions: `[B, K]` weighed decisions; `NO_ACTION` for none.
        gains: `[B, K]` of each.
    """
    known = actions != NO_ACTION
    own = scores.gather(1, actions.clamp(min=0)).masked_fill(~known, -torch.inf)
    log_probabilities = torch.log_softmax(own, dim=1)
    probabilities = log_probabilities.exp()
    finite = log_probabilities.masked_fill(~known, 0.0)
    return (probabilities * gains).sum(dim=1), -(probabilities * finite).sum(dim=1)


def fit(actor: nn.Module, network: str, sight: Sight, lessons: Lessons, fitting: Fitting, seed: int) -> Iterator[float]:
    """Improve an actor, in place; after each pass what its policy gained over the first candidates, in the mean.

    Args:
        actor: In training mode afterwards.
        network: Its kind.
        sight: What it is shown.
        lessons: To learn from.
        fitting: How.
        seed: Of the order of the lessons.
    """
    actor.train().requires_grad_(True)
    optimizer = torch.optim.Adam(actor.parameters(), lr=fitting.learning_rate)
    order = torch.Generator().manual_seed(seed)
    tensors = [torch.from_numpy(array) for array in lessons]
    size = len(lessons.gains)
    steps = fitting.epochs * -(-size // fitting.batch_size)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
    for _ in range(fitting.epochs):
        total = 0.0
        for rows in torch.randperm(size, generator=order).split(fitting.batch_size):
            observations, actions, gains = (tensor[rows] for tensor in tensors)
            scores = actor(read_observations(network, observations, sight.layout))
            gained, entropy = worth(scores, actions, gains)
            loss = -(gained / fitting.temperature + entropy).mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(actor.parameters(), fitting.max_grad_norm)
            optimizer.step()
            schedule.step()
            total += float(gained.detach().sum())
        yield total / size

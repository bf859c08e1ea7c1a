"""Lessons for `agents.distillation`: a search plays episodes, and what it weighed is kept."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.distillation import Lessons
from agents.mcts import MCTS
from agents.sight import Sight
from mhgym.evaluation.rollout import run_episode
from mhgym.mdp.labels import NO_ACTION
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import CentreView, Pair


class Pupil:
    """Plays as a search does, and keeps what it weighed, laid out for a network.

    Args:
        search: Whose decisions are taken.
        sight: What the network is shown.
    """

    def __init__(self, search: MCTS, sight: Sight) -> None:
        self.name = search.name
        self._search, self._sight = search, sight
        self._kept: list[tuple[NDArray[np.float32], list[int], tuple[float, ...]]] = []

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Prepare for an episode."""
        self._search.reset(scenario, rng)

    def act(self, view: CentreView) -> Pair:
        """The decision of the search."""
        pair = self._search.act(view)
        weighed = self._search.weigh(view)
        actions = [self._sight.actions.encode(own, view) for own in weighed.pairs]
        if len(actions) > 1:
            self._kept.append((self._sight.see(view)[0], actions, weighed.values))
        return pair

    def lessons(self) -> Lessons:
        """All so far."""
        size = self._sight.layout.size + len(self._sight.told)
        widest = max((len(actions) for _, actions, _ in self._kept), default=1)
        lot = Lessons(
            np.zeros((len(self._kept), size), dtype=np.float32),
            np.full((len(self._kept), widest), NO_ACTION),
            np.zeros((len(self._kept), widest), dtype=np.float32),
        )
        for row, (observation, actions, gains) in enumerate(self._kept):
            lot.observations[row] = observation
            lot.actions[row, : len(actions)], lot.gains[row, : len(gains)] = actions, gains
        return lot


def collect(search: MCTS, sight: Sight, scenario: Scenario, seeds: Sequence[int]) -> Lessons:
    """Lessons of the traces of these seeds, played by the search."""
    pupil = Pupil(search, sight)
    for seed in seeds:
        run_episode(scenario, pupil, Trace.sample(scenario, seed), "compiled")
    return pupil.lessons()

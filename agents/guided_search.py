"""Search guided by a network: it names the candidates, and where simulations stop early its critic says what is left.

After the decision a compiled rule plays on, to the end of the shift unless `look_ahead` says otherwise. Source of the
idea: Danihelka, Guez, Schrittwieser & Silver (2022), "Policy improvement by planning with Gumbel", whose actions are
the likeliest of the policy too; here it is open loop, without noise, on futures that all candidates have in common.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.compiled_network import CompiledCritic
from agents.index_network import IndexRuleCritic
from agents.learned import fast_scores
from agents.mcts import MCTS, Arena
from agents.zoo import find_network, load_network
from mhgym.engines import columns as col
from mhgym.engines.futures import Futures
from mhgym.mdp.steps import CompiledSteps
from mhgym.scenario import Scenario
from mhgym.view import HOLD, CentreView, Pair

Floats = NDArray[np.float64]

#: Minutes in which somebody almost always arrives, so that there is an epoch to stop at.
_BEYOND = 180.0


@dataclass
class GuidedSearch(MCTS):
    """Search guided by an index-rule network; settings not named here are those of `MCTS`.

    Attributes:
        network: A file, or the name of one in `agents/networks`.
        look_ahead: Minutes that a simulation is played by the rule `rollout`, and to the next epoch, before the critic
            says what is left to gain; None plays to the end of the shift.
        candidates: Most decisions weighed, the likeliest of the network; its own is taken unless another is better.
    """

    network: str = field(kw_only=True)
    candidates: int = 8
    name: str = "guided_search"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.threads > 1:
            raise ValueError(f"guided_search runs in 1 thread, got threads={self.threads}")
        if self.without:
            raise ValueError(f"guided_search forgets no models, got without={', '.join(self.without)}")
        self._actor, critic, self._card = load_network(find_network(self.network))
        if not isinstance(critic, IndexRuleCritic):
            raise ValueError(
                f"guided_search takes networks of kind 'index_rule', {self.network!r} is {self._card.network!r}"
            )
        self._critic = critic

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Prepare for an episode."""
        super().reset(scenario, rng)
        self._sight = self._card.sight(scenario)
        self._scores = fast_scores(self._actor, self._sight.layout)
        self._values = CompiledCritic(self._critic, self._sight.layout)
        self._shown: tuple[Futures, CompiledSteps] | None = None

    def propose(self, view: CentreView) -> list[Pair]:
        """The actions that the network finds likeliest, the first its own decision."""
        obs, mask = self._sight.see(view)
        legal = np.flatnonzero(mask)
        order = np.argsort(-self._scores(obs[None])[0, legal], kind="stable")
        pairs = [self._sight.actions.decode(int(action), view) for action in legal[order]]
        own, *others = pairs
        return [own, *(pair for pair in others if self.hold or pair != HOLD)][: self.candidates]

    def draw_until(self, view: CentreView) -> float:
        """Beyond the minute at which simulations stop, so that there is an epoch to stop at."""
        return math.inf if self.look_ahead is None else view.now + self.look_ahead + _BEYOND

    def evaluate(self, arena: Arena, pair: Pair, futures: range) -> Floats:
        """`[len(futures)]` what a decision is worth in some of the futures drawn last."""
        if self.look_ahead is None:
            return super().evaluate(arena, pair, futures)
        drawn, until = arena.futures, arena.view.now + self.look_ahead
        values = arena.worth(drawn.evaluate(futures, *pair, self._rule, self._params, until=until), futures)
        going = futures.start + np.flatnonzero(drawn.state.clock_i[futures.start : futures.stop, col.OVER] == 0)
        steps = self._show(drawn)
        steps.observe(going)
        values[going - futures.start] += self._values(self._sight.tell(steps.obs[going])) @ self._weights
        return values

    def _show(self, drawn: Futures) -> CompiledSteps:
        """What makes observations of the states of these futures."""
        if self._shown is None or self._shown[0] is not drawn:
            layout = self._sight.layout
            steps = CompiledSteps(drawn.plan, drawn.chance, drawn.state, layout.num_slots, layout.num_counsellors)
            self._shown = drawn, steps
        return self._shown[1]

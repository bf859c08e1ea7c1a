"""Search guided by a network: it names the candidates, its scores are weighed against what simulations show.

In simulations a compiled rule decides on, to the end unless `rule_minutes` says otherwise; after that the network does,
or its critic says what is left. Source of the idea: Danihelka, Guez, Schrittwieser & Silver (2022), "Policy improvement
by planning with Gumbel": candidates are drawn without replacement by adding Gumbel noise to the scores, and the choice
adds scores and simulated values. Here it is open loop, on futures that all candidates have in common, and the weight of
the simulations follows from their own noise.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.compiled_network import CompiledCritic
from agents.index_network import IndexRuleCritic
from agents.learned import best_actions, fast_scores
from agents.mcts import MCTS, Arena
from agents.sight import Sight
from agents.zoo import digest_of_files, find_network, load_network
from mhgym.engines import columns as col
from mhgym.engines.futures import Futures
from mhgym.mdp.steps import CompiledSteps
from mhgym.scenario import Scenario
from mhgym.view import HOLD, CentreView, Pair

Floats = NDArray[np.float64]

ENDINGS = ("network", "critic")
#: Minutes in which somebody almost always arrives, so that there is an epoch to stop at.
_BEYOND = 180.0


@dataclass
class GuidedSearch(MCTS):
    """Search guided by an index-rule network; settings not named here are those of `MCTS`.

    Attributes:
        network: A file, or the name of one in `agents/networks`.
        candidates: Most decisions weighed, the likeliest of the network; its own is taken unless another is better.
        rule_minutes: Minutes of a simulation, and to the next epoch, in which the rule `rollout` decides; null for all.
        ending: Who takes over then: the `network`, which decides to the end, or the `critic`, which says what is left
            to gain and takes no `look_ahead`. Either sees as arrivals of the last hour only those who are still there,
            as futures hold nobody else.
        gumbel: Scale of the noise added to scores before candidates are chosen and weighed: 0 to decide as well as it
            can; with 1 the first candidates are samples of the network's policy without replacement, as for a network
            that learns from its own search.
        temperature: Objective that a unit of the network's score stands for, by which its scores join the simulated
            gains; null to go by simulations alone. A network that was distilled at a temperature has scores of it.
            Takes no `caution`, and two futures are enough (`least_futures` has no part).
        doubt: Standard deviation of the error of the network's gains, in units of the temperature: the larger, the more
            a noisy simulated gain counts.
        digest: Of the network's file, so that results of other weights are kept apart.
    """

    network: str = field(kw_only=True)
    candidates: int = 8
    rule_minutes: float | None = None
    ending: str = "network"
    gumbel: float = 0.0
    temperature: float | None = None
    doubt: float = 1.0
    name: str = "guided_search"
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.threads > 1:
            raise ValueError(f"guided_search runs in 1 thread, got threads={self.threads}")
        if self.without:
            raise ValueError(f"guided_search forgets no models, got without={', '.join(self.without)}")
        if self.ending not in ENDINGS:
            raise ValueError(f"ending must be one of {', '.join(ENDINGS)}, got {self.ending!r}")
        if self.rule_minutes is not None and not self.rule_minutes >= 0:
            raise ValueError(f"rule_minutes must be at least 0 or null, got {self.rule_minutes}")
        if self._critic_ends and self.look_ahead is not None:
            raise ValueError(
                f"a critic expects arrivals to go on, got look_ahead={self.look_ahead}; leave it out, or take "
                "ending=network"
            )
        for value, name in ((self.temperature, "temperature"), (self.doubt, "doubt")):
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be positive, got {value}")
        if self.temperature is not None and self.caution:
            raise ValueError(
                f"with a temperature gains are weighed by their errors, got caution={self.caution} too; leave one out"
            )
        if not self.gumbel >= 0:
            raise ValueError(f"gumbel must be at least 0, got {self.gumbel}")
        path = find_network(self.network)
        self.digest = digest_of_files(path)
        self._actor, critic, self._card = load_network(path)
        if not isinstance(critic, IndexRuleCritic):
            raise ValueError(
                f"guided_search takes networks of kind 'index_rule', {self.network!r} is {self._card.network!r}"
            )
        self._critic = critic

    def sight_of(self, scenario: Scenario) -> Sight:
        """What its network is shown of a centre."""
        return self._card.sight(scenario)

    @property
    def _critic_ends(self) -> bool:
        return self.rule_minutes is not None and self.ending == "critic"

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Prepare for an episode."""
        super().reset(scenario, rng)
        self._sight = self.sight_of(scenario)
        self._scores = fast_scores(self._actor, self._sight.layout)
        self._values = CompiledCritic(self._critic, self._sight.layout)
        self._shown: tuple[Futures, CompiledSteps] | None = None

    def propose(self, view: CentreView) -> list[Pair]:
        """The actions that the network finds likeliest, the first its own decision unless there is noise."""
        obs, mask = self._sight.see(view)
        legal = np.flatnonzero(mask)
        scores = self._scores(obs[None])[0, legal].astype(np.float64)
        if self.gumbel:
            scores += self.gumbel * self._rng.gumbel(size=len(scores))
        order = np.argsort(-scores, kind="stable")
        pairs = [self._sight.actions.decode(int(action), view) for action in legal[order]]
        kept = [k for k, pair in enumerate(pairs) if k == 0 or self.hold or pair != HOLD][: self.candidates]
        self._liking = scores[order][kept]
        return [pairs[k] for k in kept]

    @property
    def yardstick(self) -> str:
        """What gains are measured over."""
        return "the first candidate"

    def draw_until(self, view: CentreView) -> float:
        """Beyond the minute at which a critic is asked, so that there is an epoch to stop at."""
        if self._critic_ends:
            return view.now + float(self.rule_minutes or 0.0) + _BEYOND
        return super().draw_until(view)

    def evaluate(self, arena: Arena, pair: Pair, futures: range) -> Floats:
        """`[len(futures)]` what a decision is worth in some of the futures drawn last."""
        if self.rule_minutes is None:
            return super().evaluate(arena, pair, futures)
        drawn, until = arena.futures, arena.view.now + self.rule_minutes
        outcome = drawn.evaluate(futures, *pair, self._rule, self._params, until=until)
        going = futures.start + np.flatnonzero(drawn.state.clock_i[futures.start : futures.stop, col.OVER] == 0)
        steps = self._show(drawn)
        if self.ending == "critic":
            values = arena.worth(outcome, futures)
            steps.observe(going)
            values[going - futures.start] += self._values(self._sight.tell(steps.obs[going])) @ self._weights
            return values
        outcome[going - futures.start] = self._play_out(drawn, steps, going)
        return arena.worth(outcome, futures)

    def _play_out(self, drawn: Futures, steps: CompiledSteps, going: NDArray[np.int64]) -> Floats:
        """`[going, 4]` outcomes, as of `Futures.evaluate`, of futures in which the network decides from now on."""
        drawn.state.paid[going] = 0.0  # so that rewards add up to the KPIs of the whole future
        steps.over[going] = False
        active = np.zeros(len(steps.over), dtype=np.bool_)
        active[going] = True
        totals = np.zeros((len(active), len(self._weights)))
        actions = np.zeros(len(active), dtype=np.int64)
        steps.observe(going)
        while len(rows := np.flatnonzero(active)):
            scores = self._scores(self._sight.tell(steps.obs[rows]))
            actions[rows] = best_actions(scores, self._sight.allow(steps.mask[rows]))
            steps.step(actions, active)
            totals[rows] += steps.reward[rows]
            active &= ~steps.over
        quality, quantity, burden, _ = totals[going].T
        offered = np.maximum(1.0, drawn.chance.offered[going])
        # Nobody plans for fairness, so the last column, answers by the new, is not needed.
        return np.stack([quantity * offered, quality * offered, burden, np.zeros(len(going))], axis=1)

    def _show(self, drawn: Futures) -> CompiledSteps:
        """What makes observations of the states of these futures."""
        if self._shown is None or self._shown[0] is not drawn:
            layout = self._sight.layout
            steps = CompiledSteps(drawn.plan, drawn.chance, drawn.state, layout.num_slots, layout.num_counsellors)
            self._shown = drawn, steps
        return self._shown[1]

    def choose(self, arena: Arena) -> int:
        """The best candidate by simulations, or by what they and the network's scores say together."""
        if self.temperature is None:
            return super().choose(arena)
        prior = self.temperature * (self._liking - self._liking[0])
        gain, error = arena.gains()
        belief = np.full(len(gain), (self.doubt * self.temperature) ** 2)
        weight = belief / (belief + error**2)
        return int(np.argmax(np.where(np.isfinite(error), weight * gain + (1.0 - weight) * prior, prior)))

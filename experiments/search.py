"""Search for the settings of a policy: random candidates, successive halving, common random numbers.

Every round plays the candidates that are left on the same traces, more traces than the round before, and keeps the best
third. Source: Jamieson & Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization";
random candidates as in Bergstra & Bengio (2012), "Random search for hyper-parameter optimization".
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.episodes import run_rule
from mhgym.engines.rules import params_of
from mhgym.envs.bank import seeded_trace
from mhgym.envs.vector import one_roster
from mhgym.mdp.reward import RewardLedger
from mhgym.policy import Policy, policy_rng
from mhgym.presets import ScenarioSampler
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import HOLD

Floats = NDArray[np.float64]
Settings = dict[str, Any]

KEPT = 1 / 3  # share of the candidates that a round keeps


@dataclass
class Range:
    """Where a setting is searched: between two numbers, or among values.

    Attributes:
        low: Smallest value.
        high: Largest value.
        log: Whether the logarithm is drawn uniformly, rather than the value.
        whole: Whether the value is a whole number.
        size: Of a setting that is a list of so many numbers; 0 for a single number.
        among: Values of any kind, instead of numbers between `low` and `high`.
    """

    low: float = math.nan
    high: float = math.nan
    log: bool = False
    whole: bool = False
    size: int = 0
    among: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.among:
            if not (math.isnan(self.low) and math.isnan(self.high)) or self.log or self.whole or self.size:
                raise ValueError(f"a range is either between numbers or among values, got both for {self.among}")
            return
        if not self.low <= self.high:
            raise ValueError(f"a range needs low at most high, got {self.low} and {self.high}")
        if self.log and not self.low > 0:
            raise ValueError(f"a logarithmic range needs low above 0, got {self.low}")

    def draw(self, rng: np.random.Generator) -> Any:
        """A value, rounded to four digits so that it can be written down."""
        if self.among:
            return self.among[rng.integers(len(self.among))]
        count = self.size or 1
        if self.whole:
            values = [int(value) for value in rng.integers(int(self.low), int(self.high) + 1, count)]
        else:
            drawn = rng.uniform(*(map(math.log, (self.low, self.high)) if self.log else (self.low, self.high)), count)
            values = [float(f"{value:.4g}") for value in (np.exp(drawn) if self.log else drawn)]
        return values if self.size else values[0]


@dataclass
class Scorer:
    """Objectives of policies on common traces, which are drawn once.

    Attributes:
        scenario: The centre, or a sampler of centres with one number of counsellors.
        seeds: Of the traces; drawn as far as they are asked for.
        objective: `per_arrival` or `served`, see `experiments.configs`.
        spent: Episodes played so far.
    """

    scenario: Scenario | ScenarioSampler
    seeds: Sequence[int]
    objective: str = "per_arrival"
    spent: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.objective not in ("per_arrival", "served"):
            raise ValueError(f"unknown objective {self.objective!r} (known: per_arrival, served)")
        source = self.scenario
        self._centre = one_roster(source) if isinstance(source, ScenarioSampler) else source
        self._engine = CompiledEngine(self._centre)
        self._weights = np.array(self._centre.weights.as_tuple())
        self._episodes: list[tuple[Trace, RewardLedger]] = []

    def score(self, policy: Policy, count: int) -> Floats:
        """`[count]` objectives on the first traces."""
        while len(self._episodes) < count:
            trace = seeded_trace(self.scenario, self.seeds[len(self._episodes)])
            self._episodes.append((trace, RewardLedger(self._centre, trace)))
        self.spent += count
        return np.array([self._play(policy, *episode) for episode in self._episodes[:count]])

    def _play(self, policy: Policy, trace: Trace, ledger: RewardLedger) -> float:
        engine = self._engine
        rule = getattr(policy, "compiled_rule", None)
        if rule is not None:
            run_rule(engine, trace, rule, params_of(policy))
        else:
            engine.reset(trace)
            policy.reset(self._centre, policy_rng(trace.hash, policy.name))
            while engine.advance():
                pair = policy.act(engine.view())
                if pair == HOLD or not engine.assign(*pair):
                    engine.hold()
        vector = ledger.running(engine)
        if self.objective == "per_arrival":
            return float(self._weights @ vector)
        quality, quantity = vector[:2]
        return float(0.5 * quantity + 0.5 * (quality / quantity if quantity else 0.0))


@dataclass(frozen=True)
class Round:
    """One round of a search: traces played, candidates left and what they scored, the best first."""

    traces: int
    candidates: list[Settings]
    means: list[float]


def draw_candidates(
    space: Mapping[str, Range], defaults: Settings, count: int, rng: np.random.Generator
) -> list[Settings]:
    """The defaults, and random settings from the space beside what the defaults fix.

    Raises:
        ValueError: If there is nothing to search, or fewer than 2 candidates.
    """
    if not space:
        raise ValueError("a search needs a space of at least one setting, got none")
    if count < 2:
        raise ValueError(f"a search needs at least 2 candidates, got {count}")
    drawn = [{**defaults, **{name: part.draw(rng) for name, part in space.items()}} for _ in range(count - 1)]
    return [dict(defaults), *drawn]


def halve(
    make: Callable[[Settings], Policy], candidates: Sequence[Settings], scorer: Scorer, budget: int
) -> Iterator[Round]:
    """Rounds of successive halving until one candidate is left; each may spend the same share of the budget.

    Args:
        make: A policy from its settings.
        candidates: Settings, at least 2.
        scorer: Of the training traces.
        budget: Episodes in all; the last rounds spend less where training traces run out.

    Raises:
        ValueError: If the budget does not give every candidate a trace.
    """
    rounds = math.ceil(math.log(len(candidates)) / -math.log(KEPT) - 1e-9)
    if budget // rounds < len(candidates):
        raise ValueError(
            f"{len(candidates)} candidates in {rounds} rounds need {rounds * len(candidates)} episodes, got {budget}"
        )
    left = list(candidates)
    while len(left) > 1:
        traces = min(budget // (rounds * len(left)), len(scorer.seeds))
        means = [float(scorer.score(make(settings), traces).mean()) for settings in left]
        order = np.argsort(-np.array(means), kind="stable")
        yield Round(traces, [left[k] for k in order], [means[k] for k in order])
        left = [left[k] for k in order[: math.ceil(len(left) * KEPT - 1e-9)]]

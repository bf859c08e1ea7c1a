"""Monte Carlo tree search over the decisions of one epoch, simulated from what a dispatcher can see.

Open loop: every simulation resamples what is not known, takes one of the candidate decisions and leaves the rest of the
shift to a rollout rule, in compiled code. All candidates meet the same futures, so that their differences, not their
values, have to be estimated. Budgets count simulations, which are what Kleinerman et al. (2022) count.
"""

import itertools
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.candidates import candidate_pairs
from agents.forgetting import Forgetful
from agents.index_rules import CMT
from mhgym.engines.futures import Futures
from mhgym.engines.posterior import draw_futures
from mhgym.engines.rules import Rule, params_of
from mhgym.policy import Policy, Weighed
from mhgym.scenario import Scenario
from mhgym.view import HOLD, CentreView, Pair

Floats = NDArray[np.float64]

ROOTS = ("halving", "uniform", "uct")
OBJECTIVES = ("per_arrival", "served")
_CHUNK = 8  # futures drawn between two looks at the clock


@dataclass
class MCTS:
    """Monte Carlo tree search with a rollout rule. With no simulations it is its rollout rule.

    Attributes:
        simulations: Budget of a decision; of each candidate if `per_candidate`.
        per_candidate: Whether the budget is multiplied by the number of candidates.
        milliseconds: Budget of a decision in time instead, overdrawn by at most 8 futures of each candidate; the
            results then depend on the machine.
        rollout: Decides from the second decision on: a policy that names a `compiled_rule`.
        candidates: Most decisions weighed at an epoch.
        hold: Whether HOLD is weighed.
        look_ahead: Minutes from now after which simulations have no arrivals; whoever is there by then is served to the
            end. None looks to the end of the shift.
        root: How simulations are shared out. `halving`: sequential halving (Karnin, Koren & Somekh 2013); `uniform`:
            the same for all, which makes one step of policy improvement; `uct`: UCB1 (Kocsis & Szepesvári 2006).
        exploration: Of `uct`, in units of the standard deviation between candidates in the same future.
        least_futures: Futures in which a candidate and the rollout's choice must both have been simulated before it
            replaces that choice; a budget that is too small for that is not acted on.
        caution: Standard errors by which a candidate must beat the rollout's choice to replace it, in the futures that
            both met.
        objective: What is maximised: the weighted KPIs with an abandoned contact counted as 0 (`per_arrival`), or the
            paper's mean over answered contacts (`served`), for which the search keeps its own count of the past.
        without: Prediction models replaced by their means: `feedback`, `service_time`, `patience`, `remaining`.
        threads: Simulations of a decision run in so many threads; the result is the same.
        name: Label in tables.

    Source: Kleinerman, Rosenfeld & Rosemarin (2022) for the rule to be planned around and the budget. Their code is not
    public; the search is ours.
    """

    simulations: int = 300
    per_candidate: bool = False
    milliseconds: float | None = None
    rollout: Policy = field(default_factory=CMT)
    candidates: int = 16
    hold: bool = True
    look_ahead: float | None = None
    root: str = "halving"
    exploration: float = 1.0
    least_futures: int = 16
    caution: float = 0.0
    objective: str = "per_arrival"
    without: tuple[str, ...] = ()
    threads: int = 1
    name: str = "mcts"

    def __post_init__(self) -> None:
        if self.simulations < 0:
            raise ValueError(f"simulations must be at least 0, got {self.simulations}")
        if self.candidates < 1 or self.threads < 1:
            raise ValueError(f"candidates and threads must be at least 1, got {self.candidates} and {self.threads}")
        for value, name in ((self.milliseconds, "milliseconds"), (self.look_ahead, "look_ahead")):
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be positive or null, got {value}")
        if self.root not in ROOTS:
            raise ValueError(f"root must be one of {', '.join(ROOTS)}, got {self.root!r}")
        if self.objective not in OBJECTIVES:
            raise ValueError(f"objective must be one of {', '.join(OBJECTIVES)}, got {self.objective!r}")
        if not isinstance(rule := getattr(self.rollout, "compiled_rule", None), Rule):
            raise ValueError(f"rollout must be a policy with a compiled rule, got {self.rollout!r} with {rule}")
        self._forget = Forgetful(tuple(self.without))
        self._rule = rule

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Prepare for an episode."""
        if scenario.weights.fairness:
            raise ValueError(
                f"mcts does not plan for fairness, got a weight of {scenario.weights.fairness}; set it to 0"
            )
        unfit = scenario.rules.zombies == "kept" or self.look_ahead is not None or scenario.inboxes
        if self.objective == "served" and unfit:
            raise ValueError(
                "mcts plans for 'served' to the end of shifts without zombies and inboxes only; use 'per_arrival'"
            )
        self._scenario, self._rng = self._forget.scenario(scenario), rng
        accepted = scenario.population.sample(1024, np.random.default_rng(0)).accepted.mean()
        self._accepted = float(accepted)
        self._expected = max(1.0, self._accepted * scenario.arrivals.mean_rate(scenario.horizon) * scenario.horizon)
        self.rollout.reset(self._scenario, rng)
        self._params = params_of(self.rollout)
        weights = scenario.weights
        self._weights = np.array(weights.as_tuple())
        self._answered = self._feedback = 0.0
        self.simulated = 0
        self._last: Arena | list[Pair] = []

    def act(self, view: CentreView) -> Pair:
        """The candidate with the best mean over the simulations, or what the rollout would do."""
        seen = self._forget.view(view)
        pairs = self.propose(seen)
        chosen = pairs[0]
        self._last = pairs[:1]
        if len(pairs) > 1 and (self.simulations or self.milliseconds):
            self._last = arena = Arena(self, seen, pairs)
            chosen = pairs[self._search(arena)]
        if chosen != HOLD:
            self._answered += 1.0
            self._feedback += float(seen.quality[chosen])
        return chosen

    def weigh(self, view: CentreView) -> Weighed:
        """The candidates' mean gains over the rollout's choice in the futures that both met."""
        del view
        if isinstance(self._last, Arena):
            return self._last.weighed()
        return Weighed(
            f"choice of {self.rollout.name}, without simulation", tuple(self._last), (0.0,) * len(self._last)
        )

    def propose(self, view: CentreView) -> list[Pair]:
        """What is weighed; the first is what would be done without planning."""
        return candidate_pairs(view, self.rollout.act(view), self.candidates, hold=self.hold)

    @property
    def yardstick(self) -> str:
        """What gains are measured over."""
        return f"{self.rollout.name}'s choice"

    def draw_until(self, view: CentreView) -> float:
        """Minute after which nobody arrives in simulations."""
        return math.inf if self.look_ahead is None else view.now + self.look_ahead

    def evaluate(self, arena: "Arena", pair: Pair, futures: range) -> Floats:
        """`[len(futures)]` what a decision is worth in some of the futures drawn last, see `Arena.worth`."""
        outcome = arena.futures.evaluate(futures, *pair, self._rule, self._params)
        return arena.worth(outcome, futures)

    def _search(self, arena: "Arena") -> int:
        """Spend the budget; the number of the best candidate."""
        if self.milliseconds is not None:
            _until(arena, time.perf_counter() + self.milliseconds / 1e3)
        else:
            budget = self.simulations * (len(arena.pairs) if self.per_candidate else 1)
            _SPENDERS[self.root](arena, budget)
        self.simulated += arena.spent
        return self.choose(arena)

    def choose(self, arena: "Arena") -> int:
        """The number of the candidate to take after all simulations."""
        return arena.best(self.caution)


@dataclass
class Arena:
    """The candidates of one decision and what they were worth in each future.

    Attributes:
        search: Whose decision it is.
        view: Of the epoch.
        pairs: Candidates; the first is what would be done without planning.
        futures: Those drawn last.
        offered: `[futures]` contacts offered in each of them, as far as a planner can tell.
        values: `[candidates, futures]` of the candidates, NaN where not simulated.
        spent: Simulations so far.
    """

    search: MCTS
    view: CentreView
    pairs: list[Pair]
    futures: Futures = field(init=False)
    offered: Floats = field(init=False)
    values: Floats = field(init=False)
    spent: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.values = np.empty((len(self.pairs), 0))

    def draw(self, size: int) -> None:
        """Draw more futures, in which nothing has been simulated yet."""
        search, view = self.search, self.view
        until = search.draw_until(view)
        drawn = draw_futures(view, search._scenario, search._rng, size, until=until)
        self.futures = Futures(view, search._scenario, drawn)
        self.offset = self.values.shape[1]
        # The true N is not known, and a future that is cut short does not tell it.
        seen = search._accepted * len(view.arrivals)
        new = self.futures.chance.offered - len(drawn.rank)
        self.offered = np.full(size, search._expected) if until < view.horizon else np.maximum(1.0, seen + new)
        self.values = np.concatenate([self.values, np.full((len(self.pairs), size), np.nan)], axis=1)

    def play(self, candidates: list[int], first: int, last: int) -> None:
        """Simulate some candidates in futures `first` to `last` of those drawn last."""
        threads = min(self.search.threads, last - first)
        edges = np.linspace(first, last, threads + 1).astype(int).tolist()
        # A future is played in its own row of the packed arrays, so no two threads may share one.
        parts = [range(a, b) for a, b in itertools.pairwise(edges)]
        if threads > 1:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda part: self._simulate(candidates, part), parts))
        else:
            self._simulate(candidates, parts[0])
        self.spent += len(candidates) * (last - first)

    def _simulate(self, candidates: list[int], futures: range) -> None:
        columns = slice(self.offset + futures.start, self.offset + futures.stop)
        for candidate in candidates:
            self.values[candidate, columns] = self.search.evaluate(self, self.pairs[candidate], futures)

    def worth(self, outcome: Floats, futures: range) -> Floats:
        """`[futures]` the objective of outcomes `[futures, 4]`, up to what does not depend on the decision."""
        search, offered = self.search, self.offered[futures.start : futures.stop]
        answered, feedback, burden, _ = outcome.T
        quality, quantity, _, _ = search._weights
        if search.objective == "served":
            past = search._answered - len(self.view.in_hand)  # contacts in hand are in the outcome already
            total = np.maximum(answered + past, 1.0)
            held = search._feedback * past / max(search._answered, 1.0)
            return quality * (feedback + held) / total + quantity * (answered + past) / offered
        return (quality * feedback + quantity * answered) / offered + search._weights[2] * burden

    def means(self, candidates: list[int]) -> Floats:
        """Mean of each candidate over its futures; candidates that survive have met the same ones."""
        return np.array([np.nanmean(self.values[c]) for c in candidates])

    def weighed(self) -> Weighed:
        """The mean gain of each candidate that was simulated over the first, in the futures that both met."""
        gains = self.values - self.values[0]
        met = np.isfinite(gains)
        tried = np.flatnonzero(met.any(axis=1)).tolist()
        means = tuple(float(gains[row, met[row]].mean()) for row in tried)
        words = "; the worse half was dropped round by round" if self.search.root == "halving" else ""
        measure = f"mean gain over {self.search.yardstick} in the futures that both met{words}"
        return Weighed(measure, tuple(self.pairs[row] for row in tried), means)

    def gains(self) -> tuple[Floats, Floats]:
        """`[candidates]` mean gains over the first in the futures that both met, and their standard errors.

        The first has a gain of 0 without error; what was met in fewer than two futures has an infinite error.
        """
        gains = self.values - self.values[0]
        count = np.isfinite(gains).sum(axis=1)
        known = count > 1
        mean, error = np.zeros(len(gains)), np.full(len(gains), math.inf)
        mean[known] = np.nanmean(gains[known], axis=1)
        error[known] = np.nanstd(gains[known], axis=1, ddof=1) / np.sqrt(count[known])
        return mean, error

    def best(self, caution: float) -> int:
        """The best of those simulated most, unless it does not clearly beat the rollout's choice."""
        count = np.isfinite(self.values).sum(axis=1)
        if not count.any():
            return 0
        finalists = np.flatnonzero(count == count.max()).tolist()
        winner = finalists[int(np.argmax(self.means(finalists)))]
        gain = self.values[winner] - self.values[0]
        gain = gain[np.isfinite(gain)]
        if len(gain) < self.search.least_futures:
            return 0
        if winner and caution:
            error = gain.std(ddof=1) / math.sqrt(len(gain)) if len(gain) > 1 else math.inf
            return winner if gain.mean() > caution * error else 0
        return winner


def _halve(arena: Arena, budget: int) -> None:
    """Sequential halving: in each round the better half goes on, with as many simulations as all had before."""
    alive = list(range(min(len(arena.pairs), budget // 2)))
    if len(alive) < 2:
        return
    rounds = math.ceil(math.log2(len(alive)))
    shares, size = [], len(alive)
    for number in range(rounds):
        shares.append(max(1, budget // ((rounds - number) * size)))
        budget -= shares[-1] * size
        size = math.ceil(size / 2)
        if budget < size:
            break
    arena.draw(sum(shares))
    first = 0
    for share in shares:
        arena.play(alive, first, first + share)
        first += share
        alive = _better_half(arena, alive)


def _better_half(arena: Arena, alive: list[int]) -> list[int]:
    order = np.argsort(-arena.means(alive), kind="stable")
    return sorted(alive[k] for k in order[: max(1, math.ceil(len(alive) / 2))])


def _spread(arena: Arena, budget: int) -> None:
    """The same number of simulations for every candidate."""
    alive = list(range(min(len(arena.pairs), budget)))
    share = max(1, budget // len(alive))
    arena.draw(share)
    arena.play(alive, 0, share)


def _climb(arena: Arena, budget: int) -> None:
    """UCB1 on the gains over the rollout's choice, future by future."""
    alive = list(range(min(len(arena.pairs), budget)))
    arena.draw(max(1, budget - len(alive) + 1))
    done = np.zeros(len(alive), dtype=np.int64)
    for _ in range(budget):
        chosen = int(np.argmin(done)) if done.min() == 0 else _ucb(arena, done)
        arena.play([chosen], int(done[chosen]), int(done[chosen]) + 1)
        done[chosen] += 1


def _ucb(arena: Arena, done: NDArray[np.int64]) -> int:
    values = arena.values[: len(done), : done.max()]
    spread = np.nanstd(values - np.nanmean(values, axis=0)) or 1.0  # between candidates, in the same futures
    bonus = arena.search.exploration * spread * np.sqrt(2.0 * math.log(done.sum()) / done)
    return int(np.argmax(np.nanmean(values, axis=1) + bonus))


def _until(arena: Arena, deadline: float) -> None:
    """Futures in chunks until the time is over; the worse half is dropped when each share of the time is."""
    alive = list(range(len(arena.pairs)))
    rounds = max(1, math.ceil(math.log2(len(alive))))
    began = time.perf_counter()
    ends = [began + (deadline - began) * (number + 1) / rounds for number in range(rounds)]
    for end in ends:
        while not arena.spent or time.perf_counter() < end:
            arena.draw(_CHUNK)
            arena.play(alive, 0, _CHUNK)
        alive = _better_half(arena, alive)


_SPENDERS: dict[str, Callable[[Arena, int], None]] = {"halving": _halve, "uniform": _spread, "uct": _climb}

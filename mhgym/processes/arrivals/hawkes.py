"""Self-exciting arrivals: every arrival may bring more, whatever the centre does."""

import math
from dataclasses import dataclass

import numpy as np

from mhgym.processes.arrivals.law import (
    MINUTES_PER_HOUR,
    Floats,
    Ints,
    check_horizon,
    checked_history,
    strictly_inside,
)
from mhgym.processes.arrivals.rates import RateProfile
from mhgym.processes.arrivals.thinning import poisson_times

IMMIGRANT = -1  # the parent of an arrival that no other arrival triggered
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_NEGLIGIBLE = 40.0  # exp(-40) is below a rounding error of 1


def first_ancestors(parents: Ints) -> Ints:
    """The index `[n]` of each arrival's oldest ancestor, itself for an immigrant, given its parent's among them."""
    oldest = np.arange(len(parents))
    for index in np.flatnonzero(parents != IMMIGRANT).tolist():  # parents come before their children
        oldest[index] = oldest[parents[index]]
    return oldest


@dataclass(frozen=True)
class HawkesArrivals:
    """Arrivals with offspring.

    Immigrants come at the base rate; each arrival triggers Poisson(branching_ratio) offspring, each after an
    exponential delay, and they do the same. The conditional intensity is base(t) + Σ branching_ratio · decay ·
    exp(−decay (t − t_i)). The past before minute 0 is empty. Offspring depend on arrivals only, never on the policy.

    Source: Hawkes & Oakes (1974), "A cluster process representation of a self-exciting process".

    Args:
        base: Immigrants per minute over time.
        branching_ratio: Mean number of offspring of an arrival, in [0, 1).
        decay: One over the mean delay of an offspring, per minute.

    Raises:
        ValueError: If the branching ratio is outside [0, 1) or the decay not positive.
    """

    base: RateProfile
    branching_ratio: float
    decay: float

    def __post_init__(self) -> None:
        for name in ("branching_ratio", "decay"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not 0 <= self.branching_ratio < 1:
            raise ValueError(
                f"the branching ratio must lie in [0, 1), or arrivals grow without end, got {self.branching_ratio}"
            )
        if not (math.isfinite(self.decay) and self.decay > 0):
            raise ValueError(f"the decay must be a positive rate per minute, got {self.decay}")

    def sample(self, horizon: float, rng: np.random.Generator) -> Floats:
        """Draw `[n]` times in [0, horizon), in order; see `ArrivalLaw.sample`."""
        return self.sample_with_parents(horizon, rng)[0]

    def sample_with_parents(self, horizon: float, rng: np.random.Generator) -> tuple[Floats, Ints]:
        """Draw one episode with its family tree, so that offspring can be marked as callers who return.

        Returns:
            `[n]` times in [0, horizon), in order, and `[n]` the index of each arrival's parent among them, IMMIGRANT
            for none.

        Raises:
            ValueError: If the horizon is not positive and finite.
        """
        check_horizon(horizon)
        immigrants = poisson_times(self.base, 0.0, horizon, rng)
        return self._cascade(immigrants, np.full(len(immigrants), IMMIGRANT), 0, horizon, rng)

    def resample(self, seen: Floats, now: float, horizon: float, rng: np.random.Generator) -> Floats:
        """Draw `[n]` times in (now, horizon), in order; see `ArrivalLaw.resample`."""
        return self.resample_with_parents(seen, now, horizon, rng)[0]

    def resample_with_parents(
        self, seen: Floats, now: float, horizon: float, rng: np.random.Generator
    ) -> tuple[Floats, Ints]:
        """Draw the future with its family tree.

        An arrival at t_i still owes Poisson(branching_ratio · exp(−decay (now − t_i))) offspring, whose delays from
        now on are exponential again; who was whose child in the past does not matter.

        Returns:
            `[n]` times in (now, horizon), in order, and `[n]` the index of each arrival's parent in the row of arrivals
            seen and future (a future arrival j has the index k + j), IMMIGRANT for none.

        Raises:
            ValueError: If the horizon is not positive and finite, or the history is not one.
        """
        times = checked_history(seen, now, horizon)
        if now >= horizon:
            return np.empty(0), np.empty(0, dtype=np.int64)
        owed = rng.poisson(self.branching_ratio * np.exp(-self.decay * (now - times)))
        children, parents = self._offspring(np.full(len(times), now), np.arange(len(times)), owed, horizon, rng)
        immigrants = poisson_times(self.base, now, horizon, rng)
        founders = np.concatenate((immigrants, children))
        tree = np.concatenate((np.full(len(immigrants), IMMIGRANT), parents))
        future, parents = self._cascade(founders, tree, len(times), horizon, rng)
        return strictly_inside(future, now, horizon), parents

    def mean_rate(self, horizon: float) -> float:
        """Expected arrivals per minute, averaged over [0, horizon), the empty start included.

        With n the branching ratio and γ = decay (1 − n), an immigrant at s has (1 − n exp(−γ (h − s))) / (1 − n)
        arrivals in its family by h, itself included.
        """
        check_horizon(horizon)
        ratio, slowed = self.branching_ratio, self.decay * (1 - self.branching_ratio)
        first = max(0.0, horizon - _NEGLIGIBLE / slowed)
        inner = np.arange(math.floor(first / MINUTES_PER_HOUR) + 1, math.ceil(horizon / MINUTES_PER_HOUR))
        edges = np.concatenate(([first], inner * MINUTES_PER_HOUR, [horizon]))
        half = np.diff(edges)[:, None] / 2
        nodes = edges[:-1, None] + half * (1 + _NODES)
        unfinished = float((half * _WEIGHTS * self.base.at(nodes) * np.exp(-slowed * (horizon - nodes))).sum())
        return (self.base.integral(0.0, horizon) - ratio * unfinished) / ((1 - ratio) * horizon)

    def _cascade(
        self, founders: Floats, parents: Ints, seen: int, horizon: float, rng: np.random.Generator
    ) -> tuple[Floats, Ints]:
        """Add all descendants generation by generation, then number everyone in order of time after those `seen`."""
        times, tree = [founders], [parents]
        first = seen
        while len(times[-1]):
            generation = times[-1]
            counts = rng.poisson(self.branching_ratio, len(generation))
            indices = np.arange(first, first + len(generation))
            first += len(generation)
            children, theirs = self._offspring(generation, indices, counts, horizon, rng)
            times.append(children)
            tree.append(theirs)
        every, parent = np.concatenate(times), np.concatenate(tree)
        order = np.argsort(every, kind="stable")
        rank = np.empty(seen + len(every), dtype=np.int64)
        rank[:seen] = np.arange(seen)
        rank[seen + order] = seen + np.arange(len(every))
        parent = parent[order]
        return every[order], np.where(parent == IMMIGRANT, IMMIGRANT, rank[parent])

    def _offspring(
        self, origins: Floats, indices: Ints, counts: Ints, horizon: float, rng: np.random.Generator
    ) -> tuple[Floats, Ints]:
        """Times of the children that come before the horizon, and the indices of their parents."""
        births = np.repeat(origins, counts) + rng.exponential(1 / self.decay, int(counts.sum()))
        in_time = births < horizon
        return births[in_time], np.repeat(indices, counts)[in_time]

"""Orders for a queue in which nobody sees who has left: what a wait says about whether a contact is still there.

With `zombies: kept` an abandoned contact looks like any other. If patience is exponential with the predicted mean, a
contact that has waited w minutes since it joined the queue is there with probability exp(-w / patience). The wait is in
every view; the truth is in none.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.selection import best_pair
from mhgym.domain import Risk
from mhgym.engines.rules import Rule
from mhgym.policy import Weighed
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair

Floats = NDArray[np.float64]


def log_probability_there(wait: Floats, patience: Floats) -> Floats:
    """Logarithm of the chance that a caller has not left yet, for exponential patience.

    Args:
        wait: `[n]` minutes since the contact joined the queue.
        patience: `[n]` predicted mean patience, minutes.

    Returns:
        `[n]` at most 0; unlike the chance itself it never underflows, so that long waits still differ.

    Raises:
        ValueError: If a wait is negative or a patience not positive.
    """
    if not np.all(wait >= 0):
        raise ValueError(f"a wait must be at least 0 minutes, got {wait[~(wait >= 0)][0]}")
    if not np.all(patience > 0):
        raise ValueError(f"a patience must be positive, got {patience[~(patience > 0)][0]} minutes")
    return -wait / patience


@dataclass
class NewestWithin:
    """The newest of the contacts that have waited no longer than a limit; where there is none, the oldest.

    Attributes:
        longest: The limit, minutes. 0 is first come, first served; without limit it is last come, first served.
    """

    longest: float = 10.0
    name: str = "newest_within"
    compiled_rule: ClassVar[Rule] = Rule.NEWEST_WITHIN

    def __post_init__(self) -> None:
        if not self.longest >= 0:
            raise ValueError(f"longest must be at least 0 minutes, got {self.longest}")

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    @property
    def compiled_params(self) -> tuple[float, ...]:
        """The limit."""
        return (self.longest,)

    def act(self, view: CentreView) -> Pair:
        """The newest within the limit, else the oldest, that somebody can take."""
        rows = np.arange(len(view.waiting), dtype=np.float64)
        return best_pair(view, np.where(view.wait <= self.longest, rows, -1.0 - rows)[:, None])


@dataclass
class LikelyThere:
    """The contact that is likeliest to be still there, see `log_probability_there`.

    Opening zombies only when nobody else waits still costs: the counsellor is then busy when the next caller comes. So
    a contact can be too unlikely to be opened at all.

    Attributes:
        least: Probability below which a contact is left unopened; 0 to open every contact in the end.
        high_risk_first: Whether contacts at high risk that are not too unlikely go before all others.
        oldest_first: Whether the oldest of those that are not too unlikely goes first, instead of the likeliest.
    """

    least: float = 0.0
    high_risk_first: bool = False
    oldest_first: bool = False
    name: str = "likely_there"
    compiled_rule: ClassVar[Rule] = Rule.LIKELY_THERE

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise ValueError(f"least must be a probability in [0, 1], got {self.least}")

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    @property
    def compiled_params(self) -> tuple[float, ...]:
        """Logarithm of the least probability, and the two switches."""
        return self._least, float(self.high_risk_first), float(self.oldest_first)

    @property
    def _least(self) -> float:
        return math.log(self.least) if self.least else -math.inf

    def act(self, view: CentreView) -> Pair:
        """The likeliest, or the oldest, that somebody can take, or HOLD if nobody is likely enough."""
        there = log_probability_there(view.wait, view.waiting.patience)[:, None]
        first = np.asarray(self.high_risk_first & (view.waiting.risk == Risk.HIGH), dtype=np.float64)[:, None]
        order = np.zeros_like(there) if self.oldest_first else there
        return best_pair(view, first, order, among=there >= self._least)

    def weigh(self, view: CentreView) -> Weighed:
        """The chances that contacts are there, and as what HOLD is worth the least that is opened.

        Where the oldest or high risk goes first, the choice need not be the likeliest.
        """
        there = np.exp(log_probability_there(view.wait, view.waiting.patience))
        return Weighed.of(view, "chance that the caller is still there", there[:, None], hold=self.least or None)

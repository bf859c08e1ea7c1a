"""Orders that need no prediction: first come, last come, most at risk. The longest-idle counsellor serves."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.selection import best_pair
from mhgym.engines.rules import Rule
from mhgym.policy import Weighed
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Floats, Pair


@dataclass
class FirstCome:
    """First come, first served, with the longest-idle eligible counsellor: what centres do today."""

    name: str = "fcfs"
    compiled_rule: ClassVar[Rule] = Rule.FIRST_COME

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: CentreView) -> Pair:
        """The first contact in the queue that somebody can take."""
        return best_pair(view)

    def weigh(self, view: CentreView) -> Weighed:
        """Minutes in the queue."""
        return Weighed.of(view, "minutes in the queue", view.wait[:, None])


@dataclass
class LastCome:
    """Last come, first served: with zombies kept, the newest contact is the likeliest to be still there."""

    name: str = "lcfs"
    compiled_rule: ClassVar[Rule] = Rule.LAST_COME

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: CentreView) -> Pair:
        """The last contact in the queue that somebody can take."""
        return best_pair(view, self._places(view))

    def weigh(self, view: CentreView) -> Weighed:
        """Places in the queue."""
        return Weighed.of(view, "place in the queue, the first is 0", self._places(view))

    def _places(self, view: CentreView) -> Floats:
        return np.arange(len(view.waiting), dtype=np.float64)[:, None]


@dataclass
class MostSevereFirst:
    """The highest risk first; first come, first served within a level of risk."""

    name: str = "most_severe_first"
    compiled_rule: ClassVar[Rule] = Rule.MOST_SEVERE_FIRST

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: CentreView) -> Pair:
        """The first of the contacts at most risk that somebody can take."""
        return best_pair(view, view.waiting.risk.astype(np.float64)[:, None])

    def weigh(self, view: CentreView) -> Weighed:
        """Levels of risk."""
        return Weighed.of(view, "risk: 0 low, 1 medium, 2 high", view.waiting.risk.astype(np.float64)[:, None])

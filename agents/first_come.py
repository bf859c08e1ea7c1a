"""Orders that need no prediction: first come, last come, most at risk. The longest-idle counsellor serves."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.selection import best_pair
from mhgym.engines.rules import Rule
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair


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


@dataclass
class LastCome:
    """Last come, first served: with zombies kept, the newest contact is the likeliest to be still there."""

    name: str = "lcfs"
    compiled_rule: ClassVar[Rule] = Rule.LAST_COME

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: CentreView) -> Pair:
        """The last contact in the queue that somebody can take."""
        return best_pair(view, np.arange(len(view.waiting), dtype=np.float64)[:, None])


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

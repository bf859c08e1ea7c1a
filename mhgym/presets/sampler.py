"""A scenario per episode, for training that transfers."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from mhgym.presets.registry import make_scenario
from mhgym.scenario import Scenario


@dataclass(frozen=True)
class ScenarioSampler:
    """Draws one scenario an episode: a preset with flow and staffing uniform over ranges.

    Attributes:
        preset: Such as `EranHeavy`.
        flow: Least and largest mean arrivals per hour.
        staffing: Least and largest number of counsellors, or of full-time staff per shift in Open Up.
        overrides: Other settings of the preset, the same in every episode.
    """

    preset: str
    flow: tuple[float, float]
    staffing: tuple[int, int]
    overrides: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (low, high) in (("flow", self.flow), ("staffing", self.staffing)):
            if not 0 < low <= high:
                raise ValueError(f"{name} must be a range of positive numbers, low to high, got {low} to {high}")
        self.largest()

    def largest(self) -> Scenario:
        """The scenario with the most counsellors: what observations and actions are padded to."""
        return self._make(self.flow[1], self.staffing[1])

    def by_staffing(self) -> tuple[Self, ...]:
        """A sampler for each number of counsellors in the range; scenarios of one have equal rosters and rules."""
        low, high = self.staffing
        return tuple(replace(self, staffing=(number, number)) for number in range(low, high + 1))

    def sample(self, rng: np.random.Generator) -> Scenario:
        """Draw a scenario."""
        flow = float(rng.uniform(*self.flow))
        return self._make(flow, int(rng.integers(self.staffing[0], self.staffing[1] + 1)))

    def _make(self, flow: float, staffing: int) -> Scenario:
        return make_scenario(self.preset, flow=flow, staffing=staffing, **self.overrides)

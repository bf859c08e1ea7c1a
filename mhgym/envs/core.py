"""The only step: from an action to the next decision epoch. Every face of the environment is built on it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhgym.engines.registry import ENGINES, make_engine
from mhgym.envs.centre import Centre, CompiledCentre, SavedCentre, Step, make_centre
from mhgym.mdp import ActionLayout, ObservationLayout
from mhgym.presets import ScenarioSampler, make_scenario
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import CentreView


@dataclass(frozen=True)
class SavedCore:
    """A saved episode."""

    scenario: Scenario
    centre: SavedCentre


class RoutingCore:
    """One centre, stepped from decision epoch to decision epoch.

    Args:
        scenario: A scenario, a sampler of scenarios, or the name of a preset.
        num_slots: N queue slots of observation and action.
        engine: Name of the engine.
        **overrides: Settings of the preset, if it is named.

    Raises:
        ValueError: If the scenario leaks hidden truth, or the engine is unknown.
    """

    def __init__(
        self,
        scenario: Scenario | ScenarioSampler | str,
        *,
        num_slots: int = 16,
        engine: str = "simpy",
        **overrides: Any,
    ) -> None:
        if isinstance(scenario, str):
            scenario = make_scenario(scenario, **overrides)
        elif overrides:
            raise ValueError(f"{', '.join(overrides)} can be set only where the scenario is named, got a {scenario!r}")
        if engine not in ENGINES:
            raise ValueError(f"unknown engine {engine!r} (known: {', '.join(ENGINES)})")
        self.source = scenario
        largest = scenario.largest() if isinstance(scenario, ScenarioSampler) else scenario
        if largest.leaks:
            raise ValueError(
                "queue_discipline 'paper' shows which waiting contacts have left, so no environment takes it; "
                "use 'arrival', or run the engine directly for a reproduction"
            )
        self.weights = np.array(largest.weights.as_tuple())
        self.observations = ObservationLayout(num_slots, len(largest.roster), largest.inboxes)
        self.actions = ActionLayout(num_slots, len(largest.roster))
        self._engine_name = engine
        self.scenario: Scenario = largest
        self.trace: Trace | None = None
        self._centre: Centre | None = None

    def reset(self, rng: np.random.Generator, trace_seed: int | None = None, trace: Trace | None = None) -> None:
        """Begin an episode and run to its first decision epoch.

        Args:
            rng: Draws the scenario, where there is a sampler, and the seed of the trace, if none is given.
            trace_seed: Seed of the trace.
            trace: The trace itself.

        Raises:
            ValueError: If the trace has other counsellors than the roster; then no episode is under way.
        """
        self.trace = None
        if isinstance(self.source, ScenarioSampler):
            self.scenario = self.source.sample(rng)
        if trace is None:
            seed = int(rng.integers(2**32)) if trace_seed is None else trace_seed
            trace = Trace.sample(self.scenario, seed)
        self._centre = self._centre_of(self.scenario)
        self._centre.begin(trace)
        self.trace = trace

    def _centre_of(self, scenario: Scenario) -> Centre:
        """The present centre while the scenario stays the same, otherwise a new one."""
        if self._centre is not None and self._centre.scenario is scenario:
            return self._centre
        return make_centre(scenario, make_engine(self._engine_name, scenario), self.observations, self.actions)

    @property
    def centre(self) -> Centre:
        """The centre of the episode under way.

        Raises:
            RuntimeError: If no episode is under way.
        """
        if self._centre is None or self.trace is None:
            raise RuntimeError("no episode is under way; call reset() first")
        return self._centre

    def step(self, action: int) -> Step:
        """Decide, and run to the next epoch or to the end; an illegal action is a HOLD and is counted.

        Raises:
            RuntimeError: If no episode is under way.
        """
        return self.centre.step(action)

    @property
    def cuts(self) -> bool:
        """Whether the end of an episode is a horizon that cuts through a continuing service, not the end of a shift."""
        return self.scenario.rules.closing == "cut"

    @property
    def view(self) -> CentreView:
        """The present view."""
        return self.centre.view

    def observation(self) -> NDArray[np.float32]:
        """`[size]` the present view as a vector, in a fresh array."""
        return self.centre.obs.copy()

    def mask(self) -> NDArray[np.int8]:
        """`[N * C + 1]` the legal actions, in a fresh array; HOLD alone when the episode is over."""
        return self.centre.mask.copy()

    def save(self) -> SavedCore:
        """Copy the episode under way.

        Raises:
            RuntimeError: If the engine cannot be saved, or no episode is under way.
        """
        return SavedCore(self.scenario, _saveable(self.centre).save())

    def restore(self, saved: SavedCore) -> None:
        """Go back to a saved episode, which then continues identically; one that is refused changes nothing.

        The environment that it was saved from may have another number of queue slots.

        Raises:
            ValueError: If the saved roster is larger than the largest of this environment.
            RuntimeError: If the engine cannot be restored.
        """
        size, room = len(saved.scenario.roster), self.actions.num_counsellors
        if size > room:
            raise ValueError(
                f"the saved centre has {size} counsellors and this environment room for {room}; "
                "restore it into an environment made of the saved scenario"
            )
        centre = _saveable(self._centre_of(saved.scenario))
        centre.restore(saved.centre)
        self._centre, self.scenario, self.trace = centre, saved.scenario, saved.centre.engine.trace

    def kpis(self) -> dict[str, float]:
        """The KPIs of an episode that is over."""
        return self.centre.engine.kpis()


def _saveable(centre: Centre) -> CompiledCentre:
    if not isinstance(centre, CompiledCentre):
        raise RuntimeError("a live SimPy centre can be neither copied nor saved; use engine='compiled'")
    return centre

"""The only step: from an action to the next decision epoch. Every face of the environment is built on it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhgym.engines.compiled import CompiledEngine, Saved
from mhgym.engines.protocol import Engine
from mhgym.engines.registry import ENGINES, make_engine
from mhgym.mdp import ActionLayout, ObservationLayout, RewardLedger
from mhgym.presets import ScenarioSampler, make_scenario
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """What one step gives.

    Attributes:
        reward: `[4]` components in the order of `metrics.COMPONENTS`.
        terminated: The shift has ended.
        truncated: The horizon cut through a continuing service.
        elapsed: Minutes since the decision before.
    """

    reward: Floats
    terminated: bool
    truncated: bool
    elapsed: float


@dataclass(frozen=True)
class SavedCore:
    """A saved episode: the centre, what has been paid, and the counters of the step."""

    scenario: Scenario
    centre: Saved
    paid: Floats
    illegal_actions: int
    decided_at: float
    asking: bool


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
        self.observations = ObservationLayout(num_slots, len(largest.roster))
        self.actions = ActionLayout(num_slots, len(largest.roster))
        self._engine_name = engine
        self.scenario: Scenario = largest
        self.trace: Trace | None = None

    def reset(self, rng: np.random.Generator, trace_seed: int | None = None, trace: Trace | None = None) -> None:
        """Begin an episode and run to its first decision epoch.

        Args:
            rng: Draws the scenario, where there is a sampler, and the seed of the trace, if none is given.
            trace_seed: Seed of the trace.
            trace: The trace itself.
        """
        if isinstance(self.source, ScenarioSampler):
            self.scenario = self.source.sample(rng)
        if trace is None:
            seed = int(rng.integers(2**32)) if trace_seed is None else trace_seed
            trace = Trace.sample(self.scenario, seed)
        self.trace = trace
        self.engine: Engine = make_engine(self._engine_name, self.scenario)
        self.engine.reset(trace)
        self.ledger = RewardLedger(self.scenario, trace)
        self.illegal_actions = 0
        self._run()
        self._decided_at = self.engine.now

    def _run(self) -> None:
        self.asking = self.engine.advance()
        self.view: CentreView = self.engine.view()

    def step(self, action: int) -> Step:
        """Decide, and run to the next epoch or to the end; an illegal action is a HOLD and is counted.

        Raises:
            RuntimeError: If no episode is under way.
        """
        if self.trace is None:
            raise RuntimeError("no episode is under way; call reset() first")
        pair = self.actions.decode(action, self.view)
        taken = pair != HOLD and self.asking and self.engine.assign(*pair)
        if not taken:
            self.illegal_actions += int(action != self.actions.hold)
            self.engine.hold()
        self._run()
        elapsed, self._decided_at = self.engine.now - self._decided_at, self.engine.now
        over = not self.asking
        cut = self.scenario.rules.closing == "cut"
        return Step(self.ledger.pay(self.engine), over and not cut, over and cut, elapsed)

    def observation(self) -> NDArray[np.float32]:
        """`[size]` the present view as a vector, in a fresh array."""
        return self.observations.encode(self.view)

    def mask(self) -> NDArray[np.int8]:
        """`[N * C + 1]` the legal actions, in a fresh array; HOLD alone when the episode is over."""
        if self.asking:
            return self.actions.mask(self.view)
        mask = np.zeros(self.actions.size, dtype=np.int8)
        mask[self.actions.hold] = 1
        return mask

    def save(self) -> SavedCore:
        """Copy the episode under way.

        Raises:
            RuntimeError: If the engine cannot be saved, or no episode is under way.
        """
        if self.trace is None:
            raise RuntimeError("no episode is under way; call reset() first")
        if not isinstance(self.engine, CompiledEngine):
            raise RuntimeError("a live SimPy centre can be neither copied nor saved; use engine='compiled'")
        paid = self.ledger.paid.copy()
        return SavedCore(self.scenario, self.engine.save(), paid, self.illegal_actions, self._decided_at, self.asking)

    def restore(self, saved: SavedCore) -> None:
        """Go back to a saved episode, which then continues identically."""
        self.scenario, self.trace = saved.scenario, saved.centre.trace
        engine = CompiledEngine(self.scenario)
        engine.restore(saved.centre)
        self.engine = engine
        self.ledger = RewardLedger(self.scenario, self.trace)
        self.ledger.paid = saved.paid.copy()
        self.illegal_actions, self._decided_at, self.asking = saved.illegal_actions, saved.decided_at, saved.asking
        self.view = engine.view()

    def kpis(self) -> dict[str, float]:
        """The KPIs of an episode that is over."""
        return self.engine.kpis()

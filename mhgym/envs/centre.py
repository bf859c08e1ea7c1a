"""A centre behind the core: begun on a trace, stepped by actions, and showing observation and mask at each epoch."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mhgym.engines import columns as col
from mhgym.engines.columns import State
from mhgym.engines.compiled import CompiledEngine, Saved
from mhgym.engines.protocol import Engine
from mhgym.mdp import ActionLayout, ObservationLayout, RewardLedger
from mhgym.mdp.steps import CompiledSteps
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView

Floats = NDArray[np.float64]
_NO_ACTION = -1  # stands for what int64 cannot hold, which is as illegal


@dataclass(frozen=True)
class Step:
    """What one step gives.

    Attributes:
        reward: `[4]` components in the order of `metrics.COMPONENTS`.
        over: Whether the episode has ended.
        elapsed: Minutes since the decision before.
    """

    reward: Floats
    over: bool
    elapsed: float


class Centre(Protocol):
    """An engine with the decision process around it."""

    @property
    def scenario(self) -> Scenario:
        """The scenario that it runs."""
        ...

    @property
    def engine(self) -> Engine:
        """The engine that runs it."""
        ...

    @property
    def view(self) -> CentreView:
        """The present view."""
        ...

    @property
    def obs(self) -> NDArray[np.float32]:
        """`[size]` the present view as a vector; the next step may overwrite it."""
        ...

    @property
    def mask(self) -> NDArray[np.int8]:
        """`[N * C + 1]` the legal actions, HOLD alone when the episode is over; the next step may overwrite it."""
        ...

    @property
    def illegal_actions(self) -> int:
        """How many actions of this episode were illegal."""
        ...

    @property
    def waiting(self) -> NDArray[np.int64]:
        """`[n]` running numbers of the contacts in the queue, in its order."""
        ...

    @property
    def idle_since(self) -> Floats:
        """`[C]` minute at which each counsellor's longest-idle free slot became free; NaN without one."""
        ...

    def begin(self, trace: Trace) -> None:
        """Begin an episode and run to its first decision epoch."""
        ...

    def step(self, action: int) -> Step:
        """Decide, and run to the next epoch or to the end; an illegal action is a HOLD and is counted."""
        ...


class ViewedCentre:
    """Any engine, by way of its views: the definition of a step.

    Args:
        scenario: What the engine runs.
        engine: The engine.
        observations: Layout of observations.
        actions: Layout of actions.
    """

    def __init__(
        self, scenario: Scenario, engine: Engine, observations: ObservationLayout, actions: ActionLayout
    ) -> None:
        self.scenario = scenario
        self.engine = engine
        self._observations = observations
        self._actions = actions

    def begin(self, trace: Trace) -> None:
        """Begin an episode and run to its first decision epoch."""
        self.engine.reset(trace)
        self._ledger = RewardLedger(self.scenario, trace)
        self.illegal_actions = 0
        self._run()
        self._decided_at = self.engine.now

    @property
    def waiting(self) -> NDArray[np.int64]:
        """`[n]` running numbers of the contacts in the queue, in its order."""
        return self.view.waiting.contact

    @property
    def idle_since(self) -> Floats:
        """`[C]` minute at which each counsellor's longest-idle free slot became free; NaN without one."""
        return self.view.staff.idle_since

    def _run(self) -> None:
        self._asking = self.engine.advance()
        self.view: CentreView = self.engine.view()
        self.obs = self._observations.encode(self.view)
        self.mask = self._actions.mask(self.view)
        if not self._asking:
            self.mask[: self._actions.hold] = 0

    def step(self, action: int) -> Step:
        """Decide, and run to the next epoch or to the end; an illegal action is a HOLD and is counted."""
        pair = self._actions.decode(action, self.view)
        taken = pair != HOLD and self._asking and self.engine.assign(*pair)
        if not taken:
            self.illegal_actions += int(action != self._actions.hold)
            self.engine.hold()
        self._run()
        elapsed, self._decided_at = self.engine.now - self._decided_at, self.engine.now
        return Step(self._ledger.pay(self.engine), not self._asking, elapsed)


@dataclass(frozen=True)
class SavedCentre:
    """A saved compiled centre."""

    engine: Saved


class CompiledCentre:
    """The compiled engine, stepped by the kernels of the vector environment: a batch of one, without views.

    Args:
        engine: The engine.
        actions: Layout of actions; observations have its slots and counsellors, too.

    Raises:
        ValueError: If the roster is larger than the layout.
    """

    def __init__(self, engine: CompiledEngine, actions: ActionLayout) -> None:
        self.engine = engine
        arrays = engine.plan, engine.chance, engine.state
        self._steps = CompiledSteps(*arrays, actions.num_slots, actions.num_counsellors)
        self._action = np.zeros(1, dtype=np.int64)
        self._rows, self._active = np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.bool_)

    @property
    def scenario(self) -> Scenario:
        """The scenario that it runs."""
        return self.engine.scenario

    @property
    def view(self) -> CentreView:
        """The present view, built when it is asked for."""
        return self.engine.view()

    @property
    def obs(self) -> NDArray[np.float32]:
        """`[size]` the present view as a vector; the next step overwrites it."""
        row: NDArray[np.float32] = self._steps.obs[0]
        return row

    @property
    def mask(self) -> NDArray[np.int8]:
        """`[N * C + 1]` the legal actions, HOLD alone when the episode is over; the next step overwrites it."""
        row: NDArray[np.int8] = self._steps.mask[0]
        return row

    @property
    def illegal_actions(self) -> int:
        """How many actions of this episode were illegal."""
        return int(self.engine.state.clock_i[0, col.ILLEGAL])

    @property
    def waiting(self) -> NDArray[np.int64]:
        """`[n]` running numbers of the contacts in the queue, in its order."""
        state = self.engine.state
        return state.queue[0, : state.clock_i[0, col.NUM_QUEUE]].copy()

    @property
    def idle_since(self) -> Floats:
        """`[C]` minute at which each counsellor's longest-idle free slot became free; NaN without one."""
        since: Floats = idle_since(self.engine.state)[0]
        return since

    def begin(self, trace: Trace) -> None:
        """Begin an episode and run to its first decision epoch."""
        self.engine.load(trace)
        self._attach()
        self._steps.begin(self._rows)

    def _attach(self) -> None:
        """The engine may have made new arrays."""
        self._steps.attach(self.engine.plan, self.engine.chance, self.engine.state)

    def step(self, action: int) -> Step:
        """Decide, and run to the next epoch or to the end; an illegal action is a HOLD and is counted."""
        steps = self._steps
        try:
            self._action[0] = action
        except OverflowError:
            self._action[0] = _NO_ACTION
        steps.step(self._action, self._active)
        return Step(steps.reward[0].copy(), bool(steps.over[0]), float(steps.elapsed[0]))

    def save(self) -> SavedCentre:
        """A copy of the centre at this minute."""
        return SavedCentre(self.engine.save())

    def restore(self, saved: SavedCentre) -> None:
        """Go back to a saved centre, which then continues identically."""
        self.engine.restore(saved.engine)
        self._attach()
        self._steps.observe(self._rows)


def idle_since(state: State) -> Floats:
    """`[E, C]` minute at which each counsellor's longest-idle free slot became free; NaN without one."""
    return np.where(state.desk_i[:, :, col.NUM_FREE] > 0, state.free[:, :, 0], np.nan)


def make_centre(scenario: Scenario, engine: Engine, observations: ObservationLayout, actions: ActionLayout) -> Centre:
    """The centre around an engine."""
    if isinstance(engine, CompiledEngine):
        return CompiledCentre(engine, actions)
    return ViewedCentre(scenario, engine, observations, actions)

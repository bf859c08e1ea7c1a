"""The native vector environment: one compiled call steps all centres of a batch."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mhgym.engines import columns as col
from mhgym.engines.columns import State
from mhgym.engines.compiled import read_log
from mhgym.engines.packing import load_trace, make_chance, make_plan, make_state
from mhgym.engines.rules import params_of
from mhgym.envs.bank import TraceBank, draw_trace, draw_traces
from mhgym.mdp import ActionLayout, ObservationLayout
from mhgym.mdp.labels import label_actions
from mhgym.mdp.observation import HIGH, LOW
from mhgym.mdp.steps import CompiledSteps
from mhgym.metrics import kpis
from mhgym.policy import Policy
from mhgym.presets import ScenarioSampler, make_scenario
from mhgym.scenario import Scenario
from mhgym.trace import Trace

Observations = NDArray[np.float32]

_NONE = -1  # no place in a bank


def padded_size(num_counsellors: int | None, scenario: Scenario) -> int:
    """C of observations and actions: what is asked for, or the roster's size.

    Raises:
        ValueError: If the roster is larger.
    """
    size = len(scenario.roster)
    if num_counsellors is not None and num_counsellors < size:
        raise ValueError(
            f"num_counsellors must be at least the {size} of the roster, got {num_counsellors}; None is the roster's"
        )
    return size if num_counsellors is None else num_counsellors


def one_roster(sampler: ScenarioSampler) -> Scenario:
    """The scenario whose roster and rules all scenarios of a sampler share.

    Raises:
        ValueError: If the sampler draws numbers of counsellors.
    """
    if sampler.staffing[0] != sampler.staffing[1]:
        raise ValueError(
            f"the centres of a batch have one roster, got staffing {sampler.staffing[0]} to {sampler.staffing[1]}; "
            "use MixtureVectorEnv, which has a batch for each"
        )
    return sampler.largest()


class RoutingBatch:
    """A batch of `E` centres of one scenario, stepped by one compiled call. The faces below are built on it.

    Args:
        num_envs: E.
        scenario: A scenario, the name of a preset, or a sampler of scenarios with one number of counsellors, whose
            scenarios may be played beside each other; several numbers are for `MixtureVectorEnv`.
        num_slots: N queue slots.
        num_counsellors: C of observations and actions, padding included; None for the roster's.
        **overrides: Settings of the preset, if it is named.

    Raises:
        ValueError: If the scenario leaks hidden truth, there is no centre, C is below the roster, or a sampler draws
            numbers of counsellors.
    """

    def __init__(
        self,
        num_envs: int,
        scenario: Scenario | ScenarioSampler | str,
        *,
        num_slots: int = 16,
        num_counsellors: int | None = None,
        **overrides: Any,
    ) -> None:
        if num_envs < 1:
            raise ValueError(f"a vector environment needs at least 1 centre, got {num_envs}")
        if overrides and not isinstance(scenario, str):
            raise ValueError(f"{', '.join(overrides)} can be set only where the scenario is named, got a {scenario!r}")
        self.source = make_scenario(scenario, **overrides) if isinstance(scenario, str) else scenario
        self.scenario = one_roster(self.source) if isinstance(self.source, ScenarioSampler) else self.source
        if self.scenario.leaks:
            raise ValueError("queue_discipline 'paper' shows which waiting contacts have left; use 'arrival'")
        sizes = num_slots, padded_size(num_counsellors, self.scenario)
        self.num_envs = num_envs
        self.layout, self.actions = ObservationLayout(*sizes, self.scenario.inboxes), ActionLayout(*sizes)
        self.weights = np.array(self.scenario.weights.as_tuple())
        self.plan = make_plan(self.scenario)
        self.traces: list[Trace | None] = [None] * num_envs
        self.chance, self.state = make_chance(self.plan, num_envs, 64), make_state(self.plan, num_envs, 64)
        self.steps = steps = CompiledSteps(self.plan, self.chance, self.state, *sizes)
        self.obs, self.mask, self.reward, self.elapsed = steps.obs, steps.mask, steps.reward, steps.elapsed
        self.over = steps.over

    def _allocate(self, num_contacts: int) -> None:
        self.chance = make_chance(self.plan, self.num_envs, num_contacts)
        self.state = make_state(self.plan, self.num_envs, num_contacts)
        self.steps.attach(self.plan, self.chance, self.state)

    def _grow(self, num_contacts: int) -> None:
        """Make room for this many contacts a centre, keeping what is under way."""
        old = (*self.chance, *self.state)
        self._allocate(num_contacts)
        for new, array in zip((*self.chance, *self.state), old, strict=True):
            new[tuple(slice(size) for size in array.shape)] = array

    def begin(self, rows: Sequence[int], traces: Sequence[Trace]) -> None:
        """Start new episodes in some centres and run each to its first decision epoch."""
        self._make_room(max(len(trace) for trace in traces))
        for row, trace in zip(rows, traces, strict=True):
            self.traces[row] = trace
            load_trace(self.chance, row, trace)
        self.steps.begin(np.asarray(rows, dtype=np.int64))

    def begin_from(self, bank: TraceBank, rows: NDArray[np.int64], picks: NDArray[np.int64]) -> None:
        """`begin` on traces `picks` `[k]` of a bank."""
        self._make_room(bank.longest)
        for row, pick in zip(rows.tolist(), picks.tolist(), strict=True):
            self.traces[row] = bank.traces[pick]
        bank.load(self.chance, rows, picks)
        self.steps.begin(rows)

    def _make_room(self, num_contacts: int) -> None:
        room = self.state.queue.shape[1]
        if num_contacts > room:
            self._grow(max(num_contacts, 2 * room))

    def step(self, actions: NDArray[np.int64], active: NDArray[np.bool_]) -> int:
        """Step the active centres; results are in `obs`, `mask`, `reward`, `elapsed` and `over`.

        Returns:
            How many episodes have ended.
        """
        return self.steps.step(actions, active)

    def labels(self, policy: Policy) -> NDArray[np.int64]:
        """`[E]` the actions that a policy with a compiled rule would take, see `mdp.labels`.

        Raises:
            ValueError: If the policy has no compiled rule.
        """
        rule = getattr(policy, "compiled_rule", None)
        if rule is None:
            raise ValueError(f"only a policy with a compiled rule labels a batch, which {policy.name!r} has not")
        sizes = self.layout.num_slots, self.layout.num_counsellors
        return label_actions(self.plan, self.chance, self.state, int(rule), params_of(policy), *sizes)

    def kpis(self, row: int) -> dict[str, float]:
        """The KPIs of a centre whose episode is over."""
        trace = self.traces[row]
        if trace is None or not self.state.clock_i[row, col.OVER]:
            raise RuntimeError(f"centre {row} has no episode that is over")
        scenario = self.scenario
        return kpis(
            read_log(self.state, row, trace),
            scenario.roster,
            horizon=scenario.horizon,
            until=scenario.until,
            service_level_minutes=scenario.service_level_minutes,
        )

    def save(self) -> tuple[State, list[Trace | None], Observations, NDArray[np.int8]]:
        """Copies of everything that changes."""
        return State._make(array.copy() for array in self.state), list(self.traces), self.obs.copy(), self.mask.copy()

    def restore(self, saved: tuple[State, list[Trace | None], Observations, NDArray[np.int8]]) -> None:
        """Go back to a saved batch, which then continues identically."""
        state, traces, obs, mask = saved
        self._allocate(state.queue.shape[1])
        for row, trace in enumerate(traces):
            if trace is not None:
                load_trace(self.chance, row, trace)
        for array, copied in zip(self.state, state, strict=True):
            array[:] = copied
        self.obs[:], self.mask[:] = obs, mask
        self.traces = list(traces)
        self.over[:] = self.state.clock_i[:, col.OVER] == 1


class RoutingVectorEnv(VectorEnv[Observations, NDArray[np.int64], NDArray[np.float64]]):
    """`RoutingEnv` as a batch: the same transitions on the same seeds, one compiled call a step.

    Args:
        num_envs: E centres.
        scenario: As `RoutingBatch`; a sampler draws the scenario of each episode.
        num_slots: N queue slots.
        num_counsellors: C of observations and actions, padding included; None for the roster's.
        autoreset_mode: `NextStep` or `SameStep`, see Gymnasium.
        render_mode: None; a batch has no picture.
        with_kpis: Whether an episode's end brings `info["kpis"]`. All KPIs of an episode take about a millisecond, a
            hundred times a decision, so training goes without; the rewards add up to the KPIs that have weight.
        bank: Traces drawn ahead, when first one is needed, from which episodes then pick at random; with 0 each episode
            draws its own, as a single environment would, which takes longer than its decisions where shifts are short.
        same_traces: k centres beside each other play the same traces of the bank: one that begins an episode takes the
            newest trace of its group, or the next if it has played that.
        **overrides: Settings of the preset.
    """

    def __init__(
        self,
        num_envs: int,
        scenario: Scenario | ScenarioSampler | str,
        *,
        num_slots: int = 16,
        num_counsellors: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: None = None,
        with_kpis: bool = True,
        bank: int = 0,
        same_traces: int = 1,
        **overrides: Any,
    ) -> None:
        mode = AutoresetMode(autoreset_mode)
        if mode == AutoresetMode.DISABLED:
            raise ValueError("autoreset_mode must be NextStep or SameStep, got Disabled")
        self.batch = RoutingBatch(num_envs, scenario, num_slots=num_slots, num_counsellors=num_counsellors, **overrides)
        self.layout, self.weights = self.batch.layout, self.batch.weights
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.metadata = {"render_modes": [], "autoreset_mode": mode}
        self.single_observation_space = spaces.Box(LOW, HIGH, (self.layout.size,), np.float32)
        self.single_action_space = spaces.Discrete(self.batch.actions.size)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._with_kpis = with_kpis
        if bank < 0:
            raise ValueError(f"bank must be a number of traces to draw ahead, or 0 for none, got {bank}")
        if same_traces < 1 or num_envs % same_traces or (same_traces > 1 and not bank):
            raise ValueError(
                f"same_traces must divide the {num_envs} centres, and needs a bank if above 1, got {same_traces}"
            )
        self._group = same_traces
        #: `[E]` which trace of its group each centre plays, counted from 1.
        self.episodes = np.zeros(num_envs, dtype=np.int64)
        self._newest = np.zeros(num_envs // same_traces, dtype=np.int64)  # of each group
        self._pick = np.full(num_envs // same_traces, _NONE)  # its place in the bank
        self._bank_size = bank
        self._bank: TraceBank | None = None
        self._same_step = mode == AutoresetMode.SAME_STEP
        self._rngs = [seeding.np_random(None)[0] for _ in range(num_envs)]
        self._cut = self.batch.scenario.rules.closing == "cut"
        self._started = False

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode in every centre; centre `i` is seeded `seed + i`, as single environments would be."""
        if options:
            raise ValueError(f"a batch takes no reset options, got {', '.join(options)}")
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed
        if seeds is not None:
            if len(seeds) != self.num_envs:
                raise ValueError(f"there must be one seed for each of {self.num_envs} centres, got {len(seeds)}")
            for i, own in enumerate(seeds):
                if own is not None:
                    self._rngs[i] = seeding.np_random(own)[0]
            self._bank = None  # so that equal seeds draw equal banks
            self._pick[:] = _NONE
        self._begin(range(self.num_envs))
        self._started = True
        return self.batch.obs.copy(), self._infos()

    def _begin(self, rows: Sequence[int]) -> None:
        if self._bank_size:
            if self._bank is None:
                self._bank = TraceBank.sample(self.batch.source, self.batch.plan, self._bank_size, self._rngs[0])
            picks = np.array([self._pick_for(row) for row in rows])
            self.batch.begin_from(self._bank, np.asarray(rows, dtype=np.int64), picks)
        else:
            self.batch.begin(rows, [draw_trace(self.batch.source, self._rngs[row]) for row in rows])

    def _pick_for(self, row: int) -> int:
        """The place in the bank of the trace that a centre plays next."""
        group = row // self._group
        if self._pick[group] == _NONE or self.episodes[row] == self._newest[group]:
            self._newest[group] += 1
            self._pick[group] = self._rngs[row].integers(self._bank_size)
        self.episodes[row] = self._newest[group]
        return int(self._pick[group])

    def renew_bank(self, number: int) -> None:
        """Replace the oldest traces of the bank by new ones; episodes under way keep theirs.

        Raises:
            RuntimeError: If there is no bank yet.
        """
        if self._bank is None:
            raise RuntimeError("there is no bank to renew: ask for one by bank=, and reset first")
        number = min(number, self._bank_size)
        if number > 0:
            new = draw_traces(self.batch.source, number, self._rngs[0])
            self._bank = TraceBank.pack(self.batch.plan, [*self._bank.traces[number:], *new])
            self._pick[:] = _NONE

    def step(  # type: ignore[override]  # Gymnasium types the flags as floats; they are bool, as it asks in its text
        self, actions: NDArray[np.int64]
    ) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Step every centre; one whose episode has ended starts anew, as `autoreset_mode` says.

        Raises:
            ResetNeeded: If no episode is under way.
            ValueError: If there is not one action for each centre.
        """
        if not self._started:
            raise gymnasium.error.ResetNeeded("no episode is under way; call reset() first")
        batch, actions = self.batch, np.asarray(actions, dtype=np.int64)
        if actions.shape != (self.num_envs,):
            raise ValueError(f"actions must have shape ({self.num_envs},), one for each centre, got {actions.shape}")
        again = np.flatnonzero(batch.over)  # NextStep: these only start anew
        batch.step(actions, ~batch.over)
        batch.reward[again] = 0.0
        over = batch.over.copy()
        over[again] = False
        ended = np.flatnonzero(over)
        rewards = batch.reward @ batch.weights
        final = self._kpis(ended) if self._with_kpis and len(ended) else {}
        if self._same_step and len(ended):
            final = self._final(ended, final)
        starting = ended if self._same_step else again
        if len(starting):
            self._begin(starting.tolist())
        infos = {**self._infos(), **final}
        nobody = np.zeros(self.num_envs, dtype=np.bool_)
        terminated, truncated = (nobody, over) if self._cut else (over, nobody)
        return batch.obs.copy(), rewards, terminated, truncated, infos

    def _kpis(self, ended: NDArray[np.int64]) -> dict[str, Any]:
        """The KPIs of the episodes that ended, in Gymnasium's form: values `[E]` and a mask of where they stand."""
        which = np.zeros(self.num_envs, dtype=np.bool_)
        which[ended] = True
        episodes = [self.batch.kpis(row) for row in ended.tolist()]
        batched: dict[str, Any] = {}
        for name in episodes[0]:
            batched[name] = np.zeros(self.num_envs)
            batched[name][ended] = [episode[name] for episode in episodes]
            batched[f"_{name}"] = which.copy()
        return {"kpis": batched, "_kpis": which}

    def _final(self, ended: NDArray[np.int64], final: dict[str, Any]) -> dict[str, Any]:
        """Last observation and info of the episodes that ended, before they start anew."""
        last = np.full(self.num_envs, None, dtype=object)
        which = np.zeros(self.num_envs, dtype=np.bool_)
        for row in ended.tolist():
            last[row] = self.batch.obs[row].copy()
            which[row] = True
        info = {**self._infos(), **final}
        for name in list(info):
            if not name.startswith("_"):
                info[f"_{name}"] = which.copy()
        return {"final_obs": last, "_final_obs": which, "final_info": info, "_final_info": which.copy()}

    def _infos(self) -> dict[str, Any]:
        batch = self.batch
        values = {
            "action_mask": batch.mask.copy(),
            "elapsed": batch.elapsed.copy(),
            "minute": batch.state.clock_f[:, col.NOW].copy(),
            "reward_vector": batch.reward.copy(),
            "illegal_actions": batch.state.clock_i[:, col.ILLEGAL].copy(),
        }
        everybody = np.ones(self.num_envs, dtype=np.bool_)
        return {**values, **{f"_{name}": everybody.copy() for name in values}}

    def labels(self, policy: Policy) -> NDArray[np.int64]:
        """`[E]` the actions that a policy with a compiled rule would take, see `RoutingBatch.labels`."""
        return self.batch.labels(policy)

    def action_masks(self) -> NDArray[np.bool_]:
        """`[E, N * C + 1]` the legal actions."""
        return self.batch.mask.astype(np.bool_)

"""The compiled engine: the events of the reference engine, a hundred times faster, with a state that can be saved.

See `engines.kernels` for the events and `engines.columns` for the layout.
"""

from dataclasses import dataclass

import numpy as np

from mhgym.domain import ContactLog, LegKind, Outcome
from mhgym.engines import columns as col
from mhgym.engines import kernels, load
from mhgym.engines.columns import State
from mhgym.engines.packing import load_trace, make_chance, make_plan, make_state
from mhgym.engines.protocol import EventKind, EventRecord, Tally
from mhgym.engines.snapshot import FixedStaff, known_effects, legal_pairs, predictions
from mhgym.metrics import kpis
from mhgym.processes import draws
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import CentreView, InHand, Phase, Staff, Waiting


@dataclass(frozen=True)
class Saved:
    """A saved centre: copies of the packed state, and the trace that it runs on."""

    trace: Trace
    state: State


@dataclass(frozen=True)
class _Meter:
    """The running burden of a compiled centre."""

    engine: "CompiledEngine"

    def value(self, now: float) -> float:
        """The burden KPI if nothing more were to happen after `now`, the engine's own minute."""
        del now
        return float(load.burden(self.engine.plan, self.engine.state, 0))


class CompiledEngine:
    """Runs one trace of a scenario; see `engines.protocol.Engine`.

    Args:
        scenario: The centre.
        record: Whether to keep the record of events in `events`.
    """

    def __init__(self, scenario: Scenario, *, record: bool = False) -> None:
        self.scenario = scenario
        self.plan = make_plan(scenario, record=record)
        self.fixed = FixedStaff.of(scenario.roster)
        self._room = 0
        self._allocate(0, 0)

    def _allocate(self, num_contacts: int, num_known: int) -> None:
        self._room = num_contacts
        self.chance = make_chance(self.plan, 1, num_contacts, num_known)
        self.state = make_state(self.plan, 1, num_contacts)

    def reset(self, trace: Trace) -> None:
        """Begin an episode from an empty centre."""
        self.load(trace)
        kernels.reset(self.plan, self.state, 0)

    def load(self, trace: Trace) -> None:
        """Take the trace of the next episode.

        Raises:
            ValueError: If it has other counsellors than the roster.
        """
        if len(trace.staff) != len(self.scenario.roster):
            raise ValueError(
                f"the trace has {len(trace.staff)} counsellors and the roster {len(self.scenario.roster)}; "
                "draw the trace from this scenario"
            )
        if len(trace) > self._room or len(trace.known) != self.chance.known.shape[1]:
            self._allocate(len(trace), len(trace.known))
        self.trace = trace
        load_trace(self.chance, 0, trace)

    def advance(self) -> bool:
        """Run to the next decision epoch; False when the episode is over."""
        return bool(kernels.advance(self.plan, self.chance, self.state, 0))

    def assign(self, row: int, counsellor: int) -> bool:
        """Give the waiting contact in `row` of the queue to a counsellor; False if that is illegal."""
        return bool(kernels.assign(self.plan, self.chance, self.state, 0, row, counsellor))

    def hold(self) -> None:
        """Leave everybody waiting until the next epoch."""
        self.state.clock_i[0, col.ASKING] = 0

    def save(self) -> Saved:
        """A copy of the centre at this minute."""
        return Saved(self.trace, State._make(array.copy() for array in self.state))

    def restore(self, saved: Saved) -> None:
        """Go back to a saved centre, which then continues identically."""
        self._allocate(saved.state.queue.shape[1], len(saved.trace.known))
        self.state = State._make(array.copy() for array in saved.state)
        self.trace = saved.trace
        load_trace(self.chance, 0, saved.trace)

    @property
    def now(self) -> float:
        """Minute of the episode."""
        return float(self.state.clock_f[0, col.NOW])

    @property
    def settled_at(self) -> float:
        """Minute up to which the accounts of load are known: now, or the last wrap-up after a cut."""
        return max(self.now, float(self.state.clock_f[0, col.LAST_END]))

    @property
    def tally(self) -> Tally:
        """Running counts of what has been answered."""
        clock = self.state.clock_i[0]
        feedback = float(self.state.clock_f[0, col.FEEDBACK_SUM])
        return Tally(int(clock[col.ANSWERED]), feedback, int(clock[col.ANSWERED_NEW]))

    @property
    def meter(self) -> _Meter:
        """Running accounts of the counsellors' load."""
        return _Meter(self)

    @property
    def events(self) -> list[EventRecord]:
        """The record of events, where one is kept."""
        size = int(self.state.clock_i[0, col.NUM_EVENTS])
        times, idents = self.state.event_f[0, :size].tolist(), self.state.event_i[0, :size].tolist()
        return [(time, EventKind(kind), a, b) for time, (kind, a, b) in zip(times, idents, strict=True)]

    def view(self) -> CentreView:
        """What can be known at this epoch."""
        waiting, staff = self._waiting(), self._staff()
        quality, service_time = predictions(self.scenario, self.trace, self.fixed, waiting, staff)
        return CentreView(
            now=self.now,
            horizon=self.scenario.horizon,
            waiting=waiting,
            staff=staff,
            in_hand=self._in_hand(),
            legal=legal_pairs(self.scenario, self.fixed, waiting, staff),
            quality=quality,
            service_time=service_time,
            arrivals=self.trace.arrived_at[: self.state.clock_i[0, col.NUM_ARRIVED]].copy(),
        )

    def _waiting(self) -> Waiting:
        rows = self.state.queue[0, : self.state.clock_i[0, col.NUM_QUEUE]].copy()
        contact_f, trace = self.state.contact_f[0], self.trace
        return Waiting(
            contact=rows,
            arrived_at=trace.arrived_at[rows],
            joined_at=contact_f[rows, col.JOINED_AT],
            transferred=self.state.contact_i[0, rows, col.TRANSFERS] > 0,
            caller_type=trace.caller_type[rows],
            risk=trace.risk[rows],
            attributes=trace.attributes[rows],
            patience=trace.values[rows, draws.PATIENCE_MEAN],
            remaining=contact_f[rows, col.PREDICTED_REST],
            inbox=self.state.contact_i[0, rows, col.INBOX],
            bridges=self.state.contact_i[0, rows, col.BRIDGES],
        )

    def _staff(self) -> Staff:
        desk_f, desk_i = self.state.desk_f[0], self.state.desk_i[0]
        size = len(desk_i)
        on_duty = desk_i[:, col.ON_DUTY] == 1
        rows = self.plan.first_shift + np.maximum(desk_i[:, col.SHIFT], 0)
        ends = np.array(
            [self.plan.shifts_f[row, col.SHIFT_END] if on else np.nan for row, on in zip(rows, on_duty, strict=True)]
        )
        can_take = [bool(kernels.can_take(self.plan, self.state, 0, j)) for j in range(size)]
        return Staff(
            role=self.fixed.role,
            new=self.now < self.fixed.new_until,
            capacity=self.fixed.capacity,
            risks=self.fixed.risks,
            on_duty=on_duty,
            on_break=desk_i[:, col.ON_BREAK] == 1,
            can_take=np.array(can_take, dtype=np.bool_),
            in_hand=desk_i[:, col.NUM_HANDS].copy(),
            chats=desk_i[:, col.CHATS].copy(),
            taken=desk_i[:, col.TAKEN].copy(),
            idle_since=np.where(desk_i[:, col.NUM_FREE] > 0, self.state.free[0, :, 0], np.nan),
            busy_since=desk_f[:, col.BUSY_SINCE].copy(),
            off_at=ends,
            back_at=desk_f[:, col.BACK_AT].copy(),
            break_due=desk_f[:, col.BREAK_DUE].copy(),
            effects=known_effects(self.trace.staff),
            pending=desk_i[:, col.PENDING].copy(),
            room=np.array([int(kernels.room(self.plan, self.state, 0, j)) for j in range(size)], dtype=np.int64),
        )

    def _in_hand(self) -> InHand:
        state, trace, now = self.state, self.trace, self.now
        counts = state.desk_i[0, :, col.NUM_HANDS]
        counsellor = np.repeat(np.arange(len(counts)), counts)
        held_f = np.concatenate([state.hand_f[0, j, :size] for j, size in enumerate(counts)])
        held_i = np.concatenate([state.hand_i[0, j, :size] for j, size in enumerate(counts)])
        rows = held_i[:, col.CONTACT]
        serving = now < held_f[:, col.SERVICE_END]
        leg = held_i[:, col.LEG]
        phase = np.where(leg != LegKind.SERVICE, leg, np.where(serving, Phase.SERVICE, Phase.WRAP_UP))
        remaining = np.where(leg == LegKind.BRIDGE, held_f[:, col.PREDICTED], held_f[:, col.END] - now)
        model = self.scenario.remaining
        for k in np.flatnonzero(phase == Phase.SERVICE):
            remaining[k] = draws.predict_remaining(
                self.plan.knots,
                self.plan.error_sd,
                model.floor,
                held_f[k, col.SERVICE_END] - now,
                trace.values[rows[k], draws.REMAINING_NOISE],
                held_f[k, col.PREDICTED],
                now - held_f[k, col.STARTED_AT],
            )
        return InHand(
            contact=rows,
            counsellor=counsellor,
            phase=phase.astype(np.int64),
            started_at=held_f[:, col.STARTED_AT],
            caller_type=trace.caller_type[rows],
            risk=trace.risk[rows],
            attributes=trace.attributes[rows],
            patience=trace.values[rows, draws.PATIENCE_MEAN],
            predicted=held_f[:, col.PREDICTED],
            remaining=remaining,
            arrived_at=trace.arrived_at[rows],
            inbox=state.contact_i[0, rows, col.INBOX],
            bridges=state.contact_i[0, rows, col.BRIDGES],
        )

    def log(self) -> ContactLog:
        """The contact records of an episode that is over.

        Raises:
            RuntimeError: If it is not over yet.
        """
        if not self.state.clock_i[0, col.OVER]:
            raise RuntimeError(f"contact records are complete at the end of the episode; it is at minute {self.now}")
        return read_log(self.state, 0, self.trace)

    def kpis(self) -> dict[str, float]:
        """The KPIs of an episode that is over, see `metrics.GLOSSARY`."""
        scenario = self.scenario
        return kpis(
            self.log(),
            scenario.roster,
            horizon=scenario.horizon,
            until=scenario.until,
            service_level_minutes=scenario.service_level_minutes,
        )


def read_log(state: State, e: int, trace: Trace) -> ContactLog:
    """The contact records of centre `e` of a batch, which must be over."""
    size, num_legs = len(trace), int(state.clock_i[e, col.NUM_LEGS])
    contact_f, contact_i = state.contact_f[e, :size].copy(), state.contact_i[e, :size].copy()
    answered = contact_i[:, col.OUTCOME] == Outcome.ANSWERED
    leg_f, leg_i = state.leg_f[e, :num_legs], state.leg_i[e, :num_legs]
    order = np.lexsort((leg_i[:, 2], leg_i[:, 0], leg_f[:, 0]))
    return ContactLog(
        arrived_at=trace.arrived_at.copy(),
        outcome=contact_i[:, col.OUTCOME],
        caller_type=trace.caller_type.copy(),
        risk=trace.risk.copy(),
        answered_at=contact_f[:, col.ANSWERED_AT],
        ended_at=contact_f[:, col.ENDED_AT],
        counsellor=np.where(answered, contact_i[:, col.FINISHER], -1),
        feedback=np.where(answered, contact_f[:, col.FEEDBACK], np.nan),
        transfers=contact_i[:, col.TRANSFERS],
        leg_contact=leg_i[order, 0],
        leg_counsellor=leg_i[order, 1],
        leg_kind=leg_i[order, 2],
        leg_start=leg_f[order, 0],
        leg_end=leg_f[order, 1],
    )

"""From scenarios and traces to the packed arrays of the compiled engine."""

import math
from collections.abc import Sequence

import numpy as np

from mhgym.domain import Outcome, Risk
from mhgym.engines import columns as col
from mhgym.engines.columns import Chance, Plan, State
from mhgym.engines.protocol import EventKind
from mhgym.metrics.burden import BurdenRule
from mhgym.processes import draws
from mhgym.scenario import Scenario
from mhgym.trace import Trace


def make_plan(scenario: Scenario, *, record: bool = False) -> Plan:
    """What a scenario fixes, in arrays."""
    rules = scenario.rules
    knots, error_sd = scenario.remaining.arrays()
    rule = BurdenRule()
    staffed_all = scenario.roster.staffed_intervals(scenario.horizon)
    totals = scenario.roster.staffed_minutes(scenario.horizon)
    staffed, staffed_range = _flatten(staffed_all)
    shifts_f, shifts_i, closed, first_shift = _shifts(scenario)
    timeline_f, timeline_i = _timeline(scenario)
    floor = scenario.remaining.floor
    minutes = (
        rules.wrap_up,
        rules.zombie_wrap_up,
        rules.review_interval,
        scenario.horizon,
        scenario.until,
        floor,
        rules.bridge_minutes,
    )
    switches = (
        rules.on_sign_out == "finish",
        rules.on_break == "postpone",
        rules.zombies == "evicted",
        rules.closing == "cut",
        rules.queue_discipline == "paper",
        record,
        scenario.inboxes,
        rules.bridges,
        scenario.profile_size,
    )
    alike = [(*(int(risk in person.risks) for risk in Risk), person.inbox > 0) for person in scenario.roster]
    groups = sorted(set(alike))
    people = [
        [person.capacity, person.inbox, int(person.role), groups.index(own), *own[:-1]]
        for person, own in zip(scenario.roster, alike, strict=True)
    ]
    return Plan(
        rules_f=np.array(minutes, dtype=np.float64),
        rules_i=np.array(switches, dtype=np.int64),
        law=np.array(scenario.outcomes.packed()),  # which may be read-only, a type of its own to Numba
        knots=knots,
        error_sd=error_sd,
        people_i=np.array(people, dtype=np.int64),
        new_until=scenario.roster.new_until(),
        first_shift=first_shift,
        shifts_f=shifts_f,
        shifts_i=shifts_i,
        closed=closed,
        timeline_f=timeline_f,
        timeline_i=timeline_i,
        staffed=staffed,
        staffed_range=staffed_range,
        staffed_minutes=totals,
        burden=np.array([rule.occupancy_threshold, rule.streak_minutes, rule.pause_minutes]),
        new_share_of_time=np.array([scenario.roster.new_share_of_time(scenario.horizon)]),
    )


def _flatten(groups: Sequence[Sequence[tuple[float, float]]]) -> tuple[col.Floats, col.Ints]:
    """Intervals of all groups one after the other, and the range of rows of each group."""
    sizes = np.array([len(group) for group in groups], dtype=np.int64)
    last = np.cumsum(sizes)
    rows = [interval for group in groups for interval in group]
    return np.array(rows, dtype=np.float64).reshape(len(rows), 2), np.column_stack([last - sizes, last])


def _shifts(scenario: Scenario) -> tuple[col.Floats, col.Ints, col.Floats, col.Ints]:
    shifts = [shift for person in scenario.roster for shift in person.shifts]
    sizes = np.array([len(person.shifts) for person in scenario.roster], dtype=np.int64)
    takes_until = []
    for shift in shifts:
        cutoff = scenario.rules.cutoff if shift.cutoff is None else shift.cutoff
        stays = scenario.rules.closing == "drain" and shift.end >= scenario.horizon
        takes_until.append(math.inf if stays else shift.end - cutoff)
    ends = np.array([shift.end for shift in shifts], dtype=np.float64)
    closed, ranges = _flatten([shift.closed for shift in shifts])
    return np.column_stack([ends, np.array(takes_until, dtype=np.float64)]), ranges, closed, np.cumsum(sizes) - sizes


def _timeline(scenario: Scenario) -> tuple[col.Floats, col.Ints]:
    """Sign-ins, breaks and sign-outs in the order of (time, kind, counsellor)."""
    stays = scenario.rules.closing == "drain"
    rows: list[tuple[float, int, int, int, float]] = []
    for j, person in enumerate(scenario.roster):
        for number, shift in enumerate(person.shifts):
            if shift.start < scenario.horizon:
                rows.append((shift.start, int(EventKind.SIGN_IN), j, number, math.nan))
            for begin, end in shift.breaks:
                if begin < scenario.horizon:
                    rows.append((begin, int(EventKind.BREAK_START), j, number, end))
            if not (stays and shift.end >= scenario.horizon):
                rows.append((shift.end, int(EventKind.SIGN_OUT), j, number, math.nan))
    rows.sort(key=lambda row: row[:3])
    times = np.array([(row[0], row[4]) for row in rows], dtype=np.float64).reshape(len(rows), 2)
    return times, np.array([row[1:4] for row in rows], dtype=np.int64).reshape(len(rows), 3)


def make_chance(plan: Plan, num_envs: int, num_contacts: int, num_known: int = 0) -> Chance:
    """Room for the traces of a batch, empty."""
    num_counsellors, profile = len(plan.people_i), int(plan.rules_i[col.PROFILE_SIZE])
    staff = draws.FIRST_PROFILE + profile if profile else draws.NUM_STAFF_VALUES
    return Chance(
        size=np.zeros(num_envs, dtype=np.int64),
        offered=np.zeros(num_envs, dtype=np.int64),
        callers_f=np.zeros((num_envs, num_contacts, draws.NUM_CALLER_VALUES + 1 + profile)),
        callers_i=np.zeros((num_envs, num_contacts, 3), dtype=np.int64),
        keys=np.zeros((num_envs, num_contacts, 2), dtype=np.uint64),
        staff=np.zeros((num_envs, num_counsellors, staff)),
        known=np.zeros((num_envs, num_known, num_counsellors, 2)),
    )


def load_trace(chance: Chance, e: int, trace: Trace) -> None:
    """Put a trace into row `e`.

    Raises:
        ValueError: If it has more contacts, or other counsellors, than there is room for.
    """
    size = len(trace)
    if size > chance.keys.shape[1] or len(trace.staff) != chance.staff.shape[1]:
        raise ValueError(
            f"there is room for {chance.keys.shape[1]} contacts and {chance.staff.shape[1]} counsellors, "
            f"the trace has {size} and {len(trace.staff)}"
        )
    chance.size[e], chance.offered[e] = size, trace.offered
    chance.callers_f[e, :size] = with_arrivals(trace.values, trace.arrived_at)
    chance.callers_i[e, :size, col.ACCEPTED] = trace.accepted
    chance.callers_i[e, :size, col.CALLER_TYPE] = trace.caller_type
    chance.callers_i[e, :size, col.RISK] = trace.risk
    chance.keys[e, :size] = trace.keys
    chance.staff[e] = trace.staff
    chance.known[e] = trace.known


def with_arrivals(values: col.Floats, arrived_at: col.Floats) -> col.Floats:
    """`[..., 9 + d]` rows of `Chance.callers_f` from rows `[..., 8 + d]` of `processes.draws` and arrivals `[...]`."""
    known = draws.NUM_CALLER_VALUES
    return np.concatenate([values[..., :known], arrived_at[..., None], values[..., known:]], axis=-1)


def make_state(plan: Plan, num_envs: int, num_contacts: int) -> State:
    """Room for the state of a batch."""
    size, slots = len(plan.people_i), int(plan.people_i[:, col.CAPACITY].max())
    heaps, entries = col.IDLE + 1 + int(plan.people_i[:, col.GROUP].max()), size + num_contacts
    leaving = plan.timeline_i[plan.timeline_i[:, col.KIND] >= EventKind.BREAK_START]
    held = plan.people_i[:, col.CAPACITY] + plan.people_i[:, col.INBOX_SIZE]
    transfers = int(held[leaving[:, col.COUNSELLOR]].sum()) if len(leaving) else 0
    bridges = num_contacts * int(plan.rules_i[col.BRIDGES_MOST])
    legs = 2 * (num_contacts + transfers) + bridges
    events = 5 * (num_contacts + transfers + bridges) + 3 * len(plan.timeline_i) if plan.rules_i[col.RECORD] else 0
    if events and plan.rules_f[col.REVIEW_INTERVAL]:
        events += math.ceil(plan.rules_f[col.HORIZON] / plan.rules_f[col.REVIEW_INTERVAL])
    noisy = plan.law[draws.PAIR_FEEDBACK_SD] > 0 or plan.law[draws.PAIR_SERVICE_SD] > 0
    noisy = noisy or plan.rules_i[col.PROFILE_SIZE] > 0
    contact_f = np.full((num_envs, num_contacts, 7), np.nan)
    contact_f[:, :, col.LEAVES_AT] = np.inf
    contact_i = np.zeros((num_envs, num_contacts, 6), dtype=np.int64)
    contact_i[:, :, col.OUTCOME] = Outcome.UNANSWERED
    contact_i[:, :, col.FINISHER] = contact_i[:, :, col.INBOX] = -1
    return State(
        clock_f=np.zeros((num_envs, 5)),
        clock_i=np.zeros((num_envs, 13), dtype=np.int64),
        contact_f=contact_f,
        contact_i=contact_i,
        latent=np.full((num_envs, num_contacts if noisy else 0, size, 2), np.nan),
        queue=np.zeros((num_envs, num_contacts), dtype=np.int64),
        desk_f=np.zeros((num_envs, size, 11)),
        desk_i=np.zeros((num_envs, size, 10), dtype=np.int64),
        free=np.zeros((num_envs, size, slots)),
        hand_f=np.zeros((num_envs, size, slots, 4)),
        hand_i=np.zeros((num_envs, size, slots, 2), dtype=np.int64),
        heap_f=np.zeros((num_envs, heaps, entries + 1)),
        heap_i=np.zeros((num_envs, heaps, entries + 1), dtype=np.int64),
        heap_at=np.zeros((num_envs, heaps, entries), dtype=np.int64),
        leg_f=np.zeros((num_envs, legs, 2)),
        leg_i=np.zeros((num_envs, legs, 3), dtype=np.int64),
        event_f=np.zeros((num_envs, events)),
        event_i=np.zeros((num_envs, events, 3), dtype=np.int64),
        paid=np.zeros((num_envs, 4)),
    )

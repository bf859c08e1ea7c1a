"""Laws that hold in every centre, on random small scenarios under random decisions, legal and illegal."""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from mhgym.domain import ContactLog, LegKind, Outcome
from mhgym.engines.protocol import EventKind, EventRecord
from mhgym.engines.reference import ReferenceEngine
from mhgym.envs import RoutingEnv
from mhgym.metrics import COMPONENTS
from mhgym.processes import draws
from mhgym.scenario import Scenario
from mhgym.testing.strategies import scenarios
from mhgym.trace import Trace
from mhgym.view import CentreView

MOST_DECISIONS = 20_000  # far beyond what 120 minutes and some 40 contacts can ask for
ROUNDING = 1e-9  # minutes; sums of a few float64 times below 1000


@dataclass
class Played:
    """A finished episode."""

    scenario: Scenario
    trace: Trace
    log: ContactLog
    events: list[EventRecord]
    kpis: dict[str, float]
    decisions: int


def play(scenario: Scenario, seed: int, nerve: float) -> Played:
    """Random decisions: legal pairs, and with chance `nerve` any pair at all, or HOLD."""
    trace = Trace.sample(scenario, seed)
    engine = ReferenceEngine(scenario, record=True)
    engine.reset(trace)
    rng = np.random.default_rng([seed, 99])
    decisions, before = 0, 0.0
    while engine.advance():
        view = engine.view()
        check_view(view, scenario)
        assert view.now >= before
        before = view.now
        row, counsellor = choose(view, rng, nerve)
        legal = 0 <= row < len(view.waiting) and 0 <= counsellor < len(view.staff) and view.legal[row, counsellor]
        accepted = engine.assign(row, counsellor)
        assert accepted == legal
        if not accepted:
            engine.hold()
        decisions += 1
        assert decisions < MOST_DECISIONS, "the episode does not end"
    return Played(scenario, trace, engine.log(), engine.events, engine.kpis(), decisions)


def choose(view: CentreView, rng: np.random.Generator, nerve: float) -> tuple[int, int]:
    if rng.random() < nerve:
        return int(rng.integers(-1, len(view.waiting) + 2)), int(rng.integers(-1, len(view.staff) + 2))
    rows, counsellors = np.nonzero(view.legal)
    chosen = rng.integers(len(rows))
    return int(rows[chosen]), int(counsellors[chosen])


def check_view(view: CentreView, scenario: Scenario) -> None:
    """An epoch is asked for only if a pair exists, and counts agree."""
    assert view.legal.any()
    assert view.legal.shape == view.quality.shape == view.service_time.shape == (len(view.waiting), len(view.staff))
    assert (view.wait >= 0).all()
    assert np.isfinite(view.quality).all()
    assert (view.service_time >= 0).all()
    assert (view.in_hand.remaining >= 0).all()
    assert (view.staff.in_hand <= view.staff.capacity).all()
    held = np.bincount(view.in_hand.counsellor, minlength=len(view.staff))
    np.testing.assert_array_equal(held, view.staff.in_hand)
    assert not set(view.waiting.contact.tolist()) & set(view.in_hand.contact.tolist())
    assert view.now < scenario.horizon or scenario.rules.closing == "drain"


@st.composite
def episodes(draw: DrawFn) -> Played:
    scenario = draw(scenarios())
    return play(scenario, draw(st.integers(0, 10_000)), draw(st.sampled_from([0.0, 0.3, 0.9])))


@given(episodes())
@settings(max_examples=100)
def test_contacts_are_conserved(played: Played) -> None:
    """Every contact has one end, no longer wait than its patience, and its work done in full."""
    check_outcomes(played)
    check_patience(played)
    check_work(played)
    check_kpis(played)


@given(episodes())
@settings(max_examples=150)
def test_counsellors_keep_to_the_roster(played: Played) -> None:
    """Capacity, eligibility, shifts, breaks, cut-offs and transfers."""
    check_capacity(played)
    check_overlaps(played)
    check_starts(played)
    check_transfers(played)


def test_the_scenarios_are_not_tame() -> None:
    """What the laws above are about does occur in what they are tested on."""
    occurred: Counter[str] = Counter()

    @given(episodes())
    @settings(max_examples=150)
    def count(played: Played) -> None:
        kpis, times = played.kpis, [event[0] for event in played.events]
        for name in ("transfers", "zombies_opened", "overtime_minutes", "abandonment_in_transfer", "unanswered"):
            occurred[name] += kpis[name] > 0
        occurred["answered"] += kpis["answered"] > 2
        occurred["ties"] += len(set(times)) < len(times)
        service = played.log.leg_kind == LegKind.SERVICE
        occurred["no length"] += bool((played.log.leg_start == played.log.leg_end)[service].any())
        occurred["concurrent"] += kpis["slot_occupancy"] > 0 and max(p.capacity for p in played.scenario.roster) > 1
        occurred["reviews"] += any(kind == EventKind.REVIEW for _, kind, _, _ in played.events)

    count()
    rare = {"abandonment_in_transfer", "no length", "transfers", "zombies_opened"}
    assert len(occurred) == 10
    assert all(number >= (3 if name in rare else 10) for name, number in occurred.items()), occurred


# ---------------------------------------------------------------------- contacts


def check_outcomes(played: Played) -> None:
    """Offered = answered + abandoned + abandoned in transfer + unanswered, and legs bear out every outcome."""
    log, kpis = played.log, played.kpis
    counts = {outcome: int((log.outcome == outcome).sum()) for outcome in Outcome}
    assert len(log) == len(played.trace)
    assert counts[Outcome.REJECTED] == int((~played.trace.accepted).sum())
    assert kpis["offered"] == played.trace.offered
    assert kpis["offered"] == sum(counts[outcome] for outcome in Outcome if outcome != Outcome.REJECTED)
    served = defaultdict(list)
    for contact, counsellor, kind in zip(log.leg_contact, log.leg_counsellor, log.leg_kind, strict=True):
        if kind == LegKind.SERVICE:
            served[int(contact)].append(int(counsellor))
    for contact in range(len(log)):
        outcome, transfers, legs = log.outcome[contact], log.transfers[contact], served[contact]
        if outcome == Outcome.ANSWERED:
            assert len(legs) == transfers + 1
            assert log.counsellor[contact] == legs[-1]
            assert 0.0 <= log.feedback[contact] <= 1.0
        elif outcome in (Outcome.REJECTED, Outcome.ABANDONED):
            assert not legs
            assert transfers == 0
        elif outcome == Outcome.ABANDONED_IN_TRANSFER:
            assert len(legs) == transfers >= 1
        else:
            assert len(legs) == transfers
        assert (log.counsellor[contact] == -1) == math.isnan(log.feedback[contact]) == (outcome != Outcome.ANSWERED)
        assert math.isnan(log.answered_at[contact]) == (not legs)
        assert log.ended_at[contact] >= log.arrived_at[contact]


def check_patience(played: Played) -> None:
    """Who abandons leaves exactly when patience runs out, and nobody is answered later than that."""
    log, trace = played.log, played.trace
    patience = trace.values[:, draws.PATIENCE]
    first = log.outcome == Outcome.ABANDONED
    np.testing.assert_array_equal(log.ended_at[first], (trace.arrived_at + patience)[first])
    answered = ~np.isnan(log.answered_at)
    assert (log.answered_at[answered] <= (trace.arrived_at + patience)[answered]).all()


def check_work(played: Played) -> None:
    """The legs of an answered contact add up to the service time drawn, however often it was sent back."""
    law, trace, log = played.scenario.outcomes, played.trace, played.log
    if law.pair_service_sd or law.service_error_sd or law.service_per_chat:
        return  # service depends on the first counsellor's chats there
    predicted = np.clip(trace.values[:, draws.SERVICE_MEAN], law.predicted_min, law.predicted_max)
    drawn = np.clip(predicted + trace.values[:, draws.SERVICE_SHIFT], law.service_min, law.service_max)
    service = log.leg_kind == LegKind.SERVICE
    minutes = np.bincount(log.leg_contact[service], weights=(log.leg_end - log.leg_start)[service], minlength=len(log))
    answered = log.outcome == Outcome.ANSWERED
    np.testing.assert_allclose(minutes[answered], drawn[answered], rtol=0, atol=ROUNDING)
    assert (minutes <= drawn + ROUNDING).all()


def check_kpis(played: Played) -> None:
    kpis = played.kpis
    assert all(math.isfinite(value) for value in kpis.values())
    for name in ("quality", "quantity", "abandonment", "unanswered", "conversion", "occupancy", "service_level"):
        assert 0.0 <= kpis[name] <= 1.0
    if kpis["offered"]:
        total = kpis["quantity"] + kpis["abandonment"] + kpis["unanswered"]
        assert abs(total - 1.0) < ROUNDING
    assert -1.0 <= kpis["fairness"] <= 0.0
    assert kpis["burden"] <= 0.0


# ---------------------------------------------------------------------- counsellors


def check_capacity(played: Played) -> None:
    """At no time; a leg ends before another starts at the same minute, and legs of no length take no slot."""
    log = played.log
    for index, person in enumerate(played.scenario.roster):
        mine = (log.leg_counsellor == index) & (log.leg_end > log.leg_start)
        changes = [(end, -1) for end in log.leg_end[mine]] + [(start, 1) for start in log.leg_start[mine]]
        in_hand = np.cumsum([step for _, step in sorted(changes)])
        assert in_hand.max(initial=0) <= person.capacity


def check_overlaps(played: Played) -> None:
    log = played.log
    assert (log.leg_end >= log.leg_start).all()
    for contact in set(log.leg_contact.tolist()):
        rows = np.flatnonzero(log.leg_contact == contact)
        rows = rows[np.lexsort((log.leg_end[rows], log.leg_start[rows]))]
        assert (log.leg_start[rows][1:] >= log.leg_end[rows][:-1]).all()
        assert log.leg_start[rows][0] >= log.arrived_at[contact]
        zombie = log.leg_kind[rows] == LegKind.ZOMBIE
        assert not zombie[:-1].any()  # nothing follows the opening of a zombie


def check_starts(played: Played) -> None:
    """Eligible, on duty, not on a break, not closed, before the cut-off; on duty without end if the centre drains."""
    scenario, log = played.scenario, played.log
    begins = log.leg_kind != LegKind.WRAP_UP
    rows = zip(log.leg_contact[begins], log.leg_counsellor[begins], log.leg_start[begins], strict=True)
    for contact, index, start in rows:
        person = scenario.roster.counsellors[index]
        assert played.trace.risk[contact] in person.risks
        assert any(may_start(scenario, shift, float(start)) for shift in person.shifts)


def may_start(scenario: Scenario, shift, start: float) -> bool:  # type: ignore[no-untyped-def]
    stays = scenario.rules.closing == "drain" and shift.end >= scenario.horizon
    cutoff = scenario.rules.cutoff if shift.cutoff is None else shift.cutoff
    if not (shift.start <= start and (stays or start < shift.end - cutoff)):
        return False
    on_break = any(begin < start < end for begin, end in shift.breaks if begin < scenario.horizon)
    return not on_break and not any(begin <= start < end for begin, end in shift.closed)


def check_transfers(played: Played) -> None:
    """With `transfer` nothing is in hand after a sign-out or inside a break; a cut lets what is in hand finish."""
    scenario, log = played.scenario, played.log
    for index, person in enumerate(scenario.roster):
        mine = (log.leg_counsellor == index) & (log.leg_end > log.leg_start)
        if scenario.rules.on_sign_out == "transfer":
            ends = [shift.end for shift in person.shifts]
            starts = {shift.start for shift in person.shifts}
            for end in ends:
                counts = end not in starts and end < scenario.horizon  # back-to-back shifts have no sign-out between
                assert not (counts and ((log.leg_start < end) & (log.leg_end > end) & mine).any())
        if scenario.rules.on_break == "transfer":
            pauses = [pause for shift in person.shifts for pause in shift.breaks if pause[0] < scenario.horizon]
            for begin, end in pauses:
                assert not ((log.leg_start < end) & (log.leg_end > begin) & mine).any()


# ---------------------------------------------------------------------- time


@given(episodes())
@settings(max_examples=100)
def test_events_happen_in_order(played: Played) -> None:
    """Time never runs back; simultaneous events come by kind, then id, unless the earlier one caused the later one."""
    events = played.events
    times = [event[0] for event in events]
    assert times == sorted(times)
    start = 0
    for stop in range(1, len(events) + 1):
        if stop == len(events) or times[stop] != times[start]:
            check_instant(events[start:stop])
            start = stop
    assert sum(kind == EventKind.ARRIVAL for _, kind, _, _ in events) == len(played.trace)


def check_instant(events: list[EventRecord]) -> None:
    """Events of one minute: an inversion is allowed only behind the event that scheduled the later one."""
    decided = (EventKind.ASSIGNMENT, EventKind.PICK_UP)
    scheduled = [(k, event) for k, event in enumerate(events) if event[1] not in decided]
    for position, (k, later) in enumerate(scheduled):
        caused_at = cause(events, k)
        for j, earlier in scheduled[:position]:
            if (later[1], later[2]) < (earlier[1], earlier[2]):
                assert caused_at >= j, f"{later} after {earlier} without a cause between"


def cause(events: list[EventRecord], index: int) -> int:
    """Position of what scheduled the event at this very minute; -1 if it was scheduled before."""
    _, kind, ident, _ = events[index]
    last = -1
    for k, (_, other, contact, _) in enumerate(events[:index]):
        taken = other in (EventKind.ASSIGNMENT, EventKind.PICK_UP)
        answered = kind == EventKind.WRAP_UP_END and taken and contact == ident
        back = other in (EventKind.ARRIVAL, EventKind.WRAP_UP_END) and contact == ident
        joined = kind == EventKind.ABANDONMENT and (back or other in (EventKind.BREAK_START, EventKind.SIGN_OUT))
        if answered or joined:
            last = k
    return last


@given(episodes())
@settings(max_examples=100)
def test_episodes_are_the_same_when_they_are_repeated(played: Played) -> None:
    again = play(played.scenario, played.trace.seed, 0.0)
    once_more = play(played.scenario, played.trace.seed, 0.0)
    assert again.events == once_more.events
    assert again.kpis == once_more.kpis


# ---------------------------------------------------------------------- the environment


@given(scenarios(longest=60), st.integers(0, 10_000), st.sampled_from([1, 2, 5]), st.sampled_from([0.0, 0.5]))
@settings(max_examples=60)
def test_the_environment_takes_any_scenario(scenario: Scenario, seed: int, num_slots: int, nerve: float) -> None:
    """Observations stay in their space, every episode ends by one flag, and rewards add up to the KPIs."""
    env = RoutingEnv(scenario, num_slots=num_slots)
    rng = np.random.default_rng([seed, 5])
    observation, info = env.reset(options={"trace_seed": seed})
    total, steps, over = np.zeros(4), 0, False
    while not over:
        assert env.observation_space.contains(observation)
        pool = np.flatnonzero(info["action_mask"]) if rng.random() >= nerve else np.arange(env.action_space.n)
        observation, _, terminated, truncated, info = env.step(rng.choice(pool))
        total += info["reward_vector"]
        steps += 1
        assert steps < MOST_DECISIONS, "the episode does not end"
        assert not (terminated and truncated)
        over = terminated or truncated
    assert env.observation_space.contains(observation)
    assert truncated == (scenario.rules.closing == "cut")
    np.testing.assert_allclose(total, [info["kpis"][name] for name in COMPONENTS], rtol=0, atol=1e-9)

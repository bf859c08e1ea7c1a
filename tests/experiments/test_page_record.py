"""What the page replays is what happened: the views of the episode and the engine's own record of events."""

from collections import Counter
from typing import Any

import pytest

from agents import make_agent
from experiments.page.record import Recorder, ReplayCell, record_of
from mhgym.domain import LegKind
from mhgym.engines.protocol import EventKind
from mhgym.engines.reference import ReferenceEngine
from mhgym.evaluation.rollout import run_episode
from mhgym.policy import policy_rng
from mhgym.presets import make_scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView

#: Centres with every rule on breaks, shift ends and zombies.
CENTRES: dict[str, dict[str, Any]] = {
    "EranHeavy": {"flow": 40},
    "EranDay": {"horizon": 600.0, "flow": 20},
    "Therapists": {},
    "OpenUp": {},
    "postponed": {"on_break": "postpone", "on_sign_out": "finish", "zombies": "evicted", "closing": "drain"},
}
STARTS = {"waiting": 1, "zombies": 1, "legs": 3, "duty": 1, "breaks": 1}


def play(name: str) -> tuple[dict[str, Any], list[CentreView], list[Any]]:
    """A record, the views at its decisions, and the events of the same episode."""
    scenario = make_scenario("OpenUp" if name == "postponed" else name, **CENTRES[name])
    policy, trace = make_agent("cmt"), Trace.sample(scenario, 11)
    recorder = Recorder(policy)
    record = record_of(run_episode(scenario, recorder, trace), scenario, recorder)
    engine, views = ReferenceEngine(scenario, record=True), []
    engine.reset(trace)
    policy.reset(scenario, policy_rng(trace.hash, policy.name))
    while engine.advance():
        views.append(engine.view())
        pair = policy.act(views[-1])
        if pair == HOLD or not engine.assign(*pair):
            engine.hold()
    return record, views, engine.events


@pytest.mark.parametrize("name", CENTRES)
def test_a_record_agrees_with_every_view(name: str) -> None:
    """Of minutes in which one thing happened, so that the view is of all of it; what was decided then comes after."""
    record, views, events = play(name)
    happened = Counter(time for time, kind, *_ in events if kind != EventKind.ASSIGNMENT)
    last = {view.now: view for view in views if happened[view.now] == 1 and view.now <= record["until"]}
    assert len(last) > 5
    for now, view in last.items():
        at = {kind: going(record, kind, now) for kind in STARTS}
        taken = {row[1] for row in record["decisions"] if row[0] == round(now, 4)} - {-1}
        bridged = {row[0] for row in at["legs"] if row[2] == LegKind.BRIDGE}
        queue = {row[0] for kind in ("waiting", "zombies") for row in at[kind]} - bridged
        assert queue - taken == set(view.waiting.contact.tolist()) - taken
        assert not queue & taken or view.staff.room.any() or view.staff.pending.any(), "inboxes alone keep the assigned"
        known = set(zip(view.in_hand.contact.tolist(), view.in_hand.counsellor.tolist(), strict=True))
        assert {(row[0], row[1]) for row in at["legs"] if row[0] not in taken} == {
            pair for pair in known if pair[0] not in taken
        }
        assert {row[0] for row in at["duty"]} == set(view.staff.on_duty.nonzero()[0].tolist())
        assert {row[0] for row in at["breaks"]} == set(view.staff.on_break.nonzero()[0].tolist())


def going(record: dict[str, Any], kind: str, minute: float) -> list[list[Any]]:
    """Spans of a kind that have begun and not ended."""
    start = STARTS[kind]
    return [row for row in record[kind] if row[start] <= round(minute, 4) < row[start + 1]]


@pytest.mark.parametrize("name", CENTRES)
def test_the_edges_of_spans_are_the_engine_s_events(name: str) -> None:
    record, _, events = play(name)

    def engine_has(*kinds: EventKind) -> list[tuple[float, int]]:
        own = [(round(time, 4), ident) for time, kind, ident, _ in events if kind in kinds]
        return sorted(event for event in own if event[0] <= record["until"])

    def record_has(kind: str, column: int, who: int = 0, rows: list[Any] | None = None) -> list[tuple[float, int]]:
        rows = record[kind] if rows is None else rows
        return sorted((row[column], row[who]) for row in rows if row[column] <= record["until"])

    numbered = [[number, *contact] for number, contact in enumerate(record["contacts"])]
    assert record_has("", 1, rows=numbered) == engine_has(EventKind.ARRIVAL)
    assert record_has("", 2, rows=[[row[0], row[0], row[2]] for row in record["waiting"] if row[3] == 2]) == engine_has(
        EventKind.ABANDONMENT
    )
    assert record_has("duty", 1) == engine_has(EventKind.SIGN_IN)
    if name == "Therapists":
        started, by = [row for row in record["legs"] if row[2] == LegKind.SERVICE], EventKind.PICK_UP
    else:
        started, by = [row for row in record["legs"] if row[2] != LegKind.WRAP_UP], EventKind.ASSIGNMENT
    assert record_has("", 3, rows=started) == engine_has(by)
    decided = [row for row in record["decisions"] if row[1] >= 0]
    assert record_has("", 0, 1, rows=decided) == engine_has(EventKind.ASSIGNMENT)
    signed_out = engine_has(EventKind.SIGN_OUT)  # which ends a break without a return
    returned = [event for event in record_has("breaks", 2) if event not in signed_out]
    assert [event for event in returned if event[0] < record["until"]] == engine_has(EventKind.RETURN)


def test_both_engines_give_one_record_with_the_objective_of_the_episode() -> None:
    scenario = make_scenario("EranHeavy")
    texts = {
        ReplayCell("eran_heavy", scenario, make_agent("cmt"), 3, engine).tables()["replay"]["record"][0]
        for engine in ("simpy", "compiled")
    }
    assert len(texts) == 1
    kpis = run_episode(scenario, make_agent("cmt"), Trace.sample(scenario, 3)).kpis
    assert f'"objective": {0.5 * kpis["quality"] + 0.5 * kpis["quantity"]}' in texts.pop()


def test_a_choice_that_is_not_among_the_best_candidates_is_kept() -> None:
    scenario = make_scenario("EranHeavy", flow=60, staffing=2)
    recorder = Recorder(make_agent("lcfs"))
    run_episode(scenario, recorder, Trace.sample(scenario, 1))
    assert max(row[4] for row in recorder.decisions) > 6
    assert all(row[1:3] in [own[:2] for own in row[3]] for row in recorder.decisions)

"""Rules that share contacts out, the exact batch, and bridges behind any policy."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from agents import make_agent
from mhgym.engines.reference import ReferenceEngine
from mhgym.evaluation.rollout import run_episodes
from mhgym.policy import policy_rng
from mhgym.presets import make_scenario
from mhgym.testing import policy_check
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView

ALLOCATORS = ("best_match", "least_loaded", "round_robin", "proportional_fair", "batch_assignment", "hungarian")
THERAPISTS = make_scenario("Therapists", horizon=1440.0)


def views(name: str, seed: int = 0, **settings: Any) -> list[tuple[CentreView, Any]]:
    """What a policy sees in a day of Therapists, and what it does."""
    trace, policy, engine = Trace.sample(THERAPISTS, seed), make_agent(name, **settings), ReferenceEngine(THERAPISTS)
    engine.reset(trace)
    policy.reset(THERAPISTS, policy_rng(trace.hash, policy.name))
    seen = []
    while engine.advance():
        view = engine.view()
        pair = policy.act(view)
        seen.append((view, pair))
        if pair == HOLD:
            engine.hold()
        else:
            assert engine.assign(*pair)
    return seen


@pytest.mark.parametrize("name", ALLOCATORS)
def test_every_rule_keeps_the_protocol_where_there_are_inboxes(name: str) -> None:
    assert policy_check(make_agent("bridging", rule=name), THERAPISTS, seeds=(0,)) == []
    assert policy_check(make_agent(name), THERAPISTS, seeds=(0,)) == []


@pytest.mark.parametrize("name", ALLOCATORS)
def test_bridging_changes_nothing_where_there_is_one_queue(name: str) -> None:
    one, other = (run_episodes(make_scenario("EranHeavy"), make_agent(*key[:1], **key[1]), range(5)) for key in (
        (name, {}), ("bridging", {"rule": name}),
    ))  # fmt: skip
    assert [episode.kpis for episode in one] == [episode.kpis for episode in other]


def test_bridges_go_to_those_whose_patience_is_most_used_up() -> None:
    bridged = 0
    for view, pair in views("bridging", urgency=0.3):
        allocations = view.legal & (THERAPISTS.roster.inboxes() > 0)
        if pair == HOLD:
            assert not allocations.any()
            continue
        if not allocations[pair]:
            spent = view.wait / view.waiting.patience
            assert not allocations.any()
            assert spent[pair.row] == spent[view.legal.any(axis=1)].max() >= 0.3
            bridged += 1
    assert bridged >= 5


def test_the_least_loaded_gets_the_first_request() -> None:
    allocated = 0
    for view, pair in views("bridging", rule="least_loaded"):
        if pair != HOLD and view.staff.pending[pair.counsellor] + view.staff.room[pair.counsellor] > 0:
            load = view.staff.in_hand + view.staff.pending
            assert load[pair.counsellor] == load[view.legal[pair.row]].min()
            allocated += 1
    assert allocated > 20


def test_in_turn_goes_round() -> None:
    """The first request goes to the next counsellor, round the roster, who takes it."""
    last, therapists = -1, THERAPISTS.roster.inboxes() > 0
    for view, pair in views("bridging", rule="round_robin"):
        allocations = view.legal & therapists
        if pair == HOLD or not allocations.any():
            continue
        row = int(allocations.any(axis=1).argmax())
        legal = np.flatnonzero(allocations[row])
        following = legal[legal > last]
        assert pair == (row, following[0] if len(following) else legal[0])
        last = pair.counsellor
    assert last >= 0


def best_totals(view: CentreView, allocations: Any, burden: float) -> dict[tuple[int, int], int]:
    """By pair the largest total of an assignment of all allocatable requests that holds it; by hand, for a few."""
    staff = view.staff
    free = np.where(staff.can_take, staff.capacity - staff.in_hand, 0) + staff.room
    load = (staff.in_hand + staff.pending).tolist()
    slots = [(j, load[j] + k) for j in range(len(staff)) for k in range(min(int(free[j]), 3))]
    rows = np.flatnonzero(allocations.any(axis=1)).tolist()
    best: dict[tuple[int, int], int] = {}
    for way in permutations(slots, len(rows)):
        pairs = [(row, j) for row, (j, _) in zip(rows, way, strict=True)]
        if all(allocations[pair] for pair in pairs):
            worth = [view.quality[pair] - burden * ahead for pair, (_, ahead) in zip(pairs, way, strict=True)]
            total = sum(round(1000 * value) for value in worth)
            for pair in pairs:
                best[pair] = max(total, best.get(pair, total))
    return best


@pytest.mark.parametrize("burden", [0.0, 0.1])
def test_the_batch_is_exact(burden: float) -> None:
    """Where three requests may be allocated, no way to assign them has a larger total than one that holds the pair."""
    compared = 0
    small = make_scenario("Therapists", horizon=1440.0, staffing=4)
    policy, engine = make_agent("batch_assignment", burden=burden), ReferenceEngine(small)
    engine.reset(Trace.sample(small, 0))
    while engine.advance():
        view = engine.view()
        engine.hold()
        allocations = view.legal & (small.roster.inboxes() > 0)
        rows = np.flatnonzero(allocations.any(axis=1))
        allocations[rows[3:]] = False
        totals = best_totals(view, allocations, burden) if len(rows) >= 3 else {}
        if totals:
            assert totals[policy.act(replace(view, legal=allocations))] == max(totals.values())
            compared += 1
    assert compared >= 10


def test_a_price_on_newcomers_shortfall_raises_their_share() -> None:
    """Paired over 12 episodes, beyond 4 standard errors."""
    scenario = make_scenario("Therapists")
    fair = {"name": "fair_share", "settings": {"rule": "batch_assignment"}}
    rules = ("batch_assignment", fair)
    plain, fairly = (run_episodes(scenario, make_agent("bridging", rule=rule), range(12)) for rule in rules)
    gain = [one.kpis["fairness"] - other.kpis["fairness"] for one, other in zip(fairly, plain, strict=True)]
    assert np.mean(gain) > 4 * np.std(gain, ddof=1) / np.sqrt(len(gain))

"""What the page replays: one episode as spans of time and decisions, plain data.

A span is a stretch of minutes in which something is so: a contact waits, a counsellor serves. Whoever replays the
episode at a minute shows the spans that have begun and not ended; an event is a span's edge.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from experiments.cells import digest_of, told
from experiments.entrants import Outsider, opened
from mhgym.domain import ContactLog, LegKind
from mhgym.evaluation.rollout import Episode, run_episode
from mhgym.metrics.profile import SpellEnd, Stay, breaks_taken, stays, take_lane, waiting_spells
from mhgym.policy import Explains, Policy
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Pair

#: Longest stretch of an episode that is kept, minutes.
LONGEST = 1440.0
_CANDIDATES = 6  # kept of each decision, and the one that was chosen
_DIGITS = 4  # of minutes: 6 ms
_HOLD = -1

Row = tuple[Any, ...]


@dataclass
class Recorder:
    """Routes as a policy does and writes its decisions down.

    Attributes:
        policy: Decides.
        until: Minute up to which decisions are kept.
        decisions: Minute, contact, counsellor (-1 and -1 for HOLD or what was illegal), the best candidates as contact,
            counsellor and value, and how many there were.
        measure: What the values are; empty for a policy that does not say.
    """

    policy: Policy
    until: float = LONGEST
    decisions: list[list[Any]] = field(default_factory=list)
    measure: str = ""

    @property
    def name(self) -> str:
        """The policy's, whose randomness is keyed by it."""
        return self.policy.name

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Prepare the policy."""
        self.policy.reset(scenario, rng)

    def act(self, view: CentreView) -> Pair:
        """The policy's decision."""
        pair = self.policy.act(view)
        if view.now <= self.until:
            chosen = pair if pair != HOLD and view.legal[pair] else HOLD
            named, candidates = _named(view, chosen), self._candidates(view, chosen)
            kept = candidates[:_CANDIDATES] + [own for own in candidates[_CANDIDATES:] if own[:2] == named]
            self.decisions.append([round(view.now, _DIGITS), *named, kept, len(candidates)])
        return pair

    def _candidates(self, view: CentreView, chosen: Pair) -> list[list[Any]]:
        """Contact, counsellor and value of each, the best first; the chosen one first among equals."""
        if not isinstance(self.policy, Explains):
            return []
        weighed = self.policy.weigh(view)
        self.measure = weighed.measure if len(weighed.pairs) > 1 or not self.measure else self.measure
        ranked = sorted(zip(weighed.pairs, weighed.values, strict=True), key=lambda own: (-own[1], own[0] != chosen))
        return [[*_named(view, pair), float(f"{value:.4g}")] for pair, value in ranked]


def _named(view: CentreView, pair: Pair) -> list[int]:
    """Contact and counsellor of a pair."""
    return [_HOLD, _HOLD] if pair == HOLD else [int(view.waiting.contact[pair.row]), pair.counsellor]


@dataclass(frozen=True)
class ReplayCell:
    """The record of one policy on one trace, computed once and kept as cells are."""

    scenario_label: str
    scenario: Scenario
    policy: Policy | Outsider
    seed: int
    engine: str = "compiled"

    @property
    def key(self) -> str:
        """Digest of all that the record depends on."""
        policy = type(self.policy).__qualname__, told(self.policy)
        return digest_of("replay", self.scenario_label, told(self.scenario), *policy, str(self.seed))

    def tables(self) -> dict[str, pl.DataFrame]:
        """`replay`: the record as JSON."""
        trace = Trace.sample(self.scenario, self.seed)
        with opened(self.policy) as policy:
            episode = run_episode(self.scenario, recorder := Recorder(policy), trace, self.engine)
        record = {"policy": self.policy.name, **record_of(episode, self.scenario, recorder)}
        text = json.dumps(record, allow_nan=False)
        return {"replay": pl.DataFrame({"scenario": [self.scenario_label], "record": [text]})}


def record_of(episode: Episode, scenario: Scenario, recorder: Recorder) -> dict[str, Any]:
    """An episode as plain data; minutes rounded to ten-thousandths.

    Returns:
        Fields, the rows of lists in this order:

        - `seed`, `trace_hash`, `objective`, `until` (the last minute kept) and `end` (of the episode);
        - `contacts`: arrival, risk, outcome, answer, end and counsellor of each; null where there is none;
        - `waiting`: contact, start, end, how it ended (`SpellEnd`), lane in the picture;
        - `zombies`: contact, minute at which it left, end of its time in the queue, lane;
        - `legs`: contact, counsellor, kind (`LegKind`), start, end, slot;
        - `duty` and `breaks`: counsellor, start, end;
        - `decisions` as in `Recorder`, and `measure`.
    """
    log, roster, rules = episode.log, scenario.roster, scenario.rules
    end = float(max(scenario.horizon, log.leg_end.max(initial=0.0), log.ended_at.max(initial=0.0)))
    until, drained = min(end, recorder.until), rules.closing == "drain"
    waiting, zombies = _queue(log, end, kept=rules.zombies == "kept")
    away = breaks_taken(log, roster, scenario.horizon, postponed=rules.on_break == "postpone", drained=drained)
    duty = [
        (index, shift.start, end if drained and shift.end >= scenario.horizon else shift.end)
        for index, person in enumerate(roster)
        for shift in person.shifts
    ]
    columns = log.arrived_at, log.risk, log.outcome, log.answered_at, log.ended_at, log.counsellor
    contacts = zip(*(column.tolist() for column in columns), strict=True)
    vector = np.array([episode.kpis[name] for name in ("quality", "quantity", "burden", "fairness")])
    return {
        "seed": episode.seed,
        "trace_hash": episode.trace_hash,
        "objective": float(np.array(scenario.weights.as_tuple()) @ vector),
        "until": round(until, _DIGITS),
        "end": round(end, _DIGITS),
        "contacts": _begun(contacts, 0, until),
        "waiting": _begun(waiting, 1, until),
        "zombies": _begun(zombies, 1, until),
        "legs": _begun(_legs(log), 3, until),
        "duty": _begun(duty, 1, until),
        "breaks": _begun(away, 1, until),
        "decisions": recorder.decisions,
        "measure": recorder.measure,
    }


def _queue(log: ContactLog, end: float, *, kept: bool) -> tuple[list[Row], list[Row]]:
    """Who waits, and who has left and still stands in the queue, in lanes of their own; in order of start."""
    opened = {
        contact: start
        for contact, start, kind in zip(log.leg_contact.tolist(), log.leg_start.tolist(), log.leg_kind, strict=True)
        if kind == LegKind.ZOMBIE
    }
    free_from: list[float] = []
    waiting: list[Row] = []
    zombies: list[Row] = []
    for contact, start, left, how in waiting_spells(log):
        stands = kept and how == SpellEnd.ABANDONED
        gone = opened.get(contact, end) if stands else left
        lane = take_lane(free_from, start, gone)
        waiting.append((contact, start, left, int(how), lane))
        if stands:
            zombies.append((contact, left, gone, lane))
    return waiting, zombies


def _legs(log: ContactLog) -> list[Row]:
    """Contact, counsellor, kind, start, end and slot of every leg."""
    held: dict[tuple[int, int], list[Stay]] = {}
    for stay in stays(log):
        held.setdefault((stay.contact, stay.counsellor), []).append(stay)
    columns = log.leg_contact, log.leg_counsellor, log.leg_kind, log.leg_start, log.leg_end
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        (*row, next(stay.slot for stay in held[row[:2]] if stay.start <= row[3] and row[4] <= stay.end)) for row in rows
    ]


def _begun(rows: Iterable[Row], start: int, until: float) -> list[list[Any]]:
    """The rows that begin in time, by the column of their start; minutes rounded, null for what is not a number."""
    return [
        [None if value != value else round(value, _DIGITS) if isinstance(value, float) else value for value in row]
        for row in rows
        if row[start] <= until
    ]

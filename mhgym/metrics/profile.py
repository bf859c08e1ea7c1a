"""The course of one episode, from contact records and the roster: occupancy by hour, spells in the queue, stays."""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import ContactLog, LegKind, Outcome, Roster
from mhgym.domain.contact import Floats
from mhgym.domain.counsellor import Interval

HOUR = 60.0


class SpellEnd(IntEnum):
    """How a stretch in the queue ended."""

    ANSWERED = 0
    ANSWERED_AFTER_TRANSFER = 1
    ABANDONED = 2
    UNANSWERED = 3


class Spell(NamedTuple):
    """One stretch of one contact in the queue; times in minutes."""

    contact: int
    start: float
    end: float
    how: SpellEnd


class Stay(NamedTuple):
    """A contact in the hands of a counsellor, wrap-up included, and the slot that it takes; times in minutes."""

    contact: int
    counsellor: int
    slot: int
    start: float
    end: float


def occupancy_by_hour(log: ContactLog, roster: Roster, horizon: float) -> Floats:
    """Share of staffed counsellor minutes with at least one contact in hand, hour by hour.

    Weighted by the staffed minutes of each hour, the shares give the KPI `occupancy` with `until=horizon`.

    Args:
        log: Contact records.
        roster: The counsellors that the records refer to.
        horizon: Minutes to cover; the last hour may be a part of one.

    Returns:
        `[ceil(horizon / 60)]` shares; NaN in hours in which nobody is staffed.

    Raises:
        ValueError: If `horizon` is not positive and finite.
    """
    if not 0 < horizon < math.inf:
        raise ValueError(f"horizon must be positive and finite minutes, got {horizon}")
    edges = np.minimum(np.arange(math.ceil(horizon / HOUR) + 1) * HOUR, horizon)
    busy, staffed = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    for counsellor, on_duty in enumerate(roster.staffed_intervals()):
        own = log.leg_counsellor == counsellor
        at_work = _merge(log.leg_start[own], log.leg_end[own])
        staffed += _minutes_between(on_duty, edges)
        busy += _minutes_between(_overlaps(at_work, on_duty), edges)
    shares = np.full(len(busy), np.nan)
    np.divide(busy, staffed, out=shares, where=staffed > 0)
    return shares


def waiting_spells(log: ContactLog) -> list[Spell]:
    """When each offered contact waited: before its first answer, and again after each transfer; in order of start."""
    legs: dict[int, list[Interval]] = {}
    service = log.leg_kind == LegKind.SERVICE
    columns = log.leg_contact[service], log.leg_start[service], log.leg_end[service]
    for contact, start, end in zip(*(column.tolist() for column in columns), strict=True):
        legs.setdefault(contact, []).append((start, end))
    spells = []
    for contact in np.flatnonzero(log.outcome != Outcome.REJECTED).tolist():
        joined, how = float(log.arrived_at[contact]), SpellEnd.ANSWERED
        for start, end in sorted(legs.get(contact, [])):
            spells.append(Spell(contact, joined, start, how))
            joined, how = end, SpellEnd.ANSWERED_AFTER_TRANSFER
        outcome = log.outcome[contact]
        if outcome != Outcome.ANSWERED:
            how = SpellEnd.UNANSWERED if outcome == Outcome.UNANSWERED else SpellEnd.ABANDONED
            spells.append(Spell(contact, joined, float(log.ended_at[contact]), how))
    return sorted(spells, key=lambda spell: (spell.start, spell.contact))


def stays(log: ContactLog) -> list[Stay]:
    """Legs put together by contact and counsellor, each in the lowest slot that is free; in order of start."""
    spans: list[list[float]] = []
    last: dict[tuple[int, int], list[float]] = {}
    columns = log.leg_start, log.leg_kind, log.leg_contact, log.leg_counsellor, log.leg_end
    for start, kind, contact, counsellor, end in sorted(zip(*(column.tolist() for column in columns), strict=True)):
        before = last.get((contact, counsellor))
        if kind == LegKind.WRAP_UP and before is not None and before[1] == start:
            before[1] = end
        else:
            last[contact, counsellor] = [start, end, contact, counsellor]
            spans.append(last[contact, counsellor])
    busy: dict[float, list[float]] = {}
    return [
        Stay(int(contact), int(counsellor), take_lane(busy.setdefault(counsellor, []), start, end), start, end)
        for start, end, contact, counsellor in spans
    ]


def breaks_taken(
    log: ContactLog, roster: Roster, horizon: float, *, postponed: bool, drained: bool
) -> list[tuple[int, float, float]]:
    """The breaks as they were: a postponed one begins once nothing is in hand, and a sign-out ends it.

    Args:
        log: Contact records.
        roster: The counsellors that the records refer to.
        horizon: Minute at which arrivals stop; no break falls due from then on.
        postponed: Whether a break waits until nothing is in hand, instead of sending back what is.
        drained: Whether who is on duty at the horizon stays until nobody waits.

    Returns:
        Counsellor, start and end, in minutes; in order of counsellor and start.
    """
    hands: dict[int, list[Interval]] = {}
    for stay in stays(log):
        hands.setdefault(stay.counsellor, []).append((stay.start, stay.end))
    taken = []
    for counsellor, person in enumerate(roster):
        for shift in person.shifts:
            signs_out = math.inf if drained and shift.end >= horizon else shift.end
            back = shift.start
            for begin, end in shift.breaks:
                start, finish = begin, end
                if postponed:
                    start = max(back, _released(hands.get(counsellor, []), begin))
                    finish = end if start == begin else start + (end - begin)
                if begin < horizon and start < signs_out:
                    back = min(finish, signs_out)
                    taken.append((counsellor, start, back))
    return taken


def _released(hands: list[Interval], minute: float) -> float:
    """The first minute, not before the given one, at which nothing is in hand that was then."""
    return max((end for start, end in hands if start <= minute < end), default=minute)


def take_lane(busy_until: list[float], start: float, end: float) -> int:
    """Take the lowest lane that is free at `start`, until `end`; a new one if there is none.

    Args:
        busy_until: Minute at which each lane becomes free; changed in place.
        start: Minute from which the lane is needed, not earlier than in the call before.
        end: Minute until which it is.

    Returns:
        The index of the lane.
    """
    for lane, until in enumerate(busy_until):
        if until <= start:
            busy_until[lane] = end
            return lane
    busy_until.append(end)
    return len(busy_until) - 1


def _merge(start: Floats, end: Floats) -> list[Interval]:
    """The union of `[k]` intervals, as intervals in order that do not touch."""
    merged: list[Interval] = []
    for begin, finish in sorted(zip(start.tolist(), end.tolist(), strict=True)):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], finish))
        else:
            merged.append((begin, finish))
    return merged


def _overlaps(first: list[Interval], second: tuple[Interval, ...]) -> list[Interval]:
    """The intersection of two lists of disjoint intervals."""
    pairs = [(max(a, c), min(b, d)) for a, b in first for c, d in second]
    return [(begin, finish) for begin, finish in pairs if begin < finish]


def _minutes_between(intervals: list[Interval] | tuple[Interval, ...], edges: Floats) -> NDArray[np.float64]:
    """`[H]` minutes of disjoint intervals between each pair of `[H + 1]` edges."""
    bounds = np.array(intervals, dtype=np.float64).reshape(-1, 2)
    inside = np.clip(bounds[:, 1:], edges[:-1], edges[1:]) - np.clip(bounds[:, :1], edges[:-1], edges[1:])
    return np.asarray(inside.sum(axis=0))

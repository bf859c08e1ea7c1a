"""Routes: what one counsellor can do with known callers, one after the other.

A route is a sequence of callers. Each is answered as soon as the caller has arrived and the counsellor is free, which
loses nothing: an earlier end allows whatever a later one does, and every such start is an arrival, an end of wrap-up or
a sign-in, hence a decision epoch. So routes need no grid of time, and the place in a route is the number of earlier
contacts, so that fatigue is exact.

At given prices of callers, `best_routes` finds those worth most by labels that are extended in the order of time
(Desrochers & Soumis 1988, "A generalized permanent labelling algorithm for the shortest path problem with time
windows"), and `routes_within` lists all that are worth enough.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import Counsellor
from mhgym.scenario import Scenario
from mhgym.trace import Trace

Floats = NDArray[np.float64]
#: The callers of a route, last first: (caller, the rest of the path), or None for nobody.
Path = tuple[int, "Path"] | None

_EQUAL = 1e-12  # of the objective: less is rounding
_STEP = 0.25  # minutes; the grid on which prospects are bounded


@dataclass(frozen=True)
class Terms:
    """What contacts of one trace are worth, in units of the objective.

    Attributes:
        of_pair: Value of a contact and minutes until the counsellor is free, by contact, counsellor and the
            counsellor's earlier contacts in the shift.
        per_minute: `[n]` what each minute that an answered caller has waited takes off, at least 0.
        constant: Value of answering nobody.
        unit: All values are whole multiples of it; 0 where there is no such unit.
        tiring: Whether earlier contacts never raise a value nor shorten a contact.
    """

    of_pair: Callable[[int, int, int], tuple[float, float]]
    per_minute: Floats
    constant: float = 0.0
    unit: float = 0.0
    tiring: bool = True


class Route(NamedTuple):
    """What a counsellor does in a shift: contacts in order, and their value."""

    counsellor: int
    contacts: tuple[int, ...]
    value: float


class _Label(NamedTuple):
    """A route under way; ordered by the minute at which the counsellor is free, then by value, largest first."""

    free_at: float
    loss: float  # minus its value
    chats: int
    served: int  # bits of callers
    path: Path


class _Prospects(NamedTuple):
    """What a counsellor can still earn, at most: `[chats, time]` values less prices, on a grid rounded down."""

    start: float
    most: list[list[float]]

    def after(self, label: _Label) -> float:
        """At most, from a label on."""
        row = self.most[label.chats]
        return row[min(int((label.free_at - self.start) / _STEP), len(row) - 1)]


class Stint:
    """One counsellor's shift and the callers who can be answered in it.

    Attributes:
        counsellor: Id.
        contacts: Contacts that can be answered, in order of arrival; a *caller* below is an index into them.
    """

    def __init__(self, scenario: Scenario, trace: Trace, counsellor: int, terms: Terms) -> None:
        person = scenario.roster.counsellors[counsellor]
        self.counsellor = counsellor
        self._terms = terms
        self._start, self._until = open_between(person, scenario)
        leaves_at = trace.arrived_at + np.array([trace.patience(i) for i in range(len(trace))])
        allowed = np.isin(trace.risk, [int(risk) for risk in person.risks])
        possible = trace.accepted & allowed & (trace.arrived_at < self._until) & (leaves_at >= self._start)
        self.contacts: list[int] = np.flatnonzero(possible).tolist()
        self._arrives: list[float] = trace.arrived_at[self.contacts].tolist()
        self._leaves: list[float] = leaves_at[self.contacts].tolist()
        self._per_minute: list[float] = terms.per_minute[self.contacts].tolist()
        self._by_leaving = sorted(range(len(self.contacts)), key=self._leaves.__getitem__)
        self._leaving_times = sorted(self._leaves)
        self._outcomes: list[list[tuple[float, float]]] = []

    def outcomes(self, chats: int) -> list[tuple[float, float]]:
        """Value and minutes of every caller as the counsellor's contact number `chats`, counted from 0."""
        while len(self._outcomes) <= chats:
            level = len(self._outcomes)
            self._outcomes.append([self._terms.of_pair(i, self.counsellor, level) for i in self.contacts])
        return self._outcomes[chats]

    def start(self, caller: int, free_at: float) -> float | None:
        """Minute at which a free counsellor answers a caller; None if that is too late."""
        begin = max(free_at, self._arrives[caller])
        return begin if begin <= self._leaves[caller] and begin < self._until else None

    def follow(self, contacts: Sequence[int]) -> list[float]:
        """Minutes at which the contacts of a route are answered.

        Raises:
            ValueError: If one has left by then.
        """
        begins, free_at = [], self._start
        for chats, contact in enumerate(contacts):
            caller = self.contacts.index(contact)
            begin = self.start(caller, free_at)
            if begin is None:
                raise ValueError(f"contact {contact} cannot be answered by counsellor {self.counsellor} in this route")
            begins.append(begin)
            free_at = begin + self.outcomes(chats)[caller][1]
        return begins

    def routes_within(self, prices: Sequence[float], least: float, most: int) -> list[Route] | None:
        """The best order of every set of callers that is worth at least so much less the prices.

        A label is dropped if even the best continuation, by `_prospects`, leaves it below `least`, or if another order
        of its callers ends no later and is worth no less.

        Args:
            prices: `[n]` of all contacts, at least 0.
            least: Value less prices of a route.
            most: Number of routes and of labels.

        Returns:
            The routes, their values without deduction, or None if there are more labels than `most`.
        """
        cost = [prices[contact] for contact in self.contacts]
        prospects = self._prospects(cost)
        routes: list[Route] = []
        level: dict[int, list[_Label]] = {0: [_Label(self._start, 0.0, 0, 0, None)]}
        num_labels = 0
        while level:
            extended: dict[int, list[_Label]] = {}
            for labels in level.values():
                for label in labels:
                    for caller in self._present(label.free_at):
                        if label.served >> caller & 1 or not (longer := self._extend(label, caller, cost[caller])):
                            continue
                        if prospects.after(longer) - longer.loss >= least:
                            extended.setdefault(longer.served, []).append(longer)
            level = {served: _undominated(labels) for served, labels in extended.items()}
            num_labels += sum(map(len, level.values()))
            if num_labels > most:
                return None
            best = (min(labels, key=lambda label: label.loss) for labels in level.values())
            routes += [self._route(label) for label in best if -label.loss >= least]
        return routes

    def best_routes(self, prices: Sequence[float], most: int) -> tuple[float, list[Route]]:
        """Routes worth most once every contact served has cost its price.

        A label is dropped when one that is free no later is worth no less, is no more tired and has served nobody
        who could still be answered and whom the label has not served.

        Args:
            prices: `[n]` of all contacts, at least 0.
            most: Number of routes.

        Returns:
            The largest value less prices (0 for doing nothing) and up to `most` routes, best first; their values do
            not deduct the prices.
        """
        cost = [prices[contact] for contact in self.contacts]
        # A caller who is not worth the price in the freshest hands is in no best route, if contacts only tire.
        worth = [
            not self._terms.tiring or value > price
            for (value, _), price in zip(self.outcomes(0) if cost else [], cost, strict=True)
        ]
        heap = [_Label(self._start, 0.0, 0, 0, None)]
        kept: list[list[tuple[float, int]]] = []  # loss and bits served, by the number of chats
        ended: list[_Label] = []
        while heap:
            label = heappop(heap)
            present = self._present(label.free_at)
            reachable = sum(1 << caller for caller in present)
            served = label.served & reachable
            if self._dominated(label, served, reachable, kept):
                continue
            kept.extend([] for _ in range(label.chats + 1 - len(kept)))
            kept[label.chats].append((label.loss, served))
            ended.append(label)
            for caller in present:
                if worth[caller] and not served >> caller & 1 and (longer := self._extend(label, caller, cost[caller])):
                    heappush(heap, longer)
        ended.sort(key=lambda label: label.loss)
        return -ended[0].loss, [self._route(label) for label in ended[:most] if label.path]

    def _present(self, minute: float) -> list[int]:
        """Callers who have not left before a minute, among them those yet to come."""
        return self._by_leaving[bisect_left(self._leaving_times, minute) :]

    def _prospects(self, cost: Sequence[float]) -> "_Prospects":
        times = np.arange(self._start, max([self._start, *self._leaves]) + _STEP, _STEP)
        arrives, leaves = np.array(self._arrives), np.array(self._leaves)
        rows = [np.zeros(len(times) + 1)]
        for chats in reversed(range(len(self.contacts))):
            values, minutes = np.array(self.outcomes(chats)).T
            begin = np.maximum(times[:, None], arrives)
            following = np.minimum((begin + minutes - self._start) / _STEP, len(times)).astype(np.int64)
            worth = values - cost + rows[-1][following]
            worth[(times[:, None] > leaves) | (begin >= self._until)] = 0.0
            rows.append(np.append(worth.max(axis=1, initial=0.0), 0.0))
        return _Prospects(self._start, [row.tolist() for row in rows[::-1]])

    def _dominated(self, label: _Label, served: int, reachable: int, kept: list[list[tuple[float, int]]]) -> bool:
        fresher = kept[: label.chats + 1] if self._terms.tiring else kept[label.chats : label.chats + 1]
        return any(
            loss <= label.loss + _EQUAL and not other & reachable & ~served
            for entries in reversed(fresher)
            for loss, other in reversed(entries)
        )

    def _extend(self, label: _Label, caller: int, price: float) -> _Label | None:
        begin = self.start(caller, label.free_at)
        if begin is None:
            return None
        value, minutes = self.outcomes(label.chats)[caller]
        value -= self._per_minute[caller] * (begin - self._arrives[caller])
        served = label.served | 1 << caller
        return _Label(begin + minutes, label.loss + price - value, label.chats + 1, served, (caller, label.path))

    def _route(self, label: _Label) -> Route:
        callers, path = [], label.path
        while path:
            caller, path = path
            callers.append(caller)
        callers.reverse()
        contacts = tuple(self.contacts[caller] for caller in callers)
        value = 0.0
        for chats, (caller, begin) in enumerate(zip(callers, self.follow(contacts), strict=True)):
            value += self.outcomes(chats)[caller][0] - self._per_minute[caller] * (begin - self._arrives[caller])
        return Route(self.counsellor, contacts, value)


def _undominated(labels: list[_Label]) -> list[_Label]:
    """Labels of one set of callers, none of which is free no later and worth no less than another."""
    kept: list[_Label] = []
    for label in sorted(labels):
        if not kept or label.loss < kept[-1].loss - _EQUAL:
            kept.append(label)
    return kept


def open_between(person: Counsellor, scenario: Scenario) -> tuple[float, float]:
    """Minutes from which and before which a counsellor of one shift takes something new, as the engines have it."""
    (shift,) = person.shifts
    if shift.start >= scenario.horizon:
        return shift.start, shift.start
    if shift.end >= scenario.horizon:  # stays until nobody waits
        return shift.start, np.inf
    return shift.start, shift.end - (scenario.rules.cutoff if shift.cutoff is None else shift.cutoff)

"""Policies for the week in which people arrive: greedy, first come, ranking, and re-solving the week exactly.

Each may act at once, or hold back what can still be offered at the next review. Nobody leaves for having waited, so
holding back costs nothing but the patients' uncertainty (`minutes_to_offer`). `hindsight_optimum` bounds them all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from agents.weekly_levels import Graph, assign
from agents.weekly_matcher import match_week
from mhgym.matching import ArrivingWeek, Offers, Relief, Week
from mhgym.matching.arrivals import STARTS
from mhgym.matching.online import HOLD, Offer, OnlineWeek, WeekPolicy, WeekView
from mhgym.matching.rounds import booked
from mhgym.matching.week import SLOTS, Bools, Ints

#: Which options may be offered now.
When = Callable[[WeekView], Bools]
#: Keys by which options are sorted, the first above all others; the least comes first.
Order = Callable[[WeekView], tuple[Ints, ...]]


def at_once(view: WeekView) -> Bools:
    """All options."""
    return np.ones(len(view.options), dtype=np.bool_)


def when_due(view: WeekView) -> Bools:
    """Options that will be gone at the next review."""
    return view.due


def by_severity(view: WeekView) -> tuple[Ints, ...]:
    """The most severe patient, with the most compatible volunteer."""
    own = view.options
    return -view.week.patients.severity[own.patient], own.patient, -own.fifths


def by_compatibility(view: WeekView) -> tuple[Ints, ...]:
    """The most compatible pair, the more severe patient if two are alike."""
    own = view.options
    return -own.fifths, -view.week.patients.severity[own.patient]


def by_arrival(view: WeekView) -> tuple[Ints, ...]:
    """Who came first, with the most compatible volunteer."""
    return view.options.patient, -view.options.fifths


@dataclass
class GreedyWeek:
    """Offer the first option of an order; of equals the earliest slot. Nobody's second offer comes before a first.

    Attributes:
        name: Label in tables.
        order: Of the options.
        when: Which options may be offered now.
    """

    name: str
    order: Order
    when: When = at_once

    def reset(self, relief: Relief, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: WeekView) -> Offer:
        """See `WeekPolicy.act`."""
        return _first(view, self.order(view), self.when)


@dataclass
class RankingWeek:
    """Volunteer-hours in one random order; patients, as they come, get the first that they can use.

    Its guarantee of 1 − 1/e is for hours that are all there from the start (Karp, Vazirani & Vazirani 1990), and does
    not hold where volunteers arrive and hours pass.

    Attributes:
        name: Label in tables.
    """

    name: str = "ranking"

    def reset(self, relief: Relief, rng: np.random.Generator) -> None:
        """Forget the order."""
        self._rng = rng
        self._rank = np.zeros((0, SLOTS))

    def act(self, view: WeekView) -> Offer:
        """See `WeekPolicy.act`; the hours of volunteers who are new get their place in the order."""
        own = view.options
        missing = len(view.week.volunteers) - len(self._rank)
        self._rank = np.concatenate([self._rank, self._rng.random((missing, SLOTS))])
        return _first(view, (own.patient, self._rank[own.volunteer, own.slot]), at_once)


@dataclass
class RollingHorizon:
    """Match all who are known, exactly, at every epoch; offer what the plan has for now and forget the rest.

    With several offers each, a patient gets all of them when the first may be made.

    Attributes:
        name: Label in tables.
        when: Which options may be offered now.
    """

    name: str = "rolling horizon"
    when: When = when_due
    _plan: list[Offer] = field(default_factory=list, init=False, repr=False)
    _planned_at: float = field(default=-1.0, init=False, repr=False)

    def reset(self, relief: Relief, rng: np.random.Generator) -> None:
        """Forget the plan."""
        self._plan, self._planned_at = [], -1.0

    def act(self, view: WeekView) -> Offer:
        """See `WeekPolicy.act`; plans once for every instant at which something may be offered."""
        if view.now != self._planned_at:
            allowed = np.flatnonzero(self.when(view))
            now = {view.offer(option) for option in allowed.tolist()}
            plan = plan_known(view) if now else []
            begun = {offer.patient for offer in plan if offer in now}
            self._plan, self._planned_at = [offer for offer in plan if offer.patient in begun], view.now
        return self._plan.pop() if self._plan else HOLD


def plan_known(view: WeekView) -> list[Offer]:
    """The best offers to patients who have none, as if nobody else were to come.

    One offer each is a single assignment problem over the options, which is exact and takes a sixth of the time of
    `match_week`; that solves the rest.
    """
    if view.most_offers == 1:
        graph = Graph.of(view.options, view.week.patients.severity)
        return [view.offer(option) for option in assign(graph).tolist()]
    seekers, left = unserved(view)
    plan = match_week(left, view.most_offers).offers
    meetings = zip(seekers[plan.patient].tolist(), plan.volunteer.tolist(), plan.slot.tolist(), strict=True)
    return [Offer(*meeting) for meeting in meetings]


def unserved(view: WeekView) -> tuple[Ints, Week]:
    """The problem that is left: patients without an offer, and volunteers' hours that are neither taken nor past.

    Returns:
        `[P']` the patients' numbers in the view, and the week.
    """
    seekers = np.flatnonzero(view.given == 0)
    volunteers = booked(view.week.volunteers, view.offers)
    ahead = STARTS - view.notice >= view.now
    volunteers = replace(volunteers, free=volunteers.free & ahead)
    return seekers, replace(view.week, patients=view.week.patients.take(seekers), volunteers=volunteers)


def hindsight_optimum(relief: Relief, arriving: ArrivingWeek) -> Offers:
    """The best offers of one who knows from the start who comes when: no policy is worth more in any week.

    Clairvoyant, and reached by making each offer at the epoch of the later one's arrival. Exact, for the optimum of the
    reward is the weekly matcher's with hours that people came too late for left out.
    """
    return match_week(relief.hindsight(arriving), relief.most_offers).offers


def play(relief: Relief, arriving: ArrivingWeek, policy: WeekPolicy, rng: np.random.Generator) -> OnlineWeek:
    """Play a week to its end.

    Args:
        relief: The rules.
        arriving: The week.
        policy: Decides, from views.
        rng: Randomness of the policy's own.
    """
    week = OnlineWeek(relief, arriving)
    policy.reset(relief, rng)
    while not week.over:
        week.decide(policy.act(week.view()))
    return week


def _first(view: WeekView, keys: tuple[np.ndarray, ...], when: When) -> Offer:
    """The least of the allowed options by these keys, first offers before second ones; HOLD if none is allowed."""
    allowed = np.flatnonzero(when(view))
    if not len(allowed):
        return HOLD
    by = (view.given[view.options.patient], *keys)
    return view.offer(int(allowed[np.lexsort([key[allowed] for key in reversed(by)])[0]]))

"""A week in which people arrive: decision epochs, what a policy sees of them, and what it may do."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from mhgym.matching.arrivals import HORIZON, STARTS, ArrivingWeek, Floats, Relief
from mhgym.matching.compatibility import Columns, columns
from mhgym.matching.offers import Offers
from mhgym.matching.people import Week
from mhgym.matching.scoring import Worth, kpis
from mhgym.matching.week import Bools, Ints


class Offer(NamedTuple):
    """One decision: a patient, a volunteer, and the slot in which they would meet."""

    patient: int
    volunteer: int
    slot: int


#: The decision to offer nothing until the next epoch.
HOLD = Offer(-1, -1, -1)


@dataclass(frozen=True, eq=False)
class WeekView:
    """What can be known at a decision epoch. People are numbered in the order in which they came.

    Attributes:
        now: Minutes since Monday 00:00.
        next_review: Minute of the next epoch that is certain to come; infinite if none is.
        notice: Minutes before its start by which a slot must have been offered.
        most_offers: Offers that a patient may have.
        week: The people who have come, with all hours that they named.
        patient_at: `[P]` minute at which each patient came.
        volunteer_at: `[V]` minute at which each volunteer came.
        offers: Made so far.
        options: What may be offered now, sorted by slot, patient and volunteer; at least one.
    """

    now: float
    next_review: float
    notice: float
    most_offers: int
    week: Week
    patient_at: Floats
    volunteer_at: Floats
    offers: Offers
    options: Columns

    @cached_property
    def given(self) -> Ints:
        """`[P]` offers that each patient has."""
        return np.bincount(self.offers.patient, minlength=len(self.week.patients))

    @cached_property
    def due(self) -> Bools:
        """`[n]` options that can be offered no more at the next review."""
        passing: Bools = STARTS[self.options.slot] - self.notice < self.next_review
        return passing

    def offer(self, option: int) -> Offer:
        """An option as a decision."""
        own = self.options
        return Offer(int(own.patient[option]), int(own.volunteer[option]), int(own.slot[option]))


@runtime_checkable
class WeekPolicy(Protocol):
    """A decision rule. It is reset before every week and may keep state within one."""

    @property
    def name(self) -> str:
        """Label in tables."""
        ...

    def reset(self, relief: Relief, rng: np.random.Generator) -> None:
        """Prepare for a week.

        Args:
            relief: The laws, no realised chance.
            rng: Randomness of the policy's own.
        """
        ...

    def act(self, view: WeekView) -> Offer:
        """One of the view's options, or `HOLD`; anything else counts as HOLD."""
        ...


class Outcome(NamedTuple):
    """What a decision led to: whether an offer was made, and the `[2]` reward."""

    made: bool
    reward: Floats


class OnlineWeek:
    """One week, from decision epoch to decision epoch.

    An epoch is an instant at which somebody arrives or a review is due, if anything can be offered. After an offer the
    policy is asked again at the same instant while options remain; after HOLD time moves on.

    Args:
        relief: The rules.
        arriving: The people and their times.
    """

    def __init__(self, relief: Relief, arriving: ArrivingWeek) -> None:
        self.relief, self.arriving = relief, arriving
        self.worth = Worth.of(arriving.week, relief.most_offers)
        self.now = 0.0
        self.over = False
        self._columns = columns(relief.hindsight(arriving))
        self._last_call = STARTS[self._columns.slot] - relief.notice
        self._open = np.ones(len(self._columns), dtype=np.bool_)  # not ruled out by an offer
        self._options: Ints = np.zeros(0, dtype=np.int64)  # columns that may be offered now
        self._chosen: list[int] = []
        self._made_at: list[float] = []
        steps = [] if relief.review_interval is None else [np.arange(0.0, HORIZON, relief.review_interval)]
        self._reviews: Floats = np.concatenate([*steps, [np.inf]])
        times = np.concatenate([arriving.patient_at, arriving.volunteer_at, *steps])
        self._epochs = iter(np.unique(times).tolist())
        self._next()

    @property
    def offers(self) -> Offers:
        """Made so far."""
        return Offers.of(self._columns, np.array(self._chosen, dtype=np.int64))

    def view(self) -> WeekView:
        """What can be known now."""
        num_patients, num_volunteers = len(self._known.patients), len(self._known.volunteers)
        return WeekView(
            now=self.now,
            next_review=float(self._reviews[np.searchsorted(self._reviews, self.now, side="right")]),
            notice=self.relief.notice,
            most_offers=self.relief.most_offers,
            week=self._known,
            patient_at=self.arriving.patient_at[:num_patients].copy(),
            volunteer_at=self.arriving.volunteer_at[:num_volunteers].copy(),
            offers=self.offers,
            options=self._columns.take(self._options),
        )

    def decide(self, offer: Offer) -> Outcome:
        """Make an offer, or move to the next epoch or to the end of the week; what is no option is a HOLD."""
        column = self._column(offer)
        if column < 0:
            self._next()
            return Outcome(False, np.zeros(2))
        own, patient = self._columns, offer.patient
        given = sum(int(own.patient[made]) == patient for made in self._chosen)
        severity = int(self.arriving.week.patients.severity[patient])
        reward = self.worth.pay(severity, int(own.fifths[column]), first=given == 0)
        self._chosen.append(column)
        self._made_at.append(self.now)
        same_patient, same_volunteer = own.patient == patient, own.volunteer == offer.volunteer
        same_slot = own.slot == offer.slot
        self._open &= ~(same_volunteer & same_slot)
        self._open &= ~(same_patient & (same_slot | same_volunteer | (given + 1 == self.relief.most_offers)))
        self._options = self._options[self._open[self._options]]
        if not len(self._options):
            self._next()
        return Outcome(True, reward)

    def kpis(self) -> dict[str, float]:
        """The KPIs of a week that is over; see `scoring.kpis`."""
        patients = self._columns.patient[np.array(self._chosen, dtype=np.int64)]
        waits = np.array(self._made_at) - self.arriving.patient_at[patients]
        return kpis(self.arriving, self.offers, waits, self.relief.most_offers)

    def _column(self, offer: Offer) -> int:
        """The option that an offer stands for, -1 if none."""
        own = self._columns.take(self._options)
        matches = (own.patient == offer.patient) & (own.volunteer == offer.volunteer) & (own.slot == offer.slot)
        found = self._options[matches]
        return int(found[0]) if len(found) else -1

    def _next(self) -> None:
        """Move to the next instant at which something can be offered, or to the end."""
        for now in self._epochs:
            self._look(now)
            if len(self._options):
                return
        self._look(HORIZON)
        self.over = True

    def _look(self, now: float) -> None:
        """Who is there at an instant, and what can be offered."""
        self.now = now
        week, own = self.arriving.week, self._columns
        num_patients = int(np.searchsorted(self.arriving.patient_at, now, side="right"))
        num_volunteers = int(np.searchsorted(self.arriving.volunteer_at, now, side="right"))
        here = (own.patient < num_patients) & (own.volunteer < num_volunteers) & (self._last_call >= now)
        self._options = np.flatnonzero(self._open & here)
        if not len(self._options) and now < HORIZON:
            return  # nobody is asked
        seekers, helpers = np.arange(num_patients), np.arange(num_volunteers)
        self._known = Week(week.patients.take(seekers), week.volunteers.take(helpers), week.languages)

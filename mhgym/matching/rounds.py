"""From offers to appointments: the automated pick, more rounds, the weeks that follow (WPI 2024, section 3.6.4)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from mhgym.matching.compatibility import fifths
from mhgym.matching.offers import Offers
from mhgym.matching.people import Patients, Volunteers, Week

#: Gives each patient of a week at most so many offers.
Matcher = Callable[[Week, int], Offers]


@dataclass(frozen=True, eq=False)
class Round:
    """One round of matching.

    Attributes:
        week: Who took part.
        offers: What the matcher offered.
        picked: The one offer that each patient with any took.
    """

    week: Week
    offers: Offers
    picked: Offers

    @property
    def unmatched(self) -> Patients:
        """Patients without an appointment."""
        return self.week.patients.take(~self.picked.served(len(self.week.patients)))


def pick_best(week: Week, offers: Offers) -> Offers:
    """The most compatible offer of each patient, the earliest if several are alike."""
    worth = fifths(week.patients, week.volunteers)[offers.patient, offers.volunteer]
    best = offers.take(np.lexsort((offers.volunteer, offers.slot, -worth, offers.patient)))
    return best.take(np.diff(best.patient, prepend=-1) > 0)


def booked(volunteers: Volunteers, picked: Offers) -> Volunteers:
    """The volunteers with the hours of their appointments taken; their clock is the centre's from here on."""
    free = volunteers.slots.copy()
    free[picked.volunteer, picked.slot] = False
    return replace(volunteers, free=free, zone=np.zeros_like(volunteers.zone))


def play_rounds(
    week: Week, matcher: Matcher, *, num_rounds: int = 2, most_offers: int = 3, consume: bool = True
) -> Iterator[Round]:
    """Match, let patients pick, and match those who are left.

    With `consume`, a volunteer's hour that was picked is gone. A second round then serves nobody after an exact first
    one: it sees fewer hours than the first, which served as many as any matching can. Without it, picked hours are
    offered again, so that volunteers are double-booked; this is how the report's second-round totals come about, and it
    is there to reproduce them only.

    Args:
        week: Patients and volunteers.
        matcher: Makes the offers.
        num_rounds: The report has 2.
        most_offers: The report's k.
        consume: Whether appointments take up the volunteers' hours.

    Raises:
        ValueError: If there is no round.
    """
    if num_rounds < 1:
        raise ValueError(f"num_rounds must be at least 1, got {num_rounds}")
    for _ in range(num_rounds):
        offers = matcher(week, most_offers)
        done = Round(week, offers, pick_best(week, offers))
        yield done
        volunteers = booked(week.volunteers, done.picked) if consume else week.volunteers
        week = replace(week, patients=done.unmatched, volunteers=volunteers)


def carried_over(waiting: Patients, coming: Week) -> Week:
    """The next week: patients left over from before, first in order, with those who are new; only new volunteers.

    Raises:
        ValueError: If an id occurs twice.
    """
    return replace(coming, patients=waiting.joined(coming.patients))


def play_weeks(weeks: Iterator[Week], matcher: Matcher, *, most_offers: int = 3) -> Iterator[Round]:
    """One round a week, those unmatched carried over to the next.

    Args:
        weeks: Who is new in each week, with ids and languages that go together.
        matcher: Makes the offers.
        most_offers: The report's k.
    """
    waiting: Patients | None = None
    for coming in weeks:
        week = coming if waiting is None else carried_over(waiting, coming)
        offers = matcher(week, most_offers)
        done = Round(week, offers, pick_best(week, offers))
        yield done
        waiting = done.unmatched

"""Simple weekly matchers: greedy by severity, greedy by compatibility, first come, and ranking.

Each goes through all possible assignments once in an order of its own and takes what is still free, one offer for each
patient; then again for second offers, and so on, so that nobody's third offer takes somebody's first. What is
still tied goes by slot, then by patient and volunteer.
"""

import numpy as np

from mhgym.matching import Columns, Offers, Week, columns
from mhgym.matching.rounds import Matcher
from mhgym.matching.week import SLOTS, Ints


def offer_by_severity(week: Week, most_offers: int) -> Offers:
    """The most severe patient first, with the most compatible volunteer who is free."""
    possible = columns(week)
    severity = week.patients.severity[possible.patient]
    return _take(possible, np.lexsort((-possible.fifths, possible.patient, -severity)), most_offers)


def offer_by_compatibility(week: Week, most_offers: int) -> Offers:
    """The most compatible pair first, the more severe patient if two are alike."""
    possible = columns(week)
    severity = week.patients.severity[possible.patient]
    return _take(possible, np.lexsort((possible.patient, -severity, -possible.fifths)), most_offers)


def offer_first_come(week: Week, most_offers: int) -> Offers:
    """Patients in the order in which they are listed, each with the most compatible volunteer who is free: online."""
    possible = columns(week)
    return _take(possible, np.lexsort((-possible.fifths, possible.patient)), most_offers)


def ranking(seed: int) -> Matcher:
    """Ranking: volunteer-hours in one random order; patients, as listed, get the first that they can use.

    Online, and with one offer each it serves at least a share 1 − 1/e of the possible number in expectation, whoever
    comes when (Karp, Vazirani & Vazirani 1990). It looks at neither severity nor compatibility.
    """

    def offer(week: Week, most_offers: int) -> Offers:
        possible = columns(week)
        rank = np.random.default_rng(seed).permutation(len(week.volunteers) * SLOTS)
        return _take(possible, np.lexsort((rank[_hours(possible)], possible.patient)), most_offers)

    return offer


def _hours(possible: Columns) -> Ints:
    """`[n]` a number for each volunteer and hour."""
    return possible.volunteer * SLOTS + possible.slot


def _take(possible: Columns, order: Ints, most_offers: int) -> Offers:
    """Go through the columns in order, once for every offer that a patient may have."""
    hours = _hours(possible)[order].tolist()
    patients, slots = possible.patient[order].tolist(), possible.slot[order].tolist()
    volunteers = possible.volunteer[order].tolist()
    taken: set[int] = set()
    meetings: set[tuple[int, int]] = set()
    pairs: set[tuple[int, int]] = set()
    offers: dict[int, int] = {}
    chosen: list[int] = []
    for most in range(1, most_offers + 1):
        for index, (patient, volunteer, slot, hour) in enumerate(zip(patients, volunteers, slots, hours, strict=True)):
            if hour in taken or offers.get(patient, 0) >= most:
                continue
            if (patient, slot) in meetings or (patient, volunteer) in pairs:
                continue
            taken.add(hour)
            meetings.add((patient, slot))
            pairs.add((patient, volunteer))
            offers[patient] = offers.get(patient, 0) + 1
            chosen.append(index)
    return Offers.of(possible, order[np.array(chosen, dtype=np.int64)])

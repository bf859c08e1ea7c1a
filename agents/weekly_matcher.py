"""The exact weekly matcher: most patients by severity, then the most compatible offers, up to k for each patient.

It solves the model of WPI 2024, section 3.6, with the optimum of the report's three objectives one after the other, and
says why the answer is the best. `weekly_levels` settles who is served and what is scarce, as assignment problems;
`weekly_columns` shares out what is ample. `weekly_oracle` transcribes the model as printed.
"""

from dataclasses import dataclass, replace

import numpy as np

from agents.weekly_columns import Ample, solve_ample
from agents.weekly_levels import Graph, assign, dense, nested_matchings
from mhgym.matching import Columns, Objectives, Offers, Week, columns, objectives, violations
from mhgym.matching.week import SLOTS, Bools, Ints


@dataclass(frozen=True)
class Certificate:
    """Why nothing better exists.

    Attributes:
        per_severity: Most patients that can be served, by severity, counted from the most severe down.
        fifths: Most compatibility that offers to so many can have.
        method: What proves the bound: `assignment` where one offer each is all there is, else how the ample part was
            solved.
    """

    per_severity: tuple[int, ...]
    fifths: int
    method: str


@dataclass(frozen=True)
class WeeklyMatch:
    """The offers of a week, checked against every rule.

    Attributes:
        offers: The report's x.
        served: `[P]` the report's y.
        objectives: Their value.
        certificate: The bounds that they reach.
    """

    offers: Offers
    served: Bools
    objectives: Objectives
    certificate: Certificate

    @property
    def optimal(self) -> bool:
        """Whether the value equals the bounds."""
        reached = self.objectives
        return (reached.per_severity, reached.fifths) == (self.certificate.per_severity, self.certificate.fifths)


def match_week(week: Week, most_offers: int = 3) -> WeeklyMatch:
    """Solve a week exactly.

    Args:
        week: Patients and volunteers.
        most_offers: The report's k, offers a patient may have; 3 in the report.

    Raises:
        ValueError: If `most_offers` is not at least 1.
        RuntimeError: If the answer broke a rule or missed its bound, which would be an error of this module.
    """
    check_most_offers(most_offers)
    possible = columns(week)
    graph = Graph.of(possible, week.patients.severity)
    levels = nested_matchings(graph)
    one_each = assign(graph, levels.scarce | levels.ample)
    chosen, bound, method = one_each, int(graph.fifths[one_each].sum()), "assignment"
    if most_offers > 1 and levels.ample.any():
        scarce = one_each[levels.scarce[one_each]]
        rows = np.flatnonzero(levels.ample)
        solution = solve_ample(_ample(possible, graph, rows, one_each, most_offers))
        chosen = np.concatenate([scarce, rows[solution.chosen]])
        bound, method = int(graph.fifths[scarce].sum()) + solution.bound, solution.method
    offers = Offers.of(possible, chosen)
    certificate = Certificate(tuple(levels.per_severity.tolist()), bound, method)
    match = WeeklyMatch(offers, offers.served(len(week.patients)), objectives(week, offers), certificate)
    broken = violations(week, offers, most_offers)
    if broken or not match.optimal:
        raise RuntimeError(
            f"a solved week must keep all rules and reach its bounds, got broken rules {broken}, {match.objectives} "
            f"and {certificate}; please report the week"
        )
    return match


def offer_exactly(week: Week, most_offers: int) -> Offers:
    """The offers of `match_week`."""
    return match_week(week, most_offers).offers


def offer_most_severe(week: Week, most_offers: int) -> Offers:
    """An optimum of the first objective alone, with one offer each: one of many, blind to compatibility."""
    check_most_offers(most_offers)
    possible = columns(week)
    graph = Graph.of(possible, week.patients.severity)
    return Offers.of(possible, assign(replace(graph, fifths=np.zeros_like(graph.fifths))))


def check_most_offers(most_offers: int) -> None:
    """Refuse a k that is no number of offers."""
    if isinstance(most_offers, bool) or not isinstance(most_offers, int | np.integer) or most_offers < 1:
        raise ValueError(f"most_offers must be a whole number of at least 1, got {most_offers!r}")


def _ample(possible: Columns, graph: Graph, rows: Ints, start: Ints, most_offers: int) -> Ample:
    """The ample part of a week, numbered for the linear program."""
    own = possible.take(rows)
    volunteers = int(own.volunteer.max()) + 1
    return Ample(
        patient=dense(own.patient)[1],
        hour=dense(graph.hour[rows])[1],
        meeting=dense(own.patient * SLOTS + own.slot)[1],
        pair=dense(own.patient * volunteers + own.volunteer)[1],
        fifths=own.fifths,
        most_offers=most_offers,
        start=np.flatnonzero(np.isin(rows, start)),
    )

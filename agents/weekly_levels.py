"""Whom the weekly matcher can serve at all: nested matchings from the most severe patients down, without big numbers.

The sets of patients that can be served together, each with one volunteer at one hour, form a transversal matroid. The
greedy order by severity therefore gives the most patients of severity 6, then of 6 and 5, and so on; any weights that
rise with severity have the same optimum as the report's exponential coefficients; and the largest set is reached too,
so its third objective changes nothing. One bipartite matching a level gives the counts.

Each matching also splits off what is scarce. Let U be the patients of a level that stay unmatched, S those that
alternating paths from U reach, and N(S) the volunteer-hours that S could use. All of N(S) is matched into S and S has
|U| more members, so every optimum uses each hour of N(S) for one patient of S, and these patients get no second offer:
S × N(S) is an assignment problem of its own, and nobody else may use N(S). What is left when all levels are done is
ample: everybody in it is served, in every optimum, and only there is something to choose beyond one offer each.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_bipartite_matching, min_weight_full_bipartite_matching

from mhgym.matching.compatibility import Columns
from mhgym.matching.traits import SEVERITIES
from mhgym.matching.week import SLOTS, Bools, Ints


@dataclass(frozen=True, eq=False)
class Graph:
    """Patients and volunteer-hours that a week's columns join, both numbered without gaps.

    Attributes:
        patient: `[n]` patient of each column, in 0..num_patients-1.
        hour: `[n]` volunteer-hour of each column, in 0..num_hours-1.
        fifths: `[n]` compatibility of each column.
        severity: `[num_patients]`.
        num_hours: Volunteer-hours that some patient could use.
    """

    patient: Ints
    hour: Ints
    fifths: Ints
    severity: Ints
    num_hours: int

    @classmethod
    def of(cls, columns: Columns, severity: Ints) -> "Graph":
        """The graph of columns, `severity` being that of all patients of the week."""
        seen, patient = dense(columns.patient)
        hours, hour = dense(columns.volunteer * SLOTS + columns.slot)
        return cls(patient, hour, columns.fifths, severity[seen], len(hours))

    @property
    def num_patients(self) -> int:
        """Patients that could be served."""
        return len(self.severity)


@dataclass(frozen=True, eq=False)
class Levels:
    """What the nested matchings found.

    Attributes:
        per_severity: `[7]` patients served in every optimum, by severity.
        scarce: `[n]` columns of assignment problems of their own, one offer for each patient served.
        ample: `[n]` columns among which every patient is served; all others are never used.
    """

    per_severity: Ints
    scarce: Bools
    ample: Bools


def nested_matchings(graph: Graph) -> Levels:
    """Match level by level, from the most severe, setting apart what is scarce."""
    per_severity = np.zeros(SEVERITIES, dtype=np.int64)
    alive = np.ones(len(graph.patient), dtype=np.bool_)
    scarce = np.zeros_like(alive)
    before = 0  # patients served, of the severer levels
    retired = 0  # of these, those set apart
    for level in range(SEVERITIES - 1, -1, -1):
        rows = np.flatnonzero(alive & (graph.severity[graph.patient] >= level))
        patients, hours, served = _scarce_set(graph.patient[rows], graph.hour[rows])
        per_severity[level] = retired + served - before
        before = retired + served
        own = np.zeros_like(alive)
        own[rows] = patients[graph.patient[rows]]
        scarce |= own
        retired += int(hours.sum())
        alive &= ~own & ~_at(hours, graph.hour)
    return Levels(per_severity, scarce, alive)


def assign(graph: Graph, chosen: Bools | None = None) -> Ints:
    """One offer each: most patients by severity, then most compatibility, as one assignment problem.

    A patient of severity s weighs (s + 1)·B, with B above the largest total of fifths; weights are whole numbers and
    their sum stays exact in a double.

    Args:
        graph: Patients and hours.
        chosen: `[n]` columns to choose from; all if None.

    Returns:
        Indices of the columns that are used.
    """
    rows = np.arange(len(graph.patient)) if chosen is None else np.flatnonzero(chosen)
    if not len(rows):
        return rows
    patients, patient = dense(graph.patient[rows])
    hours, hour = dense(graph.hour[rows])
    number = len(patients)
    above = int(graph.fifths.max()) * min(number, len(hours)) + 1
    worth = (graph.severity[graph.patient[rows]] + 1) * above + graph.fifths[rows]
    # A dummy hour for each patient, worth less than any other, makes every matching full.
    weights = np.concatenate([worth, np.full(number, 0.5)])
    row = np.concatenate([patient, np.arange(number)])
    column = np.concatenate([hour, len(hours) + np.arange(number)])
    matrix = csr_array((weights, (row, column)), shape=(number, len(hours) + number))
    who, what = min_weight_full_bipartite_matching(matrix, maximize=True)
    real = what < len(hours)
    place = csr_array((np.arange(1, len(rows) + 1), (patient, hour)), shape=(number, len(hours)))
    picked: Ints = rows[np.asarray(place[who[real], what[real]]).ravel() - 1]
    return np.sort(picked)


def _scarce_set(patient: Ints, hour: Ints) -> tuple[Bools, Bools, int]:
    """Match as many patients as possible; S and N(S) as masks, and the number matched."""
    num_patients, num_hours = int(patient.max(initial=-1)) + 1, int(hour.max(initial=-1)) + 1
    reached, taken = np.zeros(num_patients + 1, dtype=np.bool_), np.zeros(num_hours + 1, dtype=np.bool_)
    if not len(patient):
        return reached, taken, 0
    edges = csr_array((np.ones(len(patient), dtype=np.int8), (patient, hour)), shape=(num_patients, num_hours))
    match = maximum_bipartite_matching(edges, perm_type="column")
    present = np.bincount(patient, minlength=num_patients) > 0
    unmatched = np.flatnonzero(present & (match < 0))
    if len(unmatched):
        owner = np.flatnonzero(match >= 0)
        source = num_patients + num_hours  # joined to every unmatched patient
        tail = np.concatenate([patient, num_patients + match[owner], np.full(len(unmatched), source)])
        head = np.concatenate([num_patients + hour, owner, unmatched])
        paths = csr_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(source + 1, source + 1))
        order = breadth_first_order(paths, source, directed=True, return_predecessors=False)
        reached[order[order < num_patients]] = True
        taken[order[(order >= num_patients) & (order < source)] - num_patients] = True
    return reached, taken, int((match >= 0).sum())


def _at(mask: Bools, index: Ints) -> Bools:
    """The mask at each index, False beyond its end."""
    return mask[np.minimum(index, len(mask) - 1)]


def dense(values: Ints) -> tuple[Ints, Ints]:
    """The distinct values in order, and the position of each value among them."""
    present = np.zeros(int(values.max(initial=-1)) + 1, dtype=np.bool_)
    present[values] = True
    return np.flatnonzero(present), (np.cumsum(present) - 1)[values]

"""Up to k offers for every patient of an ample problem: column generation with rows added when they are broken.

max  Σ m x
s.t. 1 ≤ Σ x ≤ k                for each patient            (1), all of whom are served
         Σ x ≤ 1                for each volunteer and hour (2)
         Σ x ≤ 1                for each patient and hour   (3), once broken
         Σ x ≤ 1                for each pair               (6), once broken
         x ≥ 0                  whole numbers               (7)

With m in fifths every value is whole, so the floor of the linear optimum bounds it, and an answer of that value is
optimal. (6) crosses the patient-hour nodes, which makes this no network flow: fractional optima occur, if rarely, and
then the program is solved in whole numbers over the columns generated, and over all of them if that is not enough.
"""

from dataclasses import dataclass
from typing import Final

import highspy
import numpy as np
from numpy.typing import NDArray

from mhgym.matching.week import Ints

Floats = NDArray[np.float64]

INFINITE: Final = highspy.kHighsInf
WHOLE: Final = 1e-6  # what passes for a whole number; ten times the tolerances of HiGHS
_FIRST, _MORE = 3, 2  # columns that each patient and hour start with, and that a round adds
_DUAL_SIMPLEX: Final = 1


@dataclass(frozen=True, eq=False)
class Ample:
    """The problem.

    Attributes:
        patient: `[n]` of each column, numbered without gaps.
        hour: `[n]` volunteer-hour of each column, likewise.
        meeting: `[n]` the patient and the time of the week, likewise.
        pair: `[n]` the patient and the volunteer, likewise.
        fifths: `[n]` worth.
        most_offers: k.
        start: Columns that serve every patient, each hour, meeting and pair once at most.
    """

    patient: Ints
    hour: Ints
    meeting: Ints
    pair: Ints
    fifths: Ints
    most_offers: int
    start: Ints


@dataclass(frozen=True)
class Solution:
    """An answer and why it is the best.

    Attributes:
        chosen: Columns used.
        bound: No answer is worth more fifths.
        method: What gave the answer.
    """

    chosen: Ints
    bound: int
    method: str


class Master:
    """The program over some of the columns, with those of the rows (3) and (6) that were broken.

    Columns and rows keep the order in which they came; `ids` are the columns by their number in the problem.
    """

    def __init__(self, problem: Ample) -> None:
        self.problem = problem
        self.ids: Ints = np.zeros(0, dtype=np.int64)
        self.present = np.zeros(len(problem.patient), dtype=np.bool_)
        self.patients = int(problem.patient.max()) + 1
        self.rows = 0
        self.highs = highspy.Highs()
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("threads", 1)
        self.highs.setOptionValue("simplex_strategy", _DUAL_SIMPLEX)
        self.highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        self._add_rows(np.ones(self.patients), float(problem.most_offers))
        self._add_rows(np.full(int(problem.hour.max()) + 1, -INFINITE), 1.0)
        # Row of each meeting and of each pair, -1 while it has none.
        self.lazy = [np.full(int(of.max()) + 1, -1) for of in (problem.meeting, problem.pair)]

    def add(self, columns: Ints) -> None:
        """Add columns that are not there yet."""
        problem = self.problem
        new = columns[~self.present[columns]]
        self.present[new] = True
        self.ids = np.concatenate([self.ids, new])
        rows = np.stack([problem.patient[new], self.patients + problem.hour[new], *self._lazy_rows(new)], axis=1)
        used = rows >= 0
        starts = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
        count, zeros = len(new), np.zeros(len(new))
        self.highs.addCols(
            *(count, problem.fifths[new].astype(np.float64), zeros, np.full(count, INFINITE)),
            *(int(starts[-1]), starts[:-1].astype(np.int32), rows[used].astype(np.int32), np.ones(int(starts[-1]))),
        )

    def solve(self) -> tuple[Floats, Floats, float]:
        """Values of the columns, dual values of the rows, and the optimum.

        Raises:
            RuntimeError: If HiGHS does not end at an optimum.
        """
        self.highs.run()
        status = self.highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"HiGHS must end at an optimum, got {self.highs.modelStatusToString(status)}")
        solution = self.highs.getSolution()
        return np.array(solution.col_value), np.array(solution.row_dual), self.highs.getObjectiveValue()

    def solve_whole(self) -> Ints:
        """The columns used by an optimum in whole numbers that keeps every row."""
        count = len(self.ids)
        kinds = np.full(count, highspy.HighsVarType.kInteger)
        self.highs.changeColsIntegrality(count, np.arange(count, dtype=np.int32), kinds)
        self.highs.setOptionValue("mip_rel_gap", 0.0)
        self.highs.setOptionValue("mip_abs_gap", 0.5)  # values are whole
        while True:
            values = np.rint(self.solve()[0])
            if not self.cut(values):
                used: Ints = self.ids[values == 1]
                return used

    def cut(self, values: Floats) -> int:
        """Add the rows (3) and (6) that the values break; how many."""
        added = 0
        for lazy, of in zip(self.lazy, (self.problem.meeting, self.problem.pair), strict=True):
            own = of[self.ids]
            broken = np.bincount(own, values, minlength=len(lazy)) > 1 + WHOLE
            for name in np.flatnonzero(broken & (lazy < 0)):
                members = np.flatnonzero(own == name).astype(np.int32)
                self.highs.addRow(-INFINITE, 1.0, len(members), members, np.ones(len(members)))
                lazy[name] = self.rows
                self.rows += 1
                added += 1
        return added

    def reduced_costs(self, duals: Floats) -> Floats:
        """`[n]` what one unit of each column would add to the optimum."""
        problem = self.problem
        padded = np.concatenate([duals, np.zeros(self.rows - len(duals) + 1)])  # rows just added, and row -1
        every = np.arange(len(problem.patient))
        price = padded[problem.patient] + padded[self.patients + problem.hour]
        for rows in self._lazy_rows(every):
            price += padded[rows]
        gains: Floats = problem.fifths - price
        return gains

    def _lazy_rows(self, columns: Ints) -> tuple[Ints, Ints]:
        problem = self.problem
        return self.lazy[0][problem.meeting[columns]], self.lazy[1][problem.pair[columns]]

    def _add_rows(self, low: Floats, high: float) -> None:
        count = len(low)
        none = np.zeros(0, dtype=np.int32)
        self.highs.addRows(count, low, np.full(count, high), 0, np.zeros(count, dtype=np.int32), none, np.zeros(0))
        self.rows += count


def solve_ample(problem: Ample) -> Solution:
    """The most compatible offers, at least one and at most k for each patient."""
    master, values, gains, optimum = _linear_optimum(problem)
    # Each hour is used once, so reduced costs within the tolerance add no more than this to the optimum.
    slack = WHOLE * (1 + optimum + problem.hour.max())
    bound = int(np.floor(optimum + slack))
    if np.abs(values - np.rint(values)).max() < WHOLE:
        chosen = master.ids[np.rint(values) == 1]
        if _worth(problem, chosen) == bound:
            return Solution(chosen, bound, "linear program")
    chosen = master.solve_whole()
    if _worth(problem, chosen) == bound:
        return Solution(chosen, bound, "integer program over the columns generated")
    # A better answer is worth at least one fifth more, so it has no column that costs more than what is left.
    left = optimum - (_worth(problem, chosen) + 1)
    master.add(np.flatnonzero(gains >= -left - slack))
    chosen = master.solve_whole()
    return Solution(chosen, _worth(problem, chosen), "integer program over all columns that could matter")


def _worth(problem: Ample, chosen: Ints) -> int:
    return int(problem.fifths[chosen].sum())


def _linear_optimum(problem: Ample) -> tuple[Master, Floats, Floats, float]:
    """Generate columns and rows until none is missing; the program, its values, reduced costs and optimum."""
    master = Master(problem)
    # Whole scores tie; a fixed small jitter spreads the choice among equals over the hours.
    jitter = np.random.default_rng(0).uniform(0, 0.5, len(problem.patient))
    every = np.arange(len(problem.patient))
    master.add(np.unique(np.concatenate([problem.start, *_best(problem, every, problem.fifths + jitter, _FIRST)])))
    while True:
        values, duals, optimum = master.solve()
        cut = master.cut(values)
        gains = master.reduced_costs(duals)
        better = np.flatnonzero((gains > WHOLE) & ~master.present)
        if not cut and not len(better):
            return master, values, gains, optimum
        if len(better):
            master.add(np.unique(np.concatenate(_best(problem, better, (gains + 1e-3 * jitter)[better], _MORE))))


def _best(problem: Ample, ids: Ints, worth: Floats, number: int) -> tuple[Ints, Ints]:
    """The best columns of every patient and of every hour, of those given."""
    return ids[_top(problem.patient[ids], worth, number)], ids[_top(problem.hour[ids], worth, number)]


def _top(group: Ints, worth: Floats, number: int) -> Ints:
    """Indices of the `number` largest of each group."""
    order = np.lexsort((-worth, group))
    sorted_group = group[order]
    first = np.flatnonzero(np.diff(sorted_group, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
    return order[rank < number]

"""The 24-person optimum of Chiang et al. 2024, whose split over the shifts is not published: all that it can be.

The authors added staff to their base case step by step, so the splits that extend it are enumerated; beyond them the
best is searched for by moving one post at a time.
"""

from collections.abc import Iterator
from itertools import combinations, pairwise, permutations, product

import joblib
import numpy as np
from numpy.typing import NDArray

from experiments.studies.open_up_figures import OPTIMUM_TOTALS
from experiments.studies.open_up_play import MONTH, Rosters
from mhgym.presets.open_up_roster import BASE_STAFFING, ROLE_NAMES, SHIFTS
from mhgym.processes.arrivals import ArrivalLaw

Split = dict[str, dict[str, int]]


def compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to write a total as an ordered sum of so many numbers of at least 0."""
    for bars in combinations(range(total + parts - 1), parts - 1):
        edges = (-1, *bars, total + parts - 1)
        yield tuple(right - left - 1 for left, right in pairwise(edges))


def extensions_of_base() -> list[Split]:
    """Every split of the optimum that has at least the base case in every shift and role."""
    spare = {role: OPTIMUM_TOTALS[role] - sum(BASE_STAFFING[shift][role] for shift in SHIFTS) for role in ROLE_NAMES}
    added = [list(compositions(spare[role], len(SHIFTS))) for role in ROLE_NAMES]
    return [_extended(choice) for choice in product(*added)]


def neighbours(split: Split) -> list[Split]:
    """Every split in which one post has moved to another shift."""
    moved = []
    for role, (left, entered) in product(ROLE_NAMES, permutations(SHIFTS, 2)):
        if split[left][role]:
            other = {shift: dict(roles) for shift, roles in split.items()}
            other[left][role] -= 1
            other[entered][role] += 1
            moved.append(other)
    return moved


def climb(split: Split, law: ArrivalLaw, seed: int, workers: int) -> tuple[Split, int]:
    """The best split that moves of one post lead to, the steepest first, and how many splits were tried."""
    best, tried = float(rank([split], law, seed, 1)[0]), 1
    while True:
        around = neighbours(split)
        ranked = rank(around, law, seed, workers)
        tried += len(around)
        if ranked.max() <= best:
            return split, tried
        split, best = around[int(ranked.argmax())], float(ranked.max())


def _extended(added: tuple[tuple[int, ...], ...]) -> Split:
    """The base case with so many more of each role, shift by shift."""
    return {
        shift: {role: BASE_STAFFING[shift][role] + more[k] for role, more in zip(ROLE_NAMES, added, strict=True)}
        for k, shift in enumerate(SHIFTS)
    }


def rank(splits: list[Split], law: ArrivalLaw, seed: int, workers: int) -> NDArray[np.float64]:
    """`[n]` conversion of each split in the authors' rules on one replication of the month, the same for all."""
    parts = joblib.Parallel(n_jobs=workers)(
        joblib.delayed(_conversions)(splits[first::workers], law, seed) for first in range(workers)
    )
    ranked = np.empty(len(splits))
    for first, part in enumerate(parts):
        ranked[first::workers] = part
    return ranked


def _conversions(splits: list[Split], law: ArrivalLaw, seed: int) -> list[float]:
    rules = {"queue_discipline": "paper", "horizon": MONTH}
    rosters = Rosters("OpenUpPaper", (seed,), arrivals=law, **rules)
    return [float(rosters.measure(split).conversion[0]) for split in splits]


def words(split: Split) -> str:
    """Volunteers, full-time staff and duty officers by shift, such as `4/3/2/1, 3/3/3/2, 1/1/1/0`."""
    return ", ".join("/".join(str(split[shift][role]) for shift in SHIFTS) for role in ROLE_NAMES)

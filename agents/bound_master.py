"""Putting routes together: each caller in one of them at most, each counsellor with one at most.

max  Σ_r v_r x_r
s.t. Σ_{r serves i} x_r ≤ 1    for each contact i       (prices λ_i ≥ 0)
     Σ_{r of j} x_r ≤ 1        for each counsellor j    (rents μ_j ≥ 0)
     x_r ∈ {0, 1}
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from agents.bound_routes import Route

Floats = NDArray[np.float64]


class Relaxed(NamedTuple):
    """The linear relaxation over some routes: its optimum, `[n]` prices of contacts, `[C]` rents of counsellors."""

    objective: float
    prices: Floats
    rents: Floats


class Chosen(NamedTuple):
    """The best choice of routes found, what no choice of them exceeds, and whether the search was finished."""

    routes: list[Route]
    upper: float
    finished: bool


def relax(routes: Sequence[Route], num_contacts: int, num_counsellors: int) -> Relaxed:
    """Solve the linear relaxation.

    Raises:
        RuntimeError: If HiGHS does not solve it.
    """
    values = np.array([route.value for route in routes])
    rows = _rows(routes, num_contacts, num_counsellors)
    result = linprog(-values, A_ub=rows, b_ub=np.ones(num_contacts + num_counsellors), method="highs")
    if result.status != 0:
        raise RuntimeError(f"the relaxation over {len(routes)} routes was not solved: {result.message}")
    duals = np.maximum(0.0, -result.ineqlin.marginals)  # rounding can leave a dual a little below 0
    return Relaxed(-float(result.fun), duals[:num_contacts], duals[num_contacts:])


def choose(routes: Sequence[Route], num_contacts: int, num_counsellors: int, time_limit: float) -> Chosen:
    """Solve the model within a number of seconds; without any solution by then, nobody is answered.

    Raises:
        RuntimeError: If HiGHS stops for another reason than the limit.
    """
    if not routes:
        return Chosen([], 0.0, True)
    values = np.array([route.value for route in routes])
    result = milp(
        -values,
        constraints=LinearConstraint(_rows(routes, num_contacts, num_counsellors), -np.inf, 1.0),
        integrality=np.ones(len(routes)),
        bounds=Bounds(0.0, 1.0),
        options={"time_limit": time_limit, "mip_rel_gap": 0.0},
    )
    if result.status not in (0, 1):
        raise RuntimeError(f"the choice among {len(routes)} routes was not solved: {result.message}")
    picked = [] if result.x is None else [routes[k] for k in np.flatnonzero(result.x > 0.5).tolist()]
    dual = result.mip_dual_bound
    upper = float(values[values > 0].sum()) if dual is None else -float(dual)
    return Chosen(picked, upper, result.status == 0)


def _rows(routes: Sequence[Route], num_contacts: int, num_counsellors: int) -> csr_array:
    row = [index for route in routes for index in (*route.contacts, num_contacts + route.counsellor)]
    column = np.repeat(np.arange(len(routes)), [len(route.contacts) + 1 for route in routes])
    return csr_array((np.ones(len(row)), (row, column)), shape=(num_contacts + num_counsellors, len(routes)))

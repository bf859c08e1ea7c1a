"""The model of WPI 2024 as printed, every x of it, for small weeks: what the fast matcher is tested against.

max  f1 = Σ c_s y_p,  then  f2 = Σ m_pv x_pvt,  then  f3 = Σ y_p,  each with the ones before it held at their best
s.t. y_p ≤ Σ_v Σ_{t ∈ T_p ∩ T_v} x_pvt ≤ k y_p       for each p             (1)
     Σ_p x_pvt ≤ 1                                   for each v, t ∈ T_v    (2)
     Σ_v x_pvt ≤ 1                                   for each p, t ∈ T_p    (3)
     Σ_{t ∉ T_p} Σ_v x_pvt = 0                       for each p             (4)
     Σ_{t ∉ T_v} Σ_p x_pvt = 0                       for each v             (5)
     Σ_t x_pvt ≤ l_pv                                for each p, v          (6)
     x_pvt ∈ {0, 1}                                                         (7)
     y_p ∈ {0, 1}                                                           (8)

Two readings of the print: f2's c_pv is the matching score m_pv, in fifths here; and l_pv is 0 for a minor without a
guardian's consent (the report's future work).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack

from mhgym.matching import Offers, Week, common_language, fifths
from mhgym.matching.offers import severity_coefficients
from mhgym.matching.traits import SEVERITIES
from mhgym.matching.week import Bools, Ints

#: HiGHS takes y for whole within 1e-6, so a larger first objective can lose a patient.
LARGEST_OBJECTIVE: Final = 10**6


def offer_as_printed(
    week: Week,
    most_offers: int,
    *,
    coefficients: Sequence[int] | None = None,
    objectives: int = 3,
    time_limit: float | None = None,
) -> Offers:
    """Solve the printed model.

    Args:
        week: Patients and volunteers.
        most_offers: The report's k.
        coefficients: One for each severity; the report's own if None.
        objectives: How many of the three are solved; 1 and 2 show what the later ones change.
        time_limit: Seconds for each objective.

    Raises:
        ValueError: If the coefficients are too large for the solver's tolerance.
        RuntimeError: If an objective is not solved, within the limit or at all.
    """
    severity = week.patients.severity
    size = (len(week.patients), len(week.volunteers), week.patients.slots.shape[1])
    if not np.prod(size):
        return Offers.none()
    weights = coefficients or severity_coefficients(np.bincount(severity, minlength=SEVERITIES))
    total = sum(weights[level] for level in severity.tolist())
    if total > LARGEST_OBJECTIVE:
        raise ValueError(
            f"coefficients of severity may add up to {LARGEST_OBJECTIVE} for the solver to tell patients apart, got "
            f"{total}; use the fast matcher, or pass smaller increasing coefficients, which have the same optimum"
        )
    patient, volunteer, slot = (index.ravel() for index in np.indices(size))
    scores = fifths(week.patients, week.volunteers).astype(np.float64)
    no_x, no_y = np.zeros(len(patient)), np.zeros(size[0])
    stages = [
        np.concatenate([no_x, np.array([weights[level] for level in severity], dtype=np.float64)]),
        np.concatenate([scores[patient, volunteer], no_y]),
        np.concatenate([no_x, no_y + 1.0]),
    ]
    constraints = _constraints(week, most_offers, patient, volunteer, slot)
    for stage in stages[:objectives]:
        answer = milp(
            -stage,
            integrality=np.ones(len(stage)),
            bounds=Bounds(0, 1),
            constraints=constraints,
            options={"mip_rel_gap": 0.0} | ({} if time_limit is None else {"time_limit": time_limit}),
        )
        if answer.status != 0:
            raise RuntimeError(f"an objective must be solved to its optimum, got {answer.message!r}")
        best = np.rint(stage @ np.rint(answer.x))
        constraints.append(LinearConstraint(csr_array(stage[None, :]), best - 0.5, np.inf))  # whole numbers
    x = np.rint(answer.x[: len(patient)]) == 1
    order = np.lexsort((volunteer[x], slot[x], patient[x]))
    return Offers(patient[x][order], volunteer[x][order], slot[x][order])


def _constraints(week: Week, most_offers: int, patient: Ints, volunteer: Ints, slot: Ints) -> list[LinearConstraint]:
    """Constraints (1) to (6) on x, flattened, followed by y."""
    seekers, helpers = week.patients, week.volunteers
    num_patients, num_volunteers, num_slots = len(seekers), len(helpers), seekers.slots.shape[1]
    seeker_free, helper_free = seekers.slots[patient, slot], helpers.slots[volunteer, slot]
    allowed = common_language(seekers, helpers) & seekers.eligible[:, None]

    def total(rows: Ints, number: int, where: Bools | None = None) -> csr_array:
        """Σ x by row, over the x for which `where` holds."""
        kept = np.arange(len(rows)) if where is None else np.flatnonzero(where)
        return csr_array((np.ones(len(kept)), (rows[kept], kept)), shape=(number, len(rows)))

    def with_y(sums: csr_array, factor: float) -> csr_array:
        """Σ x + factor · y, by patient."""
        own: NDArray[np.float64] = np.eye(num_patients) * factor
        return csr_array(hstack([sums, csr_array(own)]))

    def alone(sums: csr_array) -> csr_array:
        """Σ x without y."""
        return csr_array(hstack([sums, csr_array((sums.shape[0], num_patients))]))

    offered = total(patient, num_patients, seeker_free & helper_free)
    hours, meetings = volunteer * num_slots + slot, patient * num_slots + slot
    pairs = patient * num_volunteers + volunteer
    return [
        LinearConstraint(with_y(offered, -1.0), 0, np.inf),  # (1), left
        LinearConstraint(with_y(offered, -float(most_offers)), -np.inf, 0),  # (1), right
        LinearConstraint(alone(total(hours, num_volunteers * num_slots, helper_free)), -np.inf, 1),  # (2)
        LinearConstraint(alone(total(meetings, num_patients * num_slots, seeker_free)), -np.inf, 1),  # (3)
        LinearConstraint(alone(total(patient, num_patients, ~seeker_free)), 0, 0),  # (4)
        LinearConstraint(alone(total(volunteer, num_volunteers, ~helper_free)), 0, 0),  # (5)
        LinearConstraint(alone(total(pairs, num_patients * num_volunteers)), -np.inf, allowed.ravel()),  # (6)
    ]

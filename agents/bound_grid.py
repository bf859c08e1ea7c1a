"""The offline optimum as a time-indexed model on a grid: weaker and slower than routes, and independent of them.

x_ijt = 1 if counsellor j answers contact i in the slot that begins at t; m_ij whole slots of service, rounded down.

max  Σ v_ij x_ijt
s.t. Σ_jt x_ijt ≤ 1                             for each contact i
     Σ_i Σ_{t − m_ij < s ≤ t} x_ijs ≤ 1         for each counsellor j, slot t
     x_ijt ∈ {0, 1}, for the slots t that touch [arrival, arrival + patience] and the shift

No schedule is lost: put every start down to its slot. Two starts s ≤ s' of one counsellor with s' − s ≥ minutes are at
least m_ij slots apart. Fatigue is relaxed to none: the best feedback and the shortest service of the pair, whatever the
number of earlier contacts.

Source: Sousa & Wolsey (1992), "A time indexed formulation of non-preemptive single machine scheduling problems".
"""

from dataclasses import dataclass, field
from math import floor
from time import perf_counter
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from agents.bound import Bound, Payoffs, PerArrival, check_defined
from agents.bound_routes import Terms, open_between
from mhgym.scenario import Scenario
from mhgym.trace import Trace


class _Start(NamedTuple):
    """One x_ijt: contact, counsellor, slot, slots of service, value."""

    contact: int
    counsellor: int
    slot: int
    length: int
    value: float


@dataclass(frozen=True)
class TimeIndexedBound:
    """What no policy exceeds on one trace, by a time-indexed model.

    Attributes:
        scenario: As for `ClairvoyantBound`.
        step: Width of a slot, minutes.
        payoffs: What is maximised; a cost of waiting is left out, which loses no schedule.
        most_chats: Earlier contacts over which a pair's best is taken where contacts do not only tire.

    Raises:
        ValueError: If the bound is not defined for the scenario, or a setting is not positive.
    """

    scenario: Scenario
    step: float = 1.0
    payoffs: Payoffs = field(default_factory=PerArrival)
    most_chats: int = 40

    def __post_init__(self) -> None:
        check_defined(self.scenario)
        for name in ("step", "most_chats"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")

    def solve(self, trace: Trace, *, time_limit: float = 30.0) -> Bound:
        """Bound one trace; `value` is that of the model's best solution, which no schedule need have.

        Raises:
            RuntimeError: If HiGHS stops for another reason than the limit.
        """
        begun = perf_counter()
        terms = self.payoffs.terms(self.scenario, trace)
        starts = [start for i in np.flatnonzero(trace.accepted).tolist() for start in self._starts(trace, i, terms)]
        if not starts:
            return Bound(terms.constant, terms.constant, seconds=perf_counter() - begun)
        values = np.array([start.value for start in starts])
        result = milp(
            -values,
            constraints=LinearConstraint(_rows(starts), -np.inf, 1.0),
            integrality=np.ones(len(starts)),
            bounds=Bounds(0.0, 1.0),
            options={"time_limit": time_limit, "mip_rel_gap": 0.0},
        )
        if result.status not in (0, 1):
            raise RuntimeError(f"the model of {len(starts)} starts was not solved: {result.message}")
        value = 0.0 if result.x is None else float(values[result.x > 0.5].sum())
        upper = values.sum() if result.mip_dual_bound is None else -result.mip_dual_bound
        upper = terms.constant + max(value, float(upper))
        return Bound(terms.constant + value, upper, routes=len(starts), seconds=perf_counter() - begun)

    def _starts(self, trace: Trace, contact: int, terms: Terms) -> list[_Start]:
        starts = []
        arrives = float(trace.arrived_at[contact])
        leaves = arrives + trace.patience(contact)
        for counsellor, person in enumerate(self.scenario.roster):
            opens, closes = open_between(person, self.scenario)
            first, last = max(arrives, opens), min(leaves, closes)
            if first > last or trace.risk[contact] not in person.risks:
                continue
            chats = range(1 if terms.tiring else self.most_chats)
            outcomes = [terms.of_pair(contact, counsellor, level) for level in chats]
            value, length = max(v for v, _ in outcomes), floor(min(m for _, m in outcomes) / self.step)
            slots = range(floor(first / self.step), floor(last / self.step) + 1)
            starts += [_Start(contact, counsellor, slot, length, value) for slot in slots if slot * self.step < closes]
        return starts


def _rows(starts: list[_Start]) -> csr_array:
    """One row for each contact, then one for each counsellor and slot in which a contact can begin."""
    names: dict[tuple[int, int], int] = {}
    begins = {(start.counsellor, start.slot) for start in starts}
    row, column = [], []
    for k, start in enumerate(starts):
        taken = [(start.counsellor, slot) for slot in range(start.slot, start.slot + start.length)]
        for name in [(-1, start.contact), *(name for name in taken if name in begins)]:
            row.append(names.setdefault(name, len(names)))
            column.append(k)
    return csr_array((np.ones(len(row)), (row, column)), shape=(len(names), len(starts)))

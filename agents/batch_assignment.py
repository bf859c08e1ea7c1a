"""The exact assignment of all requests that wait for nobody yet to the free slots and inboxes of therapists.

Requests `i`, columns `k`: for each counsellor one for each contact that he or she takes now, the free slots and then
the room in the inbox, so that column k stands behind `ahead[k]` contacts of its counsellor. With x[i, k] = 1 if request
i is given to column k:

    maximise  sum of (M + quality[i, k] - burden · ahead[k]) x[i, k]
    subject to  sum over k of x[i, k] <= 1,  sum over i of x[i, k] <= 1,  x = 0 where the pair is not legal,

with M above any total of the rest: as many as possible first. The price of what stands ahead grows with every contact
of a counsellor, so it is the multiplier of a limit on their load; a fair share for newcomers is a price, too, which
`agents.fair_share` puts on it. What the objective loses by them is the cost of equity.
"""

from dataclasses import dataclass

import numpy as np

from agents.index_rules import check_at_least
from agents.ip_matcher import UNITS, assign, severity_weights
from mhgym.scenario import Scenario
from mhgym.view import HOLD, CentreView, Pair


@dataclass
class BatchAssignment:
    """Assigns at every epoch and routes the first pair, in queue order.

    Attributes:
        burden: Quality that every contact which the counsellor has already costs. 0 for the best matches alone.
        name: Label in tables.
    """

    burden: float = 0.0
    name: str = "batch_assignment"

    def __post_init__(self) -> None:
        check_at_least(0.0, burden=self.burden)

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: CentreView) -> Pair:
        """The first pair of the best assignment, or HOLD if nothing is legal."""
        staff = view.staff
        free = np.where(staff.can_take, staff.capacity - staff.in_hand, 0)
        places = np.where(view.legal.any(axis=0), free + staff.room, 0)
        counsellor = np.repeat(np.arange(len(staff)), places)
        before = np.repeat(np.cumsum(places) - places, places)
        ahead = (staff.in_hand + staff.pending)[counsellor] + np.arange(len(counsellor)) - before
        value = np.rint(UNITS * (view.quality[:, counsellor] - self.burden * ahead)).astype(np.int64)
        nobody_first = np.zeros(len(view.waiting), dtype=np.int64)
        pairs = assign(severity_weights(value, view.legal[:, counsellor], nobody_first))
        return Pair(pairs[0][0], int(counsellor[pairs[0][1]])) if pairs else HOLD

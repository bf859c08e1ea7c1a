"""When counsellors who are fully occupied now can be expected to take something new."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mhgym.scenario import Scenario
from mhgym.view import CentreView, Phase

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StaffClock:
    """What the public scenario says of when counsellors are free again.

    Attributes:
        wrap_up: Minutes after a contact.
        takes_until: For each counsellor the end of each shift, and the minute from which nothing new is taken in it.
    """

    wrap_up: float
    takes_until: tuple[dict[float, float], ...]

    @classmethod
    def of(cls, scenario: Scenario) -> "StaffClock":
        """Read a scenario."""
        drains = scenario.rules.closing == "drain"
        return cls(
            scenario.rules.wrap_up,
            tuple(
                {
                    shift.end: np.inf
                    if drains and shift.end >= scenario.horizon
                    else shift.end - (scenario.rules.cutoff if shift.cutoff is None else shift.cutoff)
                    for shift in person.shifts
                }
                for person in scenario.roster
            ),
        )

    def minutes_until_free(self, view: CentreView) -> Floats:
        """`[C]` predicted minutes until a fully occupied counsellor has a free slot; infinite for all others.

        Those who leave for a break next, or would take nothing any more by then, count as others.
        """
        staff, hands = view.staff, view.in_hand
        rest = hands.remaining + np.where(hands.phase == Phase.SERVICE, self.wrap_up, 0.0)
        least = np.full(len(staff), np.inf)
        np.minimum.at(least, hands.counsellor, rest)
        stays = staff.on_duty & ~staff.on_break & (staff.in_hand >= staff.capacity) & (staff.break_due == 0)
        until = [self.takes_until[j].get(end, -np.inf) for j, end in enumerate(staff.off_at.tolist())]
        return np.where(stays & (view.now + least < np.array(until)), least, np.inf)

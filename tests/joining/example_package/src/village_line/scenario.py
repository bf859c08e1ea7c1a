"""A scenario of one's own."""

from dataclasses import dataclass
from typing import ClassVar

from mhgym.domain import Counsellor, Role, Roster, Shift
from mhgym.presets import Preset
from mhgym.presets.eran_population import ERAN_OUTCOMES, ERAN_REMAINING, EranPopulation, EranStaff
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.scenario import Rules, Scenario, Weights


@dataclass(kw_only=True)
class Village(Preset):
    """A morning of 4 hours with 2 volunteers and ERAN's callers; every other number is an assumption.

    `flow` is the mean of calls per hour (9), `staffing` the number of volunteers (2).

    Attributes:
        coffee: Minutes of the break that each volunteer has in the middle.
    """

    coffee: float = 15.0

    default_weights: ClassVar[Weights] = Weights(quality=0.5, quantity=0.5)
    refused: ClassVar[frozenset[str]] = frozenset({"arrivals", "newcomers"})

    def _build(self) -> Scenario:
        horizon = 240.0 if self.horizon is None else float(self.horizon)
        flow = 9.0 if self.flow is None else float(self.flow)
        volunteers = 2 if self.staffing is None else int(self.staffing)
        shift = Shift(start=0.0, end=horizon, breaks=((horizon / 2, horizon / 2 + self.coffee),))
        return Scenario(
            name=type(self).__name__,
            roster=Roster((Counsellor(Role.VOLUNTEER, (shift,)),) * volunteers),
            arrivals=PoissonArrivals(HourlyRates((flow,))),
            population=EranPopulation(),
            outcomes=ERAN_OUTCOMES,
            staff=EranStaff(),
            remaining=ERAN_REMAINING,
            horizon=horizon,
            rules=Rules(on_break="postpone", wrap_up=5.0),
        )

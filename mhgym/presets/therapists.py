"""Therapists with inboxes, volunteers who bridge the wait, newcomers (after Chanda's matching of users and therapists).

A request is allocated to one therapist and waits in that one's inbox; volunteers keep those company who wait, which
renews their patience without closing the request. No data: every number is an assumption.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from mhgym.domain import Counsellor, Risk, Role, Roster, Shift
from mhgym.presets.base import Preset, choose_law, positive_rate, suggest
from mhgym.presets.eran import count_staff, replay
from mhgym.presets.therapists_population import THERAPIST_OUTCOMES, TherapistCallers, TherapistStaff
from mhgym.processes.arrivals import ArrivalLaw, HourlyRates, PoissonArrivals
from mhgym.scenario import Rules, Scenario, Weights

_DAY = 1440.0  # minutes, by definition
FLOWS = {"standard": 3.0, "heavy": 4.0}  # requests per hour, day and night
# Requests of each hour of the day over those of the mean hour.
_SHAPE = (*(0.3,) * 8, *(1.3,) * 4, *(1.5,) * 6, *(1.3,) * 5, 0.9)
# On duty and break, minutes of each day: every second therapist starts late, every second volunteer works late.
_THERAPIST_DAYS = ((480.0, 960.0, ((720.0, 765.0),)), (840.0, 1320.0, ((1080.0, 1125.0),)))
_VOLUNTEER_DAYS = ((480.0, 840.0, ()), (840.0, 1320.0, ()))
_VOLUNTEER_CAPACITY = 2  # contacts at once
_NOT_HIGH = frozenset({Risk.LOW, Risk.MEDIUM})  # what newcomers may take


@dataclass(kw_only=True)
class Therapists(Preset):
    """Three days from midnight, with 12 therapists of whom 3 are newcomers in the first two, and 4 volunteers.

    `staffing` is the number of therapists; `newcomers` how many of them are new. `flow` is `standard` (3 requests an
    hour in the mean of day and night), `heavy` (4) or a number. `arrivals` is `preset` (Poisson) or `replay`.

    Attributes:
        volunteers: Their number.
        inbox: Requests that may wait for each therapist.
        new_for: Minutes from the start for which newcomers are new.
    """

    volunteers: int = 4
    inbox: int = 3
    new_for: float = 2 * _DAY

    default_weights: ClassVar[Weights] = Weights(quality=0.5, quantity=0.2, burden=0.15, fairness=0.15)
    preset_horizon: ClassVar[float] = 3 * _DAY
    preset_staffing: ClassVar[int] = 12
    preset_newcomers: ClassVar[int] = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("volunteers", "inbox"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int):
                raise TypeError(f"{name} must be a whole number, got {number!r}")
        if self.volunteers < 0:
            raise ValueError(f"volunteers must be at least 0, got {self.volunteers}")
        if self.inbox < 1:
            raise ValueError(f"inbox must have room for at least 1 request, got {self.inbox}")
        if isinstance(self.new_for, bool) or not isinstance(self.new_for, int | float):
            raise TypeError(f"new_for must be a number of minutes, got {self.new_for!r}")

    def _law(self) -> ArrivalLaw:
        flow = "standard" if self.flow is None else self.flow
        if isinstance(flow, str) and flow not in FLOWS:
            raise ValueError(f"unknown flow {flow!r}{suggest(flow, list(FLOWS))}")
        per_hour = FLOWS[flow] if isinstance(flow, str) else positive_rate(flow, "flow")
        scale = per_hour * len(_SHAPE) / sum(_SHAPE)
        poisson = PoissonArrivals(HourlyRates(tuple(share * scale for share in _SHAPE)))
        laws = {"preset": lambda: poisson, "poisson": lambda: poisson, "replay": lambda: replay(self, poisson)}
        return choose_law(self.arrivals, laws)

    def _roster(self, horizon: float) -> Roster:
        size = count_staff(self.staffing, self.preset_staffing)
        newcomers = min(size, self.preset_newcomers if self.newcomers is None else self.newcomers)
        people = []
        for j in range(size):
            shifts, new = _every_day(_THERAPIST_DAYS[j % 2], horizon), j >= size - newcomers
            risks, until = (_NOT_HIGH, float(self.new_for)) if new else (frozenset(Risk), math.inf)
            people.append(Counsellor(Role.THERAPIST, shifts, 1, risks, new, new_until=until, inbox=self.inbox))
        for j in range(self.volunteers):
            shifts = _every_day(_VOLUNTEER_DAYS[j % 2], horizon)
            people.append(Counsellor(Role.VOLUNTEER, shifts, _VOLUNTEER_CAPACITY))
        return Roster(tuple(people))

    def _build(self) -> Scenario:
        horizon = self.preset_horizon if self.horizon is None else float(self.horizon)
        return Scenario(
            name=type(self).__name__,
            roster=self._roster(horizon),
            arrivals=self._law(),
            population=TherapistCallers(),
            outcomes=THERAPIST_OUTCOMES,
            staff=TherapistStaff(),
            horizon=horizon,
            rules=Rules(
                cutoff=60.0,
                wrap_up=10.0,
                zombie_wrap_up=5.0,
                on_sign_out="finish",
                on_break="postpone",
                zombies="evicted",
                closing="cut",
                bridges=2,
                bridge_minutes=15.0,
            ),
            service_level_minutes=60.0,
        )


def _every_day(day: tuple[float, float, tuple[tuple[float, float], ...]], horizon: float) -> tuple[Shift, ...]:
    """The same shift on each day that begins before the horizon."""
    start, end, breaks = day
    days = [_DAY * number for number in range(int(horizon // _DAY) + 1) if _DAY * number + start < horizon]
    return tuple(
        Shift(start + day, end + day, tuple((begin + day, finish + day) for begin, finish in breaks)) for day in days
    )

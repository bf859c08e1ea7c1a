"""ERAN, a hotline in Israel (Kleinerman, Rosenfeld & Rosemarin 2022): one call at a time, no zombies.

The paper gives flows and staffing as ranges. Shift length and staffing of the short presets fit its FCFS Quantity (they
are not identified: 120 minutes with 3 counsellors and 60 with 4 fit); `EranDay` is the realistic companion.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from mhgym.domain import Counsellor, Role, Roster, Shift
from mhgym.presets.base import Preset, choose_law, positive_rate, suggest
from mhgym.presets.eran_population import ERAN_OUTCOMES, ERAN_REMAINING, EranPopulation, EranStaff
from mhgym.processes.arrivals import (
    OPEN_UP_DAILY_DISPERSION,
    OPEN_UP_HOURLY_DISPERSION,
    ArrivalLaw,
    ConditionedPoisson,
    HawkesArrivals,
    HourlyRates,
    OverdispersedPoisson,
    PoissonArrivals,
    RateProfile,
    ReplayArrivals,
    SinusoidalRate,
    read_gaps,
)
from mhgym.scenario import Rules, Scenario, Weights

HAWKES_BRANCHING, HAWKES_DECAY = (
    0.2,
    1.0 / 30.0,
)  # offspring per arrival; per minute, so 30 minutes of mean delay; assumption


class Flow(NamedTuple):
    """Calls per hour: mean of the Poisson law, and the bounds on a shift's count, given as bounds per hour."""

    per_hour: float
    minimum: float = 0.0  # by definition: a plain rate has no bounds
    maximum: float | None = None


#: The paper: standard flow is 5 to 9 calls an hour (about 7), heavy flow at least 10.
FLOWS = {"standard": Flow(7.0, 5.0, 9.0), "heavy": Flow(10.0, 10.0, None)}

# Assumption: 126 calls in 18 hours from 08:00, the paper's 7 an hour, with an evening peak.
_DAY_RATES = (4.0, 4.0, 5.0, 5.0, 5.0, 5.0, 6.0, 6.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 11.0, 10.0, 8.0, 6.0)
# The paper has 2 counsellors in the morning and 4 in the evening. Shifts of 3 hours are an assumption: they keep the
# number of chats in a shift within the 0 to 7 on which fatigue was calibrated.
_DAY_SHIFT = 180.0
_DAY_BELOW_PEAK = (2, 2, 1, 1, 0, 0)


def read_flow(flow: object) -> Flow:
    """A flow by name, or a plain rate without bounds."""
    if isinstance(flow, str):
        if flow not in FLOWS:
            raise ValueError(f"unknown flow {flow!r}{suggest(flow, list(FLOWS))}")
        return FLOWS[flow]
    return Flow(positive_rate(flow, "flow"))


def count_staff(staffing: object, default: int) -> int:
    """A number of counsellors, checked."""
    if staffing is None:
        return default
    if isinstance(staffing, bool) or not isinstance(staffing, int):
        raise TypeError(f"staffing must be a whole number of counsellors, got {staffing!r}")
    if staffing < 1:
        raise ValueError(f"staffing must be at least 1 counsellor, got {staffing}")
    return staffing


@dataclass(kw_only=True)
class _Eran(Preset):
    """An ERAN centre. `staffing` is a number of counsellors; `arrivals` is one of the laws below, by name.

    `preset`: Poisson, conditioned on the flow's bounds; `poisson`: without them; `overdispersed`: with Open Up's
    variance-to-mean ratios (assumption); `hawkes`: calls that trigger calls (assumption); `replay`: recorded gaps.
    """

    default_weights: ClassVar[Weights] = Weights(quality=0.5, quantity=0.5)  # the paper's objective
    preset_flow: ClassVar[str] = "standard"
    preset_horizon: ClassVar[float] = 60.0  # minutes; calibrated on FCFS Quantity
    preset_staffing: ClassVar[int] = 4  # counsellors; the paper's evening

    def _minutes(self) -> float:
        return self.preset_horizon if self.horizon is None else float(self.horizon)

    def _rate(self, flow: Flow) -> RateProfile:
        return SinusoidalRate(flow.per_hour, 0.2, self._minutes())  # share by which the rate swings; assumption

    def _conditioned(self, flow: Flow) -> ArrivalLaw:
        hours = self._minutes() / 60.0
        maximum = None if flow.maximum is None else round(flow.maximum * hours)
        return ConditionedPoisson(self._rate(flow), round(flow.minimum * hours), maximum)

    def _overdispersed(self, flow: Flow) -> ArrivalLaw:
        # Dispersion is defined per hour and per day, so the law takes hourly means over a day.
        rates = self._rate(flow)
        hours = tuple(rates.integral(60.0 * hour, 60.0 * (hour + 1)) for hour in range(24))
        return OverdispersedPoisson(HourlyRates(hours), OPEN_UP_HOURLY_DISPERSION, OPEN_UP_DAILY_DISPERSION)

    def _law(self) -> ArrivalLaw:
        flow = read_flow(self.preset_flow if self.flow is None else self.flow)
        return choose_law(
            self.arrivals,
            {
                "preset": lambda: self._conditioned(flow),
                "poisson": lambda: PoissonArrivals(self._rate(flow)),
                "overdispersed": lambda: self._overdispersed(flow),
                "hawkes": lambda: HawkesArrivals(
                    self._rate(flow._replace(per_hour=flow.per_hour * (1 - HAWKES_BRANCHING))),
                    HAWKES_BRANCHING,
                    HAWKES_DECAY,
                ),
                "replay": lambda: replay(self, PoissonArrivals(self._rate(flow))),
            },
        )

    def _roster(self) -> Roster:
        size = count_staff(self.staffing, self.preset_staffing)
        new = 1 if self.newcomers is None else self.newcomers  # assumption: one counsellor is new
        shift = (Shift(0.0, self._minutes()),)
        return Roster(tuple(Counsellor(Role.VOLUNTEER, shift, new=j >= size - new) for j in range(size)))

    def _build(self) -> Scenario:
        return Scenario(
            name=type(self).__name__,
            roster=self._roster(),
            arrivals=self._law(),
            population=EranPopulation(),
            outcomes=ERAN_OUTCOMES,
            staff=EranStaff(),
            remaining=ERAN_REMAINING,
            horizon=self._minutes(),
            # Assumption: the system sees who leaves, and contacts are not cut off.
            rules=Rules(zombies="evicted", on_sign_out="finish", on_break="postpone", closing="drain"),
            service_level_minutes=1.0,  # minutes; assumption
        )


def replay(preset: Preset, planning_law: ArrivalLaw) -> ArrivalLaw:
    """The recorded gaps that a preset names; planners use `planning_law`."""
    if preset.arrivals_path is None:
        raise ValueError("arrivals 'replay' needs arrivals_path, a file with one gap in minutes a line")
    return ReplayArrivals(tuple(read_gaps(preset.arrivals_path, preset.arrivals_column)), planning_law)


@dataclass(kw_only=True)
class EranHeavy(_Eran):
    """One hour of heavy flow with 4 counsellors (hour and staffing calibrated on FCFS Quantity .845)."""

    preset_flow: ClassVar[str] = "heavy"
    preset_horizon: ClassVar[float] = 60.0  # minutes; calibrated on FCFS Quantity .845


@dataclass(kw_only=True)
class EranStandard(_Eran):
    """Two hours of standard flow with 3 counsellors (hours and staffing calibrated on FCFS Quantity .832)."""

    preset_flow: ClassVar[str] = "standard"
    preset_horizon: ClassVar[float] = 120.0  # minutes; calibrated on FCFS Quantity .832
    preset_staffing: ClassVar[int] = 3  # counsellors; calibrated likewise, the paper has 2 to 4


@dataclass(kw_only=True)
class EranDay(_Eran):
    """A day of 18 hours from 08:00 to 02:00, with an evening peak and shifts of 3 hours.

    `staffing` is the number of counsellors in the evening (4); in the afternoon there is one less, in the morning two.
    """

    preset_horizon: ClassVar[float] = 1080.0  # minutes; the paper: 08:00 to 02:00

    def _rate(self, flow: Flow) -> RateProfile:
        scale = flow.per_hour * len(_DAY_RATES) / sum(_DAY_RATES)
        return HourlyRates(tuple(rate * scale for rate in _DAY_RATES))

    def _conditioned(self, flow: Flow) -> ArrivalLaw:
        return PoissonArrivals(self._rate(flow))  # the paper's bounds are on the hour, and a day has all kinds of hours

    def _roster(self) -> Roster:
        evening = count_staff(self.staffing, self.preset_staffing)
        new = 1 if self.newcomers is None else self.newcomers
        horizon = self._minutes()
        people: list[Counsellor] = []
        for number in range(math.ceil(horizon / _DAY_SHIFT)):
            start = number * _DAY_SHIFT
            shift = (Shift(start, min(start + _DAY_SHIFT, horizon)),)
            size = max(1, evening - _DAY_BELOW_PEAK[number % len(_DAY_BELOW_PEAK)])
            people += [Counsellor(Role.VOLUNTEER, shift, new=j >= size - new) for j in range(size)]
        return Roster(tuple(people))

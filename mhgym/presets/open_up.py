"""Open Up, a 24-hour text service in Hong Kong (Chiang, Law & Yip 2024): zombies, shifts, breaks, concurrent chats."""

from dataclasses import dataclass
from typing import ClassVar

from mhgym.presets.base import Preset, choose_law, positive_rate, suggest
from mhgym.presets.eran import replay
from mhgym.presets.open_up_population import OPEN_UP_OUTCOMES, ROLE_OUTCOMES, OpenUpPopulation, RoleStaff
from mhgym.presets.open_up_roster import DAY, open_up_roster, read_staffing
from mhgym.processes.arrivals import (
    OPEN_UP_DAILY_DISPERSION,
    OPEN_UP_HAWKES_BRANCHING,
    OPEN_UP_HAWKES_DELAY,
    OPEN_UP_HOURLY_DISPERSION,
    OPEN_UP_VISITORS_PER_HOUR,
    ArrivalLaw,
    HawkesArrivals,
    HourlyRates,
    OverdispersedPoisson,
    PoissonArrivals,
)
from mhgym.processes.population import UniformStaff
from mhgym.scenario import Rules, Scenario, Weights

_HEAVY = 1.5  # times the month's rates; assumption


@dataclass(kw_only=True)
class OpenUp(Preset):
    """Open Up with each counsellor's own shift end: what policies should train on.

    One day unless `horizon` says otherwise (10,080 minutes are a week, 43,200 the paper's month), from Sunday 00:00
    with the night shift at work. `staffing` is a number of full-time staff per shift or a mapping that changes the base
    case of 15 counsellors, such as `{"pm": {"volunteers": 3}}`. `flow` is `standard` (the month's 12.7 visitors an
    hour), `heavy` (half as many again, an assumption) or a mean number of visitors an hour. `arrivals` is `preset`
    (over-dispersed as the month is), `poisson`, `hawkes` (fitted to the month) or `replay`.

    Attributes:
        patience: `published` or `censored`, see `OpenUpPopulation`.
        feedback: `none` or `by_role`.
        low_risk_scale: Minutes; 190.5 is published, 152.4 gives the paper's chats of 40 minutes.
        chats: `by_risk` or `by_type`, see `OpenUpPopulation`.
    """

    patience: str = "published"
    feedback: str = "none"
    low_risk_scale: float = 190.5
    chats: str = "by_risk"

    default_weights: ClassVar[Weights] = Weights(quantity=1.0)  # no feedback is published
    preset_horizon: ClassVar[float] = DAY  # minutes; assumption: a day, where the paper has a month, 43,200
    preset_cutoff: ClassVar[float] = (
        30.0  # minutes; one of the authors' scripts and their read-me, the other script has 10
    )

    def _rates(self) -> HourlyRates:
        mean = sum(OPEN_UP_VISITORS_PER_HOUR) / len(OPEN_UP_VISITORS_PER_HOUR)
        named = {"standard": mean, "heavy": _HEAVY * mean}
        flow = "standard" if self.flow is None else self.flow
        if isinstance(flow, str) and flow not in named:
            raise ValueError(f"unknown flow {flow!r}{suggest(flow, list(named))}")
        per_hour = named[flow] if isinstance(flow, str) else positive_rate(flow, "flow")
        return HourlyRates(tuple(rate * per_hour / mean for rate in OPEN_UP_VISITORS_PER_HOUR))

    def _law(self) -> ArrivalLaw:
        rates = self._rates()
        if not rates.maximum:  # nobody comes: there is nothing to disperse or to excite
            return PoissonArrivals(rates)
        fitted = OverdispersedPoisson(rates, OPEN_UP_HOURLY_DISPERSION, OPEN_UP_DAILY_DISPERSION)
        immigrants = HourlyRates(tuple(rate * (1 - OPEN_UP_HAWKES_BRANCHING) for rate in rates.per_hour))
        return choose_law(
            self.arrivals,
            {
                "preset": lambda: fitted,
                "overdispersed": lambda: fitted,
                "poisson": lambda: PoissonArrivals(rates),
                "hawkes": lambda: HawkesArrivals(immigrants, OPEN_UP_HAWKES_BRANCHING, 1 / OPEN_UP_HAWKES_DELAY),
                "replay": lambda: replay(self, fitted),
            },
        )

    def _paper_cutoff(self) -> float | None:
        return None

    def _build(self) -> Scenario:
        horizon = self.preset_horizon if self.horizon is None else float(self.horizon)
        newcomers = 1 if self.newcomers is None else self.newcomers  # assumption: one volunteer is new
        by_role = self.feedback == "by_role"
        return Scenario(
            name=type(self).__name__,
            roster=open_up_roster(read_staffing(self.staffing), horizon, newcomers, paper_cutoff=self._paper_cutoff()),
            arrivals=self._law(),
            population=OpenUpPopulation(self.patience, self.feedback, self.low_risk_scale, self.chats),  # type: ignore[arg-type]
            outcomes=ROLE_OUTCOMES if by_role else OPEN_UP_OUTCOMES,
            staff=RoleStaff() if by_role else UniformStaff(),
            horizon=horizon,
            rules=Rules(
                cutoff=self.preset_cutoff,
                wrap_up=20.0,  # minutes; the authors' simulator
                zombie_wrap_up=5.0,  # minutes; the authors' simulator
                on_sign_out="transfer",  # the authors' simulator
                on_break="transfer",  # the authors' simulator
                zombies="kept",  # the paper
                closing="cut",  # the authors' simulator
            ),
            service_level_minutes=10.0,  # minutes; the service pledge
        )


@dataclass(kw_only=True)
class OpenUpPaper(OpenUp):
    """Open Up with the shift ends of the authors' simulator, to validate ours against theirs.

    With `queue_discipline="paper"` abandoned contacts move to the back of the queue as in their simulator; that order
    leaks, so environments refuse it.
    """

    def _paper_cutoff(self) -> float | None:
        return self.preset_cutoff if self.cutoff is None else float(self.cutoff)

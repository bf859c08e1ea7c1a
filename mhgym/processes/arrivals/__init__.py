"""Laws of arrival times: Poisson, conditioned, over-dispersed, self-exciting, replayed."""

from mhgym.processes.arrivals.figures import ArrivalFigures, measure_arrivals
from mhgym.processes.arrivals.hawkes import IMMIGRANT, HawkesArrivals, first_ancestors
from mhgym.processes.arrivals.law import ArrivalLaw
from mhgym.processes.arrivals.many import resample_many
from mhgym.processes.arrivals.open_up_rates import (
    OPEN_UP_DAILY_DISPERSION,
    OPEN_UP_HAWKES_BRANCHING,
    OPEN_UP_HAWKES_DELAY,
    OPEN_UP_HOURLY_DISPERSION,
    OPEN_UP_VISITORS_PER_HOUR,
)
from mhgym.processes.arrivals.overdispersed import OverdispersedPoisson
from mhgym.processes.arrivals.poisson import ConditionedPoisson, PoissonArrivals
from mhgym.processes.arrivals.rates import HourlyRates, RateProfile, SinusoidalRate
from mhgym.processes.arrivals.replay import ReplayArrivals, read_gaps

__all__ = [
    "IMMIGRANT",
    "OPEN_UP_DAILY_DISPERSION",
    "OPEN_UP_HAWKES_BRANCHING",
    "OPEN_UP_HAWKES_DELAY",
    "OPEN_UP_HOURLY_DISPERSION",
    "OPEN_UP_VISITORS_PER_HOUR",
    "ArrivalFigures",
    "ArrivalLaw",
    "ConditionedPoisson",
    "HawkesArrivals",
    "HourlyRates",
    "OverdispersedPoisson",
    "PoissonArrivals",
    "RateProfile",
    "ReplayArrivals",
    "SinusoidalRate",
    "first_ancestors",
    "measure_arrivals",
    "read_gaps",
    "resample_many",
]

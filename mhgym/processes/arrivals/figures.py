"""Figures of recorded arrivals from which a law can be fitted."""

from dataclasses import dataclass

import numpy as np

from mhgym.processes.arrivals.law import MINUTES_PER_DAY, MINUTES_PER_HOUR, Floats
from mhgym.processes.arrivals.overdispersed import OverdispersedPoisson
from mhgym.processes.arrivals.rates import HourlyRates

_HOURS = 24


@dataclass(frozen=True)
class ArrivalFigures:
    """What a recording of whole days says about its law.

    Attributes:
        hour_mean: Mean arrivals in each of the 24 hours of the day.
        hourly_dispersion: Σ variance / Σ mean over the hours of the day, of counts across days.
        daily_dispersion: Variance / mean of daily counts.
    """

    hour_mean: tuple[float, ...]
    hourly_dispersion: float
    daily_dispersion: float

    def fitted_law(self) -> OverdispersedPoisson:
        """The over-dispersed law with these figures.

        Raises:
            ValueError: If no such law has them.
        """
        return OverdispersedPoisson(HourlyRates(self.hour_mean), self.hourly_dispersion, self.daily_dispersion)


def measure_arrivals(times: Floats, days: int) -> ArrivalFigures:
    """Measure the daily profile and the dispersion of recorded arrivals.

    Variances are unbiased (divided by days − 1). Days are taken as alike: a weekday effect or a trend would count as
    dispersion.

    Args:
        times: `[n]` arrival times in minutes from a midnight; those after the last whole day are left out.
        days: Whole days of the recording.

    Returns:
        Hourly means and both indices of dispersion.

    Raises:
        ValueError: If there are fewer than two days or no arrival in them, or a time is negative or not finite.
    """
    if days < 2:
        raise ValueError(f"dispersion across days needs at least 2 days, got {days}")
    wrong = times[~(np.isfinite(times) & (times >= 0))]
    if len(wrong):
        raise ValueError(f"an arrival time must be finite and at least 0 minutes, got {wrong[0]}")
    inside = times[times < days * MINUTES_PER_DAY]
    if not len(inside):
        raise ValueError(f"dispersion needs at least one arrival within {days} days, got 0 of {len(times)}")
    hours = np.bincount((inside // MINUTES_PER_HOUR).astype(np.int64), minlength=days * _HOURS).reshape(days, _HOURS)
    by_day = hours.sum(axis=1)
    return ArrivalFigures(
        hour_mean=tuple(hours.mean(axis=0).tolist()),
        hourly_dispersion=float(hours.var(axis=0, ddof=1).sum() / hours.mean(axis=0).sum()),
        daily_dispersion=float(by_day.var(ddof=1) / by_day.mean()),
    )

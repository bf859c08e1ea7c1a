"""How the expected number of arrivals varies with the time of day."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from mhgym.processes.arrivals.law import MINUTES_PER_HOUR, Floats

_SINE_CELLS = 1024  # the start of Newton's method, right to about 1e-5; it then doubles the digits in each step
_NEWTON_STEPS = 2
_LEAST_SLOPE = 1e-3  # relative to the mean rate; keeps the steps small where a rate with amplitude 1 touches 0


class RateProfile(Protocol):
    """A periodic arrival rate; frozen and hashable, so that laws may keep figures derived from it."""

    def __hash__(self) -> int: ...

    @property
    def maximum(self) -> float:
        """Largest rate, per minute."""
        ...

    @property
    def period(self) -> float:
        """Minutes after which the rate repeats."""
        ...

    def at(self, t: ArrayLike) -> Floats:
        """Rate per minute at the times `t`, of the shape of `t`."""
        ...

    def cumulative(self, t: ArrayLike) -> Floats:
        """Expected arrivals in [0, t], of the shape of `t`; `t` is not negative."""
        ...

    def integral(self, start: float, end: float) -> float:
        """Expected arrivals in [start, end]."""
        ...

    def inverse(self, mass: ArrayLike) -> Floats:
        """Times by which `mass` arrivals are expected: the inverse of `cumulative`, of the shape of `mass`."""
        ...


@dataclass(frozen=True)
class HourlyRates:
    """A rate that is constant within each hour and repeats after the last one; 24 of them make a day.

    Args:
        per_hour: Arrivals per hour, one number for each hour from the start of the episode.

    Raises:
        ValueError: If there is no rate, or one is negative or not finite.
    """

    per_hour: tuple[float, ...]

    def __post_init__(self) -> None:
        rates = tuple(float(rate) for rate in self.per_hour)
        if not rates:
            raise ValueError("hourly rates need at least one hour, got 0")
        for hour, rate in enumerate(rates):
            if not (math.isfinite(rate) and rate >= 0):
                raise ValueError(f"an hourly rate must be finite and at least 0 arrivals, got {rate} in hour {hour}")
        object.__setattr__(self, "per_hour", rates)

    @property
    def maximum(self) -> float:
        """Largest rate, per minute."""
        return max(self.per_hour) / MINUTES_PER_HOUR

    @property
    def period(self) -> float:
        """Minutes after which the rate repeats."""
        return len(self.per_hour) * MINUTES_PER_HOUR

    def at(self, t: ArrayLike) -> Floats:
        """Rate per minute at the times `t`, of the shape of `t`."""
        rates, _ = _hourly_tables(self.per_hour)
        hours = np.floor_divide(t, MINUTES_PER_HOUR).astype(np.int64)
        return np.asarray(rates[hours % len(rates)] / MINUTES_PER_HOUR)

    def cumulative(self, t: ArrayLike) -> Floats:
        """Expected arrivals in [0, t], of the shape of `t`."""
        rates, before = _hourly_tables(self.per_hour)
        elapsed = np.asarray(t, dtype=np.float64) / MINUTES_PER_HOUR
        whole = np.floor(elapsed).astype(np.int64)
        cycle, hour = np.divmod(whole, len(rates))
        return np.asarray(cycle * before[-1] + before[hour] + rates[hour] * (elapsed - whole))

    def integral(self, start: float, end: float) -> float:
        """Expected arrivals in [start, end]."""
        return float(self.cumulative(end) - self.cumulative(start))

    def inverse(self, mass: ArrayLike) -> Floats:
        """Times by which `mass` arrivals are expected, of the shape of `mass`.

        Raises:
            ValueError: If the rate is 0 in every hour.
        """
        rates, before = _hourly_tables(self.per_hour)
        if before[-1] <= 0:
            raise ValueError("arrivals have no time where the rate is 0 in every hour, got only zeros")
        wanted = np.asarray(mass, dtype=np.float64)
        cycle = np.floor(wanted / before[-1])
        rest = np.asarray(wanted - cycle * before[-1])
        hour = np.clip(np.searchsorted(before, rest, side="right") - 1, 0, len(rates) - 1)
        within = np.divide(rest - before[hour], rates[hour], out=np.zeros(rest.shape), where=rates[hour] > 0)
        return np.asarray((cycle * len(rates) + hour + within) * MINUTES_PER_HOUR)


@dataclass(frozen=True)
class SinusoidalRate:
    """The rate λ(1 + a sin(2πt/T)).

    Source: an assumption of this project for ERAN, whose profile was not published (an evening peak was).

    Args:
        per_hour: λ, mean arrivals per hour.
        amplitude: a, relative to the mean.
        period: T, minutes.

    Raises:
        ValueError: If the mean is negative, the amplitude outside [-1, 1], or the period not positive.
    """

    per_hour: float
    amplitude: float
    period: float

    def __post_init__(self) -> None:
        for name in ("per_hour", "amplitude", "period"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not (math.isfinite(self.per_hour) and self.per_hour >= 0):
            raise ValueError(f"a mean rate must be finite and at least 0 arrivals per hour, got {self.per_hour}")
        if not -1 <= self.amplitude <= 1:
            raise ValueError(f"the amplitude of a rate must lie in [-1, 1], or it turns negative, got {self.amplitude}")
        if not (math.isfinite(self.period) and self.period > 0):
            raise ValueError(f"the period of a rate must be a positive number of minutes, got {self.period}")

    @property
    def maximum(self) -> float:
        """Largest rate, per minute."""
        return self.per_hour * (1 + abs(self.amplitude)) / MINUTES_PER_HOUR

    def at(self, t: ArrayLike) -> Floats:
        """Rate per minute at the times `t`, of the shape of `t`."""
        angle = np.asarray(t, dtype=np.float64) * (2 * math.pi / self.period)
        return np.asarray(self.per_hour / MINUTES_PER_HOUR * (1 + self.amplitude * np.sin(angle)))

    def cumulative(self, t: ArrayLike) -> Floats:
        """Expected arrivals in [0, t], of the shape of `t`."""
        angle = np.asarray(t, dtype=np.float64) * (2 * math.pi / self.period)
        return np.asarray(self._mass_per_radian() * (angle + self.amplitude * (1 - np.cos(angle))))

    def integral(self, start: float, end: float) -> float:
        """Expected arrivals in [start, end]."""
        return float(self.cumulative(end) - self.cumulative(start))

    def inverse(self, mass: ArrayLike) -> Floats:
        """Times by which `mass` arrivals are expected, of the shape of `mass`.

        Solves x + a(1 − cos x) = m, which grows with x, by Newton's method from the interpolation of a table.

        Raises:
            ValueError: If the rate is 0.
        """
        if self.per_hour == 0:
            raise ValueError("arrivals have no time where the rate is 0, got a mean of 0 arrivals per hour")
        scaled = np.asarray(mass, dtype=np.float64) / self._mass_per_radian()
        cycle = np.floor(scaled / (2 * math.pi))
        rest = scaled - cycle * (2 * math.pi)
        angles, masses = _sine_table(self.amplitude)
        x = np.asarray(np.interp(rest, masses, angles))
        for _ in range(_NEWTON_STEPS):
            slope = np.maximum(1 + self.amplitude * np.sin(x), _LEAST_SLOPE)
            x = x - (x + self.amplitude * (1 - np.cos(x)) - rest) / slope
        return np.asarray((cycle + x / (2 * math.pi)) * self.period)

    def _mass_per_radian(self) -> float:
        return self.per_hour / MINUTES_PER_HOUR * self.period / (2 * math.pi)


@lru_cache(maxsize=64)
def _hourly_tables(per_hour: Sequence[float]) -> tuple[Floats, Floats]:
    """`[H]` arrivals of each hour and `[H + 1]` arrivals before it."""
    rates = np.array(per_hour)
    before = np.concatenate(([0.0], np.cumsum(rates)))
    return _read_only(rates), _read_only(before)


@lru_cache(maxsize=64)
def _sine_table(amplitude: float) -> tuple[Floats, Floats]:
    """Angles of one period, `[1025]`, and x + a(1 − cos x) at them, which never falls."""
    angles = np.linspace(0, 2 * math.pi, _SINE_CELLS + 1)
    return _read_only(angles), _read_only(angles + amplitude * (1 - np.cos(angles)))


def _read_only(table: Floats) -> Floats:
    """Kept tables are shared by all who ask for them."""
    table.flags.writeable = False
    return table

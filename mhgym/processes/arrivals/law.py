"""What every law of arrivals can do, and the checks of its arguments."""

import math
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MINUTES_PER_HOUR = 60.0
MINUTES_PER_DAY = 1440.0


@runtime_checkable
class ArrivalLaw(Protocol):
    """A law of arrival times, in minutes from the start of the episode.

    Laws are frozen and hold no random state; equal laws have equal representations, so that results can be cached.
    """

    def sample(self, horizon: float, rng: np.random.Generator) -> Floats:
        """Draw the arrivals of one episode.

        Args:
            horizon: Minutes after which nobody arrives.
            rng: The owner's generator.

        Returns:
            `[n]` times in [0, horizon), in order.

        Raises:
            ValueError: If the horizon is not positive and finite.
        """
        ...

    def resample(self, seen: Floats, now: float, horizon: float, rng: np.random.Generator) -> Floats:
        """Draw the future from the law conditional on the past.

        Args:
            seen: `[k]` all arrivals up to and including `now`, in order.
            now: Minutes since the start of the episode.
            horizon: Minutes after which nobody arrives.
            rng: The owner's generator.

        Returns:
            `[n]` times in (now, horizon), in order; none if `now` is past the horizon.

        Raises:
            ValueError: If the horizon is not positive and finite, or the history is not one.
        """
        ...

    def mean_rate(self, horizon: float) -> float:
        """Expected arrivals per minute, averaged over [0, horizon)."""
        ...


def check_horizon(horizon: float) -> None:
    """Refuse a horizon that is not positive and finite.

    Raises:
        ValueError: If it is not.
    """
    if not (math.isfinite(horizon) and horizon > 0):
        raise ValueError(f"the horizon must be a positive, finite number of minutes, got {horizon}")


def checked_history(seen: ArrayLike, now: float, horizon: float) -> Floats:
    """Refuse what cannot be a history of arrivals.

    Returns:
        `[k]` the arrivals seen, as an array.

    Raises:
        ValueError: If `horizon` is not positive and finite, `now` is negative or not finite, or the arrivals are not
            a row of times in order inside [0, now].
    """
    check_horizon(horizon)
    if not (math.isfinite(now) and now >= 0):
        raise ValueError(f"now must be a finite number of minutes, at least 0, got {now}")
    times = np.asarray(seen, dtype=np.float64)
    if times.ndim != 1:
        raise ValueError(f"arrivals seen must be one row of times, got shape {times.shape}")
    if len(times) and not (times[0] >= 0 and times[-1] <= now and (times[1:] >= times[:-1]).all()):
        raise ValueError(
            f"arrivals seen must be in order and inside [0, {now}], got times between {times.min()} and {times.max()}"
        )
    return times


def strictly_inside(times: Floats, start: float, end: float) -> Floats:
    """Undo rounding at the edges, which can put a time on an end that it cannot have; the order stays.

    Returns:
        `[n]` times in (start, end).
    """
    return np.minimum(np.maximum(times, math.nextafter(start, math.inf)), math.nextafter(end, -math.inf))

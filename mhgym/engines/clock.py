"""SimPy's clock and heap for the reference engine: events at absolute times, in the order of the centre."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

import simpy

from mhgym.engines.protocol import EventKind


class CentreEnvironment(simpy.Environment):
    """SimPy's clock and heap, with events at absolute times in the order of the centre."""

    def __init__(self, initial_time: float = 0.0) -> None:
        super().__init__(initial_time)
        self._serial = count()

    def schedule_at(self, time: float, kind: EventKind, ident: int, callback: Callable[[], None]) -> simpy.Event:
        """Have `callback` called at `time`; simultaneous events come in the order of kind, then id.

        Raises:
            ValueError: If the time has passed.
        """
        if time < self._now:
            raise ValueError(f"an event cannot be scheduled in the past, got minute {time} at minute {self._now}")
        event = simpy.Event(self)
        event._ok, event._value = True, None
        event.callbacks = [lambda _: callback()]
        heappush(self._queue, (time, kind, (ident, next(self._serial)), event))  # type: ignore[misc]
        return event

    def departure_follows(self) -> bool:
        """Whether a break or a sign-out comes next, at this very minute: nothing is offered to those who leave."""
        while self._queue and self._queue[0][3].callbacks == []:  # cancelled
            heappop(self._queue)
        if not self._queue:
            return False
        time, kind, *_ = self._queue[0]
        return bool(time == self._now and int(kind) in (EventKind.BREAK_START, EventKind.SIGN_OUT))


def cancel(event: simpy.Event | None) -> None:
    """Make a scheduled event do nothing."""
    if event is not None and event.callbacks is not None:
        event.callbacks = []

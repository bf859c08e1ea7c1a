"""The reward: a vector whose undiscounted sum over an episode equals the episode's KPIs."""

import numpy as np
from numpy.typing import NDArray

from mhgym.engines.protocol import Engine
from mhgym.metrics.fairness import newcomer_gap
from mhgym.scenario import Scenario
from mhgym.trace import Trace

Floats = NDArray[np.float64]


class RewardLedger:
    """Pays each component as the difference of the running KPI since the last payment.

    Components stand in the order of `metrics.COMPONENTS`: quality, quantity, burden, fairness. A contact pays when it
    is answered, and is taken back if it returns to the queue.

    Args:
        scenario: The centre.
        trace: The episode; gives N, the number of offered contacts.
    """

    def __init__(self, scenario: Scenario, trace: Trace) -> None:
        self._offered = trace.offered
        self._new_share_of_time = scenario.roster.new_share_of_time(scenario.horizon)
        #: What has been paid so far, `[4]`.
        self.paid = np.zeros(4)

    def running(self, engine: Engine) -> Floats:
        """`[4]` the KPIs if nothing more were to happen."""
        tally = engine.tally
        new_share = tally.answered_by_new / tally.answered if tally.answered else None
        offered = max(1, self._offered)
        return np.array(
            [
                tally.feedback / offered,
                tally.answered / offered,
                engine.meter.value(engine.settled_at),
                newcomer_gap(self._new_share_of_time, new_share),
            ]
        )

    def pay(self, engine: Engine) -> Floats:
        """`[4]` what has changed since the last payment."""
        running = self.running(engine)
        paid, self.paid = running - self.paid, running
        return paid

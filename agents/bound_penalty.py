"""Penalties on foresight: what no policy reaches in the mean over traces, closer than the clairvoyant bound.

A clairvoyant profits from what no policy knows when it answers: how a contact will turn out beyond its prediction, and
who is about to leave. An information-relaxation penalty takes that profit back. It is a sum of martingale differences,
of mean 0 for every policy, so that the mean of the clairvoyant's optimum with the penalty is still above the mean of
every policy without it; trace by trace it need not be. Three differences are taken off, all times 1 / N:

- feedback: quality − E[quality | predicted quality], times its weight. A contact then pays what was to be expected.
- service: −c (min(m, h) − E[min(m, h) | predicted minutes]), the worth of a counsellor's time until the last arrival,
  h minutes after the caller's. A contact that turns out short then pays less, one that turns out long more.
- patience: −v (1{abandons} − wait / mean patience), the worth of a caller who has not left yet.

The first two are known when the contact ends and independent of all that was known when it was answered; patience is
exponential, so that the compensator of leaving is the wait over the mean. The differences keep mean 0 for policies that
know all arrivals and predictions from the start, which is why h and N may use the trace. Foresight of arrivals and of
predictions of later callers is not penalised.

Source: Brown, Smith & Sun (2010), "Information relaxations and duality in stochastic dynamic programs".
"""

import math
from dataclasses import dataclass

from agents.bound import PerArrival
from agents.bound_routes import Terms
from mhgym.processes import draws
from mhgym.scenario import Scenario
from mhgym.trace import Trace

_BEST = 5  # points of the feedback scale, from 1


@dataclass(frozen=True)
class Penalised:
    """The scenario's objective per arrival less penalties; payoffs for `ClairvoyantBound`.

    It needs exponential patience, and true feedback and service that are the predictions plus normal errors (rounded
    and clipped): the ERAN population.

    Attributes:
        feedback: Whether foresight of feedback is penalised.
        per_minute: c, in answered contacts of the best feedback per minute of a counsellor, at least 0.
        per_caller: v, in answered contacts of the best feedback per caller, at least 0.
        feedback_error_sd: Of true around predicted feedback, points. Default: ERAN, solves Table 2's balanced accuracy
            of Kleinerman et al. (2022).
        service_error_sd: Of true around predicted service, minutes before clipping. Default: ERAN, solves the mean
            squared error they state.
    """

    feedback: bool = True
    per_minute: float = 0.02
    per_caller: float = 0.4
    feedback_error_sd: float = 0.475
    service_error_sd: float = 25.6

    def __post_init__(self) -> None:
        for name in ("per_minute", "per_caller"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        for name in ("feedback_error_sd", "service_error_sd"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")

    def terms(self, scenario: Scenario, trace: Trace) -> Terms:
        """See `Payoffs`."""
        plain, weights = PerArrival().terms(scenario, trace), scenario.weights
        worth = (weights.quality + weights.quantity) / max(1, trace.offered)
        last = float(trace.arrived_at[-1]) if len(trace) else 0.0
        packed = trace.law, trace.values, trace.keys, trace.staff, trace.known
        patience, mean = trace.values[:, draws.PATIENCE], trace.values[:, draws.PATIENCE_MEAN]
        # Of abandoning v - v·patience/mean is paid, of an answer -v·wait/mean: the former to all, the rest on top.
        unanswered = worth * self.per_caller * (1.0 - patience / mean) * trace.accepted

        def of_pair(contact: int, counsellor: int, chats: int) -> tuple[float, float]:
            value, busy = plain.of_pair(contact, counsellor, chats)
            quality, minutes = trace.realise(contact, counsellor, chats)
            predicted = draws.predict_pair(*packed, contact, counsellor, chats)
            if self.feedback:
                value -= weights.quality * (quality - self._mean_quality(predicted[0])) / max(1, trace.offered)
            rest = last - float(trace.arrived_at[contact])
            excess = min(minutes, rest) - self._mean_minutes(trace, predicted[1], rest)
            return value + worth * self.per_minute * excess - float(unanswered[contact]), busy

        per_minute = worth * self.per_caller / mean
        return Terms(of_pair, per_minute, constant=float(unanswered.sum()), tiring=False)

    def _mean_quality(self, predicted: float) -> float:
        """E[feedback, rounded and clipped to 1..5, as 0..1 | predicted points]."""
        above = sum(_phi((predicted - point + 0.5) / self.feedback_error_sd) for point in range(2, _BEST + 1))
        return above / (_BEST - 1)

    def _mean_minutes(self, trace: Trace, predicted: float, rest: float) -> float:
        """E[min(minutes, rest) | predicted minutes], minutes being normal and clipped."""
        low, high = float(trace.law[draws.SERVICE_MIN]), min(float(trace.law[draws.SERVICE_MAX]), rest)
        if high <= low:
            return rest if rest < low else low
        # The mean of a normal clipped to [low, high] is low plus the integral of its tail from low to high.
        return low + self._tail(predicted, low) - self._tail(predicted, high)

    def _tail(self, mean: float, level: float) -> float:
        """E[max(X - level, 0)] of a normal X."""
        sd = self.service_error_sd
        z = (mean - level) / sd
        return (mean - level) * _phi(z) + sd * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _phi(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))

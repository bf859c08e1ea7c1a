"""Steady states of M/M/n queues: Erlang B (loss), C (infinite patience) and A (exponential patience).

Rates are per minute, waits in minutes. These are the yardsticks that the engines are tested against.
"""

import math
from dataclasses import dataclass

import numpy as np

from mhgym.domain.contact import Floats

NEGLIGIBLE = 60.0  # natural log of the largest over the first neglected term of the sum over queue lengths
LONGEST_SUM = 2**22  # queue lengths; beyond it the parameters are refused rather than summed for minutes


@dataclass(frozen=True)
class QueueMeasures:
    """Steady-state measures of one queue.

    Attributes:
        p_wait: Probability that an arriving caller has to wait, those who later abandon counted.
        abandonment: Share of arriving callers who abandon.
        mean_wait: Mean wait over all arriving callers, answered or not, in minutes.
        asa: Mean wait over answered callers, those answered at once counted, in minutes.
        blocking: Share of arriving callers who are turned away.
    """

    p_wait: float
    abandonment: float
    mean_wait: float
    asa: float
    blocking: float = 0.0


def erlang_b(arrival_rate: float, service_rate: float, num_servers: int) -> QueueMeasures:
    """M/M/n/n: a caller who finds all servers busy is turned away, nobody waits.

    Args:
        arrival_rate: Callers per minute.
        service_rate: Contacts that one server finishes per minute.
        num_servers: Servers.

    Returns:
        Measures; only `blocking` is not 0.

    Raises:
        ValueError: If a rate is not positive and finite, or there is no server.

    Source: Erlang (1917).
    """
    _check(num_servers, arrival_rate=arrival_rate, service_rate=service_rate)
    blocking = _blocking(arrival_rate / service_rate, num_servers)
    return QueueMeasures(p_wait=0.0, abandonment=0.0, mean_wait=0.0, asa=0.0, blocking=blocking)


def erlang_c(arrival_rate: float, service_rate: float, num_servers: int) -> QueueMeasures:
    """M/M/n: callers wait for ever.

    Args:
        arrival_rate: Callers per minute.
        service_rate: Contacts that one server finishes per minute.
        num_servers: Servers.

    Returns:
        Measures; `abandonment` and `blocking` are 0.

    Raises:
        ValueError: If a rate is not positive and finite, there is no server, or the queue is unstable.

    Source: Erlang (1917).
    """
    _check(num_servers, arrival_rate=arrival_rate, service_rate=service_rate)
    spare = num_servers * service_rate - arrival_rate
    if spare <= 0:
        raise ValueError(
            f"a queue without abandonment is stable only if arrival_rate < num_servers * service_rate, "
            f"got {arrival_rate} and {num_servers} * {service_rate}"
        )
    empty_queue = spare / (num_servers * service_rate)
    p_wait = _p_wait(_blocking(arrival_rate / service_rate, num_servers), empty_queue)
    mean_wait = p_wait / spare
    return QueueMeasures(p_wait=p_wait, abandonment=0.0, mean_wait=mean_wait, asa=mean_wait)


def erlang_a(arrival_rate: float, service_rate: float, patience_rate: float, num_servers: int) -> QueueMeasures:
    """M/M/n+M: callers abandon after an exponential patience; stable at any load.

    With all servers busy and k waiting, a waiting place is freed at rate nμ + kθ. Hence an arrival who finds j
    waiting is answered with probability nμ / (nμ + (j+1)θ), and moves up after Σ_{k=1..j+1} 1 / (nμ + kθ) minutes in
    the mean if answered.

    Args:
        arrival_rate: λ, callers per minute.
        service_rate: μ, contacts that one server finishes per minute.
        patience_rate: θ, 1 / mean patience in minutes.
        num_servers: n, servers.

    Returns:
        Measures; `blocking` is 0.

    Raises:
        ValueError: If a rate is not positive and finite, there is no server, or the queue is too long to be summed.

    Source: Palm (1957); Mandelbaum & Zeltyn (2007), "Service engineering in action: the Palm/Erlang-A queue".
    """
    _check(num_servers, arrival_rate=arrival_rate, service_rate=service_rate, patience_rate=patience_rate)
    full_rate = num_servers * service_rate
    waiting = _queue_given_busy(arrival_rate, full_rate, patience_rate)
    p_wait = _p_wait(_blocking(arrival_rate / service_rate, num_servers), float(waiting[0]))
    place = np.arange(len(waiting))
    mean_wait = p_wait * float(waiting @ place) / arrival_rate
    rates = full_rate + (place + 1) * patience_rate
    answered = waiting * full_rate / rates
    asa = p_wait * float(answered @ np.cumsum(1 / rates)) / (1 - p_wait + p_wait * float(answered.sum()))
    abandonment = p_wait * float(waiting @ ((place + 1) * patience_rate / rates))
    return QueueMeasures(p_wait, abandonment, mean_wait, asa)


def _queue_given_busy(arrival_rate: float, full_rate: float, patience_rate: float) -> Floats:
    """`[K]` probability of each queue length given that all servers are busy, up to a negligible tail."""
    length = 64
    while length <= LONGEST_SUM:
        logs = np.cumsum(np.log(arrival_rate / (full_rate + np.arange(1, length) * patience_rate)))
        logs = np.concatenate([[0.0], logs])
        peak = float(logs.max())
        if logs[-1] < peak - NEGLIGIBLE:
            weights: Floats = np.exp(logs - peak)
            weights /= weights.sum()
            return weights
        length *= 2
    raise ValueError(
        f"patience_rate must keep the queue below {LONGEST_SUM} callers, got {patience_rate} per minute "
        f"at {arrival_rate} arrivals and {full_rate} answers per minute"
    )


def _blocking(offered_load: float, num_servers: int) -> float:
    """Erlang's loss formula by the recursion of its inverse, stable for any number of servers."""
    inverse = 1.0
    for servers in range(1, num_servers + 1):
        inverse = 1.0 + inverse * servers / offered_load
    return 1.0 / inverse


def _p_wait(blocking: float, empty_queue: float) -> float:
    """P(all servers busy), from Erlang B and the probability of an empty queue given that all are busy."""
    return blocking / (empty_queue + (1 - empty_queue) * blocking)


def _check(num_servers: int, **rates: float) -> None:
    """Refuse rates that are not positive and finite, and a queue without servers."""
    for name, rate in rates.items():
        if not 0 < rate < math.inf:
            raise ValueError(f"{name} must be positive and finite per minute, got {rate}")
    if num_servers < 1:
        raise ValueError(f"num_servers must be at least 1, got {num_servers}")

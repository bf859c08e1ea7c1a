"""Waits, service level and the queue, from contact records."""

import numpy as np

from mhgym.domain import ContactLog, LegKind, Outcome
from mhgym.domain.contact import Floats
from mhgym.metrics.ratios import mean, share

PERCENTILES = (50, 90, 99)


def waits(log: ContactLog) -> Floats:
    """`[n]` minutes from arrival to the first answer or, without one, to departure or the close."""
    left_first_queue: Floats = np.where(np.isnan(log.answered_at), log.ended_at, log.answered_at)
    return left_first_queue - log.arrived_at


def wait_kpis(log: ContactLog, service_level_minutes: float) -> dict[str, float]:
    """KPIs of waiting; names as in the glossary, shares of offered contacts, means over nobody 0."""
    offered = log.outcome != Outcome.REJECTED
    number = int(offered.sum())
    waited = waits(log)
    answered = waited[offered & ~np.isnan(log.answered_at)]
    percentiles = np.percentile(answered, PERCENTILES) if answered.size else np.zeros(len(PERCENTILES))
    return {
        "first_answer_share": share(answered.size, number),
        "first_answer_conversion": share(answered.size, len(log)),
        "direct_share": share(int((answered == 0).sum()), number),
        "direct_share_60s": share(int((answered <= 1).sum()), number),
        "answered_after_wait_share": share(int((answered > 0).sum()), number),
        "asa": mean(answered),
        **{f"wait_p{rank}": float(wait) for rank, wait in zip(PERCENTILES, percentiles, strict=True)},
        "mean_time_to_abandon": mean(waited[log.outcome == Outcome.ABANDONED]),
        "mean_wait": mean(waited[offered]),
        "service_level": share(int((answered <= service_level_minutes).sum()), number),
        "longest_queue": float(longest_queue(log)),
    }


def longest_queue(log: ContactLog) -> int:
    """The largest number of living contacts that waited at once, in the first queue or in transfer; see `line_steps`.

    Waits of no length do not count.
    """
    _, line = line_steps(log)
    return int(line.max(initial=0))


def line_steps(log: ContactLog) -> tuple[Floats, Floats]:
    """How many living contacts wait, as a step function.

    A contact waits from arrival, and again from the end of an interrupted leg of service, until the next leg of
    service starts or the contact ends.

    Returns:
        `[k]` times in order, and `[k]` the number in line from each of them on; at one instant those who leave come
        first.
    """
    offered = log.outcome != Outcome.REJECTED
    service = log.leg_kind == LegKind.SERVICE
    leg_end = log.leg_end[service]
    last_end = np.full(len(log), -np.inf)
    np.maximum.at(last_end, log.leg_contact[service], leg_end)
    served_to_the_end = (log.outcome == Outcome.ANSWERED) & np.isfinite(last_end)
    gone = np.where(served_to_the_end, last_end, log.ended_at)
    joins = np.concatenate([log.arrived_at[offered], leg_end])
    leaves = np.concatenate([log.leg_start[service], gone[offered]])
    times = np.concatenate([leaves, joins])
    steps = np.concatenate([np.full(leaves.size, -1.0), np.full(joins.size, 1.0)])
    order = np.argsort(times, kind="stable")
    return times[order], np.cumsum(steps[order])

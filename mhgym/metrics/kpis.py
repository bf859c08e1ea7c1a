"""Every key performance indicator of one episode or one real log, from contact records and the roster only.

`glossary.GLOSSARY` names each key with its unit and definition. N, the number of offered contacts, is the denominator
of every share unless its definition says otherwise. A share, a count or a mean over nobody is 0; no value is NaN.
"""

import math

import numpy as np

from mhgym.domain import ContactLog, Outcome, Roster
from mhgym.metrics.groups import caller_kpis, counsellor_kpis
from mhgym.metrics.ratios import mean, share
from mhgym.metrics.waits import wait_kpis
from mhgym.metrics.workload import replay, service_kpis, workload_kpis


def kpis(
    log: ContactLog,
    roster: Roster,
    *,
    horizon: float,
    until: float = math.inf,
    service_level_minutes: float = 10.0,
    valid_minutes: float = 7.5,
) -> dict[str, float]:
    """All KPIs, flat, in a stable order.

    Args:
        log: Contact records, in any order of rows.
        roster: The counsellors that the records refer to.
        horizon: Minutes during which contacts could arrive: the denominator of the hourly rates, and the end of staffed
            time; work later than that is overtime.
        until: Minute at which the accounts of the counsellors close; contact minutes and duty later than that do not
            count towards occupancy, overtime, streaks, zombies and burden.
        service_level_minutes: Longest wait to the first answer that meets the service level.
        valid_minutes: Shortest total service of a valid contact.

    Returns:
        Value by name; `occupancy_<role>` only for roles on the roster, `bridges` only if somebody has an inbox.

    Raises:
        ValueError: If `horizon` is not positive and finite, a threshold is negative, or a record names a counsellor who
            is not on the roster.
    """
    if not 0 < horizon < math.inf:
        raise ValueError(f"horizon must be positive and finite minutes, got {horizon}")
    for name, minutes in (("service_level_minutes", service_level_minutes), ("valid_minutes", valid_minutes)):
        if not minutes >= 0:
            raise ValueError(f"{name} must be at least 0, got {minutes}")
    _check_counsellors(log, roster)
    accounts = replay(log, roster, until, horizon)
    volumes = _volume_kpis(log, horizon)
    quality = _quality_kpis(log, volumes["quantity"])
    workload = workload_kpis(log, roster, accounts, until)
    return {
        **volumes,
        **quality,
        "burden": min(0.0, -mean(accounts.b)),
        **counsellor_kpis(log, roster, accounts.staffed, roster.new_minutes(min(until, horizon))),
        **wait_kpis(log, service_level_minutes),
        **service_kpis(log, int(volumes["offered"]), valid_minutes),
        **workload,
        **caller_kpis(log),
    }


def _volume_kpis(log: ContactLog, horizon: float) -> dict[str, float]:
    """How many came and how their contacts ended."""
    number = {outcome: int((log.outcome == outcome).sum()) for outcome in Outcome}
    offered = len(log) - number[Outcome.REJECTED]
    first_queue, in_transfer = number[Outcome.ABANDONED], number[Outcome.ABANDONED_IN_TRANSFER]
    return {
        "visitors": float(len(log)),
        "offered": float(offered),
        "answered": float(number[Outcome.ANSWERED]),
        "transfers": float(log.transfers.sum()),
        "offered_per_hour": 60 * offered / horizon,
        "answered_per_hour": 60 * number[Outcome.ANSWERED] / horizon,
        "quantity": share(number[Outcome.ANSWERED], offered),
        "abandonment": share(first_queue + in_transfer, offered),
        "abandonment_first_queue": share(first_queue, offered),
        "abandonment_in_transfer": share(in_transfer, offered),
        "unanswered": share(number[Outcome.UNANSWERED], offered),
        "conversion": share(number[Outcome.ANSWERED], len(log)),
    }


def _quality_kpis(log: ContactLog, quantity: float) -> dict[str, float]:
    """Feedback, and Kleinerman's objective counted per arrival and per answered contact."""
    offered = int((log.outcome != Outcome.REJECTED).sum())
    feedback = log.feedback[(log.outcome == Outcome.ANSWERED) & ~np.isnan(log.feedback)]
    quality, quality_served = share(feedback.sum(), offered), mean(feedback)
    return {
        "quality": quality,
        "quality_served": quality_served,
        "objective_per_arrival": (quality + quantity) / 2,
        "objective_served": (quality_served + quantity) / 2,
    }


def _check_counsellors(log: ContactLog, roster: Roster) -> None:
    """Refuse records that name a counsellor who is not on the roster."""
    named = np.concatenate([log.leg_counsellor, log.counsellor[log.counsellor != -1]])
    wrong = named[(named < 0) | (named >= len(roster))]
    if wrong.size:
        raise ValueError(f"the log may name counsellors 0 to {len(roster) - 1} of the roster, got {wrong[0]}")

"""KPIs by group: newcomers among the counsellors, risk and type among the callers."""

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import CALLER_TYPES, RISKS, ContactLog, LegKind, Outcome, Roster
from mhgym.domain.contact import Floats
from mhgym.metrics.fairness import gini, jain_index, newcomer_gap
from mhgym.metrics.ratios import mean, share
from mhgym.metrics.waits import waits


def counsellor_kpis(log: ContactLog, roster: Roster, staffed: Floats, new_minutes: Floats) -> dict[str, float]:
    """Fairness among counsellors. Names as in the glossary.

    Args:
        log: Contact records.
        roster: The counsellors.
        staffed: `[C]` minutes on duty.
        new_minutes: `[C]` those of them in which each was new.
    """
    by_somebody = (log.outcome == Outcome.ANSWERED) & (log.counsellor >= 0)
    finished = log.counsellor[by_somebody]
    answered, answers = np.bincount(finished, minlength=len(roster)), roster.answers()
    share_of_time = min(1.0, share(new_minutes[roster.new() & answers].sum(), staffed[answers].sum()))
    by_new = finishing_start(log)[by_somebody] < roster.new_until()[finished]
    share_of_answered = share(int(by_new.sum()), finished.size)
    compared = answers & (staffed > 0)
    rates = answered[compared] / staffed[compared]
    return {
        "fairness": newcomer_gap(share_of_time, share_of_answered if finished.size else None),
        "new_share_of_time": share_of_time,
        "new_share_of_answered": share_of_answered,
        "jain_answered_per_staffed_minute": jain_index(rates),
        "gini_answered_per_staffed_minute": gini(rates),
    }


def finishing_start(log: ContactLog) -> Floats:
    """`[n]` start of each contact's last leg of service; minus infinity where the log has none."""
    service = log.leg_kind == LegKind.SERVICE
    start = np.full(len(log), -np.inf)
    np.maximum.at(start, log.leg_contact[service], log.leg_start[service])
    return start


def caller_kpis(log: ContactLog) -> dict[str, float]:
    """Abandonment and mean wait by risk and by caller type, over the offered contacts of the group."""
    offered = log.outcome != Outcome.REJECTED
    waited = waits(log)
    lost = abandoned(log)
    named = [(name, log.risk == code) for code, name in enumerate(RISKS)]
    named += [(name, log.caller_type == code) for code, name in enumerate(CALLER_TYPES)]
    table: dict[str, float] = {}
    for name, member in named:
        group = offered & member
        table[f"abandonment_{name}"] = share(int(lost[group].sum()), int(group.sum()))
        table[f"wait_{name}"] = mean(waited[group])
    return table


def abandoned(log: ContactLog) -> NDArray[np.bool_]:
    """`[n]` whether the caller left, from the first queue or in transfer."""
    return np.isin(log.outcome, (Outcome.ABANDONED, Outcome.ABANDONED_IN_TRANSFER))

"""KPIs by group: newcomers among the counsellors, risk and type among the callers."""

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import CALLER_TYPES, RISKS, ContactLog, Outcome, Roster
from mhgym.domain.contact import Floats
from mhgym.metrics.fairness import gini, jain_index, newcomer_gap
from mhgym.metrics.ratios import mean, share
from mhgym.metrics.waits import waits


def counsellor_kpis(log: ContactLog, roster: Roster, staffed: Floats) -> dict[str, float]:
    """Fairness among counsellors; `staffed` `[C]` minutes on duty. Names as in the glossary."""
    finished = log.counsellor[(log.outcome == Outcome.ANSWERED) & (log.counsellor >= 0)]
    answered = np.bincount(finished, minlength=len(roster))
    new = roster.new()
    share_of_time = min(1.0, share(staffed[new].sum(), staffed.sum()))
    share_of_answered = share(int(answered[new].sum()), finished.size)
    rates = answered[staffed > 0] / staffed[staffed > 0]
    return {
        "fairness": newcomer_gap(share_of_time, share_of_answered if finished.size else None),
        "new_share_of_time": share_of_time,
        "new_share_of_answered": share_of_answered,
        "jain_answered_per_staffed_minute": jain_index(rates),
        "gini_answered_per_staffed_minute": gini(rates),
    }


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

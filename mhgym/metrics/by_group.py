"""What groups of callers and of counsellors got, as sums of one episode, and how far apart the groups are.

Rates are ratios of sums over episodes, such as all answered over all offered of a group: episodes in which nobody of a
group called add nothing to it, where a mean of shares would count them as 0. Sums of several episodes may be added,
drawn again or left out, so a bootstrap over episodes is exact about whatever is computed from them.

- *Answered share* of a group of callers: answered / offered. The *wait of the answered*: minutes to the first answer,
  over those who had one; it says nothing of those who left, so it is read beside the answered share. *Feedback*: mean
  over answered contacts with known feedback.
- *Occupancy* of a group of counsellors: staffed minutes with a contact in hand / staffed minutes.
- *Representation* of newcomers: their share of answered contacts / their share of staffed time; 1 is their due. The
  four-fifths rule (US Equal Employment Opportunity Commission 1978, Uniform Guidelines, 29 CFR 1607.4 D), a convention
  from hiring, takes a ratio below 0.8 for adverse impact.
- *Gap* between groups: the largest rate less the smallest, which is 0 if the outcome does not depend on the group
  (demographic parity; Agarwal et al. 2018, "A reductions approach to fair classification").
"""

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import ContactLog, Outcome, Roster
from mhgym.domain.contact import Floats, Ints
from mhgym.metrics.workload import replay

#: What `caller_sums` counts of each group, in order: contacts, contacts, contacts, minutes, contacts, feedback.
CALLER_SUMS = ("offered", "answered", "first_answers", "waited", "rated", "feedback")
#: What `counsellor_sums` counts of each group, in order: contacts, minutes, minutes, contacts, feedback.
COUNSELLOR_SUMS = ("answered", "staffed", "busy", "rated", "feedback")


def caller_sums(log: ContactLog, group: Ints, number: int) -> Floats:
    """`[number, 6]` the sums of `CALLER_SUMS` in each group of callers.

    Args:
        log: Contact records.
        group: `[n]` group of each contact, below `number`; -1 where it is not known, which counts nowhere.
        number: Of groups.

    Raises:
        ValueError: If there is not one group for each contact, or one is out of range.
    """
    if group.shape != (len(log),):
        raise ValueError(f"a log of {len(log)} contacts needs a group for each, got shape {group.shape}")
    offered = log.outcome != Outcome.REJECTED
    answered = log.outcome == Outcome.ANSWERED
    first = offered & ~np.isnan(log.answered_at)
    rated = answered & ~np.isnan(log.feedback)
    waited = np.where(first, log.answered_at - log.arrived_at, 0.0)
    columns = (offered, answered, first, waited, rated, np.where(rated, log.feedback, 0.0))
    return _sums(columns, group, number)


def counsellor_sums(log: ContactLog, roster: Roster, group: Ints, number: int, until: float, horizon: float) -> Floats:
    """`[number, 5]` the sums of `COUNSELLOR_SUMS` in each group of counsellors.

    Args:
        log: Contact records.
        roster: Its `C` counsellors.
        group: `[C]` group of each, below `number`; -1 for none.
        number: Of groups.
        until: Minute at which the counsellors' accounts close, as in `kpis`.
        horizon: Minute at which staffed time ends, as in `kpis`.

    Raises:
        ValueError: As `caller_sums`.
    """
    size = len(roster)
    if group.shape != (size,):
        raise ValueError(f"a roster of {size} counsellors needs a group for each, got shape {group.shape}")
    accounts = replay(log, roster, until, horizon)
    answered = (log.outcome == Outcome.ANSWERED) & (log.counsellor >= 0)
    rated = answered & ~np.isnan(log.feedback)
    by = [np.bincount(log.counsellor[which], minlength=size) for which in (answered, rated)]
    feedback = np.bincount(log.counsellor[rated], weights=log.feedback[rated], minlength=size)
    return _sums((by[0], accounts.staffed, accounts.busy_staffed, by[1], feedback), group, number)


def gap(rates: Floats) -> Floats:
    """`[...]` the largest less the smallest of rates `[..., G]`; a group without a rate (NaN) is left out.

    Raises:
        ValueError: If no group has a rate.
    """
    if np.isnan(rates).all(axis=-1).any():
        raise ValueError("a gap needs the rate of at least one group, got none")
    spread: Floats = np.nanmax(rates, axis=-1) - np.nanmin(rates, axis=-1)
    return spread


def _sums(columns: tuple[NDArray[np.generic], ...], group: Ints, number: int) -> Floats:
    """`[number, k]` sums of `k` columns over the members of each group."""
    if group.size and not (group.min() >= -1 and group.max() < number):
        raise ValueError(f"groups must lie in -1 to {number - 1}, got {group.min()} to {group.max()}")
    known = group >= 0
    table = [np.bincount(group[known], weights=column[known], minlength=number) for column in columns]
    return np.stack(table, axis=-1).astype(np.float64)

"""What counsellors carried: occupancy, overtime, streaks, zombies and burden, from contact records and the roster."""

import math

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import ROLES, ContactLog, LegKind, Risk, Role, Roster
from mhgym.domain.contact import Floats
from mhgym.metrics.burden import BurdenAccounts, BurdenMeter
from mhgym.metrics.ratios import mean, share

PAID_ROLES = (Role.FULL_TIME, Role.DUTY_OFFICER, Role.THERAPIST)


def replay(log: ContactLog, roster: Roster, until: float = math.inf, horizon: float = math.inf) -> BurdenAccounts:
    """Feed the legs to a burden meter in order of time and settle it.

    Args:
        log: Contact records.
        roster: Counsellors; staffed minutes are cut at `until` and at `horizon`.
        until: Minute at which all accounts close.
        horizon: Minute at which staffed time ends; whoever works on to drain the centre works overtime.

    Returns:
        The accounts of all counsellors at the end.
    """
    meter = BurdenMeter(roster.staffed_intervals(min(until, horizon)), until)
    legs = len(log.leg_start)
    times = np.minimum(np.concatenate([log.leg_start, log.leg_end]), until)
    steps = np.repeat(np.array([1, -1]), legs)
    high = np.tile(log.risk[log.leg_contact] == Risk.HIGH, 2) * steps
    order = np.argsort(times, kind="stable")  # at one instant starts come first, so that no count falls below 0
    rows = (np.tile(log.leg_counsellor, 2), times, steps, high)
    for counsellor, now, contacts, high_risk in zip(*(column[order].tolist() for column in rows), strict=True):
        meter.change(counsellor, now, contacts, high_risk)
    return meter.per_counsellor(math.inf)


def occupancy_by_counsellor(log: ContactLog, roster: Roster, until: float = math.inf) -> Floats:
    """`[C]` share of staffed minutes, up to `until`, with at least one contact in hand; 0 if never staffed."""
    return replay(log, roster, until).occupancy


def workload_kpis(log: ContactLog, roster: Roster, accounts: BurdenAccounts, until: float) -> dict[str, float]:
    """KPIs of load and burden; names as in the glossary."""
    roles = roster.roles()
    capacities = np.array([person.capacity for person in roster], dtype=np.float64)
    minutes = np.minimum(log.leg_end, until) - np.minimum(log.leg_start, until)
    zombie, bridge = log.leg_kind == LegKind.ZOMBIE, log.leg_kind == LegKind.BRIDGE
    return {
        "occupancy": _occupancy(accounts, np.ones(len(roster), dtype=np.bool_)),
        "slot_occupancy": share(minutes.sum(), float(capacities @ accounts.staffed)),
        **{f"occupancy_{ROLES[role]}": _occupancy(accounts, roles == role) for role in sorted(set(roles.tolist()))},
        "overtime_minutes": float(accounts.overtime.sum()),
        "longest_streak_minutes": float(accounts.longest_streak.max()),
        "zombie_minutes": float(minutes[zombie].sum()),
        "zombies_opened": float(zombie.sum()),
        "burden_therapists": min(0.0, -mean(accounts.b[np.isin(roles, PAID_ROLES)])),
        "burden_volunteers": min(0.0, -mean(accounts.b[roles == Role.VOLUNTEER])),
        **({"bridges": float(bridge.sum())} if roster.has_inboxes else {}),
    }


def service_kpis(log: ContactLog, number: int, valid_minutes: float) -> dict[str, float]:
    """KPIs of the length of contacts, over those with at least one leg of service; `number` contacts were offered."""
    length = log.leg_end - log.leg_start
    service = log.leg_kind == LegKind.SERVICE
    own_work = service | (log.leg_kind == LegKind.WRAP_UP)
    served = np.bincount(log.leg_contact[service], minlength=len(log)) > 0
    service_minutes = _per_contact(log, length * service)[served]
    return {
        "mean_service_minutes": mean(service_minutes),
        "mean_handle_minutes": mean(_per_contact(log, length * own_work)[served]),
        "valid_share": share(int((service_minutes >= valid_minutes).sum()), number),
    }


def _per_contact(log: ContactLog, minutes: Floats) -> Floats:
    """`[n]` the sum of `[m]` minutes of the legs of each contact."""
    return np.bincount(log.leg_contact, weights=minutes, minlength=len(log)).astype(np.float64)


def _occupancy(accounts: BurdenAccounts, group: NDArray[np.bool_]) -> float:
    """Busy over staffed minutes of one group (`[C]` mask), at most 1."""
    return min(1.0, share(accounts.busy_staffed[group].sum(), accounts.staffed[group].sum()))

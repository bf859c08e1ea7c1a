"""What each KPI means, in words and units: the stable names of `kpis`."""

from typing import NamedTuple

from mhgym.domain import CALLER_TYPES, RISKS, ROLES


class Entry(NamedTuple):
    """One KPI: its unit and its definition."""

    unit: str
    meaning: str


_FIXED = {
    "visitors": Entry("contacts", "all who arrived"),
    "offered": Entry("contacts", "those who accepted the terms of service; N below"),
    "answered": Entry("contacts", "contacts that a counsellor finished"),
    "transfers": Entry("transfers", "times a contact was sent back to the queue"),
    "offered_per_hour": Entry("per hour", "N over the horizon"),
    "answered_per_hour": Entry("per hour", "answered contacts over the horizon"),
    "quantity": Entry("share", "answered / N"),
    "abandonment": Entry("share", "left the first queue or a transfer / N"),
    "abandonment_first_queue": Entry("share", "left the first queue / N"),
    "abandonment_in_transfer": Entry("share", "left in transfer / N"),
    "unanswered": Entry("share", "still waiting at the close / N"),
    "conversion": Entry("share", "answered / visitors"),
    "quality": Entry("feedback", "sum of feedback of answered contacts / N; unknown feedback counts 0"),
    "quality_served": Entry("feedback", "mean over answered contacts with known feedback"),
    "objective_per_arrival": Entry("index", "half quality and half quantity"),
    "objective_served": Entry("index", "half quality_served and half quantity"),
    "burden": Entry(
        "index", "minus the mean burden of all counsellors, at most 0; our construct, not a validated scale"
    ),
    "fairness": Entry("index", "-max(0, new_share_of_time - new_share_of_answered); 0 without newcomers or answers"),
    "new_share_of_time": Entry("share", "staffed minutes of counsellors while they are new / those of all who answer"),
    "new_share_of_answered": Entry("share", "answered contacts whose last leg somebody new began / answered"),
    "jain_answered_per_staffed_minute": Entry("index", "Jain's index over staffed counsellors who answer; 1 is equal"),
    "gini_answered_per_staffed_minute": Entry(
        "index", "Gini coefficient over staffed counsellors who answer; 0 is equal"
    ),
    "first_answer_share": Entry("share", "contacts with a first answer, finished or not / N"),
    "first_answer_conversion": Entry("share", "contacts with a first answer / visitors"),
    "direct_share": Entry("share", "first answer after a wait of exactly 0 / N"),
    "direct_share_60s": Entry("share", "first answer within 1 minute / N"),
    "answered_after_wait_share": Entry("share", "first answer after a wait above 0 / N"),
    "asa": Entry("minutes", "mean wait to the first answer, over contacts that had one"),
    "wait_p50": Entry("minutes", "median wait to the first answer, over contacts that had one"),
    "wait_p90": Entry("minutes", "90th percentile of the same wait"),
    "wait_p99": Entry("minutes", "99th percentile of the same wait"),
    "mean_time_to_abandon": Entry("minutes", "mean wait of those who left the first queue"),
    "mean_wait": Entry("minutes", "mean wait in the first queue over N, whatever ended it"),
    "service_level": Entry("share", "first answer within the service-level minutes / N"),
    "longest_queue": Entry("contacts", "most living contacts waiting at once, in the first queue or in transfer"),
    "mean_service_minutes": Entry("minutes", "mean total service, over contacts with a leg of service"),
    "mean_handle_minutes": Entry("minutes", "mean total service and wrap-up, over contacts with a leg of service"),
    "valid_share": Entry("share", "contacts with at least the valid minutes of total service / N"),
    "occupancy": Entry("share", "staffed minutes with a contact in hand / staffed minutes"),
    "slot_occupancy": Entry("share", "minutes of all legs / staffed minutes x capacity; above 1 under overtime"),
    "overtime_minutes": Entry("minutes", "minutes with a contact in hand while not on duty, all counsellors"),
    "longest_streak_minutes": Entry("minutes", "longest stretch of contact without a pause of 5 minutes"),
    "zombie_minutes": Entry("minutes", "spent on contacts that had been abandoned"),
    "zombies_opened": Entry("contacts", "abandoned contacts that a counsellor opened"),
    "burden_therapists": Entry("index", "burden among therapists, full-time staff and duty officers"),
    "burden_volunteers": Entry("index", "burden among volunteers"),
    "bridges": Entry("bridges", "times that somebody bridged the wait of a contact in an inbox, if there are inboxes"),
}

GLOSSARY: dict[str, Entry] = {
    **_FIXED,
    **{f"occupancy_{role}": Entry("share", f"occupancy of the role {role}, if on the roster") for role in ROLES},
    **{f"abandonment_{name}": Entry("share", f"abandonment among {name} callers") for name in RISKS + CALLER_TYPES},
    **{f"wait_{name}": Entry("minutes", f"mean_wait of {name} callers") for name in RISKS + CALLER_TYPES},
}
"""Unit and definition of every key that `kpis` can return. Means over nobody are 0."""

"""Frozen data of a contact centre: no randomness, no input or output."""

from mhgym.domain.caller import CALLER_TYPES, RISKS, CallerType, Risk
from mhgym.domain.contact import ContactLog, LegKind, Outcome
from mhgym.domain.counsellor import ROLES, Counsellor, Role, Shift
from mhgym.domain.roster import Roster

__all__ = [
    "CALLER_TYPES",
    "RISKS",
    "ROLES",
    "CallerType",
    "ContactLog",
    "Counsellor",
    "LegKind",
    "Outcome",
    "Risk",
    "Role",
    "Roster",
    "Shift",
]

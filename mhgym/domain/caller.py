"""What is known about a caller: type and risk."""

from enum import IntEnum


class CallerType(IntEnum):
    """Whether a caller has used the service often before."""

    NON_REPEAT = 0
    REPEAT = 1


class Risk(IntEnum):
    """Risk as the screening shows it; `HIGH` holds the published high and crisis levels."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2


CALLER_TYPES = tuple(member.name.lower() for member in CallerType)
RISKS = tuple(member.name.lower() for member in Risk)

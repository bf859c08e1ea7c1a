"""Shares and means with a value for every empty denominator: 0."""

from mhgym.domain.contact import Floats


def share(part: float, whole: float) -> float:
    """`part / whole`, and 0 where the whole is 0."""
    return float(part / whole) if whole else 0.0


def mean(values: Floats) -> float:
    """The mean of `[n]` values, and 0 where there are none."""
    return float(values.mean()) if values.size else 0.0

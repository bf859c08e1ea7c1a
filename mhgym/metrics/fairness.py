"""How evenly contacts are shared among counsellors, newcomers first."""

import numpy as np
from numpy.typing import ArrayLike

from mhgym.domain.contact import Floats


def newcomer_gap(share_of_time: float, share_of_answered: float | None) -> float:
    """The fairness component: how far new counsellors fall short of their share of contacts.

    Args:
        share_of_time: T, the share of all staffed minutes that new counsellors have; 0 without newcomers.
        share_of_answered: S, the share of answered contacts that new counsellors finished; None while nobody has been
            answered.

    Returns:
        -max(0, T - S), in [-1, 0]; 0 where there are no newcomers or no answered contacts.

    Raises:
        ValueError: If a share lies outside [0, 1].
    """
    if not 0 <= share_of_time <= 1:
        raise ValueError(f"share_of_time must lie in [0, 1], got {share_of_time}")
    if share_of_answered is None:
        return 0.0
    if not 0 <= share_of_answered <= 1:
        raise ValueError(f"share_of_answered must lie in [0, 1], got {share_of_answered}")
    return min(0.0, share_of_answered - share_of_time)


def jain_index(values: ArrayLike) -> float:
    """Jain's fairness index, (sum x)^2 / (n sum x^2).

    Args:
        values: `[n]` amounts, at least 0, any unit.

    Returns:
        From 1/n (one has all) to 1 (all equal); 1 for empty or all-zero input, where nobody is worse off.

    Raises:
        ValueError: If an amount is negative or not finite.

    Source: Jain, Chiu & Hawe (1984), DEC-TR-301.
    """
    amounts = _amounts(values)
    peak = amounts.max(initial=0.0)
    if not peak:
        return 1.0
    scaled = amounts / peak  # squares of tiny amounts would vanish
    return float(min(1.0, scaled.sum() ** 2 / (scaled.size * (scaled**2).sum())))


def gini(values: ArrayLike) -> float:
    """Gini coefficient: the mean absolute difference of all pairs over twice the mean.

    Args:
        values: `[n]` amounts, at least 0, any unit.

    Returns:
        From 0 (all equal) to 1 - 1/n (one has all); 0 for empty or all-zero input.

    Raises:
        ValueError: If an amount is negative or not finite.
    """
    amounts = np.sort(_amounts(values))
    peak = amounts.max(initial=0.0)
    if not peak:
        return 0.0
    scaled = amounts / peak
    weights = 2 * np.arange(1, scaled.size + 1) - scaled.size - 1
    return float(max(0.0, weights @ scaled / (scaled.size * scaled.sum())))


def _amounts(values: ArrayLike) -> Floats:
    """`[n]` the values as floats, refused if one is negative or not finite."""
    amounts = np.asarray(values, dtype=np.float64).ravel()
    wrong = amounts[~(np.isfinite(amounts) & (amounts >= 0))]
    if wrong.size:
        raise ValueError(f"amounts to share must be finite and at least 0, got {wrong[0]}")
    return amounts

"""Index rules: rank every pair by a number, route the largest first."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.selection import best_pair
from mhgym.engines.rules import QUALITY_FLOOR, Rule
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair

Floats = NDArray[np.float64]


def cmt_index(quality: Floats, service_time: Floats, patience: Floats) -> Floats:
    """Rank caller-counsellor pairs; the largest index is routed first.

    Args:
        quality: `[n, C]` predicted feedback, scaled to (0, 1].
        service_time: `[n, C]` predicted minutes of the contact.
        patience: `[n]` predicted minutes a caller would wait in all.

    Returns:
        `[n, C]` index, per square minute.

    Raises:
        ValueError: If a service time or a patience is not positive.

    Source: Kleinerman, Rosenfeld & Rosemarin (2022), "Evaluated routing methods".
    """
    _check_positive(service_time, patience)
    return quality / (service_time * patience[:, None])


def cmu_theta_index(quality: Floats, service_time: Floats, patience: Floats) -> Floats:
    """The cμ/θ rule, with θ = 1 / patience: those who would wait longer come first.

    Args:
        quality: `[n, C]` predicted feedback, scaled to (0, 1]: the reward c of serving.
        service_time: `[n, C]` predicted minutes: 1 / μ.
        patience: `[n]` predicted minutes: 1 / θ.

    Returns:
        `[n, C]` index, without unit.

    Raises:
        ValueError: If a service time or a patience is not positive.

    Source: Atar, Giat & Shimkin (2010), "The cμ/θ rule for many-server queues with abandonment".
    """
    _check_positive(service_time, patience)
    return quality * patience[:, None] / service_time


def _check_positive(service_time: Floats, patience: Floats) -> None:
    for name, values in (("service time", service_time), ("patience", patience)):
        if not np.all(values > 0):
            raise ValueError(f"an index needs a positive {name}, got {values[~(values > 0)].flat[0]} minutes")


@dataclass
class CMT:
    """Kleinerman's rule: quality ÷ (duration × patience). Work-conserving."""

    name: str = "cmt"
    compiled_rule: ClassVar[Rule] = Rule.CMT

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: CentreView) -> Pair:
        """The pair with the largest index."""
        quality = np.maximum(view.quality, QUALITY_FLOOR)
        return best_pair(view, cmt_index(quality, view.service_time, view.waiting.patience))


@dataclass
class CMuTheta:
    """The cμ/θ rule of Atar, Giat & Shimkin. Work-conserving."""

    name: str = "cmu_theta"
    compiled_rule: ClassVar[Rule] = Rule.CMU_THETA

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""

    def act(self, view: CentreView) -> Pair:
        """The pair with the largest index."""
        quality = np.maximum(view.quality, QUALITY_FLOOR)
        return best_pair(view, cmu_theta_index(quality, view.service_time, view.waiting.patience))

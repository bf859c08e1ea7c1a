"""Index rules: rank every pair by a number, route the largest first. All are work-conserving.

`c` is what serving is worth, `μ` = 1 / predicted minutes of service, `θ` = 1 / predicted patience. Rules that may hold
are in `agents.index_rules_holding`; those that need no prediction in `agents.first_come`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.selection import best_pair
from mhgym.domain import Risk
from mhgym.engines.rules import QUALITY_FLOOR, Rule
from mhgym.policy import Weighed
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


def cmu_theta_index(quality: Floats, service_time: Floats, patience: Floats, penalty: float = 0.0) -> Floats:
    """The cμ/θ rule, with θ = 1 / patience: those who would wait longer come first.

    Waiting costs c = quality per minute and an abandonment costs as much as `penalty` minutes of it, so that in all
    c + θ·penalty·c is saved per minute by serving. A penalty without bound gives quality·μ.

    Args:
        quality: `[n, C]` predicted feedback, scaled to (0, 1].
        service_time: `[n, C]` predicted minutes: 1 / μ.
        patience: `[n]` predicted minutes: 1 / θ.
        penalty: Of an abandonment, minutes of waiting.

    Returns:
        `[n, C]` index, without unit.

    Raises:
        ValueError: If a service time or a patience is not positive.

    Source: Atar, Giat & Shimkin (2010), "The cμ/θ rule for many-server queues with abandonment". A penalty, they say,
    leads to a similar index; this one follows, as callers who wait abandon at the rate θ.
    """
    _check_positive(service_time, patience)
    return quality * (patience[:, None] + penalty) / service_time


def cmu_h_index(
    quality: Floats, service_time: Floats, patience: Floats, wait: Floats, growth: float, shape: float
) -> Floats:
    """The generalised cμ/h rule: marginal cost of waiting × μ ÷ hazard of abandonment, both at the present age.

    The cost of a wait w is quality × (w + growth·w²/2), convex, so that its slope is quality × (1 + growth·w). The
    hazard is that of a Lomax law with mean `patience`, h(w) = shape / ((shape − 1)·patience + w): exponential
    patience whose rate is not known but gamma-distributed with this shape. It does not increase with age: with convex
    costs the case in which the rule is optimal. For a large shape it is 1 / patience, and with growth 0 the rule is
    cμ/θ.

    Args:
        quality: `[n, C]` predicted feedback, scaled to (0, 1].
        service_time: `[n, C]` predicted minutes.
        patience: `[n]` predicted minutes.
        wait: `[n]` minutes waited.
        growth: Of the cost's slope, per minute.
        shape: Of the gamma law, above 1.

    Returns:
        `[n, C]` index, without unit.

    Raises:
        ValueError: If a service time or a patience is not positive.

    Source: Long, Shimkin, Zhang & Zhang (2020), "Dynamic scheduling of multiclass many-server queues with abandonment:
    the generalized cμ/h rule". They give the rule for classes of callers with known laws; cost and hazard are ours.
    """
    _check_positive(service_time, patience)
    cost = 1.0 + growth * wait
    rest = (shape - 1.0) * patience + wait
    return quality * cost[:, None] * rest[:, None] / (shape * service_time)


def _check_positive(service_time: Floats, patience: Floats) -> None:
    for name, values in (("service time", service_time), ("patience", patience)):
        if not np.all(values > 0):
            raise ValueError(f"an index needs a positive {name}, got {values[~(values > 0)].flat[0]} minutes")


def check_at_least(least: float, **settings: float) -> None:
    """Refuse settings below a bound by name."""
    for name, value in settings.items():
        if not value >= least:
            raise ValueError(f"{name} must be at least {least:g}, got {value}")


def floored_quality(view: CentreView) -> Floats:
    """`[n, C]` predicted quality in (0, 1]."""
    return np.maximum(view.quality, QUALITY_FLOOR)


class IndexRule(ABC):
    """Routes the pair with the largest index.

    Attributes:
        measure: What the index is, with its unit.
    """

    name: str
    compiled_rule: ClassVar[Rule]
    measure: ClassVar[str]

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Nothing to prepare."""
        del scenario, rng

    def act(self, view: CentreView) -> Pair:
        """The pair with the largest index."""
        return best_pair(view, *self.keys(view))

    def weigh(self, view: CentreView) -> Weighed:
        """The indices of all legal pairs."""
        return Weighed.of(view, self.measure, self.keys(view)[0])

    @property
    def compiled_params(self) -> tuple[float, ...]:
        """What the compiled rule needs beside its name."""
        return ()

    @abstractmethod
    def keys(self, view: CentreView) -> tuple[Floats, ...]:
        """`[n, C]` indices, the second for ties of the first."""


@dataclass
class CMT(IndexRule):
    """Kleinerman's rule: quality ÷ (duration × patience).

    Source: Kleinerman, Rosenfeld & Rosemarin (2022), see `cmt_index`.
    """

    name: str = "cmt"
    compiled_rule: ClassVar[Rule] = Rule.CMT
    measure: ClassVar[str] = "quality ÷ (service × patience), per square minute"

    def keys(self, view: CentreView) -> tuple[Floats, ...]:
        """See `cmt_index`."""
        return (cmt_index(floored_quality(view), view.service_time, view.waiting.patience),)


@dataclass
class CMu(IndexRule):
    """The cμ rule with a cost of waiting by risk; with equal costs the shortest predicted service comes first.

    Attributes:
        costs: Of a minute of waiting at low, medium and high risk. Default: assumption.

    Source: Cox & Smith (1961), "Queues".
    """

    costs: Sequence[float] = (1.0, 2.0, 4.0)
    name: str = "cmu"
    compiled_rule: ClassVar[Rule] = Rule.CMU
    measure: ClassVar[str] = "cost of waiting ÷ service, per minute"

    def __post_init__(self) -> None:
        self.costs = tuple(map(float, self.costs))
        if len(self.costs) != len(Risk):
            raise ValueError(f"costs needs one number for each of {len(Risk)} levels of risk, got {len(self.costs)}")
        for level, cost in zip(Risk, self.costs, strict=True):
            check_at_least(0.0, **{f"the cost at {level.name.lower()} risk": cost})

    @property
    def compiled_params(self) -> tuple[float, ...]:
        """The costs."""
        return tuple(self.costs)

    def keys(self, view: CentreView) -> tuple[Floats, ...]:
        """Cost ÷ minutes."""
        _check_positive(view.service_time, view.waiting.patience)
        return (np.array(self.costs)[view.waiting.risk][:, None] / view.service_time,)


@dataclass
class CMuTheta(IndexRule):
    """The cμ/θ rule of Atar, Giat & Shimkin.

    Attributes:
        penalty: Of an abandonment, minutes of waiting.

    Source: Atar, Giat & Shimkin (2010), see `cmu_theta_index`.
    """

    penalty: float = 0.0
    name: str = "cmu_theta"
    compiled_rule: ClassVar[Rule] = Rule.CMU_THETA
    measure: ClassVar[str] = "quality × (patience + penalty) ÷ service"

    def __post_init__(self) -> None:
        check_at_least(0.0, penalty=self.penalty)

    @property
    def compiled_params(self) -> tuple[float, ...]:
        """The penalty."""
        return (self.penalty,)

    def keys(self, view: CentreView) -> tuple[Floats, ...]:
        """See `cmu_theta_index`."""
        return (cmu_theta_index(floored_quality(view), view.service_time, view.waiting.patience, self.penalty),)


@dataclass
class CMuH(IndexRule):
    """The generalised cμ/h rule, see `cmu_h_index`.

    Attributes:
        growth: Of the cost of waiting, per minute waited. Default: assumption.
        shape: Of the law of patience around its prediction; the smaller, the surer those who have waited stay. Default:
            assumption.

    Source: Long, Shimkin, Zhang & Zhang (2020), see `cmu_h_index`.
    """

    growth: float = 0.1
    shape: float = 4.0
    name: str = "cmu_h"
    compiled_rule: ClassVar[Rule] = Rule.CMU_H
    measure: ClassVar[str] = "cost of waiting ÷ (service × hazard of leaving)"

    def __post_init__(self) -> None:
        check_at_least(0.0, growth=self.growth)
        if not self.shape > 1:
            raise ValueError(f"shape must be above 1 for a mean patience to exist, got {self.shape}")

    @property
    def compiled_params(self) -> tuple[float, ...]:
        """Growth and shape."""
        return self.growth, self.shape

    def keys(self, view: CentreView) -> tuple[Floats, ...]:
        """See `cmu_h_index`."""
        pairs = floored_quality(view), view.service_time
        return (cmu_h_index(*pairs, view.waiting.patience, view.wait, self.growth, self.shape),)


@dataclass
class QualityMu(IndexRule):
    """Quality·μ: the feedback earned per minute of a counsellor's time."""

    name: str = "quality_mu"
    compiled_rule: ClassVar[Rule] = Rule.QUALITY_MU
    measure: ClassVar[str] = "quality ÷ service, per minute"

    def keys(self, view: CentreView) -> tuple[Floats, ...]:
        """Quality ÷ minutes."""
        _check_positive(view.service_time, view.waiting.patience)
        return (floored_quality(view) / view.service_time,)


@dataclass
class MaxWeight(IndexRule):
    """MaxWeight by age: minutes waited × μ.

    Attributes:
        head_start: Minutes added to every wait, so that a caller who has not waited yet goes to a fast counsellor.
            Default: assumption.

    Source: Andrews et al. (2004), "Scheduling in a queueing system with asynchronously varying service rates", where
    the age of the first in each queue stands for its length.
    """

    head_start: float = 1.0
    name: str = "max_weight"
    compiled_rule: ClassVar[Rule] = Rule.MAX_WEIGHT
    measure: ClassVar[str] = "wait ÷ service"

    def __post_init__(self) -> None:
        check_at_least(0.0, head_start=self.head_start)

    @property
    def compiled_params(self) -> tuple[float, ...]:
        """The head start."""
        return (self.head_start,)

    def keys(self, view: CentreView) -> tuple[Floats, ...]:
        """Minutes waited ÷ minutes of service."""
        _check_positive(view.service_time, view.waiting.patience)
        return ((self.head_start + view.wait)[:, None] / view.service_time,)


@dataclass
class FastestServer(IndexRule):
    """First come, first served, by the counsellor with the shortest predicted service."""

    name: str = "fastest_server"
    compiled_rule: ClassVar[Rule] = Rule.FASTEST_SERVER
    measure: ClassVar[str] = "place in the queue, the first is 0, the next -1"

    def keys(self, view: CentreView) -> tuple[Floats, ...]:
        """The place in the queue, then the minutes."""
        return -np.arange(len(view.waiting), dtype=np.float64)[:, None], -view.service_time

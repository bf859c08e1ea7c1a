"""Intervals for ratios of sums over traces, resampled together for all policies, and for a gap between groups."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mhgym.evaluation.statistics import Interval
from mhgym.metrics.by_group import gap

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 2000


def resamples(number: int, *, size: int = RESAMPLES) -> Floats:
    """`[size, number]` how often each trace is drawn: one table for all policies of a centre pairs them."""
    counts = np.random.default_rng(0).multinomial(number, np.full(number, 1.0 / number), size=size)
    return counts.astype(np.float64)


@dataclass(frozen=True)
class Estimate:
    """Statistics of the traces, and the same of each resample.

    Attributes:
        value: `[...]`.
        drawn: `[R, ...]`.
    """

    value: Floats
    drawn: Floats

    @classmethod
    def total(cls, table: Floats, draws: Floats) -> Self:
        """Sums over traces of a table `[n, ...]`."""
        rest = table.shape[1:]
        return cls(table.sum(axis=0), (draws @ table.reshape(len(table), -1)).reshape(len(draws), *rest))

    @classmethod
    def mean(cls, values: Floats, draws: Floats) -> Self:
        """The mean over traces of values `[n, ...]`."""
        total = cls.total(values, draws)
        return cls(total.value / len(values), total.drawn / len(values))

    def __getitem__(self, index: int) -> Self:
        return type(self)(self.value[..., index], self.drawn[..., index])

    def __truediv__(self, other: Self) -> Self:
        """A ratio of sums; NaN over nobody."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return type(self)(_known(self.value / other.value), _known(self.drawn / other.drawn))

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.value - other.value, self.drawn - other.drawn)

    def interval(self) -> Interval:
        """The percentile bootstrap interval of one number."""
        tail = (1 - CONFIDENCE) / 2
        low, high = np.nanquantile(self.drawn, [tail, 1 - tail])
        return Interval(float(low), float(self.value), float(high), CONFIDENCE)

    def intervals(self) -> list[Interval]:
        """Of each of `[G]` numbers by itself."""
        return [self[index].interval() for index in range(self.value.shape[-1])]

    def gap_interval(self) -> Interval:
        """Of the largest less the smallest of `[G]` rates, honest about the two having been picked.

        No pair of rates is further from its true difference than the errors of all rates are apart, so neither is the
        largest pair: the gap plus and minus the quantile of that range, from 0 on. The range of errors is that of the
        resamples. Where all groups fare alike the interval reaches down to 0, as percentiles of resampled gaps would
        not: a gap is never negative, and resampling widens it.

        Source: Tukey's simultaneous intervals for all pairs by the studentised range (1953), with the bootstrap in the
        place of the normal law.
        """
        found = float(gap(self.value))
        errors = self.drawn - self.value
        margin = float(np.nanquantile(gap(errors), CONFIDENCE))
        return Interval(max(0.0, found - margin), found, found + margin, CONFIDENCE)


def _known(ratio: Floats) -> Floats:
    return np.where(np.isfinite(ratio), ratio, np.nan)

"""Comparing policies: intervals, tests and sizes of effect, deterministic given the generator.

Policies are compared on common traces, so `a[i]` and `b[i]` are scores of one trace. Intervals are percentile bootstrap
intervals (Efron 1979) rather than BCa: they stay inside the range of the statistic, exist for constant scores, where
the acceleration of BCa is 0/0, and hold for medians and trimmed means, whose jackknife misleads. The price is coverage
a little below the nominal value in small samples: for a mean of `n` normal values 95 % becomes the probability that
Student's t with n−1 degrees of freedom stays within 1.96·√((n−1)/n), which is .929 at n = 20 and .950 at 1,000.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]
Statistic = Literal["mean", "median", "iqm"]

RESAMPLES = 10_000
_BLOCK = 2_000_000  # resampled values held in memory at once


@dataclass(frozen=True)
class Interval:
    """An estimate and its interval.

    Attributes:
        low: Lower end.
        estimate: The statistic of the scores themselves.
        high: Upper end.
        confidence: Nominal coverage.
    """

    low: float
    estimate: float
    high: float
    confidence: float = 0.95

    def contains(self, value: float) -> bool:
        """Whether a value lies between the ends, ends included."""
        return self.low <= value <= self.high

    def format(self, digits: int = 3) -> str:
        """Such as `0.031 [0.012, 0.050]`."""
        return f"{self.estimate:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def interquartile_mean(values: ArrayLike) -> float:
    """Mean of the middle half of all values; `floor(n / 4)` are cut from each end.

    Source: Agarwal et al. (2021), "Deep reinforcement learning at the edge of the statistical precipice".
    """
    return float(_iqm(_finite("values", values).ravel()))


def bootstrap_interval(
    values: ArrayLike,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    statistic: Statistic = "mean",
) -> Interval:
    """Percentile bootstrap interval of one statistic.

    Args:
        values: `[n]` independent scores, such as one of each trace.
        rng: Source of the resamples.
        confidence: Nominal coverage.
        resamples: Number of bootstrap samples.
        statistic: `mean`, `median` or `iqm`.

    Raises:
        ValueError: If there are fewer than 2 values, one of them is not finite, or an argument is out of range.
    """
    _check_settings(confidence, resamples)
    sample = _vector("values", values)
    if statistic not in _STATISTICS:
        raise ValueError(f"statistic must be one of {', '.join(_STATISTICS)}, got {statistic!r}")
    measure = _STATISTICS[statistic]
    size, per_block = len(sample), max(1, _BLOCK // len(sample))
    blocks = [
        measure(sample[rng.integers(size, size=(min(per_block, resamples - done), size))])
        for done in range(0, resamples, per_block)
    ]
    return _percentiles(float(measure(sample)), blocks, confidence)


def paired_interval(
    a: ArrayLike,
    b: ArrayLike,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    statistic: Statistic = "mean",
) -> Interval:
    """Interval of the difference a − b on common traces.

    Args:
        a: `[n]` scores of one policy.
        b: `[n]` scores of another on the same traces, in the same order.
        rng: As for `bootstrap_interval`.
        confidence: As for `bootstrap_interval`.
        resamples: As for `bootstrap_interval`.
        statistic: Of the differences.

    Raises:
        ValueError: If the lengths differ, or as for `bootstrap_interval`.
    """
    difference = np.subtract(*_paired(a, b))
    return bootstrap_interval(difference, rng=rng, confidence=confidence, resamples=resamples, statistic=statistic)


def share_interval(
    a: ArrayLike,
    floor: ArrayLike,
    ceiling: ArrayLike,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Interval of the share of a distance that a policy covers: mean(a − floor) / mean(ceiling − floor).

    Traces are resampled, so that all three means go together. Where resamples without a distance would widen the tails
    of the interval noticeably, more than a twentieth of the share outside it, there is none.

    Args:
        a: `[n]` scores of a policy.
        floor: `[n]` scores that stand for 0, on the same traces.
        ceiling: `[n]` scores that stand for 1, likewise; above the floor in the mean.
        rng: As for `bootstrap_interval`.
        confidence: As for `bootstrap_interval`.
        resamples: As for `bootstrap_interval`.

    Raises:
        ValueError: If the lengths differ, the ceiling is not clearly above the floor, or as for `bootstrap_interval`.
    """
    _check_settings(confidence, resamples)
    gain, distance = np.subtract(*_paired(a, floor)), np.subtract(*_paired(ceiling, floor))
    if distance.mean() <= 0:
        raise ValueError(f"the ceiling must lie above the floor, got a mean difference of {distance.mean():g}")
    both = np.stack([gain, distance], axis=1)
    size = max(1, _BLOCK // len(both))
    blocks = []
    for first in range(0, resamples, size):
        means = both[rng.integers(len(both), size=(min(size, resamples - first), len(both)))].mean(axis=1)
        means = means[means[:, 1] > 0]
        blocks.append(means[:, 0] / means[:, 1])
    lost = resamples - sum(map(len, blocks))
    if lost > resamples * (1 - confidence) / 20:
        raise ValueError(
            f"the ceiling must lie clearly above the floor, got {lost} of {resamples} resamples in which it does not; "
            "use more traces"
        )
    return _percentiles(float(gain.mean() / distance.mean()), blocks, confidence)


def wilcoxon_p(a: ArrayLike, b: ArrayLike) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test on common traces.

    Traces on which both score the same are dropped, as Wilcoxon (1945) did; 1.0 if that leaves none. SciPy's exact law
    serves small samples and its normal approximation large ones.

    Args:
        a: `[n]` scores of one policy.
        b: `[n]` scores of another on the same traces.

    Raises:
        ValueError: If the lengths differ, there are fewer than 2 or one is not finite.
    """
    difference = np.subtract(*_paired(a, b))
    differing = difference[difference != 0]
    if not differing.size:
        return 1.0
    from scipy import stats  # a second to load, which not every process needs

    return float(stats.wilcoxon(differing).pvalue)


def holm(p_values: ArrayLike) -> Floats:
    """`[m]` p-values adjusted for `m` tests of one table; those at most α are rejected with familywise error α.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".

    Raises:
        ValueError: If a value is NaN or outside [0, 1].
    """
    p = _finite("p_values", p_values)
    if p.ndim != 1 or np.any((p < 0) | (p > 1)):
        raise ValueError(f"p_values must be a vector of probabilities in [0, 1], got {p}")
    order = np.argsort(p, kind="stable")
    stepped = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


def crossed_interval(
    scores: ArrayLike,
    *,
    rng: np.random.Generator,
    statistic: Statistic = "iqm",
    strata: ArrayLike | None = None,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """A statistic of a learned policy, with an interval that resamples training seeds and traces.

    One trained network plays all traces, so its luck is shared by a whole row. Seeds are therefore resampled as rows
    and traces as columns; resampling seeds anew within each trace, as for unrelated tasks, would average luck away.

    Args:
        scores: `[seeds, traces]`, or differences from another policy on the same traces.
        rng: Source of the resamples.
        statistic: `mean`, `median` or `iqm`, the interquartile mean, of all scores.
        strata: `[traces]` scenario of each trace; traces are resampled within their scenario. None for a single one.
        confidence: Nominal coverage; 5 seeds reach less of it, see the module.
        resamples: Number of bootstrap samples.

    Raises:
        ValueError: If there are fewer than 2 seeds or traces, a score is not finite or `strata` has another length.
    """
    _check_settings(confidence, resamples)
    table = _finite("scores", scores)
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError(f"scores must have shape [seeds, traces] with at least 2 of each, got {table.shape}")
    seeds, traces = table.shape
    labels = np.zeros(traces) if strata is None else np.asarray(strata)
    if labels.shape != (traces,):
        raise ValueError(f"strata must name the scenario of each of {traces} traces, got shape {labels.shape}")
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    of, resampled = _STATISTICS[statistic], np.empty(resamples)
    for draw in range(resamples):
        rows = rng.integers(seeds, size=seeds)
        columns = np.concatenate([group[rng.integers(len(group), size=len(group))] for group in groups])
        resampled[draw] = of(table[np.ix_(rows, columns)].ravel())
    return _percentiles(float(of(table.ravel())), [resampled], confidence)


def probability_of_improvement(
    a: ArrayLike,
    b: ArrayLike,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Probability that `a` beats `b` on a trace, ties counted half; 0.5 means no difference.

    Args:
        a: `[traces]`, or `[seeds, traces]` for a learned policy, whose seeds are resampled as well.
        b: The same of another policy on the same traces; the number of seeds may differ.
        rng: Source of the resamples.
        confidence: Nominal coverage.
        resamples: Number of bootstrap samples.

    Raises:
        ValueError: If the traces differ in number, there are fewer than 2, or a score is not finite.
    """
    _check_settings(confidence, resamples)
    left, right = np.atleast_2d(_finite("a", a)), np.atleast_2d(_finite("b", b))
    traces = left.shape[-1]
    if left.ndim != 2 or right.ndim != 2 or right.shape[-1] != traces or traces < 2:
        raise ValueError(f"a and b need the same traces, at least 2, got shapes {left.shape} and {right.shape}")
    wins = (np.sign(left[:, None, :] - right[None, :, :]) + 1) / 2
    resampled = np.empty(resamples)
    for draw in range(resamples):
        pairs = np.ix_(*(rng.integers(size, size=size) for size in wins.shape))
        resampled[draw] = wins[pairs].mean()
    return _percentiles(float(wins.mean()), [resampled], confidence)


def equivalent(difference: Interval, margin: float) -> bool:
    """Whether an interval of a difference lies inside ±margin.

    With a 90 % interval this is the two one-sided tests at 5 % (Schuirmann 1987). False means not shown, not different.

    Raises:
        ValueError: If the margin is not positive.
    """
    if not margin > 0:
        raise ValueError(f"the margin of equivalence must be positive, got {margin}")
    return -margin < difference.low and difference.high < margin


def mean_difference_interval(
    mean_a: float, sd_a: float, n_a: int, mean_b: float, sd_b: float, n_b: int, *, confidence: float = 0.95
) -> Interval:
    """Welch's interval of a − b from summary statistics, for comparison with published results.

    Args:
        mean_a: Mean of the first sample.
        sd_a: Its standard deviation, with n − 1 in the denominator.
        n_a: Its size.
        mean_b: Mean of the second sample, independent of the first.
        sd_b: Its standard deviation.
        n_b: Its size.
        confidence: Nominal coverage.

    Raises:
        ValueError: If a size is below 2, a standard deviation negative, or a value not finite.

    Source: Welch (1947), "The generalization of Student's problem when several different population variances are
    involved".
    """
    _finite("the summary statistics", [mean_a, sd_a, mean_b, sd_b])
    if min(n_a, n_b) < 2 or min(sd_a, sd_b) < 0:
        raise ValueError(
            f"samples need at least 2 values and standard deviations at least 0, got n {n_a} and {n_b}, "
            f"sd {sd_a} and {sd_b}"
        )
    _check_settings(confidence)
    estimate = mean_a - mean_b
    share_a, share_b = sd_a**2 / n_a, sd_b**2 / n_b
    variance = share_a + share_b
    if variance == 0:
        return Interval(estimate, estimate, estimate, confidence)
    freedom = variance**2 / (share_a**2 / (n_a - 1) + share_b**2 / (n_b - 1))
    half = float(special.stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(variance)
    return Interval(estimate - half, estimate, estimate + half, confidence)


def _mean(sample: Floats) -> Floats:
    return np.asarray(sample.mean(axis=-1))


def _median(sample: Floats) -> Floats:
    return np.asarray(np.median(sample, axis=-1))


def _iqm(sample: Floats) -> Floats:
    """Interquartile mean along the last axis."""
    size = sample.shape[-1]
    cut = size // 4
    middle = np.sort(sample, axis=-1)[..., cut : size - cut]
    return np.asarray(middle.mean(axis=-1))


_STATISTICS: dict[str, Callable[[Floats], Floats]] = {"mean": _mean, "median": _median, "iqm": _iqm}


def _percentiles(estimate: float, resampled: list[Floats], confidence: float) -> Interval:
    """The interval between the outer percentiles of resampled statistics."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(resampled), [tail, 1 - tail])
    return Interval(float(low), estimate, float(high), confidence)


def _check_settings(confidence: float, resamples: int = 1) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")


def _finite(name: str, values: ArrayLike) -> Floats:
    """Values as float64, refused by name if empty or not finite."""
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        raise ValueError(f"{name} must hold at least one value, got none")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = tuple(int(index) for index in bad[0])
        raise ValueError(f"{name} must be finite, got {array[place]} at position {place}")
    return array


def _vector(name: str, values: ArrayLike) -> Floats:
    """At least 2 finite values in one dimension."""
    array = _finite(name, values)
    if array.ndim != 1 or len(array) < 2:
        raise ValueError(f"{name} must be a vector of at least 2 values, got shape {array.shape}")
    return array


def _paired(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    """Scores of two policies on common traces."""
    left, right = _vector("a", a), _vector("b", b)
    if len(left) != len(right):
        raise ValueError(f"paired scores need common traces, got {len(left)} of a and {len(right)} of b")
    return left, right

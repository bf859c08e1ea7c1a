"""Laws of the statistics: exact coverage, hand computations, symmetry, and agreement with SciPy."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mhgym.evaluation.statistics import (
    Interval,
    bootstrap_interval,
    crossed_interval,
    equivalent,
    holm,
    interquartile_mean,
    mean_difference_interval,
    paired_interval,
    probability_of_improvement,
    share_interval,
    wilcoxon_p,
)

ROUNDING = 1e-12
FEW = 200  # resamples where the law does not depend on their number

scores = st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=30)


def rng(seed=0):
    return np.random.default_rng(seed)


def binomial_bounds(trials, probability, risk=1e-4):
    """Counts that a correct interval leaves with probability at most `risk`."""
    return stats.binom.ppf([risk / 2, 1 - risk / 2], trials, probability)


# ---------------------------------------------------------------------------------------- bootstrap


def test_coverage_of_the_mean_is_what_the_percentile_method_promises():
    """The bootstrap mean is near normal with variance s²(n−1)/n², so coverage is a probability of Student's t.

    The finite number of resamples blurs each end by about √(.025·.975/2000)/.058 = .06 standard errors, which moves
    coverage by less than .001; the binomial bounds of 1,000 trials are some .03 wide.
    """
    n, trials, generator = 40, 1000, rng(1)
    reach = stats.norm.ppf(0.975) * math.sqrt((n - 1) / n)
    promised = 1 - 2 * stats.t.sf(reach, n - 1)

    hits = sum(
        bootstrap_interval(generator.normal(3, 2, n), rng=generator, resamples=2000).contains(3) for _ in range(trials)
    )

    low, high = binomial_bounds(trials, promised)
    assert low <= hits <= high


@pytest.mark.parametrize("statistic", ["mean", "median", "iqm"])
@settings(max_examples=30, deadline=None)
@given(values=scores)
def test_interval_lies_within_the_scores_and_is_deterministic(statistic, values):
    first, second = (bootstrap_interval(values, rng=rng(), resamples=FEW, statistic=statistic) for _ in range(2))

    assert first == second
    assert min(values) - ROUNDING <= first.low <= first.high <= max(values) + ROUNDING


def test_interval_of_a_mean_approaches_the_normal_one():
    """At n = 400 the ends agree with mean ± 1.96 s/√n within .15 standard errors: five times their resampling error."""
    values = rng(2).normal(size=400)
    interval = bootstrap_interval(values, rng=rng(3))
    error = values.std() / math.sqrt(400)

    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)
    assert interval.estimate == values.mean()


def test_blocks_do_not_change_the_number_of_resamples(monkeypatch):
    values = rng(2).normal(size=50)
    whole = bootstrap_interval(values, rng=rng(4), resamples=1000)
    monkeypatch.setattr("mhgym.evaluation.statistics._BLOCK", 50 * 300)

    assert bootstrap_interval(values, rng=rng(4), resamples=1000) == whole


def test_higher_confidence_is_wider():
    values = rng(5).normal(size=50)
    narrow, wide = (bootstrap_interval(values, rng=rng(6), confidence=level) for level in (0.8, 0.99))

    assert wide.low < narrow.low < narrow.high < wide.high
    assert wide.confidence == 0.99


# ---------------------------------------------------------------------------------------- pairs


@settings(max_examples=50, deadline=None)
@given(data=st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=2, max_size=30))
def test_exchanging_the_policies_mirrors_the_interval(data):
    a, b = zip(*data, strict=True)
    forth = paired_interval(a, b, rng=rng(), resamples=FEW)
    back = paired_interval(b, a, rng=rng(), resamples=FEW)

    assert (forth.low, forth.estimate, forth.high) == pytest.approx((-back.high, -back.estimate, -back.low), abs=1e-12)


def test_common_traces_remove_the_noise_of_the_traces():
    """Two policies that differ by exactly .1 on very different traces have an interval of no width."""
    difficulty = rng(7).normal(0, 5, 100)
    interval = paired_interval(difficulty + 0.1, difficulty, rng=rng(8), resamples=FEW)

    assert (interval.low, interval.estimate, interval.high) == pytest.approx((0.1, 0.1, 0.1), abs=ROUNDING)


def test_wilcoxon_counts_the_signs_of_all_ranks():
    """Without ties the exact p-value is the share of the 2^n sign patterns at least as extreme."""
    difference = np.array([0.3, -0.1, 0.55, 0.8, -0.2, 0.9, 1.3])
    ranks = stats.rankdata(np.abs(difference))
    centre = ranks.sum() / 2
    observed = abs(ranks[difference > 0].sum() - centre)
    patterns = [abs(ranks @ pattern - centre) for pattern in itertools.product([0, 1], repeat=len(ranks))]

    expected = np.mean(np.array(patterns) >= observed - ROUNDING)
    assert wilcoxon_p(difference, np.zeros(7)) == pytest.approx(expected, abs=ROUNDING)


def test_wilcoxon_agrees_with_scipy_and_ignores_traces_without_a_difference():
    a, b = rng(9).normal(size=(2, 80))
    same = rng(10).normal(size=20)
    expected = stats.wilcoxon(a, b).pvalue

    assert wilcoxon_p(a, b) == pytest.approx(expected, abs=ROUNDING)
    assert wilcoxon_p(b, a) == pytest.approx(expected, abs=ROUNDING)
    assert wilcoxon_p([*a, *same], [*b, *same]) == pytest.approx(expected, abs=ROUNDING)


@settings(max_examples=50, deadline=None)
@given(values=scores)
def test_policies_that_never_differ_are_not_told_apart(values):
    assert wilcoxon_p(values, values) == 1.0
    assert probability_of_improvement(values, values, rng=rng(), resamples=10) == Interval(0.5, 0.5, 0.5)


# ---------------------------------------------------------------------------------------- Holm


def test_holm_by_hand():
    """Sorted .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04, made monotone .04 .06 .06 .06."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06], abs=ROUNDING)
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0], abs=ROUNDING)


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_lies_between_the_p_value_and_bonferroni(p):
    p = np.array(p)
    adjusted = holm(p)

    assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0)
    assert np.all((adjusted >= p) & (adjusted <= np.minimum(1, len(p) * p) + ROUNDING))


# ---------------------------------------------------------------------------------------- IQM


@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60))
def test_interquartile_mean_is_the_trimmed_mean_of_scipy(values):
    assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25), abs=1e-9)


def test_luck_of_training_does_not_vanish_with_more_traces():
    """Where seeds alone differ, the interval is that of the seeds, however many traces each plays."""
    luck = rng(11).normal(size=8)
    few, many = (
        crossed_interval(np.tile(luck[:, None], (1, traces)), rng=rng(12), resamples=2000) for traces in (5, 80)
    )
    of_seeds = bootstrap_interval(luck, rng=rng(13), statistic="iqm", resamples=2000)

    width = of_seeds.high - of_seeds.low
    assert few.estimate == many.estimate == pytest.approx(of_seeds.estimate, abs=ROUNDING)
    # An end of 2,000 resamples errs by about .06 standard errors, which are a quarter of the width: .015 of it.
    for interval in (few, many):
        assert (interval.low, interval.high) == pytest.approx((of_seeds.low, of_seeds.high), abs=0.1 * width)


def test_strata_keep_the_share_of_every_scenario():
    """Scores that differ between scenarios only have no width when traces stay within their scenario."""
    strata = np.repeat(["heavy", "standard"], [6, 10])
    table = np.tile(np.where(strata == "heavy", 0.2, 0.9), (3, 1))
    kept = crossed_interval(table, rng=rng(), strata=strata, resamples=FEW)
    mixed = crossed_interval(table, rng=rng(), resamples=FEW)

    assert (kept.low, kept.high) == pytest.approx((kept.estimate, kept.estimate), abs=ROUNDING)
    assert mixed.high - mixed.low > 0.1


# ---------------------------------------------------------------------------------------- other comparisons


def test_probability_of_improvement_counts_wins_and_half_the_ties():
    """Of 2 × 1 pairs of seeds on 2 traces: two wins, a tie and a loss."""
    interval = probability_of_improvement([[3, 1], [2, 0]], [[1, 1]], rng=rng(), resamples=FEW)

    assert interval.estimate == (1 + 1 + 0.5 + 0) / 4
    assert 0 <= interval.low < interval.estimate < interval.high <= 1


def test_probability_of_improvement_of_one_seed_is_a_bootstrap_of_wins():
    a, b = rng(14).normal([[0.4], [0]], size=(2, 300))
    interval = probability_of_improvement(a, b, rng=rng(15))
    error = math.sqrt(interval.estimate * (1 - interval.estimate) / 300)

    assert interval.estimate == np.mean(a > b)
    # Resampling blurs an end by .03 standard errors, the steps of 1/300 by .12.
    assert interval.low == pytest.approx(interval.estimate - 1.96 * error, abs=0.2 * error)
    assert probability_of_improvement(b, a, rng=rng(15)).estimate == pytest.approx(1 - interval.estimate, abs=ROUNDING)


@pytest.mark.parametrize(
    ("low", "high", "margin", "expected"),
    [(-0.01, 0.02, 0.03, True), (-0.04, 0.02, 0.03, False), (-0.01, 0.03, 0.03, False), (0.01, 0.02, 0.03, True)],
)
def test_equivalence_needs_the_whole_interval_inside_the_margin(low, high, margin, expected):
    assert equivalent(Interval(low, (low + high) / 2, high), margin) is expected


def test_welch_agrees_with_scipy_on_the_samples_themselves():
    a, b = rng(16).normal(1, 2, 12), rng(17).normal(0, 5, 31)
    ours = mean_difference_interval(a.mean(), a.std(ddof=1), 12, b.mean(), b.std(ddof=1), 31, confidence=0.9)
    theirs = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)

    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert mean_difference_interval(2, 0, 5, 1, 0, 5) == Interval(1, 1, 1)


def test_interval_contains_its_ends_and_reads_well():
    interval = Interval(0.0116, 0.03149, 0.05)

    assert interval.contains(0.05)
    assert not interval.contains(0.0501)
    assert interval.format() == "0.031 [0.012, 0.050]"


# ---------------------------------------------------------------------------------------- refusals

NAN = math.nan
REFUSED = {
    "values must be finite, got nan at position (1,)": lambda: bootstrap_interval([1, NAN], rng=rng()),
    "values must be a vector of at least 2": lambda: bootstrap_interval([1], rng=rng()),
    "values must hold at least one": lambda: interquartile_mean([]),
    "a must be finite": lambda: paired_interval([NAN, 1], [1, 2], rng=rng()),
    "b must be finite": lambda: wilcoxon_p([1, 2], [1, math.inf]),
    "got 3 of a and 2 of b": lambda: paired_interval([1, 2, 3], [1, 2], rng=rng()),
    "a must be a vector of at least 2": lambda: wilcoxon_p([1], [2]),
    "p_values must be finite": lambda: holm([0.1, NAN]),
    "p_values must be a vector of probabilities": lambda: holm([0.1, 1.2]),
    "scores must be finite": lambda: crossed_interval([[1, NAN], [1, 2]], rng=rng()),
    "[seeds, traces] with at least 2 of each, got (1, 3)": lambda: crossed_interval([[1, 2, 3]], rng=rng()),
    "each of 2 traces": lambda: crossed_interval(np.eye(2), rng=rng(), strata=["heavy"]),
    "same traces, at least 2": lambda: probability_of_improvement([1, 2], [1, 2, 3], rng=rng()),
    "statistic must be one of mean, median, iqm, got 'mode'": lambda: bootstrap_interval(
        [1, 2], rng=rng(), statistic="mode"
    ),
    "confidence must lie between 0 and 1, got 95": lambda: bootstrap_interval([1, 2], rng=rng(), confidence=95),
    "resamples must be at least 1, got 0": lambda: bootstrap_interval([1, 2], rng=rng(), resamples=0),
    "margin of equivalence must be positive, got nan": lambda: equivalent(Interval(0, 0, 0), NAN),
    "summary statistics must be finite": lambda: mean_difference_interval(NAN, 1, 3, 0, 1, 3),
    "got n 1 and 3": lambda: mean_difference_interval(0, 1, 1, 0, 1, 3),
}


@pytest.mark.parametrize("message", REFUSED)
def test_bad_input_is_refused_by_name(message):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the message is checked below, without a pattern
        REFUSED[message]()

    assert message in str(refusal.value)


def test_the_share_of_a_distance_is_a_ratio_of_means_with_all_three_resampled() -> None:
    """The interval of the ratio is that of the delta method: var(gain − share · distance) / n / mean(distance)²."""
    rng = np.random.default_rng(3)
    floor = rng.normal(0.7, 0.1, 2000)
    ceiling = floor + rng.gamma(2.0, 0.1, 2000)
    scores = floor + 0.3 * (ceiling - floor) + rng.normal(0.0, 0.1, 2000)
    share = share_interval(scores, floor, ceiling, rng=rng)
    gain, distance = scores - floor, ceiling - floor
    assert share.estimate == pytest.approx(gain.mean() / distance.mean())
    half = 1.96 * np.std(gain - share.estimate * distance) / np.sqrt(2000) / distance.mean()
    assert share.high - share.estimate == pytest.approx(half, rel=0.06)  # 3 % of noise in either end
    assert share.estimate - share.low == pytest.approx(half, rel=0.06)
    assert share_interval(floor, floor, ceiling, rng=rng).high == 0
    assert share_interval(ceiling, floor, ceiling, rng=rng).low == 1


def test_a_share_of_no_distance_is_refused_and_traces_without_one_do_no_harm() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="above the floor"):
        share_interval([1.0, 2.0], [1.0, 1.0], [1.0, 1.0], rng=rng)
    with pytest.raises(ValueError, match="above the floor"):
        share_interval([1.0, 2.0], [1.0, 1.0], [0.9, 1.0], rng=rng)
    scores, none, some = np.linspace(1, 2, 20), np.ones(20), np.where(np.arange(20) < 10, 1.0, 3.0)
    assert np.isfinite(share_interval(scores, none, some, rng=rng).high)
    with pytest.raises(ValueError, match=r"clearly above the floor, got \d+ of 10000 resamples"):
        share_interval([1.0, 2.0], [1.0, 1.0], [1.0, 3.0], rng=rng)

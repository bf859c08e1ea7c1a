"""Laws of the fairness measures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhgym.metrics.fairness import gini, jain_index, newcomer_gap

ROUNDING = 1e-9  # sums of at most 20 numbers
amounts = st.lists(st.floats(0, 1e6), min_size=1, max_size=20).filter(lambda values: max(values) > 0)


@pytest.mark.parametrize(
    ("time", "answered", "expected"), [(0.4, 0.1, -0.3), (0.4, 0.5, 0.0), (0.0, 0.0, 0.0), (0.4, None, 0.0)]
)
def test_newcomer_gap_is_the_shortfall(time, answered, expected):
    assert newcomer_gap(time, answered) == pytest.approx(expected, abs=ROUNDING)


def test_newcomer_gap_refuses_what_is_no_share():
    with pytest.raises(ValueError, match=r"share_of_time must lie in .*got 1.5"):
        newcomer_gap(1.5, 0.1)
    with pytest.raises(ValueError, match=r"share_of_answered must lie in .*got nan"):
        newcomer_gap(0.5, float("nan"))


@settings(deadline=None)
@given(amounts)
def test_jain_lies_between_one_over_n_and_one(values):
    assert 1 / len(values) - ROUNDING <= jain_index(values) <= 1


@settings(deadline=None)
@given(amounts)
def test_gini_equals_half_the_relative_mean_difference(values):
    array = np.array(values) / max(values)
    expected = np.abs(array[:, None] - array).mean() / (2 * array.mean())

    assert gini(values) == pytest.approx(expected, abs=ROUNDING)


@settings(deadline=None)
@given(amounts, st.floats(1e-3, 1e3), st.randoms())
def test_scale_and_order_do_not_matter(values, scale, random):
    shuffled = [scale * value for value in values]
    random.shuffle(shuffled)

    assert jain_index(shuffled) == pytest.approx(jain_index(values), abs=ROUNDING)
    assert gini(shuffled) == pytest.approx(gini(values), abs=ROUNDING)


def test_one_has_all_and_all_are_equal():
    assert jain_index([0, 0, 0, 8]) == pytest.approx(0.25)
    assert gini([0, 0, 0, 8]) == pytest.approx(0.75)
    assert jain_index([3, 3, 3]) == pytest.approx(1)
    assert gini([3, 3, 3]) == pytest.approx(0, abs=ROUNDING)


@pytest.mark.parametrize("values", [[], [0.0, 0.0]])
def test_nothing_to_share_is_equal(values):
    assert jain_index(values) == 1
    assert gini(values) == 0


@pytest.mark.parametrize("measure", [jain_index, gini])
def test_negative_amounts_are_refused(measure):
    with pytest.raises(ValueError, match="at least 0, got -1"):
        measure([2, -1])

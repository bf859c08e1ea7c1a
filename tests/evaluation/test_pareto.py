"""Pareto tools against brute force and against what is known in closed form."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mhgym.evaluation.pareto import attainment, expected_utility, hypervolume, nondominated, uniform_weights

TOLERANCE = 1e-9  # of sums and products of a few hundred numbers of size 1
#: Up to 7 points in 2 to 4 objectives on a coarse grid, so that equal coordinates and points are common.
SETS = st.tuples(st.integers(1, 7), st.integers(2, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(-1, 6).map(lambda number: number / 4.0))
)


def inclusion_exclusion(points: np.ndarray, reference: np.ndarray) -> float:
    """The volume of a union of boxes, from those of all their intersections."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for chosen in itertools.combinations(points, size):
            sides = np.maximum(np.min(chosen, axis=0) - reference, 0.0)
            total += (-1) ** (size + 1) * np.prod(sides)
    return total


@given(SETS)
def test_nondominated_equals_its_definition(points: np.ndarray) -> None:
    expected = [not any(all(q >= p) and any(q > p) for q in points) for p in points]
    assert nondominated(points).tolist() == expected
    assert any(expected)


@given(SETS)
def test_hypervolume_equals_inclusion_and_exclusion(points: np.ndarray) -> None:
    reference = np.zeros(points.shape[1])
    assert hypervolume(points, reference) == pytest.approx(inclusion_exclusion(points, reference), abs=TOLERANCE)


@given(SETS)
def test_only_the_front_counts(points: np.ndarray) -> None:
    """Dominated points and repetitions change neither hypervolume nor utility nor what is attained."""
    front, reference = points[nondominated(points)], np.full(points.shape[1], -2.0)
    weights = uniform_weights(50, points.shape[1], np.random.default_rng(0))
    places = np.random.default_rng(1).uniform(-1.0, 1.5, (40, points.shape[1]))
    twice = np.vstack([points, points])
    assert hypervolume(front, reference) == pytest.approx(hypervolume(twice, reference), abs=TOLERANCE)
    assert expected_utility(front, weights) == pytest.approx(expected_utility(twice, weights), abs=TOLERANCE)
    np.testing.assert_array_equal(attainment([front], places), attainment([twice], places))


def test_hypervolume_of_forty_random_points_by_sampling() -> None:
    """Four objectives: the share of 200,000 places in the unit cube that some point attains, within 5 errors."""
    rng = np.random.default_rng(3)
    points = rng.uniform(size=(40, 4))
    places = rng.uniform(size=(200_000, 4))
    share = attainment([points], places).mean()
    assert hypervolume(points, np.zeros(4)) == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / len(places)))


def test_expected_utility_of_a_corner_pair() -> None:
    """The points (1, 0) and (0, 1): max(w, 1 - w) of a uniform w has the mean 3/4, by an even grid of weights."""
    share = (np.arange(100_000) + 0.5) / 100_000
    weights = np.stack([share, 1.0 - share], axis=1)
    assert expected_utility([[1.0, 0.0], [0.0, 1.0]], weights) == pytest.approx(0.75, abs=1e-6)
    assert expected_utility([[1.0, 0.0]], weights) == pytest.approx(0.5, abs=1e-6)


def test_uniform_weights_lie_on_the_simplex_evenly() -> None:
    """Means of 1/d and the second moment of Dirichlet(1, ..., 1), 2 / (d (d + 1)), within 5 standard errors."""
    weights = uniform_weights(200_000, 4, np.random.default_rng(5))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=TOLERANCE)
    assert weights.min() >= 0.0
    np.testing.assert_allclose(weights.mean(axis=0), 0.25, atol=5 * 0.194 / np.sqrt(200_000))
    np.testing.assert_allclose((weights**2).mean(axis=0), 0.1, atol=5 * 0.14 / np.sqrt(200_000))


def test_attainment_counts_sets() -> None:
    sets = [[[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5]], [[2.0, 2.0]]]
    places = [[0.5, 0.5], [1.0, 0.0], [0.0, 0.0], [2.0, 2.1]]
    np.testing.assert_allclose(attainment(sets, places), [2 / 3, 2 / 3, 1.0, 0.0])


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"points must be a table of finite numbers with at least 1 row, got shape"):
        nondominated([1.0, 2.0])
    with pytest.raises(ValueError, match=r"points must be a table"):
        nondominated([[1.0, np.nan]])
    with pytest.raises(ValueError, match=r"reference must be 2 finite numbers, got \[0.0\]"):
        hypervolume([[1.0, 2.0]], [0.0])
    with pytest.raises(ValueError, match=r"weights must have 2 columns"):
        expected_utility([[1.0, 2.0]], [[1.0]])
    with pytest.raises(ValueError, match=r"at least 1 set of points"):
        attainment([], [[1.0]])
    with pytest.raises(ValueError, match=r"every set must have 1 columns"):
        attainment([[[1.0, 2.0]]], [[1.0]])

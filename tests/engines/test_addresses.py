"""Compiled code finds by address the arrays that were written, and refuses arrays of another type."""

from typing import NamedTuple

import numba
import numpy as np
import pytest
from numba.core.errors import TypingError
from numpy.typing import NDArray

from mhgym.compiling import kernel
from mhgym.engines import addresses
from mhgym.engines.packing import make_chance, make_plan, make_state
from mhgym.envs import RoutingBatch
from mhgym.presets import PRESETS, make_scenario
from mhgym.trace import Trace


class Example(NamedTuple):
    first: NDArray[np.float64]
    second: NDArray[np.int64]
    third: NDArray[np.bool_]


EXAMPLE = addresses.kind_of(Example, "f1 i3 b1")


@kernel
def locate(room, example):  # type: ignore[no-untyped-def]
    addresses.write_addresses(room, example, EXAMPLE)


LAYOUT = addresses.layout_of(EXAMPLE)


@kernel
def change(room):  # type: ignore[no-untyped-def]
    example = addresses.read_addresses(room, EXAMPLE, LAYOUT)
    example.first[1] += 0.5
    example.third[0] = True
    example.second[1, 2, 3] = example.second.shape[0] * 100 + example.second.shape[1] * 10 + example.second.shape[2]
    return example.first.size


def test_a_tuple_is_found_by_its_addresses() -> None:
    room = addresses.room_for(EXAMPLE)
    for size in (2, 5):  # one room for one tuple after the other
        example = Example(np.zeros(size), np.zeros((2, 3, 4), dtype=np.int64), np.zeros(1, dtype=np.bool_))
        locate(room, example)
        assert change(room) == size
        np.testing.assert_array_equal(np.flatnonzero(example.first), [1])
        assert example.second[1, 2, 3] == example.second.sum() == 234
        assert example.third[0]


@pytest.mark.parametrize("first", [np.zeros((2, 2)), np.zeros(2, dtype=np.float32), np.zeros(4)[::2]])
def test_arrays_of_another_type_are_refused(first: NDArray[np.float64]) -> None:
    example = Example(first, np.zeros((2, 3, 4), dtype=np.int64), np.zeros(1, dtype=np.bool_))
    with pytest.raises(TypingError, match="the arrays must be Example"):
        locate(addresses.room_for(EXAMPLE), example)


class Alike(NamedTuple):
    first: NDArray[np.float64]
    second: NDArray[np.float64]


ALIKE = addresses.kind_of(Alike, "f1 f1")


@kernel
def copy_alike(room, alike):  # type: ignore[no-untyped-def]
    addresses.write_addresses(room, alike, ALIKE)
    again = addresses.read_addresses(room, ALIKE, 0)
    for k in range(again.first.size):
        again.second[k] = again.first[k]


def test_the_fields_of_a_tuple_may_all_have_one_type() -> None:
    """Numba has a type of its own for such tuples."""
    alike = Alike(np.arange(3.0), np.zeros(3))
    assert numba.typeof(alike) == ALIKE
    copy_alike(addresses.room_for(ALIKE), alike)
    np.testing.assert_array_equal(alike.second, [0.0, 1.0, 2.0])


def test_arrays_that_are_refused_leave_the_present_ones_in_use() -> None:
    """The room holds bare addresses, so whatever stands in it must be kept alive."""
    batch = RoutingBatch(1, "EranHeavy")
    present = batch.steps._batch
    with pytest.raises(TypingError):
        batch.steps.attach(batch.plan._replace(law=batch.plan.law.astype(np.float32)), batch.chance, batch.state)
    assert batch.steps._batch is present


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_the_arrays_of_every_preset_have_the_types_that_are_expected(preset: str) -> None:
    plan = make_plan(make_scenario(preset))
    assert numba.typeof(plan) == addresses.PLAN
    assert numba.typeof(make_chance(plan, 2, 3)) == addresses.CHANCE
    assert numba.typeof(make_state(plan, 2, 3)) == addresses.STATE


def test_a_batch_that_has_grown_steps_its_new_arrays() -> None:
    """A centre whose neighbour needs more room goes on as one that had the room from the start."""
    scenario = make_scenario("OpenUp", horizon=400.0)
    traces = [Trace.sample(scenario, 0), Trace.sample(scenario.replace(horizon=4000.0), 1)]
    grown, roomy = RoutingBatch(2, scenario), RoutingBatch(2, scenario)
    grown.begin([0], traces[:1])
    room = grown.state.queue.shape[1]
    roomy.begin([1, 0], traces[::-1])
    only, both = np.array([True, False]), np.array([True, True])
    for number in range(60):
        if number == 20:
            grown.begin([1], traces[1:])
            assert grown.state.queue.shape[1] > room
            np.testing.assert_array_equal(grown.obs, roomy.obs)
        actions = roomy.mask.argmax(axis=1)
        ended = [batch.step(actions, (only if number < 20 else both) & ~batch.over) for batch in (grown, roomy)]
        assert ended[0] == ended[1]
        np.testing.assert_array_equal(grown.obs[0], roomy.obs[0])
        np.testing.assert_array_equal(grown.reward[0], roomy.reward[0])
    np.testing.assert_array_equal(grown.obs, roomy.obs)

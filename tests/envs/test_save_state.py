"""A saved environment continues identically, and only the compiled engine can be saved."""

import numpy as np
import pytest

from mhgym.engines.registry import make_engine
from mhgym.envs import RoutingEnv
from mhgym.envs.centre import make_centre
from mhgym.mdp import ActionLayout, ObservationLayout
from mhgym.presets import make_scenario


@pytest.mark.parametrize(("preset", "settings"), [("EranHeavy", {}), ("OpenUp", {"horizon": 500.0})])
def test_a_restored_environment_continues_identically(preset: str, settings: dict[str, float]) -> None:
    env = RoutingEnv(preset, engine="compiled", **settings)
    env.reset(seed=3)
    for _ in range(6):
        env.step(np.int64(env.action_masks().argmax()))
    saved = env.save_state()

    def play() -> list[object]:
        seen: list[object] = []
        over = False
        while not over:
            obs, reward, terminated, truncated, info = env.step(np.int64(env.action_masks().argmax()))
            over = terminated or truncated
            seen.append((obs.tobytes(), reward, terminated, truncated, info["elapsed"], info.get("kpis")))
        return seen

    first = play()
    env.reset(seed=4)  # something else in between
    obs, info = env.restore_state(saved)
    assert env.observation_space.contains(obs)
    assert info["action_mask"].any()
    assert play() == first
    assert len(first) > 2


def test_an_episode_is_restored_into_another_number_of_slots() -> None:
    """The state of a centre does not know how much of its queue is shown, so what is shown is observed anew."""
    wide, narrow, twin = (RoutingEnv("EranHeavy", engine="compiled", num_slots=slots) for slots in (16, 3, 3))
    actions = np.random.default_rng(0)
    for env in (wide, twin):
        env.reset(seed=5)
    for _ in range(8):  # the same pairs, by the numbers that each environment gives them
        legal = np.flatnonzero(twin.action_masks()[:-1])
        action = actions.choice(legal) if len(legal) else twin.action_space.n - 1
        pair = twin.core.actions.decode(int(action), twin.core.view)
        wide.step(np.int64(wide.core.actions.encode(pair, wide.core.view)))
        twin.step(np.int64(action))
    obs, info = narrow.restore_state(wide.save_state())
    np.testing.assert_array_equal(obs, twin.core.observation())
    np.testing.assert_array_equal(info["action_mask"], twin.core.mask())
    action = np.int64(twin.action_masks().argmax())
    np.testing.assert_array_equal(narrow.step(action)[0], twin.step(action)[0])


def test_an_episode_that_is_over_is_restored_as_over() -> None:
    env = RoutingEnv("EranHeavy", engine="compiled", horizon=30.0)
    env.reset(seed=0)
    hold = np.int64(env.action_space.n - 1)
    while not env.step(hold)[2]:
        pass
    obs, info = RoutingEnv("EranHeavy", engine="compiled", horizon=30.0).restore_state(env.save_state())
    np.testing.assert_array_equal(obs, env.core.observation())
    np.testing.assert_array_equal(np.flatnonzero(info["action_mask"]), [hold])


def test_a_larger_roster_is_refused_and_nothing_changes() -> None:
    large, small, twin = (RoutingEnv("EranHeavy", engine="compiled", staffing=size) for size in (60, 2, 2))
    large.reset(seed=0)
    for env in (small, twin):
        env.reset(seed=1)
    with pytest.raises(ValueError, match="has 60 counsellors and this environment room for 2; restore it into"):
        small.restore_state(large.save_state())
    np.testing.assert_array_equal(small.core.observation(), twin.core.observation())
    action = np.int64(twin.action_masks().argmax())
    np.testing.assert_array_equal(small.step(action)[0], twin.step(action)[0])


def test_a_centre_of_more_counsellors_than_its_layout_is_refused() -> None:
    """Kernels check no bounds, so no faster face may be built around too large a roster."""
    scenario = make_scenario("EranHeavy", staffing=4)
    layouts = ObservationLayout(16, 3), ActionLayout(16, 3)
    with pytest.raises(ValueError, match="the layout holds 3 counsellors, the roster has 4"):
        make_centre(scenario, make_engine("compiled", scenario), *layouts)


def test_a_simpy_centre_refuses_to_be_saved() -> None:
    env = RoutingEnv("EranHeavy")
    with pytest.raises(RuntimeError, match="reset"):
        env.save_state()
    env.reset(seed=0)
    with pytest.raises(RuntimeError, match="compiled"):
        env.save_state()


def test_a_simpy_episode_goes_on_after_a_refusal() -> None:
    other = RoutingEnv("EranHeavy", engine="compiled")
    other.reset(seed=1)
    env, twin = RoutingEnv("EranHeavy"), RoutingEnv("EranHeavy")
    for each in (env, twin):
        each.reset(seed=0)
    with pytest.raises(RuntimeError, match="compiled"):
        env.save_state()
    with pytest.raises(RuntimeError, match="compiled"):
        env.restore_state(other.save_state())
    np.testing.assert_array_equal(env.core.observation(), twin.core.observation())
    action = np.int64(twin.action_masks().argmax())
    np.testing.assert_array_equal(env.step(action)[0], twin.step(action)[0])

"""`RoutingEnv` gives the same on the compiled engine, which needs no views, as on SimPy, whose views define it."""

from typing import Any

import numpy as np
import pytest

from mhgym.envs import RoutingEnv
from mhgym.presets import ScenarioSampler, make_scenario
from mhgym.scenario import Scenario
from mhgym.testing import assert_views_equal
from mhgym.trace import Trace

SAMPLED = ScenarioSampler("EranHeavy", flow=(6.0, 20.0), staffing=(2, 6))
CASES: list[tuple[Scenario | ScenarioSampler | str, dict[str, Any], int]] = [
    ("EranHeavy", {}, 6),
    (SAMPLED, {}, 8),  # rosters of two to six counsellors, padded to six
    ("OpenUp", {"horizon": 700.0, "flow": 30.0, "num_slots": 3}, 3),  # a cut, and queues that overflow
]


def assert_equal_steps(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    """Equal but for the last bits of float32 features and of sums."""
    np.testing.assert_allclose(one[0], other[0], rtol=0, atol=1e-6)
    assert one[1] == pytest.approx(other[1], abs=1e-12)
    assert one[2:4] == other[2:4]
    info, expected = one[4], other[4]
    assert info.keys() == expected.keys()
    np.testing.assert_allclose(info["reward_vector"], expected["reward_vector"], rtol=0, atol=1e-12)
    for name in info.keys() - {"reward_vector"}:
        np.testing.assert_equal(info[name], expected[name])
        assert type(info[name]) is type(expected[name])


@pytest.mark.parametrize(("scenario", "settings", "episodes"), CASES)
def test_both_engines_give_the_same_steps(
    scenario: Scenario | ScenarioSampler | str, settings: dict[str, Any], episodes: int
) -> None:
    """One environment for all episodes; a fifth of the actions are any number, within the space or without."""
    compiled, simpy = (RoutingEnv(scenario, engine=engine, **settings) for engine in ("compiled", "simpy"))
    rng = np.random.default_rng(0)
    hold = compiled.action_space.n - 1
    illegal = 0
    for number in range(episodes):
        seed = 5 if number == 0 else None  # one sequence of episodes
        begun = [env.reset(seed=seed) for env in (compiled, simpy)]
        steps = [(obs, 0.0, False, False, info) for obs, info in begun]
        assert_equal_steps(*steps)
        while not any(steps[0][2:4]):
            legal = rng.choice(np.flatnonzero(steps[0][4]["action_mask"]))
            action = np.int64(rng.integers(-2, hold + 4) if rng.random() < 0.2 else legal)
            steps = [env.step(action) for env in (compiled, simpy)]
            assert_equal_steps(*steps)
            assert_views_equal(compiled.core.view, simpy.core.view)
            np.testing.assert_array_equal(compiled.action_masks(), simpy.action_masks())
        illegal += steps[0][4]["illegal_actions"]
        after = [env.step(np.int64(0)) for env in (compiled, simpy)]  # one more, which does nothing
        assert_equal_steps(*after)
        assert after[0][4]["illegal_actions"] == steps[0][4]["illegal_actions"] + 1
    assert illegal > 0


@pytest.mark.parametrize("action", [2**63, -(2**63) - 1, 10**30])
def test_an_action_beyond_int64_is_a_counted_hold(action: int) -> None:
    compiled, simpy = (RoutingEnv("EranHeavy", engine=engine) for engine in ("compiled", "simpy"))
    for env in (compiled, simpy):
        env.reset(seed=2)
    steps = [env.step(action) for env in (compiled, simpy)]  # type: ignore[arg-type]  # no int64 is as large
    assert_equal_steps(*steps)
    assert steps[0][4]["illegal_actions"] == 1


@pytest.mark.parametrize("engine", ["compiled", "simpy"])
@pytest.mark.parametrize("begun", [False, True])
def test_a_refused_reset_leaves_no_episode_under_way(engine: str, begun: bool) -> None:
    env = RoutingEnv("EranHeavy", engine=engine, staffing=2)
    if begun:
        env.reset(seed=0)
    other = Trace.sample(make_scenario("EranHeavy", staffing=3), 0)
    with pytest.raises(ValueError, match="3 counsellors and the roster 2"):
        env.reset(options={"trace": other})
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(np.int64(0))
    assert env.reset(seed=0)[1]["illegal_actions"] == 0


@pytest.mark.parametrize(("scenario", "num_centres"), [("EranHeavy", 1), (SAMPLED, 3)])
def test_the_compiled_engine_is_kept_while_the_scenario_is_the_same(scenario: Any, num_centres: int) -> None:
    """Packing a scenario takes longer than a decision; a sampler needs it for each episode."""
    env = RoutingEnv(scenario, engine="compiled")
    centres = []
    for _ in range(3):
        env.reset()
        centres.append(env.core.centre)
    assert len({id(centre) for centre in centres}) == num_centres


def test_an_episode_is_restored_into_another_environment() -> None:
    """Which may have another scenario of its sampler under way."""
    env, other = (RoutingEnv(SAMPLED, engine="compiled") for _ in range(2))
    env.reset(seed=3)
    env.step(np.int64(0))
    saved = env.save_state()
    other.reset(seed=4)
    np.testing.assert_array_equal(other.restore_state(saved)[0], env.core.observation())
    assert_equal_steps(other.step(np.int64(0)), env.step(np.int64(0)))
    with pytest.raises(RuntimeError, match="use engine='compiled'"):
        RoutingEnv(SAMPLED).restore_state(saved)

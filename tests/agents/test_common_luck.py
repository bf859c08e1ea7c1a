"""The input-dependent baseline: whose advantages are compared, that it is unbiased, and that it takes luck away."""

import numpy as np
import pytest

from agents.common_luck import luck_of_others, without_luck
from agents.vec_env import RoutingVecEnv
from experiments.training import LearnerConfig, make_model
from mhgym.envs import RoutingVectorEnv
from mhgym.presets import make_scenario


def test_others_are_asked_at_the_same_minute_of_the_same_trace() -> None:
    """Two groups of 3 by hand; each value names its centre and step."""
    minutes = np.array([[0, 0, 0, 0, 0, 0], [5, 3, 9, 1, 2, 3], [8, 6, 12, 2, 3, 4], [1, 9, 2, 3, 4, 5]], dtype=float)
    episodes = np.array([[1, 1, 1, 1, 2, 3], [1, 1, 1, 1, 2, 3], [1, 1, 1, 1, 2, 3], [2, 1, 2, 1, 2, 3]])
    advantages = (np.arange(24.0).reshape(4, 6) ** 2).astype(np.float32)
    luck, known = luck_of_others(advantages, episodes, minutes, 3)
    a = advantages
    expected = [
        [(a[0, 1] + a[0, 2]) / 2, (a[0, 0] + a[0, 2]) / 2, (a[0, 0] + a[0, 1]) / 2],
        [(a[1, 1] + a[0, 2]) / 2, (a[0, 0] + a[0, 2]) / 2, (a[2, 0] + a[3, 1]) / 2],
        [(a[2, 1] + a[0, 2]) / 2, (a[1, 0] + a[0, 2]) / 2, (a[2, 0] + a[3, 1]) / 2],
        [0.0, (a[2, 0] + a[1, 2]) / 2, a[3, 0]],
    ]
    np.testing.assert_allclose(luck[:, :3], expected)
    np.testing.assert_array_equal(known[:, :3], np.array(expected) > 0)
    assert not known[:, 3:].any()  # each alone on its trace
    assert not luck[:, 3:].any()


def test_luck_is_taken_away_and_the_effect_of_decisions_stays() -> None:
    """Advantages of a coin's effect plus luck of the trace: the luck goes but for 1/(k - 1), the effect is kept."""
    rng = np.random.default_rng(0)
    steps, groups, size = 50, 200, 4
    luck = np.repeat(rng.normal(size=(steps, groups)), size, axis=1)
    coin = rng.choice([-1.0, 1.0], size=luck.shape)
    advantages = (luck + 0.1 * coin).astype(np.float32)
    minutes = np.broadcast_to(np.arange(steps, dtype=float)[:, None], luck.shape)
    left, share = without_luck(advantages, np.ones(luck.shape, dtype=np.int64), minutes, size)
    assert share == pytest.approx(1.0 - 0.01 * (1 + 1 / 3) / 1.01, abs=0.002)
    # 40,000 coins: a mean of their products has a standard error of at most .1 / 200.
    assert (left * coin).mean() == pytest.approx(0.1, abs=4 * 0.1 / 200 * 2)


def test_without_company_nothing_changes() -> None:
    advantages = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    left, share = without_luck(advantages, np.tile([1, 2, 1, 2], (5, 1)), np.zeros((5, 4)), 2)
    np.testing.assert_array_equal(left, advantages)
    assert share == 0.0


def test_a_group_plays_the_same_traces() -> None:
    """12 centres in groups of 4 through many ends and a renewal: equal trace numbers stand for equal traces."""
    env = RoutingVecEnv(12, "EranHeavy", bank=30, same_traces=4)
    env.seed(2)
    env.reset()
    vector = env.vector
    assert isinstance(vector, RoutingVectorEnv)
    rng, together, seen = np.random.default_rng(0), 0, set()
    names: dict[tuple[int, int], str] = {}
    for step in range(200):
        for row in range(12):
            trace = vector.batch.traces[row]
            assert trace is not None
            name = names.setdefault((row // 4, int(vector.episodes[row])), trace.hash)
            assert trace.hash == name
            seen.add(name)
        together += int((vector.episodes.reshape(3, 4) == vector.episodes.reshape(3, 4).max(axis=1)[:, None]).sum())
        env.step(np.array([rng.choice(np.flatnonzero(mask)) for mask in env.action_masks()]))
        if step == 100:
            vector.renew_bank(11)
    assert len(seen) > 20
    assert vector.episodes.min() > 5
    assert together > 0.7 * 12 * 200  # most of the time all four are on the newest


def test_a_learner_takes_luck_out_of_its_advantages() -> None:
    settings = {
        "width": 8,
        "critic_width": 8,
        "num_envs": 64,
        "num_steps": 32,
        "batch_size": 512,
        "bank": 64,
        "renewed": 8,
    }
    model = make_model(LearnerConfig(**settings, same_traces=4), make_scenario("EranHeavy"), 0)
    model.learn(64 * 32)
    buffer = model.rollout_buffer
    plain = ((buffer.returns - buffer.values) * buffer.weights).sum(axis=2)
    assert buffer.advantages.var() < 0.9 * plain.var()


@pytest.mark.parametrize(("same_traces", "bank"), [(3, 10), (2, 0), (0, 10)])
def test_groups_that_cannot_be_are_refused(same_traces: int, bank: int) -> None:
    with pytest.raises(ValueError, match=f"same_traces must divide the 4 centres, .* got {same_traces}"):
        RoutingVectorEnv(4, "EranHeavy", same_traces=same_traces, bank=bank)

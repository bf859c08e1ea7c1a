"""PPO on the native batch: advantages as defined, the same weights on the same seeds, and more than chance."""

import numpy as np
import pytest
import torch

from agents.ppo import QualityMeans, RoutingPPO, VectorRolloutBuffer
from agents.vec_env import RoutingVecEnv
from experiments.training import LearnerConfig, make_model
from mhgym.presets import make_scenario

SMALL = LearnerConfig(width=8, critic_width=8, num_envs=16, num_steps=8, batch_size=64, bank=32, renewed=8)


def textbook_advantages(rewards, values, last, over, discounts, lam):  # type: ignore[no-untyped-def]
    """Generalised advantages of one centre, by their definition: sums of discounted temporal differences."""
    steps = len(rewards)
    following = [*values[1:], last]
    deltas = [rewards[t] + (0.0 if over[t] else discounts[t] * following[t]) - values[t] for t in range(steps)]
    advantages = []
    for t in range(steps):
        total, weight = 0.0, 1.0
        for k in range(t, steps):
            total += weight * deltas[k]
            if over[k]:
                break
            weight *= discounts[k] * lam
        advantages.append(total)
    return np.array(advantages)


def test_advantages_are_those_of_the_weighted_reward() -> None:
    env = RoutingVecEnv(3, "EranHeavy")
    rng, steps, lam = np.random.default_rng(0), 11, 0.9
    buffer = VectorRolloutBuffer(steps, env.observation_space, env.action_space, "cpu", lam, 1.0, 3)
    buffer.reset()
    rewards, values = rng.normal(size=(2, steps, 3, 4)).astype(np.float32)
    weights = rng.dirichlet(np.ones(4), size=3).astype(np.float32)
    over, discounts = rng.random((steps, 3)) < 0.2, rng.uniform(0.5, 1.0, (steps, 3)).astype(np.float32)
    obs, masks = np.zeros((3, *env.observation_space.shape), np.float32), np.ones((3, env.action_space.n), bool)
    for t in range(steps):
        buffer.record(obs, np.zeros(3, np.int64), masks, torch.zeros(3), torch.from_numpy(values[t]))
        buffer.reward(rewards[t], weights, over[t], discounts[t])
    last = rng.normal(size=(3, 4)).astype(np.float32)
    buffer.estimate(last)
    assert over.any()
    for e in range(3):
        w = weights[e]
        expected = textbook_advantages(
            rewards[:, e] @ w, values[:, e] @ w, last[e] @ w, over[:, e], discounts[:, e], lam
        )
        np.testing.assert_allclose(buffer.advantages[:, e], expected, atol=1e-5)
    np.testing.assert_allclose(
        ((buffer.returns - buffer.values) * buffer.weights).sum(axis=2), buffer.advantages, atol=1e-5
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_envs": 0}, "num_envs must be at least 1, got 0"),
        ({"bank": 0}, "renewed must be between 0 and the 0 traces of the bank, got 256"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LearnerConfig(**settings)


def test_minibatches_hold_every_decision_once() -> None:
    model = make_model(SMALL, make_scenario("EranHeavy"), 0)
    model.learn(SMALL.num_envs * SMALL.num_steps)
    batches = list(model.rollout_buffer.minibatches(50))
    assert [len(batch.actions) for batch in batches] == [50, 50, 28]
    for name, whole in (("advantages", model.rollout_buffer.advantages), ("log_probs", model.rollout_buffer.log_probs)):
        seen = np.concatenate([getattr(batch, name).numpy() for batch in batches])
        np.testing.assert_array_equal(np.sort(seen), np.sort(whole.ravel()))
    masks, actions = (torch.cat([getattr(batch, name) for batch in batches]) for name in ("masks", "actions"))
    assert (masks.gather(1, actions.unsqueeze(1)) == 1).all()


def test_a_half_life_discounts_by_elapsed_minutes() -> None:
    env = RoutingVecEnv(4, "EranHeavy")
    infos = [{"elapsed": minutes} for minutes in (0.0, 10.0, 20.0, 40.0)]
    np.testing.assert_allclose(RoutingPPO(env, half_life=20.0)._discounts(infos), [1.0, 0.5**0.5, 0.5, 0.25])
    np.testing.assert_array_equal(RoutingPPO(env)._discounts(infos), np.ones(4))
    with pytest.raises(ValueError, match=r"half_life must be minutes above 0, or null for no discounting, got 0\.0"):
        RoutingPPO(env, half_life=0.0)


def test_expected_qualities_keep_the_mean_and_lose_the_noise() -> None:
    """Of 6,000 answers in EranHeavy: equal for equal predictions, and in all the same sum as what came out."""
    env = RoutingVecEnv(64, "EranHeavy", bank=256)
    env.seed(0)
    obs, rng = env.reset(), np.random.default_rng(0)
    means, layout = QualityMeans(env.vector.layout), env.vector.layout
    sums, seen = np.zeros(2), []
    for step in range(400):
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in env.vector.action_masks()])
        shown, before = layout.split(obs)["pairs"].reshape(64, -1, 3), obs
        obs, _, _, infos = env.step(actions)
        came = np.array([info["reward_vector"] for info in infos], dtype=np.float32)
        expected = came.copy()
        means.replace(expected, before, actions)
        np.testing.assert_array_equal(expected[:, 1:], came[:, 1:])
        if step >= 200:  # the means have settled
            answered = came[:, 1] > 0
            sums += came[answered, 0].sum(), expected[answered, 0].sum()
            levels = shown[answered, actions[answered], 1]
            seen += list(zip(levels.tolist(), (expected[answered, 0] / expected[answered, 1]).tolist(), strict=True))
    assert len(seen) > 6_000
    assert sums[1] == pytest.approx(sums[0], rel=0.01)
    by_level = {level: [mean for own, mean in seen if own == level] for level in {own for own, _ in seen}}
    assert len(by_level) == 5
    assert all(np.ptp(values) < 0.05 for level, values in by_level.items() if len(values) > 500)
    middle = [np.mean(by_level[level]) for level in sorted(by_level)]
    assert middle == sorted(middle)
    assert middle[-1] - middle[0] > 0.4


@pytest.mark.parametrize("network", ["index_rule", "mlp"])
def test_learns_more_than_chance(network: str) -> None:
    """After 40,000 decisions its exploring return is above that of the first rollout by 4 standard errors."""
    torch.set_num_threads(1)
    learner = LearnerConfig(
        network=network, width=32, critic_width=32, num_envs=128, num_steps=32, batch_size=1024, bank=512, num_slots=8
    )
    model = make_model(learner, make_scenario("EranHeavy"), 0)
    model.learn(4096)
    assert model.ep_info_buffer is not None
    before = np.array([episode["r"] for episode in model.ep_info_buffer])
    model.ep_info_buffer.clear()
    model.learn(40_000, reset_num_timesteps=False)
    after = np.array([episode["r"] for episode in model.ep_info_buffer])[-500:]
    spread = np.sqrt(before.var() / len(before) + after.var() / len(after))
    assert after.mean() > before.mean() + 4 * spread

"""Stable-Baselines3's face of the native batch: masks reach MaskablePPO, and it learns."""

import numpy as np
import pytest

pytest.importorskip("sb3_contrib", reason="the train extra is not installed")
import torch
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported

from agents.vec_env import RoutingVecEnv
from mhgym.metrics import COMPONENTS

pytestmark = pytest.mark.train


def play(env: RoutingVecEnv, choose, episodes: int) -> float:
    """Mean return of the first episodes that end."""
    obs = env.reset()
    returns: list[float] = []
    while len(returns) < episodes:
        obs, _, _, infos = env.step(choose(obs, get_action_masks(env)))
        returns += [info["episode"]["r"] for info in infos if "episode" in info]
    return float(np.mean(returns[:episodes]))


@pytest.mark.filterwarnings("default")
def test_maskable_ppo_learns_on_the_native_batch() -> None:
    """After 30,000 decisions PPO is above uniformly random play by more than 4 standard errors of the difference."""
    torch.set_num_threads(1)
    env = RoutingVecEnv(64, "EranHeavy", num_slots=4)
    assert is_masking_supported(env)
    env.seed(3)
    rng = np.random.default_rng(0)
    uniform = play(env, lambda _, masks: np.array([rng.choice(np.flatnonzero(mask)) for mask in masks]), 400)
    settings = {"n_steps": 32, "batch_size": 512, "n_epochs": 4, "gamma": 1.0, "learning_rate": 1e-3, "seed": 0}
    model = MaskablePPO("MlpPolicy", env, device="cpu", **settings)
    model.learn(30_000)
    env.seed(4)
    learned = play(env, lambda obs, masks: model.predict(obs, action_masks=masks, deterministic=True)[0], 400)
    # A shift's return has a standard deviation of about .11, so a mean of 400 has a standard error of .0055.
    assert learned > uniform + 4 * np.sqrt(2) * 0.0055


def test_terminal_observation_and_statistics_come_with_the_end() -> None:
    env = RoutingVecEnv(4, "OpenUp", horizon=120.0, with_kpis=True)
    env.seed(1)
    env.reset()
    seen = 0
    total, vectors = np.zeros(4), np.zeros((4, 4))
    for _ in range(200):
        masks = np.array(env.env_method("action_masks"))
        obs, rewards, dones, infos = env.step(masks.argmax(axis=1))
        total += rewards
        vectors += [info["reward_vector"] for info in infos]
        for row in np.flatnonzero(dones):
            seen += 1
            assert infos[row]["TimeLimit.truncated"]
            assert infos[row]["terminal_observation"].shape == obs[row].shape
            assert infos[row]["episode"]["r"] == pytest.approx(infos[row]["kpis"]["quantity"], abs=1e-5)
            assert total[row] == pytest.approx(infos[row]["episode"]["r"], abs=1e-5)
            expected = [infos[row]["kpis"][name] for name in COMPONENTS]
            np.testing.assert_allclose(vectors[row], expected, rtol=0, atol=1e-9)
            total[row], vectors[row] = 0.0, 0.0
    assert seen >= 4


def test_what_a_batch_cannot_do_is_refused_by_name() -> None:
    env = RoutingVecEnv(1, "EranHeavy")
    with pytest.raises(AttributeError, match="shuffle"):
        env.env_method("shuffle")
    with pytest.raises(AttributeError, match="weights"):
        env.set_attr("weights", 1)

"""One network shared by all counsellors learns: on the native batch, and on PettingZoo's form through SuperSuit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sb3_contrib", reason="needs the extra 'train'")

from sb3_contrib import MaskablePPO

from agents.counsellors_vec_env import CounsellorsVecEnv, MaskedVecEnv
from mhgym.envs.multi import counsellors_v0
from mhgym.evaluation.statistics import paired_interval

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*does not inherit from gymnasium.Env:UserWarning"),
]
SLOTS = 8
LEARNING: dict[str, Any] = {"gamma": 1.0, "gae_lambda": 0.97, "ent_coef": 0.003, "learning_rate": 1e-3, "seed": 0}


def objectives(choose: Callable[[dict[str, Any]], int], number: int = 100) -> np.ndarray:
    """The objective of each of so many test shifts of EranHeavy, everyone choosing alike."""
    env, found = counsellors_v0.raw_env("EranHeavy", engine="compiled", num_slots=SLOTS), []
    for trace_seed in range(2_000_000, 2_000_000 + number):
        env.reset(options={"trace_seed": trace_seed})
        while not any(env.terminations.values()):
            env.step(choose(env.observe(env.agent_selection)))
        found.append(env.infos[env.agents[0]]["kpis"]["objective_per_arrival"])
    return np.array(found)


def gain_over_random(model: MaskablePPO) -> float:
    """The lower end of the interval of the learned policy minus random legal pulls and declines, same shifts."""
    rng = np.random.default_rng(0)
    random = objectives(lambda seen: int(rng.choice(np.flatnonzero(seen["action_mask"]))))
    learned = objectives(
        lambda seen: int(model.predict(seen["observation"], action_masks=seen["action_mask"], deterministic=True)[0])
    )
    return paired_interval(learned, random, rng=np.random.default_rng(1), confidence=0.999).low


@pytest.mark.verify
def test_a_shared_policy_learns_on_the_native_batch() -> None:
    """50,000 turns: far better than pulling at random."""
    env = CounsellorsVecEnv(64, "EranHeavy", num_slots=SLOTS, bank=2000)
    model = MaskablePPO("MlpPolicy", env, n_steps=32, batch_size=512, n_epochs=4, **LEARNING)
    model.learn(50_000)
    assert gain_over_random(model) > 0.03


def supersuit_batch(number: int) -> MaskedVecEnv:
    supersuit = pytest.importorskip("supersuit", reason="needs the extra 'train'")
    parallel = counsellors_v0.parallel_env("EranHeavy", engine="compiled", num_slots=SLOTS)
    agents = supersuit.pettingzoo_env_to_vec_env_v1(parallel)
    return MaskedVecEnv(supersuit.concat_vec_envs_v1(agents, number, base_class="stable_baselines3"))


@pytest.mark.verify
def test_a_shared_policy_learns_through_supersuit() -> None:
    """60,000 answers of agents, most of whom have no turn at that step."""
    model = MaskablePPO("MlpPolicy", supersuit_batch(8), n_steps=128, batch_size=1024, n_epochs=4, **LEARNING)
    model.learn(60_000)
    assert gain_over_random(model) > 0.0


def test_supersuits_batch_has_masks_and_seeds() -> None:
    """Two batches of one seed are the same, masks are those of the observations, and a decline is always legal."""
    walks = []
    for _ in range(2):
        env, rng, walk = supersuit_batch(2), np.random.default_rng(0), []
        env.seed(5)
        walk.append(env.reset())
        for _ in range(60):
            masks = np.array(env.env_method("action_masks"))
            assert masks.shape == (8, SLOTS + 1)
            assert masks[:, -1].all()
            actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
            observations, rewards, dones, infos = env.step(actions)
            assert all(("terminal_observation" in info) == done for info, done in zip(infos, dones, strict=True))
            walk += [observations, rewards, dones]
        walks.append(walk)
    assert sum(done.any() for done in walks[0][3::3]) >= 2
    for one, other in zip(*walks, strict=True):
        np.testing.assert_array_equal(one, other)

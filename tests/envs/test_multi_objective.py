"""The ids whose reward is a vector: MO-Gymnasium's convention, and the way back to the scalar ids.

What is not run here, and why. RLlib's check: the extra of Ray 2.60.0 pins gymnasium 1.2.2, and would replace the one
that is tested here. MOMAland's `api_test` of vector rewards for several agents: MOMAland 0.2.0 pulls in
pygame-ce, which overwrites the pygame that the windows here are built on. Its test module, which needs neither, was run
alone once on every `mo-` id of the counsellors, with shared and own rewards, and passed; what it asks is tested below.
"""

from typing import Any

import gymnasium
import numpy as np
import pettingzoo
import pytest
from gymnasium.utils.env_checker import check_env

import mhgym  # noqa: F401  registers the ids
from mhgym.envs.multi import counsellors_v0
from mhgym.envs.multi_objective import LinearScalarisation
from mhgym.metrics import COMPONENTS
from mhgym.registration import COUNSELLOR_IDS, IDS, MATCHING_IDS, MO_IDS, MO_MATCHING_IDS

ALL_IDS = pytest.mark.parametrize("env_id", sorted([*MO_IDS, *MO_MATCHING_IDS]))
#: Rounding of a component of at most 1 to float32, four times.
TOLERANCE = 4 * 2.0**-24


def play(env: gymnasium.Env[Any, Any], seed: int, limit: int = 60):  # type: ignore[no-untyped-def]
    """Yield what each step of an episode of random legal actions gives."""
    rng = np.random.default_rng(seed)
    _, info = env.reset(seed=seed)
    for _ in range(limit):
        step = env.step(np.int64(rng.choice(np.flatnonzero(info["action_mask"]))))
        yield step
        info = step[4]
        if step[2] or step[3]:
            return


def test_every_id_has_its_vector_form() -> None:
    assert {name.replace("mo-", "") for name in (*MO_IDS, *MO_MATCHING_IDS)} == set(IDS) | set(MATCHING_IDS)


@ALL_IDS
@pytest.mark.filterwarnings("ignore:.*is different from the unwrapped version:UserWarning")  # as is the purpose
def test_gymnasium_accepts_the_scalarised_environment(env_id: str) -> None:
    check_env(LinearScalarisation(gymnasium.make(env_id).unwrapped), skip_render_check=True)


@ALL_IDS
def test_rewards_are_vectors_by_the_convention(env_id: str) -> None:
    """`reward_space` and `reward_dim` on the unwrapped environment, fresh float32 vectors inside the space."""
    env = gymnasium.make(env_id)
    space, before = env.unwrapped.reward_space, []
    assert space.shape == (env.unwrapped.reward_dim,)
    for _, vector, *_ in play(env, 3):
        assert vector.dtype == np.float32
        assert space.contains(vector)
        assert not any(np.shares_memory(vector, old) for old in before)
        before.append(vector)
    assert np.any(np.array(before) != 0)


@ALL_IDS
def test_the_weighted_vector_is_the_scalar(env_id: str) -> None:
    """Step by step: our scalariser, by hand, and the scalar id on the same seed."""
    scalar, vector = gymnasium.make(env_id.replace("mo-", "")), LinearScalarisation(gymnasium.make(env_id))
    number = 0
    for one, other in zip(play(scalar, 5), play(vector, 5), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        assert one[2:4] == other[2:4]
        assert type(other[1]) is float
        assert other[1] == float(vector.weights @ other[4]["vector_reward"].astype(np.float64))
        assert other[1] == pytest.approx(one[1], abs=TOLERANCE * np.abs(vector.weights).sum())
        number += 1
    assert number > 5


def test_weights_of_ones_own() -> None:
    env = LinearScalarisation(gymnasium.make("mhgym/mo-EranHeavy-v0"), [0.0, 2.0, 0.0, 0.0])
    for _, reward, _, _, info in play(env, 1):
        assert reward == 2.0 * info["vector_reward"][COMPONENTS.index("quantity")]
    assert sum(reward for _, reward, *_ in play(env, 2)) > 0.5


@pytest.mark.parametrize("weights", [[1.0], [1.0, 1.0, 1.0, np.nan], [[1.0] * 4]])
def test_wrong_weights_are_refused(weights: Any) -> None:
    with pytest.raises(ValueError, match="weights must be 4 finite numbers, one for each component, got"):
        LinearScalarisation(gymnasium.make("mhgym/mo-EranHeavy-v0"), weights)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_the_batch_gives_the_vectors_of_single_environments(mode: str) -> None:
    """Over the ends of episodes, where the new one's first reward must not stand for the old one's last."""
    batch = gymnasium.make_vec("mhgym/mo-EranHeavy-v0", num_envs=3, autoreset_mode=mode)
    scalar = gymnasium.make_vec("mhgym/EranHeavy-v0", num_envs=3, autoreset_mode=mode)
    _, infos = batch.reset(seed=4)
    scalar.reset(seed=4)
    ends = 0
    for _ in range(60):
        actions = infos["action_mask"].argmax(axis=1)
        _, vectors, terminated, _, infos = batch.step(actions)
        _, rewards, *_ = scalar.step(actions)
        assert vectors.dtype == np.float32
        assert vectors.shape == (3, 4)
        np.testing.assert_allclose(vectors @ np.array([0.5, 0.5, 0.0, 0.0]), rewards, rtol=0, atol=TOLERANCE)
        ends += int(terminated.sum())
    assert ends >= 3


# ---------------------------------------------------------------------- several agents


@pytest.mark.parametrize("env_id", sorted(COUNSELLOR_IDS))
@pytest.mark.parametrize("reward", ["shared", "own"])
def test_vector_rewards_of_agents_weigh_to_their_scalars(env_id: str, reward: str) -> None:
    """In the cycle, by what `last` hands out: vectors that stay as they are and weigh to what the scalar form pays."""
    settings = {"reward": reward, "weights": {"quality": 0.4, "quantity": 0.3, "burden": 0.3}, "horizon": 60.0}
    scalar = pettingzoo.make("aec", env_id, **settings)
    vector = pettingzoo.make("aec", env_id.replace("mhgym/", "mhgym/mo-"), **settings)
    for env in (scalar, vector):
        env.reset(seed=5)
    handed: list[tuple[np.ndarray, np.ndarray]] = []
    for agent in scalar.agent_iter():
        assert vector.agent_selection == agent
        seen, number, terminated, truncated, _ = scalar.last()
        _, own, *_ = vector.last()
        assert own.dtype == np.float32
        assert vector.unwrapped.reward_space(agent).contains(own)
        assert number == pytest.approx(np.dot([0.4, 0.3, 0.3, 0.0], own), abs=50 * TOLERANCE)  # of as many steps
        handed.append((own, own.copy()))
        action = None if terminated or truncated else seen["action_mask"].argmax()
        scalar.step(action)
        vector.step(action)
    assert all(np.array_equal(now, then) for now, then in handed)
    assert any(now.any() for now, _ in handed)


def test_the_parallel_form_pays_vectors() -> None:
    env = pettingzoo.make("parallel", "mhgym/mo-EranHeavyCounsellors-v0")
    observations, _ = env.reset(seed=1)
    total = np.zeros(4)
    while env.agents:
        actions = {agent: seen["action_mask"].argmax() for agent, seen in observations.items()}
        observations, rewards, _, _, infos = env.step(actions)
        total += rewards["counsellor_0"]
    np.testing.assert_allclose(total, [infos["counsellor_0"]["kpis"][name] for name in COMPONENTS], atol=1e-5)


# ---------------------------------------------------------------------- other libraries' own checks


@ALL_IDS
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mo_gymnasium_takes_the_environment(env_id: str) -> None:
    """Its `make`, its statistics of vector returns, and its own scalariser, which agrees with ours."""
    mo = pytest.importorskip("mo_gymnasium")
    env = mo.wrappers.MORecordEpisodeStatistics(mo.make(env_id), gamma=1.0)
    own = gymnasium.make(env_id)
    total = np.zeros(env.unwrapped.reward_dim)
    for theirs, ours in zip(play(env, 7, limit=500), play(own, 7, limit=500), strict=True):
        np.testing.assert_array_equal(theirs[1], ours[1])
        total += ours[1]
    if theirs[2] or theirs[3]:
        np.testing.assert_allclose(theirs[4]["episode"]["r"], total, atol=1e-5)
    weights = np.arange(1.0, 1.0 + env.unwrapped.reward_dim)
    pair = mo.wrappers.LinearReward(mo.make(env_id), weights), LinearScalarisation(gymnasium.make(env_id), weights)
    for theirs, ours in zip(*(play(env, 8) for env in pair), strict=True):
        assert ours[1] == pytest.approx(float(theirs[1]), abs=1e-6)


@pytest.mark.train
@pytest.mark.filterwarnings("ignore")
def test_torchrl_accepts_the_environments() -> None:
    """The scalar one, the vector one by its wrapper for MO-Gymnasium, and the counsellors as agents."""
    pytest.importorskip("torchrl")
    from torchrl.envs import GymWrapper, MOGymWrapper, PettingZooWrapper
    from torchrl.envs.utils import check_env_specs

    check_env_specs(GymWrapper(gymnasium.make("mhgym/EranHeavy-v0", disable_env_checker=True)))
    vector = MOGymWrapper(gymnasium.make("mhgym/mo-EranHeavy-v0"))
    check_env_specs(vector)
    assert vector.reward_spec.shape == (4,)
    check_env_specs(PettingZooWrapper(counsellors_v0.parallel_env("EranHeavy"), return_state=False))

"""The native batch of counsellors plays the agent environment cycle of `counsellors_v0`, many centres at once."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from mhgym.envs.multi.aec import CounsellorsAEC
from mhgym.envs.multi.batch import CounsellorsVectorEnv
from mhgym.presets import ScenarioSampler

TOLERANCE = 1e-12  # sums of the same few floats


class Reference:
    """Single environments, seeded and started anew as the batch does it."""

    def __init__(self, num_envs: int, scenario: Any, seed: int, **settings: Any) -> None:
        self.envs = [CounsellorsAEC(scenario, engine="compiled", **settings) for _ in range(num_envs)]
        for i, env in enumerate(self.envs):
            env.reset(seed=seed + i)

    def step(self, actions: np.ndarray) -> list[tuple[float, bool, dict[str, Any], np.ndarray]]:
        """Reward, whether it ended, info and last observation of each; the ended ones start anew."""
        results = []
        for env, action in zip(self.envs, actions, strict=True):
            env.step(int(action))
            over = any(env.terminations.values()) or any(env.truncations.values())
            agent = env.agents[0]
            results.append((env.rewards[agent], over, env.infos[agent], env.observe(env.agent_selection)))
            if over:
                env.reset()
        return results


@pytest.mark.parametrize(
    ("preset", "overrides"),
    [
        ("EranHeavy", {}),
        ("OpenUp", {"horizon": 240.0, "on_break": "transfer"}),
        ("EranHeavy", {"flow": 0.3}),
        ("EranStandard", {"review_interval": 3.0, "weights": {"quality": 1.0, "burden": 0.5}}),
    ],
)
def test_the_batch_equals_single_environments(preset: str, overrides: dict[str, Any]) -> None:
    """Observations, masks, turns, rewards, ends and infos over hundreds of turns, some actions illegal."""
    batch = CounsellorsVectorEnv(5, preset, num_slots=4, **overrides)
    single = Reference(5, preset, 7, num_slots=4, **overrides)
    rng, ends = np.random.default_rng(1), 0
    observations, infos = batch.reset(seed=7)
    for _ in range(150):
        for row, env in enumerate(single.envs):
            seen = env.observe(env.agent_selection)
            assert env.agent_selection == f"counsellor_{infos['asked'][row]}"
            np.testing.assert_array_equal(observations[row], seen["observation"])
            np.testing.assert_array_equal(infos["action_mask"][row], seen["action_mask"])
        legal = np.array([rng.choice(np.flatnonzero(mask)) for mask in infos["action_mask"]])
        actions = np.where(rng.random(5) < 0.2, rng.integers(5, size=5), legal)
        observations, rewards, terminated, truncated, infos = batch.step(actions)
        for row, (reward, over, info, last) in enumerate(single.step(actions)):
            assert rewards[row] == pytest.approx(reward, abs=TOLERANCE)
            assert bool(terminated[row] | truncated[row]) == over
            mine = infos["final_info"] if over else infos
            np.testing.assert_allclose(mine["reward_vector"][row], info["reward_vector"], rtol=0, atol=TOLERANCE)
            assert mine["elapsed"][row] == pytest.approx(info["elapsed"], abs=1e-9)
            if over:
                np.testing.assert_array_equal(infos["final_obs"][row], last["observation"])
                assert infos["final_info"]["kpis"]["offered"][row] == info["kpis"]["offered"]
                illegal = sum(single.envs[row].game.turns.illegal)
                assert illegal == 0  # of the new episode
        ends += int((terminated | truncated).sum())
    assert ends >= 1 or preset == "OpenUp"


def test_illegal_actions_are_counted() -> None:
    batch = CounsellorsVectorEnv(2, "EranHeavy", num_slots=32)
    batch.reset(seed=1)
    for count in range(1, 4):
        *_, infos = batch.step(np.array([31, 32]))
        assert infos["illegal_actions"].tolist() == [count, 0]


def test_a_sampler_and_padding_keep_shapes() -> None:
    source = ScenarioSampler("EranHeavy", flow=(6.0, 14.0), staffing=(3, 3))
    batch = CounsellorsVectorEnv(4, source, num_slots=4, num_counsellors=5, bank=20)
    observations, _ = batch.reset(seed=3)
    for _ in range(40):
        assert batch.observation_space.contains(observations)
        assert (batch.asked < 3).all()
        observations, *_ = batch.step(batch.action_masks().argmax(axis=1))


def test_misuse_is_refused() -> None:
    batch = CounsellorsVectorEnv(2, "EranHeavy")
    with pytest.raises(gymnasium.error.ResetNeeded, match="call reset"):
        batch.step(np.zeros(2, dtype=np.int64))
    batch.reset(seed=0)
    with pytest.raises(ValueError, match=r"actions must have shape \(2,\), one for each centre, got \(3,\)"):
        batch.step(np.zeros(3, dtype=np.int64))

"""A saved environment continues identically, and only the compiled engine can be saved."""

import numpy as np
import pytest

from mhgym.envs import RoutingEnv


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


def test_a_simpy_centre_refuses_to_be_saved() -> None:
    env = RoutingEnv("EranHeavy")
    with pytest.raises(RuntimeError, match="reset"):
        env.save_state()
    env.reset(seed=0)
    with pytest.raises(RuntimeError, match="compiled"):
        env.save_state()

"""Episodes are the same in every process, whatever the hash seed of Python."""

import os
import subprocess
import sys

import pytest

EPISODE = """
import hashlib, sys
import numpy as np
from mhgym.envs import RoutingEnv

digest = hashlib.sha256()
env = RoutingEnv(sys.argv[1], num_slots=6)
for seed in range(int(sys.argv[2])):
    rng = np.random.default_rng(seed)
    observation, info = env.reset(seed=seed)
    over, steps = False, 0
    while not over:
        action = rng.choice(np.flatnonzero(info["action_mask"]))
        observation, reward, terminated, truncated, info = env.step(action)
        over, steps = terminated or truncated, steps + 1
        digest.update(observation.tobytes() + np.float64(reward).tobytes())
        for name in info:
            value = list(info[name].items()) if isinstance(info[name], dict) else np.asarray(info[name]).tolist()
            digest.update(repr((name, value)).encode())
print(digest.hexdigest(), steps)
"""


def run(preset: str, episodes: int, hash_seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", EPISODE, preset, str(episodes)]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize(("preset", "episodes"), [("EranHeavy", 20), ("OpenUp", 2)])
def test_whole_episodes_do_not_depend_on_the_process(preset: str, episodes: int) -> None:
    """Every observation, reward and info, to the last bit, in two processes with different hash seeds."""
    first, second = run(preset, episodes, "1"), run(preset, episodes, "4242")

    assert len(first[0]) == 64
    assert int(first[1]) >= 5
    assert first == second

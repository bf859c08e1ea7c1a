"""Copies of an environment, deep ones and those that went through pickle, go on alike and leave the original alone."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

import mhgym  # noqa: F401  (registers the ids)
from mhgym.envs import RoutingEnv
from mhgym.envs.vector import RoutingVectorEnv

COPIES: dict[str, Callable[[Any], Any]] = {"deep": copy.deepcopy, "pickle": lambda env: pickle.loads(pickle.dumps(env))}


def play(env: Any, steps: int) -> list[Any]:
    """Observations, rewards and masks of the first legal action, through ends of episodes."""
    seen = []
    for _ in range(steps):
        mask = np.atleast_2d(env.action_masks())
        action = mask.argmax(axis=1)
        obs, reward, terminated, truncated, info = env.step(int(action[0]) if isinstance(env, RoutingEnv) else action)
        seen += [np.array(obs), np.array(reward), np.array(info["action_mask"])]
        if isinstance(env, RoutingEnv) and (terminated or truncated):
            seen.append(env.reset()[0])
    return seen


def same(a: list[Any], b: list[Any]) -> None:
    assert len(a) == len(b)
    for left, right in zip(a, b, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("make", [
    lambda: RoutingEnv("EranHeavy", engine="compiled"),
    lambda: RoutingVectorEnv(3, "EranHeavy"),
    lambda: RoutingVectorEnv(3, "EranHeavy", bank=5, with_kpis=False),
    lambda: RoutingVectorEnv(4, "EranHeavy", bank=5, same_traces=2),
], ids=["single", "batch", "banked", "grouped"])  # fmt: skip
def test_a_copy_goes_on_alike_and_apart(make: Callable[[], Any], way: str) -> None:
    env = make()
    env.reset(seed=3)
    play(env, 4)
    copied = COPIES[way](env)
    ahead = play(copied, 60)  # past several ends, where a batch may make new room
    same(play(env, 60), ahead)
    assert not np.array_equal(ahead[0], ahead[-3])


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_survives_the_original(way: str) -> None:
    env = gymnasium.make("mhgym/OpenUp-v0", engine="compiled").unwrapped
    env.reset(seed=1)
    twin = COPIES[way](env)
    expected = play(twin, 30)
    again = COPIES[way](env)
    del env, twin
    junk = [np.full(2**16, np.nan) for _ in range(64)]  # whoever still looks at freed memory finds this
    same(play(again, 30), expected)
    assert len(junk) == 64

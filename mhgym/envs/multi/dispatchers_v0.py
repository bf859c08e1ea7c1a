"""The two dispatchers of a centre with inboxes, in PettingZoo's three usual names."""

from typing import Any

from pettingzoo import AECEnv
from pettingzoo.utils.wrappers import AssertOutOfBoundsWrapper, OrderEnforcingWrapper

from mhgym.envs.multi.dispatch import DispatchersAEC, DispatchersParallel

__all__ = ["env", "parallel_env", "raw_env"]

raw_env = DispatchersAEC
parallel_env = DispatchersParallel


def env(*args: Any, **settings: Any) -> AECEnv:
    """`raw_env` with PettingZoo's checks of the order of calls and of the space of actions."""
    return OrderEnforcingWrapper(AssertOutOfBoundsWrapper(raw_env(*args, **settings)))

"""The centre in PettingZoo's three usual names."""

from typing import Any

from pettingzoo import AECEnv
from pettingzoo.utils.wrappers import AssertOutOfBoundsWrapper, OrderEnforcingWrapper

from mhgym.envs.multi.aec import CounsellorsAEC
from mhgym.envs.multi.parallel import CounsellorsParallel

__all__ = ["env", "parallel_env", "raw_env"]

raw_env = CounsellorsAEC
parallel_env = CounsellorsParallel


def env(*args: Any, **settings: Any) -> AECEnv:
    """`raw_env` with PettingZoo's checks of the order of calls and of the space of actions."""
    return OrderEnforcingWrapper(AssertOutOfBoundsWrapper(raw_env(*args, **settings)))

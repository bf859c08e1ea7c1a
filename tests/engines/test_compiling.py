"""Compilation works without a cache, and importing the library compiles nothing."""

import subprocess
import sys

NO_CACHE = """
import numba.core.caching as caching
caching.CacheImpl._locator_classes = []  # no folder can be written to
import numpy as np
from mhgym.engines.compiled import CompiledEngine
from mhgym.presets import make_scenario
from mhgym.processes import draws
from mhgym.trace import Trace
assert draws.normal_quantile(0.5) == 0.0
assert not draws.normal_quantile.stats.cache_path
"""

NOTHING_COMPILED = """
import sys, mhgym
assert not {"numba", "simpy", "scipy", "torch", "hydra"} & set(sys.modules)
import mhgym.engines.compiled, mhgym.envs.vector, mhgym.engines.futures
from mhgym.engines import kernels
from mhgym.mdp import kernels as writing
compiled = [f for m in (kernels, writing) for f in vars(m).values() if getattr(f, "signatures", ())]
assert not compiled, compiled
"""


def run(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_compiles_without_a_cache() -> None:
    run(NO_CACHE)


def test_importing_compiles_nothing() -> None:
    run(NOTHING_COMPILED)

"""How long a fresh process takes to its first step."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.sizes import Sizes
from benchmarks.timing import Result, Series, Timing, duration

# Processor and wall seconds of each stage, in a process of its own.
_SCRIPT = """
import json
from time import perf_counter, process_time
def clock():
    return process_time(), perf_counter()
marks = [clock()]
import mhgym
marks.append(clock())
import gymnasium
env = gymnasium.make("mhgym/EranHeavy-v0", engine="compiled")
env.reset(seed=0)
env.step(0)
marks.append(clock())
batch = gymnasium.make_vec("mhgym/EranHeavy-v0", num_envs=2)
batch.reset(seed=0)
batch.step([0, 0])
marks.append(clock())
print(json.dumps(marks))
"""
_STAGES = ("import", "single", "vector")


def start(cache: str) -> dict[str, Timing]:
    """Run the script in a process of its own, with Numba's cache in this folder."""
    environment = os.environ | {"NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-c", _SCRIPT]
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True)
    marks = json.loads(done.stdout.splitlines()[-1])
    steps = zip(_STAGES, marks[:-1], marks[1:], strict=True)
    return {name: Timing(1, b[0] - a[0], b[1] - a[1]) for name, a, b in steps}


def measure_starts(sizes: Sizes) -> list[Result]:
    """Import, first step of the compiled environment and then of the batch; cold, and from Numba's cache."""
    results: list[Result] = []
    if not sizes.starts:
        return results
    with tempfile.TemporaryDirectory() as cache:
        cold = start(cache)
        warm: dict[str, Series] = {name: [] for name in _STAGES}
        for _ in range(sizes.starts):
            for name, timing in start(cache).items():
                warm[name].append(timing)
    results.append(duration("start.import", "`import mhgym`", "s", warm["import"]))
    words = {
        "single": 'make, reset and first step of `RoutingEnv(engine="compiled")`',
        "vector": "then the same of `RoutingVectorEnv`",
    }
    for name, text in words.items():
        results.append(duration(f"start.cold.{name}", f"{text}, compiling all", "s", [cold[name]]))
        results.append(duration(f"start.cached.{name}", f"{text}, from Numba's cache", "s", warm[name]))
    return results

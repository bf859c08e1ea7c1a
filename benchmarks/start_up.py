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
_CLOCK = """
import json
from time import perf_counter, process_time
def clock():
    return process_time(), perf_counter()
marks = [clock()]
import mhgym
marks.append(clock())
"""
_STEPS = """
import gymnasium
env = gymnasium.make("mhgym/EranHeavy-v0", engine="compiled")
env.reset(seed=0)
env.step(0)
marks.append(clock())
batch = gymnasium.make_vec("mhgym/EranHeavy-v0", num_envs=2)
batch.reset(seed=0)
batch.step([0, 0])
marks.append(clock())
"""
_NUMBA = """
import numpy
from numba import njit
@njit(cache=True)
def count(numbers):
    numbers[0] += 1
count(numpy.zeros(1))
marks.append(clock())
"""
_SCRIPTS = {  # and the stages that each measures
    "steps": (_CLOCK + _STEPS, ("import", "single", "vector")),
    "numba": (_CLOCK + _NUMBA, ("import again", "numba")),
}


def start(folder: Path) -> dict[str, Timing]:
    """Run the scripts, each in a process of its own, with the caches of Numba and of bytecode in this folder.

    So they start as from an installed wheel: with bytecode, whether or not Python may write it into the checkout.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        "NUMBA_CACHE_DIR": str(folder / "numba"),
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    }
    timings = {}
    for name, (script, stages) in _SCRIPTS.items():
        path = folder / f"start_{name}.py"  # Numba caches nothing that is in no file
        if not path.exists():
            path.write_text(script + "print(json.dumps(marks))\n", encoding="utf-8")
        done = subprocess.run([sys.executable, str(path)], env=environment, capture_output=True, text=True, check=True)
        marks = json.loads(done.stdout.splitlines()[-1])
        steps = zip(stages, marks[:-1], marks[1:], strict=True)
        timings |= {stage: Timing(1, b[0] - a[0], b[1] - a[1]) for stage, a, b in steps}
    return timings


def measure_starts(sizes: Sizes) -> list[Result]:
    """Import, first step of the compiled environment and then of the batch; cold, and from the caches.

    What Numba takes for its own start stands beside it.
    """
    if not sizes.starts:
        return []
    with tempfile.TemporaryDirectory() as folder:
        cold = start(Path(folder))
        warm = [start(Path(folder)) for _ in range(sizes.starts)]
    series: dict[str, Series] = {stage: [timings[stage] for timings in warm] for stage in cold}
    results = [duration("start.import", "`import mhgym`", "s", series["import"])]
    words = {
        "single": 'make, reset and first step of `RoutingEnv(engine="compiled")`',
        "vector": "then the same of `RoutingVectorEnv`",
    }
    for name, text in words.items():
        results.append(duration(f"start.cold.{name}", f"{text}, compiling all", "s", [cold[name]]))
        results.append(duration(f"start.cached.{name}", f"{text}, from Numba's cache", "s", series[name]))
    what = "Numba's own start, which these contain: import and first call of `numbers[0] += 1`, from its cache"
    results.append(duration("start.cached.numba", what, "s", series["numba"]))
    return results

"""Compilation works without a cache, and importing the library compiles nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mhgym.compiling import inner_kernel, kernel
from mhgym.engines.addresses import layout_of
from mhgym.mdp import kernels

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


COLUMNS = """
from typing import NamedTuple
import numpy as np
from mhgym.engines.addresses import kind_of, layout_of
class Example(NamedTuple):
    {fields}
KIND = kind_of(Example, "{types}")
LAYOUT = layout_of(KIND)
EXAMPLE = {values}
"""
KERNELS = """
from columns import EXAMPLE, KIND, LAYOUT
from mhgym.compiling import kernel
from mhgym.engines import addresses
@kernel
def locate(room, example):
    addresses.write_addresses(room, example, KIND)
def called_by_address(layout):
    @kernel
    def first_of_last(room):
        return addresses.read_addresses(room, KIND, layout).last[0]
    return first_of_last
first_of_last = called_by_address(LAYOUT)
room = addresses.room_for(KIND)
locate(room, EXAMPLE)
value, hits = first_of_last(room), sum(first_of_last.stats.cache_hits.values())
"""


def run(script: str, **environment: str) -> None:
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr


def test_compiles_without_a_cache() -> None:
    run(NO_CACHE)


def test_importing_compiles_nothing() -> None:
    run(NOTHING_COMPILED)


def test_an_edited_layout_is_compiled_anew(tmp_path: Path) -> None:
    """A kernel that is called with addresses only is not taken for another layout, though its own file is as it was."""
    before = COLUMNS.format(fields="last: object", types="i1", values="Example(np.array([7]))")
    ones = "Example(np.array([1.0]), np.array([7]))"
    after = COLUMNS.format(fields="added: object; last: object", types="f1 i1", values=ones)
    (tmp_path / "kernels.py").write_text(KERNELS)
    for columns, hits in [(before, 0), (before, 1), (after, 0), (after, 1), (before, 1)]:
        (tmp_path / "columns.py").write_text(columns)
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        script = f"import kernels; assert (kernels.value, kernels.hits) == (7, {hits}), (kernels.value, kernels.hits)"
        run(script, NUMBA_CACHE_DIR=str(tmp_path / "cache"), PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))


def test_kernels_of_a_batch_are_cached_by_its_layout() -> None:
    assert [cell.cell_contents for cell in kernels.run.py_func.__closure__] == [layout_of(kernels.BATCH)]


@inner_kernel
def first_of(numbers):  # type: ignore[no-untyped-def]
    return numbers[0]


@kernel
def twice_the_first(numbers):  # type: ignore[no-untyped-def]
    return 2.0 * first_of(numbers)


def test_a_kernel_for_kernels_refuses_python() -> None:
    """Without an entry for Python a call would end the process."""
    assert twice_the_first(np.array([3.0])) == 6.0
    with pytest.raises(TypeError, match="only kernels call the kernel first_of; to call it from Python"):
        first_of(np.array([3.0]))

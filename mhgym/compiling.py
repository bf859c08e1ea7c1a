"""How functions are compiled: by Numba, without Python objects, kept in its cache where there is room for one."""

from collections.abc import Callable
from typing import Any

from numba import njit


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function on its first call; the result is cached on disk, or anew in each process if nothing can be."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # Numba found no folder that it can write to
        return njit(nogil=True)(function)

"""How functions are compiled: by Numba, without Python objects, kept in its cache where there is room for one."""

from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core.registry import CPUDispatcher


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function on its first call; the result is cached on disk, or anew in each process if nothing can be.

    A kernel works in arrays that its caller keeps alive, and allocates none: `_nrt=False` refuses allocations and drops
    the atomic counts of references, of which every call would make two for each of the 43 arrays that it passes on.
    """
    return _compile(function, _nrt=False)


def inlined_kernel(function: Callable[..., Any]) -> Any:
    """`kernel`, put into its callers by LLVM: passing 43 arrays costs more than most kernels do."""
    return _compile(function, _nrt=False, forceinline=True)


class _InnerKernel(CPUDispatcher):
    """A kernel without an entry for Python, where calling it would end the process."""

    def __call__(self, *args: Any) -> Any:
        """Refuse.

        Raises:
            TypeError: Always.
        """
        name = self.py_func.__name__
        raise TypeError(f"only kernels call the kernel {name}; to call it from Python, make it inlined_kernel")


def inner_kernel(function: Callable[..., Any]) -> Any:
    """`inlined_kernel` that only kernels call: code that takes 43 arrays from Python is a third of all to compile."""
    compiled = _compile(function, _nrt=False, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
    compiled.__class__ = _InnerKernel
    return compiled


def allocating_kernel(function: Callable[..., Any]) -> Any:
    """`kernel`, for a function that makes arrays."""
    return _compile(function)


def _compile(function: Callable[..., Any], **options: Any) -> Any:
    try:
        return njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    except RuntimeError:  # Numba found no folder that it can write to
        return njit(nogil=True, error_model="numpy", **options)(function)

"""Flat vectors of named blocks, which networks take apart without a copy."""

import math
from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


class BlockLayout(ABC):
    """Where named blocks lie in a flat vector."""

    @property
    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each block, in order."""

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each block lies in the flat vector."""
        result, start = {}, 0
        for name, shape in self.shapes.items():
            result[name] = slice(start, start + math.prod(shape))
            start += math.prod(shape)
        return result

    @cached_property
    def size(self) -> int:
        """Length of the flat vector."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def split(self, flat: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The blocks of observations `[..., size]`, each `[..., *shape]`, without a copy."""
        lead = flat.shape[:-1]
        return {name: flat[..., part].reshape(lead + self.shapes[name]) for name, part in self.slices.items()}

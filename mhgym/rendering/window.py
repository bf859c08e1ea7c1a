"""A window on the screen for `human` mode."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhgym.rendering.labels import EXTRA


class Window:
    """Shows frames; the window opens with the first one.

    A user who closes the window is not asked again: later frames are ignored.

    Args:
        title: Text of the title bar.
    """

    def __init__(self, title: str = "mhgym") -> None:
        self.title = title
        self._pygame: Any = None
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether there is a window now."""
        return self._pygame is not None

    def show(self, frame: NDArray[np.uint8]) -> None:
        """Draw a frame, and react to the window's close button.

        Args:
            frame: `[H, W, 3]` colours, as `render_frame` makes them.

        Raises:
            ValueError: If the frame has another shape or type.
            ImportError: If pygame is not installed.
        """
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(f"a frame must be uint8 of shape [H, W, 3], got {frame.dtype} of shape {frame.shape}")
        if self._closed:
            return
        size = (frame.shape[1], frame.shape[0])
        if self._pygame is None:
            self._open()
        surface = self._pygame.display.get_surface()
        if surface is None or surface.get_size() != size:
            surface = self._pygame.display.set_mode(size)
        surface.blit(self._pygame.surfarray.make_surface(frame.swapaxes(0, 1)), (0, 0))
        self._pygame.display.flip()
        if any(event.type == self._pygame.QUIT for event in self._pygame.event.get()):
            self.close()
            self._closed = True

    def close(self) -> None:
        """Close the window if there is one."""
        if self._pygame is not None:
            self._pygame.display.quit()
            self._pygame = None

    def _open(self) -> None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        try:
            import pygame
        except ImportError as error:
            raise ImportError(f"a window needs pygame: {EXTRA}") from error
        pygame.display.init()
        pygame.display.set_caption(self.title)
        self._pygame = pygame

"""Drawing a centre in the render modes of the environments."""

from typing import Any

import gymnasium

from mhgym.envs.core import RoutingCore
from mhgym.presets.base import suggest

RENDER_MODES = ["ansi", "rgb_array", "human"]
RENDER_FPS = 4


class Screen:
    """Draws the present view of a centre.

    Args:
        core: The centre.
        render_mode: `ansi`, `rgb_array` or `human`; None for no picture.

    Raises:
        ValueError: If the mode is unknown.
    """

    def __init__(self, core: RoutingCore, render_mode: str | None) -> None:
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise ValueError(f"unknown render_mode {render_mode!r}{suggest(str(render_mode), RENDER_MODES)}")
        self._core = core
        self._mode = render_mode
        self._window: Any = None

    def draw(self) -> Any:
        """The present view: text, an RGB array, or None and a window."""
        if self._mode is None:
            gymnasium.logger.warn("render() needs a render_mode; pass one when the environment is made")
            return None
        names = self._core.scenario.roster.names()
        if self._mode == "ansi":
            from mhgym.rendering.ansi import render_ansi

            return render_ansi(self._core.view, names)
        from mhgym.rendering.frame import render_frame

        frame = render_frame(self._core.view, names)
        if self._mode == "rgb_array":
            return frame
        if self._window is None:
            from mhgym.rendering.window import Window

            self._window = Window()
        self._window.show(frame)
        return None

    def follow(self) -> None:
        """Draw if there is a window to keep up to date."""
        if self._mode == "human":
            self.draw()

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

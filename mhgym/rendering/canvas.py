"""A sheet to draw on with Pillow, in pixels of a picture of standard size; other sizes are scaled."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mhgym.rendering.labels import EXTRA
from mhgym.rendering.palette import PAPER, Colour

_FINER = 2  # drawn at twice the size and reduced, which evens out the spacing of small letters


class Box(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def share(self, part: float) -> "Box":
        """The left part of it; `part` is cut to between 0 and 1."""
        return self._replace(right=self.left + min(max(part, 0.0), 1.0) * (self.right - self.left))


class Canvas:
    """A white sheet.

    Args:
        size: Width and height in pixels.
        scale: Pixels for each unit of the drawing.

    Raises:
        ImportError: If Pillow is not installed.
    """

    def __init__(self, size: tuple[int, int], scale: float) -> None:
        try:
            from PIL import Image, ImageDraw, ImageFont
        except ImportError as error:
            raise ImportError(f"a picture needs Pillow: {EXTRA}") from error
        self._image = Image.new("RGB", (_FINER * size[0], _FINER * size[1]), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._load_font = ImageFont.load_default
        self._fonts: dict[int, Any] = {}
        self._scale = _FINER * scale

    def fill(self, box: Box, colour: Colour, outline: Colour | None = None) -> None:
        """Draw a filled rectangle; one without width is left out."""
        left, top, right, bottom = self._pixels(box)
        if right > left and bottom > top:
            self._draw.rectangle((left, top, right - 1, bottom - 1), fill=colour, outline=outline, width=_FINER)

    def hatch(self, box: Box, colour: Colour, spacing: int = 7) -> None:
        """Draw rising stripes inside a rectangle."""
        left, top, right, bottom = self._pixels(box)
        height = bottom - top
        for start in range(left - height, right, max(2, round(spacing * self._scale))):
            first, last = max(start, left), min(start + height, right - 1)
            stripe = (first, bottom - 1 - (first - start), last, bottom - 1 - (last - start))
            self._draw.line(stripe, fill=colour, width=_FINER)

    def text(self, place: tuple[float, float], words: str, size: int, colour: Colour, anchor: str) -> None:
        """Write at a place, with Pillow's anchor codes such as `lm`: left and middle."""
        at = place[0] * self._scale, place[1] * self._scale
        self._draw.text(at, words, font=self._font(size), fill=colour, anchor=anchor)

    def width(self, words: str, size: int) -> float:
        """The width of written words."""
        return float(self._font(size).getlength(words)) / self._scale

    def shorten(self, words: str, size: int, room: float) -> str:
        """The words, with the middle left out if they are wider than the room."""
        kept = len(words)
        shortened = words
        while kept > 2 and self.width(shortened, size) > room:
            kept -= 1
            shortened = f"{words[: kept - kept // 2]}...{words[len(words) - kept // 2 :]}"
        return shortened

    def pixels(self) -> NDArray[np.uint8]:
        """`[H, W, 3]` a copy of the sheet."""
        return np.array(self._image.reduce(_FINER), dtype=np.uint8)

    def _font(self, size: int) -> Any:
        """Pillow's own font, so that pictures are the same on every machine."""
        if size not in self._fonts:
            self._fonts[size] = self._load_font(size * self._scale)
        return self._fonts[size]

    def _pixels(self, box: Box) -> tuple[int, int, int, int]:
        left, top, right, bottom = (round(edge * self._scale) for edge in box)
        return left, top, right, bottom

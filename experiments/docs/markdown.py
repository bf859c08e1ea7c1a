"""Pieces of Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; a bar in a cell is kept from ending it."""
    lines = [list(head), ["---"] * len(head), *([*map(str, row)] for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: object) -> str:
    """Text as code."""
    return f"`{text}`"


def number(value: float) -> str:
    """A number as a person would write it."""
    return f"{value:,g}" if abs(value) < 1e15 else str(value)


def paragraphs(*parts: str) -> str:
    """Blocks with a blank line between, without those that are empty."""
    return "\n\n".join(filter(None, parts))

"""Pages with their generated parts: `<!-- generated: module.function arguments -->` stands for what that returns."""

import re
from importlib import import_module

_MARKER = re.compile(r"^<!-- generated: (\w+)\.([a-z]\w*)((?: [\w.]+)*) -->$", re.MULTILINE)
_ATTEMPT = "<!-- generated"


def fill(page: str) -> str:
    """The page with its parts.

    Raises:
        ValueError: If a marker is not of that form.
        AttributeError: If there is no such function.
    """
    filled = _MARKER.sub(_part, page)
    if _ATTEMPT in filled:
        line = next(line for line in filled.splitlines() if _ATTEMPT in line)
        raise ValueError(f"a generated part is named as <!-- generated: module.function arguments -->, got {line!r}")
    return filled


def _part(match: re.Match[str]) -> str:
    module, function, arguments = match.groups()
    part: str = getattr(import_module(f"experiments.docs.{module}"), function)(*arguments.split())
    return part

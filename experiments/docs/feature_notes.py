"""What the code says of each feature of an observation: the comment behind its name."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from inspect import getsource
from types import ModuleType

from experiments.docs.sourced_numbers import comments_of


def notes(module: ModuleType | str, constant: str, block: str | None = None) -> list[tuple[str, str]]:
    """Name and meaning of each feature of a constant.

    Args:
        module: Where the constant stands.
        constant: A tuple of names, or a mapping of blocks to such tuples.
        block: Of the mapping.

    Raises:
        ValueError: If names and their places in the text do not fit together.
    """
    module = import_module(module) if isinstance(module, str) else module
    named: Sequence[str] | Mapping[str, Sequence[str]] = getattr(module, constant)
    text = getsource(module)
    value = _value(text, constant)
    if isinstance(named, Mapping):
        assert isinstance(value, ast.Dict)
        keys = [key.value for key in value.keys if isinstance(key, ast.Constant)]
        value, named = value.values[keys.index(block)], named[str(block)]
    assert isinstance(value, ast.Tuple)
    comments = comments_of(text)
    said = [comments.get(element.lineno, ("", False))[0] for element in _spread(value, len(named))]
    if len(said) != len(named):
        raise ValueError(f"{constant} of {module.__name__} has {len(named)} names and {len(said)} places in its text")
    return list(zip(named, said, strict=True))


def _value(text: str, constant: str) -> ast.expr:
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == constant:
            return node.value
    raise ValueError(f"no constant {constant}")


def _spread(value: ast.Tuple, number: int) -> Iterator[ast.expr]:
    """The element of the text behind each name; one with a star stands for as many names as the others leave."""
    for element in value.elts:
        repeats = number - len(value.elts) + 1 if isinstance(element, ast.Starred) else 1
        for _ in range(repeats):
            yield element

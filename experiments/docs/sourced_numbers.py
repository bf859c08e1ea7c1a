"""Every number of a module with what the code says of where it comes from, read from its comments and docstrings.

The account of a number is what stands nearest: the text that follows a constant, the comment behind it, the entry of
its field in the `Attributes` of its class, or the block of comments above its statement, which holds until the next
blank line. Where that names no source, a docstring around it may speak for all figures, or the number may follow from
others.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from inspect import cleandoc, getsource
from types import ModuleType
from typing import NamedTuple

from experiments.docs.docstrings import entries_in

#: What names a source has one of these words.
NAMES_SOURCE = re.compile(
    r"\b(assum\w+|papers?|authors|report|Tables? \d|Appendix|calibrated|published|derived|solves|fitted|pledge|measured"
    r"|inference|definition)\b",
    re.IGNORECASE,
)
_DIRECTIVE = re.compile(r"noqa|type:|fmt:|pragma")
_FOR_ALL = re.compile(
    r"[^.]*\b(?:every number|figures (?:are|derived)|defaults are|assumptions of this project)\b[^.]*\.", re.IGNORECASE
)
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")
_ARITHMETIC = (0.0, 1.0, 60.0)  # in a function: nothing, all, and the minutes of an hour


class Number(NamedTuple):
    """One number, or those of one expression.

    Attributes:
        name: `constant`, `Class.field`, `constant.argument`, or where in a function it stands.
        value: Its expression.
        account: Unit and source in the words of the code; empty if it says nothing.
    """

    name: str
    value: str
    account: str


def read_numbers(module: ModuleType) -> list[Number]:
    """The numbers of an imported module, in its order."""
    return numbers_in(getsource(module))


def numbers_in(text: str) -> list[Number]:
    """The numbers of a module's text, in its order."""
    tree = ast.parse(text)
    return list(_Reader(text).in_body(tree.body, "", [_doc(tree)]))


def comments_of(text: str) -> dict[int, tuple[str, bool]]:
    """The comments of a module's text by line, and whether they have the line for themselves."""
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        words = token.string.lstrip("#: ").strip()
        if token.type == tokenize.COMMENT and words and not _DIRECTIVE.match(words):
            found[token.start[0]] = words, not token.line[: token.start[1]].strip()
    return found


class _Reader:
    """Walks through a module; `outer` are the docstrings around a place, the nearest first."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._comments = comments_of(text)

    def in_body(self, body: list[ast.stmt], prefix: str, outer: list[str]) -> Iterator[Number]:
        """Of a module or a class."""
        entries = entries_in(outer[0]) if prefix else {}
        for node, following in zip(body, [*body[1:], None], strict=True):
            match node:
                case ast.ClassDef(name=name):
                    yield from self.in_body(node.body, f"{name}.", [_doc(node), *outer])
                case ast.FunctionDef(name=name):
                    yield from self._in_function(node, f"{prefix}{name}", [_doc(node), *outer])
                case ast.Assign(targets=[target]) | ast.AnnAssign(target=target) if node.value is not None:
                    name = ast.unparse(target)
                    for place, value in _parts(f"{prefix}{name}", node.value):
                        behind = self._behind(node if value is node.value else value)
                        said = _following(following) or behind or entries.get(name) or self._above(node)
                        yield Number(place, ast.unparse(value), _account(said, outer, value))

    def _in_function(self, function: ast.FunctionDef, name: str, outer: list[str]) -> Iterator[Number]:
        """Arguments of the objects that it makes, and other numbers that are no arithmetic or have a comment."""
        done: set[ast.AST] = set()
        for node in (node for statement in function.body for node in _walk(statement)):
            for place, value in [(f"{name}: {word.arg}", word.value) for word in _arguments(node)] or [(name, node)]:
                counts = _is_number(value) and self._is_figure(value) if value is node else _is_choice(value)
                if counts and value not in done:
                    done.update(ast.walk(value))
                    said = self._behind(value) or self._above(value)
                    yield Number(place, ast.unparse(value), _account(said, outer, value))

    def _is_figure(self, node: ast.AST) -> bool:
        value = ast.literal_eval(node)
        return (isinstance(value, float) and value not in _ARITHMETIC) or bool(self._behind(node))

    def _behind(self, node: ast.AST) -> str:
        """The comments on the lines of a node."""
        lines = range(node.lineno, node.end_lineno + 1)
        return "; ".join(self._comments[line][0] for line in lines if line in self._comments)

    def _above(self, node: ast.AST) -> str:
        """The nearest block of comments above in the run of lines, none of them blank, in which a node stands."""
        line, block = node.lineno - 1, []
        while line and self._lines[line - 1].strip():
            words, alone = self._comments.get(line, ("", False))
            if alone:
                block.append(words)
            elif block:
                break
            line -= 1
        return " ".join(reversed(block))


def _account(said: str, outer: list[str], value: ast.AST) -> str:
    """What is said of a number, and if that names no source, what is said of all or what it is derived from."""
    said = " ".join(said.split())
    if NAMES_SOURCE.search(said):
        return said
    spoken = [match.group().strip() for text in outer for match in _FOR_ALL.finditer(" ".join(text.split()))]
    derived = [f"derived from {', '.join(dict.fromkeys(_constants(value)))}"] if _constants(value) else []
    return "; ".join(filter(None, [said.rstrip("."), *(spoken or derived)[:1]]))


def _doc(node: ast.AST) -> str:
    return ast.get_docstring(node) or ""


def _following(node: ast.stmt | None) -> str:
    """The text that follows a constant."""
    match node:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return cleandoc(text)
    return ""


def _parts(name: str, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """What a constant is made of and says a number: the arguments of an object, or itself."""
    for place, part in [(f"{name}.{word.arg}", word.value) for word in _arguments(value)] or [(name, value)]:
        nodes = list(_walk(part))
        made = any(isinstance(node, ast.GeneratorExp | ast.ListComp | ast.DictComp) for node in nodes)
        if not made and (any(map(_is_number, nodes)) or _constants(part)):
            yield place, part


def _arguments(node: ast.AST) -> list[ast.keyword]:
    """The named arguments of an object that is made."""
    makes = isinstance(node, ast.Call) and ast.unparse(node.func).lstrip("_")[:1].isupper()
    return node.keywords if makes else []


def _is_number(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _is_choice(node: ast.AST) -> bool:
    """Whether it is a number, or the name of a choice."""
    return _is_number(node) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _constants(node: ast.AST) -> list[str]:
    """Names of constants in an expression."""
    return [part.id for part in _walk(node) if isinstance(part, ast.Name) and _CONSTANT.fullmatch(part.id)]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """As `ast.walk`, in the order of the text and without indices."""
    yield node
    for field, child in ast.iter_fields(node):
        if not (isinstance(node, ast.Subscript) and field == "slice"):
            for inner in child if isinstance(child, list) else [child]:
                if isinstance(inner, ast.AST):
                    yield from _walk(inner)

"""Docstrings taken apart: the text, the entries of `Attributes` or `Args`, the source."""

import re
from importlib import import_module
from inspect import getdoc
from typing import Any

from experiments.docs.markdown import table

_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Source[^:\n]*):", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
_SOURCE = re.compile(r"\bSource\b[^:]{0,20}: ((?:.+\n?)+)")


def module(name: str) -> str:
    """What a module says of itself, with its source, as a part of a page."""
    found = import_module(name)
    source = source_of(found)
    return "\n\n".join([f"`{name}`:", text_of(found), *([f"Source: {source}"] if source else [])])


def fields(module_name: str, cls: str) -> str:
    """What a class says of its fields, as a part of a page."""
    words = entries_of(getattr(import_module(module_name), cls))
    return table(("field", "what it is"), ((f"`{name}`", said) for name, said in words.items()))


def text_of(thing: Any) -> str:
    """What is said of a module, class or function, without its sections; it is Markdown."""
    doc = getdoc(thing) or ""
    section = _SECTION.search(doc)
    return (doc[: section.start()] if section else doc).strip()


def entries_in(doc: str) -> dict[str, str]:
    """What a docstring says of each field or argument."""
    return {name: " ".join(words.split()) for name, words in _ENTRY.findall(doc)}


def entries_of(cls: type) -> dict[str, str]:
    """The same of a class and those it is built on, its own words first."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        found |= entries_in((base.__doc__ and getdoc(base)) or "")
    return found


def source_of(*things: Any) -> str:
    """The source that the first of some things names; empty if none does."""
    for thing in things:
        if match := _SOURCE.search(getdoc(thing) or ""):
            return " ".join(match[1].split())
    return ""

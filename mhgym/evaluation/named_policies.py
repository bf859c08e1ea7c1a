"""Policies by name: an entry point of an installed package, a class of a module, or a class of a file."""

import inspect
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from mhgym.policy import Policy

#: Packages name their policies in this group: `[project.entry-points."mhgym.policies"] mine = "package.module:Class"`.
GROUP = "mhgym.policies"
NAME_RULE = "the label of a row has 1 to 80 letters, digits, spaces and .+-_, and begins with a letter, digit or _"


def load_policy(name: str, settings: Mapping[str, Any] | None = None) -> Policy:
    """Make the policy of a name.

    Args:
        name: `package.module:Class`, `path/to/file.py:Class`, or an entry point of the group `mhgym.policies`. What
            stands for `Class` is called, so a function that returns a policy will do.
        settings: Keyword arguments of the class.

    Raises:
        ValueError: If there is none of that name, it does not take the settings, or what it makes is no policy.
    """
    make = _find(name)
    settings = dict(settings or {})
    try:
        inspect.signature(make).bind(**settings)
    except TypeError as error:
        raise ValueError(f"{name} does not take these settings: {error}") from error
    policy = make(**settings)
    _check(name, policy)
    return policy  # type: ignore[no-any-return]


def _find(name: str) -> Any:
    place, separator, attribute = name.rpartition(":")
    if not separator:
        return _find_entry_point(name)
    module = _load_file(Path(place)) if place.endswith(".py") else _import(place, name)
    if not callable(found := getattr(module, attribute, None)):
        classes = [key for key, value in vars(module).items() if inspect.isclass(value) and hasattr(value, "act")]
        raise ValueError(f"{place} has no class {attribute!r} (with an act: {', '.join(classes) or 'none'})")
    return found


def _find_entry_point(name: str) -> Any:
    known = entry_points(group=GROUP)
    if name not in known.names:
        raise ValueError(
            f"no installed package names a policy {name!r} (known: {', '.join(sorted(known.names)) or 'none'}); give "
            "package.module:Class or file.py:Class"
        )
    return known[name].load()


def _import(place: str, name: str) -> ModuleType:
    try:
        return import_module(place)
    except ModuleNotFoundError as error:
        raise ValueError(f"cannot import the module of {name!r}: {error}; is its package installed here?") from error


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r}")
    name = str(path.resolve()).replace(".", "_")  # which is no other module's
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


def _check(name: str, policy: Any) -> None:
    missing = [method for method in ("reset", "act") if not callable(getattr(policy, method, None))]
    if missing:
        raise ValueError(f"{name} makes a {type(policy).__name__} without {' and '.join(missing)}; see mhgym.policy")
    label = getattr(policy, "name", None)
    if not fits_tables(label):
        raise ValueError(f"{name} makes a {type(policy).__name__} whose name is {label!r:.90}; {NAME_RULE}")


def fits_tables(label: Any) -> bool:
    """Whether a policy's name can stand in tables, files and on command lines, see `NAME_RULE`."""
    return isinstance(label, str) and re.fullmatch(r"\w[\w .+-]{0,79}", label) is not None

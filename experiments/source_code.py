"""Which source code a result was made with: a digest of all that it depends on, so that an edit finds no old result."""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from mhgym.evaluation.named_policies import GROUP
from mhgym.presets.joined import joined_presets

#: What makes the tables of cells, beside the packages.
_TABLES = ("bounds.py", "cells.py", "page/record.py")


@cache
def source_digest() -> str:
    """Digest of the code of `mhgym`, of `agents`, of what tables are made by, and of every package that joins one."""
    joined = {point.module.partition(".")[0] for points in joined_presets().values() for point in points}
    ours = [path for name in ("mhgym", "agents") for path in files_of_package(name) if path.suffix == ".py"]
    ours += [Path(__file__).parent / name for name in _TABLES]
    return _digest([*ours, *(path for name in sorted(joined) for path in files_of_package(name))])


def digest_of_code(source: str) -> str:
    """Digest of a policy's file, or of all files of its top-level package; nothing of it is imported.

    Args:
        source: As `mhgym.evaluation.named_policies.load_policy` takes it.
    """
    place, separator, _ = source.rpartition(":")
    if not separator:
        place = entry_points(group=GROUP)[source].module
    return _digest([Path(place)] if place.endswith(".py") else files_of_package(place.partition(".")[0]))


def files_of_package(name: str) -> list[Path]:
    """All files of a top-level package or module, in order; none where there is no such."""
    spec = find_spec(name)
    if spec is None or (spec.origin is None and not spec.submodule_search_locations):
        return []
    if not spec.submodule_search_locations:
        return [Path(str(spec.origin))]
    folders = [Path(folder) for folder in spec.submodule_search_locations]
    found = (path for folder in folders for path in sorted(folder.rglob("*")))
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for path in files:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()

"""Presets of other packages: `[project.entry-points."mhgym.scenarios"] Village = "village.scenario:Village"`.

Nothing of such a package is imported before its scenario is asked for.
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from mhgym.presets.base import Preset

GROUP = "mhgym.scenarios"


@cache
def joined_presets() -> dict[str, tuple[EntryPoint, ...]]:
    """Entry points by name: more than one where packages claim the same name."""
    points = list(entry_points(group=GROUP))
    return {point.name: tuple(other for other in points if other.name == point.name) for point in points}


def load_preset(points: tuple[EntryPoint, ...]) -> type[Preset]:
    """The preset of a name.

    Args:
        points: Who claims the name.

    Raises:
        ValueError: If they are several, or theirs cannot be imported or is no preset; the message names the package.
    """
    point, *others = points
    if others:
        packages = " and ".join(sorted(map(package_of, points)))
        raise ValueError(f"{packages} all name a scenario {point.name!r}; uninstall all but one, or rename it there")
    what = f"the scenario {point.name!r} of {package_of(point)} ({point.value})"
    try:
        found = point.load()
    except Exception as error:
        words = f"{what} cannot be imported: {type(error).__name__}: {error}; mend that package or uninstall it"
        raise ValueError(words) from error
    if not (isinstance(found, type) and issubclass(found, Preset)):
        raise ValueError(f"{what} must be a subclass of mhgym.presets.Preset, got {found!r}")
    if found.__name__ != point.name:
        raise ValueError(f"{what} must be named as its class is, by which results are replayed: {found.__name__!r}")
    return found


def package_of(point: EntryPoint) -> str:
    """The package that an entry point comes from, for messages."""
    return f"the package {point.dist.name!r}" if point.dist else "a package without a name"

"""Presets by name: those that come with mhgym, and those of other packages."""

from dataclasses import fields
from typing import Any

from mhgym.presets.base import Preset, suggest
from mhgym.presets.eran import EranDay, EranHeavy, EranStandard
from mhgym.presets.joined import joined_presets, load_preset, package_of
from mhgym.presets.open_up import OpenUp, OpenUpPaper
from mhgym.presets.therapists import Therapists
from mhgym.scenario import Scenario

PRESETS: dict[str, type[Preset]] = {
    preset.__name__: preset for preset in (EranStandard, EranHeavy, EranDay, OpenUp, OpenUpPaper, Therapists)
}


def preset_names() -> list[str]:
    """Ours first."""
    return [*PRESETS, *sorted(joined_presets().keys() - PRESETS.keys())]


def find_preset(name: str) -> type[Preset]:
    """The preset of a name, see `preset_names`.

    Raises:
        ValueError: If there is none, or the package that names it does so wrongly.
    """
    theirs = joined_presets().get(name, ())
    if theirs and name in PRESETS:
        words = "which mhgym has itself; rename it there, or uninstall it"
        raise ValueError(f"{package_of(theirs[0])} names a scenario {name!r}, {words}")
    if theirs:
        return load_preset(theirs)
    if name not in PRESETS:
        raise ValueError(f"unknown scenario {name!r}{suggest(name, preset_names())}")
    return PRESETS[name]


def make_scenario(name: str, **overrides: Any) -> Scenario:
    """The scenario of a preset with overrides.

    Args:
        name: Such as `EranHeavy`, or one of an installed package.
        **overrides: Fields of the preset, such as `flow`, `staffing`, `zombies`, `horizon`, `weights`.

    Raises:
        ValueError: If the name, an override's name or its value is not possible.
        TypeError: If an override has the wrong type.
    """
    preset = find_preset(name)
    known = [item.name for item in fields(preset)]
    for key in overrides:
        if key not in known:
            raise ValueError(f"{name} has no setting {key!r}{suggest(key, known)}")
    return preset(**overrides).build()

"""Presets by name."""

from dataclasses import fields
from typing import Any

from mhgym.presets.base import Preset, suggest
from mhgym.presets.eran import EranDay, EranHeavy, EranStandard
from mhgym.presets.open_up import OpenUp, OpenUpPaper
from mhgym.presets.therapists import Therapists
from mhgym.scenario import Scenario

PRESETS: dict[str, type[Preset]] = {
    preset.__name__: preset for preset in (EranStandard, EranHeavy, EranDay, OpenUp, OpenUpPaper, Therapists)
}


def make_scenario(name: str, **overrides: Any) -> Scenario:
    """The scenario of a preset with overrides.

    Args:
        name: Such as `EranHeavy`.
        **overrides: Fields of the preset, such as `flow`, `staffing`, `zombies`, `horizon`, `weights`.

    Raises:
        ValueError: If the name, an override's name or its value is not possible.
        TypeError: If an override has the wrong type.
    """
    if name not in PRESETS:
        raise ValueError(f"unknown scenario {name!r}{suggest(name, list(PRESETS))}")
    preset = PRESETS[name]
    known = [item.name for item in fields(preset)]
    for key in overrides:
        if key not in known:
            raise ValueError(f"{name} has no setting {key!r}{suggest(key, known)}")
    return preset(**overrides).build()

"""Named scenarios: every number with its source, or the word assumption."""

from mhgym.presets.base import Preset
from mhgym.presets.eran import EranDay, EranHeavy, EranStandard
from mhgym.presets.open_up import OpenUp, OpenUpPaper
from mhgym.presets.registry import PRESETS, find_preset, make_scenario, preset_names
from mhgym.presets.sampler import ScenarioSampler
from mhgym.presets.therapists import Therapists

__all__ = [
    "PRESETS",
    "EranDay",
    "EranHeavy",
    "EranStandard",
    "OpenUp",
    "OpenUpPaper",
    "Preset",
    "ScenarioSampler",
    "Therapists",
    "find_preset",
    "make_scenario",
    "preset_names",
]

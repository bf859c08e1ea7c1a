"""Named scenarios: every number with its source, or the word assumption."""

from mhgym.presets.eran import EranDay, EranHeavy, EranStandard
from mhgym.presets.open_up import OpenUp, OpenUpPaper
from mhgym.presets.registry import PRESETS, make_scenario
from mhgym.presets.sampler import ScenarioSampler
from mhgym.presets.therapists import Therapists

__all__ = [
    "PRESETS",
    "EranDay",
    "EranHeavy",
    "EranStandard",
    "OpenUp",
    "OpenUpPaper",
    "ScenarioSampler",
    "Therapists",
    "make_scenario",
]

"""Chiang et al. 2024: our `OpenUpPaper` against the authors' own simulator on the same real month, under FCFS.

Their figures were measured by running their public simulator (crisis-des) on November 2020 for 30 to 40 replications;
each is a mean and a standard deviation. Margins are those of the project's equivalence targets, set before any run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from agents import make_agent
from experiments.studies.findings import Finding
from mhgym.evaluation.rollout import run_episode
from mhgym.presets import make_scenario
from mhgym.trace import Trace

MONTH = 43_200.0  # minutes


@dataclass(frozen=True)
class Setting:
    """One configuration of their simulator: mean and standard deviation by measure, over `replications`."""

    name: str
    overrides: dict[str, Any]
    replications: int
    theirs: dict[str, tuple[float, float]]


#: Measure: (our KPI, margin).
MEASURES: dict[str, tuple[str, float | None]] = {
    "conversion, share of visitors": ("first_answer_conversion", 0.005),
    "direct, share of accepted": ("direct_share", 0.008),
    "answered after waiting, share of accepted": ("answered_after_wait_share", 0.006),
    "abandoned in the first queue, share of accepted": ("abandonment_first_queue", 0.008),
    "mean chat, minutes": ("mean_service_minutes", 0.5),
    "valid cases, share of accepted": ("valid_share", 0.008),
    "mean wait of the answered, minutes": ("asa", 0.08),
    "abandoned in transfer, share of accepted": ("abandonment_in_transfer", None),
}

SETTINGS = (
    Setting(
        name="zombies kept, cutoff 30",
        overrides={"cutoff": 30.0, "zombies": "kept", "queue_discipline": "paper"},
        replications=30,
        theirs={
            "conversion, share of visitors": (0.370638, 0.004737),
            "direct, share of accepted": (0.404401, 0.007687),
            "answered after waiting, share of accepted": (0.0917552, 0.003729),
            "abandoned in the first queue, share of accepted": (0.503766, 0.006862),
            "mean chat, minutes": (49.7146, 0.6318),
            "mean wait of the answered, minutes": (0.74162, 0.04151),
            "valid cases, share of accepted": (0.471079, 0.006084),  # counts over the mean number accepted
            "abandoned in transfer, share of accepted": (0.045024, 0.002191),
        },
    ),
    Setting(
        name="zombies kept, cutoff 10",
        overrides={"cutoff": 10.0, "zombies": "kept", "queue_discipline": "paper"},
        replications=40,
        theirs={
            "conversion, share of visitors": (0.376366, 0.004738),
            "direct, share of accepted": (0.412603, 0.009119),
            "answered after waiting, share of accepted": (0.091393, 0.004386),
            "abandoned in the first queue, share of accepted": (0.495975, 0.007671),
            "mean chat, minutes": (49.7102, 0.6154),
            "mean wait of the answered, minutes": (0.733154, 0.05366),
            "valid cases, share of accepted": (0.478945, 0.005585),  # counts over the mean number accepted
            "abandoned in transfer, share of accepted": (0.047333, 0.002164),
        },
    ),
    Setting(
        name="zombies evicted, cutoff 30",
        overrides={"cutoff": 30.0, "zombies": "evicted"},
        replications=40,
        theirs={
            "conversion, share of visitors": (0.411534, 0.003725),
            "direct, share of accepted": (0.437609, 0.006646),
            "answered after waiting, share of accepted": (0.113473, 0.004294),
            "abandoned in the first queue, share of accepted": (0.448845, 0.005322),
            "mean chat, minutes": (49.6954, 0.6078),
            "mean wait of the answered, minutes": (0.750978, 0.03835),
            "valid cases, share of accepted": (0.523853, 0.004743),  # counts over the mean number accepted
            "abandoned in transfer, share of accepted": (0.050838, 0.002168),
        },
    ),
)


def _replicate(setting: Setting, month: Path, seed: int) -> dict[str, float]:
    scenario = make_scenario(
        "OpenUpPaper", horizon=MONTH, arrivals="replay", arrivals_path=str(month), **setting.overrides
    )
    return run_episode(scenario, make_agent("fcfs"), Trace.sample(scenario, seed)).kpis


def study(month: Path, replications: int, workers: int) -> Iterator[Finding]:
    """Yield every comparison, setting by setting.

    Raises:
        FileNotFoundError: If the month's file is not there.
    """
    for setting in SETTINGS:
        kpis = joblib.Parallel(n_jobs=workers)(
            joblib.delayed(_replicate)(setting, month, seed) for seed in range(replications)
        )
        for measure, (name, margin) in MEASURES.items():
            values = np.array([row[name] for row in kpis])
            ours = float(values.mean()), float(values.std(ddof=1)), len(values)
            yield Finding.compare(setting.name, measure, ours, (*setting.theirs[measure], setting.replications), margin)

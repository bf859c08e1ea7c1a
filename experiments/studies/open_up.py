"""Chiang et al. 2024: our `OpenUpPaper` against the authors' own simulator on the same real month, under FCFS.

Margins are those of the project's equivalence targets, set before any run. `open_up_figures` has what is compared with.
"""

from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np

from experiments.studies.findings import Finding
from experiments.studies.open_up_figures import REPAIRED_REPLICATIONS, SETTINGS, Setting
from mhgym.engines.rules import Rule
from mhgym.evaluation.rollout import rule_kpis
from mhgym.presets import make_scenario

MONTH = 43_200.0  # minutes


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


def _replicate(setting: Setting, month: Path, seeds: range) -> list[dict[str, float]]:
    scenario = make_scenario(
        "OpenUpPaper", horizon=MONTH, arrivals="replay", arrivals_path=str(month), **setting.overrides
    )
    return rule_kpis(scenario, Rule.FIRST_COME, seeds)


def study(month: Path, replications: int, workers: int) -> Iterator[Finding]:
    """Yield every comparison, setting by setting, with their simulator as published and with its two defects repaired.

    Raises:
        FileNotFoundError: If the month's file is not there.
    """
    for setting in SETTINGS:
        parts = joblib.Parallel(n_jobs=workers)(
            joblib.delayed(_replicate)(setting, month, range(first, replications, workers)) for first in range(workers)
        )
        kpis = [row for part in parts for row in part]
        for variant, figures, size in (
            ("published", setting.published, setting.replications),
            ("repaired", setting.repaired, REPAIRED_REPLICATIONS),
        ):
            for measure, (name, margin) in MEASURES.items():
                values = np.array([row[name] for row in kpis])
                ours = float(values.mean()), float(values.std(ddof=1)), len(values)
                theirs = (*figures[measure], size)
                yield Finding.compare(f"{setting.name}, {variant}", measure, ours, theirs, margin)

"""Kleinerman et al. 2022: FCFS and CMT on the ERAN presets against a second implementation of the same population.

Their data are private; the population was calibrated on the paper's FCFS and CMT columns. The figures below are the
means of an independent implementation over 1,000 shifts and are taken as given: the interval is that of our own mean,
so their own sampling error (about .004 in quantity) has to fit into the margin as well. The paper's means stand beside.
"""

from collections.abc import Iterator

import joblib
import numpy as np

from experiments.studies.findings import Finding
from mhgym.engines.rules import Rule
from mhgym.evaluation.rollout import rule_kpis
from mhgym.presets import make_scenario

MARGIN = 0.010
#: (preset, policy, KPI): mean of the independent implementation; the paper's mean.
FIGURES: dict[tuple[str, str, str], tuple[float, float]] = {
    ("EranStandard", "fcfs", "quality_served"): (0.686, 0.681),
    ("EranStandard", "fcfs", "quantity"): (0.829, 0.832),
    ("EranStandard", "cmt", "quality_served"): (0.768, 0.753),
    ("EranStandard", "cmt", "quantity"): (0.841, 0.836),
    ("EranHeavy", "fcfs", "quality_served"): (0.689, 0.687),
    ("EranHeavy", "fcfs", "quantity"): (0.834, 0.845),
    ("EranHeavy", "cmt", "quality_served"): (0.802, 0.820),
    ("EranHeavy", "cmt", "quantity"): (0.864, 0.851),
}


RULES = {"fcfs": Rule.FIRST_COME, "cmt": Rule.CMT}


def _shifts(preset: str, policy: str, seeds: range) -> list[dict[str, float]]:
    return rule_kpis(make_scenario(preset), RULES[policy], seeds)


def study(replications: int, workers: int) -> Iterator[Finding]:
    """Yield every comparison; the margin is on the difference of the two implementations."""
    for preset, policy in dict.fromkeys((preset, policy) for preset, policy, _ in FIGURES):
        parts = joblib.Parallel(n_jobs=workers)(
            joblib.delayed(_shifts)(preset, policy, range(first, replications, workers)) for first in range(workers)
        )
        kpis = [row for part in parts for row in part]
        for (own, chosen, name), (mean, paper) in FIGURES.items():
            if (own, chosen) == (preset, policy):
                values = np.array([row[name] for row in kpis])
                ours = float(values.mean()), float(values.std(ddof=1)), len(values)
                measure = f"{name} (the paper: {paper:.3f})"
                yield Finding.compare(f"{preset}, {policy}", measure, ours, (mean, 0.0, 2), MARGIN)

"""Kleinerman et al. 2022: FCFS and CMT on the ERAN presets against two other implementations of the same population.

Their data are private; the population was calibrated on the paper's FCFS and CMT columns, and the paper's means stand
beside. The first implementation came with the population: its figures are means over 1,000 shifts and are taken as
given, so that the interval of ours must lie within ±.010 of them; `z` and the joint tests count their sampling error.
The second was written for the tests from the population's description alone (`tests/presets/second_eran.py`).
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from scipy import stats

from experiments.studies.findings import Finding, Remark, report
from mhgym.engines.rules import Rule
from mhgym.evaluation.rollout import rule_shares
from mhgym.presets import make_scenario

Floats = NDArray[np.float64]

RULES = {"fcfs": Rule.FIRST_COME, "cmt": Rule.CMT}
KPIS = ("quality_served", "quantity")
PRESETS = ("EranStandard", "EranHeavy")
#: (preset, policy, KPI), in the order of the columns of `_shifts` within each preset.
CELLS = tuple(product(PRESETS, RULES, KPIS))

MARGIN = 0.010
GIVEN_SHIFTS = 1000
ROUNDING = 0.001  # the given means are rounded to this
#: Mean and standard deviation per shift, given with the population (`check_your_implementation` of its file), and the
#: paper's mean (Tables 4 and 5).
FIGURES = {
    ("EranStandard", "fcfs", "quality_served"): (0.686, 0.113, 0.681),
    ("EranStandard", "fcfs", "quantity"): (0.829, 0.125, 0.832),
    ("EranStandard", "cmt", "quality_served"): (0.768, 0.095, 0.753),
    ("EranStandard", "cmt", "quantity"): (0.841, 0.124, 0.836),
    ("EranHeavy", "fcfs", "quality_served"): (0.689, 0.116, 0.687),
    ("EranHeavy", "fcfs", "quantity"): (0.834, 0.143, 0.845),
    ("EranHeavy", "cmt", "quality_served"): (0.802, 0.092, 0.820),
    ("EranHeavy", "cmt", "quantity"): (0.864, 0.136, 0.851),
}

SECOND_MARGIN = 0.002  # a fifth of the other; at least five standard errors of the difference with the default shifts
SECOND_SHIFTS = 400_000
#: Mean and standard deviation per shift of the second implementation; a test holds them to it.
SECOND = {
    ("EranStandard", "fcfs", "quality_served"): (0.67707, 0.11307),
    ("EranStandard", "fcfs", "quantity"): (0.82948, 0.12672),
    ("EranStandard", "cmt", "quality_served"): (0.76501, 0.09792),
    ("EranStandard", "cmt", "quantity"): (0.84625, 0.12369),
    ("EranHeavy", "fcfs", "quality_served"): (0.68956, 0.11460),
    ("EranHeavy", "fcfs", "quantity"): (0.83772, 0.14097),
    ("EranHeavy", "cmt", "quality_served"): (0.79297, 0.09382),
    ("EranHeavy", "cmt", "quantity"): (0.86471, 0.13340),
}

NUMBER_OF_SHIFTS = Remark(
    "The study has 200,000 shifts of each preset. It had 4,000, which missed the margin of ±.010 in four of the eight "
    "cells. Criterion and margin are as they were: the interval is that of our own mean, and more shifts only narrow "
    "it, so that a true difference beyond the margin is now found where 4,000 shifts left the verdict to chance. The "
    "seeds are 0 to N - 1; none was chosen."
)


def _shifts(preset: str, seeds: range) -> Floats:
    """`[n, 4]` KPIs of a preset, by policy and then by name; both policies play the same traces."""
    shares = rule_shares(make_scenario(preset), list(RULES.values()), seeds)
    return np.stack([shares[name] for name in KPIS], axis=-1).reshape(len(seeds), -1)


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write the report into a folder; the same as plain data."""
    return report(study(replications, workers), folder, console)


def study(replications: int, workers: int) -> Iterator[Finding | Remark]:
    """Yield every comparison, then the joint tests; the margin is on the difference of the two implementations."""
    played = []
    for preset in PRESETS:
        parts = joblib.Parallel(n_jobs=workers)(
            joblib.delayed(_shifts)(preset, range(first, replications, workers)) for first in range(workers)
        )
        values = np.concatenate(parts)
        played.append(values)
        for cell, column in zip((cell for cell in CELLS if cell[0] == preset), values.T, strict=True):
            yield from _compare(cell, (float(column.mean()), float(column.std(ddof=1)), len(column)))
    yield _joint_test(played, shared=True)
    yield _joint_test(played, shared=False)
    yield NUMBER_OF_SHIFTS


def _compare(cell: tuple[str, str, str], ours: tuple[float, float, int]) -> Iterator[Finding]:
    """One cell against the given figures and against the second implementation."""
    preset, policy, name = cell
    mean, sd, paper = FIGURES[cell]
    setting, error = f"{preset}, {policy}", np.hypot(sd / GIVEN_SHIFTS**0.5, ours[1] / ours[2] ** 0.5)
    given, z = (mean, 0.0, 2), float((ours[0] - mean) / error)
    yield Finding.compare(setting, f"{name}, figures given (the paper: {paper:.3f})", ours, given, MARGIN, z)
    second, second_sd = SECOND[cell]
    error = np.hypot(second_sd / SECOND_SHIFTS**0.5, ours[1] / ours[2] ** 0.5)
    theirs, z = (second, second_sd, SECOND_SHIFTS), float((ours[0] - second) / error)
    yield Finding.compare(setting, f"{name}, second implementation", ours, theirs, SECOND_MARGIN, z)


def _joint_test(played: list[Floats], *, shared: bool) -> Remark:
    """Whether chance explains all differences from the given figures at once, theirs being means over 1,000 shifts.

    The covariance within a shift is ours. Whether their two policies met the same shifts is not known: `shared` says
    so, otherwise only the two KPIs of one policy go together. Ours do meet the same shifts; presets are independent.
    """
    statistic = 0.0
    for preset, values in zip(PRESETS, played, strict=True):
        covariance = np.cov(values.T)
        of_theirs = covariance if shared else covariance * np.kron(np.eye(len(RULES)), np.ones((len(KPIS), len(KPIS))))
        rounding = np.eye(len(covariance)) * ROUNDING**2 / 12
        given = [FIGURES[cell][0] for cell in CELLS if cell[0] == preset]
        difference = values.mean(axis=0) - given
        error = of_theirs / GIVEN_SHIFTS + covariance / len(values) + rounding
        statistic += float(difference @ np.linalg.solve(error, difference))
    p = float(stats.chi2.sf(statistic, len(CELLS)))
    shifts = "the same shifts for both policies" if shared else "shifts of its own for each policy"
    text = (
        f"All eight given means at once, their sampling error included and {shifts} assumed: chi-square "
        f"{statistic:.1f} on {len(CELLS)} degrees of freedom, p = {p:.2g}."
    )
    return Remark(text, {"chi_square": statistic, "degrees_of_freedom": len(CELLS), "p": p})

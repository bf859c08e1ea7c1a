"""From episodes to a table: means with intervals, differences from a reference on the same traces, corrected tests."""

from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from experiments.configs import EvaluationConfig
from mhgym.evaluation.statistics import Interval, bootstrap_interval, holm, paired_interval, wilcoxon_p

OBJECTIVES = {"per_arrival": "objective", "served": "objective_served"}
#: Columns of the summary beside the objective.
SHOWN = ("quality", "quantity", "quality_served", "abandonment", "conversion", "asa", "occupancy", "burden", "fairness")


@dataclass(frozen=True)
class Row:
    """One policy in one scenario.

    Attributes:
        scenario: Label.
        policy: Name.
        traces: Number of traces.
        objective: Mean with its interval.
        difference: Mean of policy minus reference on the same traces; None for the reference.
        p_value: Wilcoxon's signed-rank test of the difference, Holm-corrected within the scenario.
        means: Of the KPIs in `SHOWN`.
    """

    scenario: str
    policy: str
    traces: int
    objective: Interval
    difference: Interval | None
    p_value: float | None
    means: dict[str, float]

    def as_json(self) -> dict[str, object]:
        """The row as plain data."""
        return asdict(self)


def compare(episodes: pl.DataFrame, evaluation: EvaluationConfig) -> list[Row]:
    """All rows, scenario by scenario, best policy first.

    Raises:
        ValueError: If the objective is unknown, or policies of a scenario ran on different traces.
    """
    if evaluation.objective not in OBJECTIVES:
        known = ", ".join(OBJECTIVES)
        raise ValueError(f"unknown objective {evaluation.objective!r} (known: {known})")
    rows: list[Row] = []
    for (scenario,), table in episodes.group_by(["scenario"], maintain_order=True):
        rows += _scenario_rows(str(scenario), table, evaluation)
    return rows


def _scenario_rows(scenario: str, table: pl.DataFrame, evaluation: EvaluationConfig) -> list[Row]:
    column = OBJECTIVES[evaluation.objective]
    policies = {str(name): part.sort("seed") for (name,), part in table.group_by(["policy"], maintain_order=True)}
    hashes = {name: part["trace_hash"].to_list() for name, part in policies.items()}
    if len({tuple(traces) for traces in hashes.values()}) > 1:
        raise ValueError(f"the policies of {scenario} did not run on the same traces")
    scores = {name: part[column].to_numpy() for name, part in policies.items()}
    reference = scores.get(evaluation.reference)
    others = [name for name in policies if name != evaluation.reference]
    settings = {"confidence": evaluation.confidence, "resamples": evaluation.resamples}
    differences: dict[str, Interval] = {}
    p_values: dict[str, float] = {}
    if reference is not None and others:
        for name in others:
            differences[name] = paired_interval(scores[name], reference, rng=np.random.default_rng(0), **settings)
        corrected = holm([wilcoxon_p(scores[name], reference) for name in others])
        p_values = dict(zip(others, map(float, corrected), strict=True))
    rows = [
        Row(
            scenario=scenario,
            policy=name,
            traces=len(part),
            objective=bootstrap_interval(scores[name], rng=np.random.default_rng(0), **settings),
            difference=differences.get(name),
            p_value=p_values.get(name),
            means={key: float(np.mean(part[key].to_numpy())) for key in SHOWN},
        )
        for name, part in policies.items()
    ]
    return sorted(rows, key=lambda row: -row.objective.estimate)

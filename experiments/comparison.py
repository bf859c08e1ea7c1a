"""From episodes to a table: means with intervals, differences from a reference on the same traces, corrected tests."""

from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from experiments.configs import EvaluationConfig
from mhgym.evaluation.statistics import Interval, bootstrap_interval, holm, paired_interval, share_interval, wilcoxon_p

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
        bound: Mean of the clairvoyant bound on the same traces, and its largest gap; None where it was not computed.
        share: Of the distance from the reference to the bound that the policy covers; None without a distance.
        simulations: Futures that a planner played for a decision, on average; 0 for others.
        means: Of the KPIs in `SHOWN`.
    """

    scenario: str
    policy: str
    traces: int
    objective: Interval
    difference: Interval | None
    p_value: float | None
    bound: tuple[float, float] | None
    share: Interval | None
    simulations: float
    means: dict[str, float]

    def as_json(self) -> dict[str, object]:
        """The row as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Failed:
    """A policy of others that has no row in a scenario.

    Attributes:
        scenario: Label.
        policy: Name, or its source where it could not be made.
        words: What happened.
    """

    scenario: str
    policy: str
    words: str

    def text(self) -> str:
        """For people."""
        return f"{self.policy} has no row in {self.scenario}: {self.words}"


def compare(episodes: pl.DataFrame, evaluation: EvaluationConfig, bounds: pl.DataFrame | None = None) -> list[Row]:
    """All rows, scenario by scenario, best policy first.

    Args:
        episodes: All episodes.
        evaluation: How to compare.
        bounds: The clairvoyant bound of each trace, of the scenarios that have one, in the objective `per_arrival`; see
            `experiments.bounds`.

    Raises:
        ValueError: If the objective is unknown or another than that of the bounds, policies of a scenario ran on
            different traces, or a policy exceeds the bound.
    """
    if evaluation.objective not in OBJECTIVES:
        known = ", ".join(OBJECTIVES)
        raise ValueError(f"unknown objective {evaluation.objective!r} (known: {known})")
    if bounds is not None and evaluation.objective != "per_arrival":
        raise ValueError(f"the clairvoyant bound is of the objective 'per_arrival', got {evaluation.objective!r}")
    rows: list[Row] = []
    for (scenario,), table in episodes.group_by(["scenario"], maintain_order=True):
        own = None if bounds is None else bounds.filter(pl.col("scenario") == scenario).sort("seed")
        rows += _scenario_rows(str(scenario), table, evaluation, own)
    return rows


def _scenario_rows(
    scenario: str, table: pl.DataFrame, evaluation: EvaluationConfig, bounds: pl.DataFrame | None
) -> list[Row]:
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
    shares: dict[str, Interval] = {}
    bound = None
    if bounds is not None and len(bounds):
        ceiling = bounds["bound"].to_numpy()
        bound = float(ceiling.mean()), float(bounds["gap"].to_numpy().max())
        for name, part in policies.items():
            check_bound(scenario, name, part, bounds)
        if reference is not None and ceiling.mean() > reference.mean():
            for name in policies:
                shares[name] = share_interval(
                    scores[name], reference, ceiling, rng=np.random.default_rng(0), **settings
                )
    rows = [
        Row(
            scenario=scenario,
            policy=name,
            traces=len(part),
            objective=bootstrap_interval(scores[name], rng=np.random.default_rng(0), **settings),
            difference=differences.get(name),
            p_value=p_values.get(name),
            bound=bound,
            share=shares.get(name),
            simulations=float(part["simulations"].sum() / max(1, part["decisions"].sum())),
            means={key: float(np.mean(part[key].to_numpy())) for key in SHOWN},
        )
        for name, part in policies.items()
    ]
    return sorted(rows, key=lambda row: -row.objective.estimate)


def check_bound(scenario: str, policy: str, episodes: pl.DataFrame, bounds: pl.DataFrame) -> None:
    """Refuse results above the bound: either it or the policy is wrong.

    Args:
        scenario: Label.
        policy: Name.
        episodes: Of the policy, one a trace.
        bounds: Of the same traces in the same order.

    Raises:
        ValueError: If the traces differ, or the policy exceeds the bound on one.
    """
    if episodes["trace_hash"].to_list() != bounds["trace_hash"].to_list():
        raise ValueError(f"{policy} and the clairvoyant bound of {scenario} did not run on the same traces")
    bound = bounds["bound"].to_numpy()
    scores = episodes["objective"].to_numpy()
    worst = int(np.argmax(scores - bound))
    if scores[worst] > bound[worst] + 1e-9:
        raise ValueError(
            f"{policy} scores {scores[worst]:.6f} in {scenario} on the trace of seed {episodes['seed'][worst]}, above "
            f"the clairvoyant bound of {bound[worst]:.6f}; one of the two is wrong"
        )

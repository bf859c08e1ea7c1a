"""The weekly matcher where people arrive through the week: simple rules and exact re-solving beside hindsight.

The report matches once, with everybody known, so nothing here is compared with it; when people come is an assumption,
and the study shows two. All policies meet the same weeks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from agents.weekly_online import (
    GreedyWeek,
    RankingWeek,
    RollingHorizon,
    at_once,
    by_arrival,
    by_compatibility,
    by_severity,
    hindsight_optimum,
    play,
    when_due,
)
from mhgym.evaluation.statistics import Interval, bootstrap_interval, holm, paired_interval, wilcoxon_p
from mhgym.matching import Relief
from mhgym.matching.arrivals import DAY, HOUR, RushArrivals, UniformArrivals
from mhgym.matching.online import WeekPolicy
from mhgym.matching.scoring import kpis
from mhgym.matching.traits import SEVERITIES

Floats = NDArray[np.float64]

REFERENCE, HINDSIGHT = "first come", "hindsight"
#: The people of Table 5; a rush with a mean of two days, and the same numbers evenly over the week.
LAWS: dict[str, Relief] = {
    "rush": Relief(patient_arrivals=RushArrivals(2 * DAY), volunteer_arrivals=RushArrivals(2 * DAY)),
    "evenly": Relief(patient_arrivals=UniformArrivals(), volunteer_arrivals=UniformArrivals()),
}
#: `late` offers nothing that can wait for the next review.
POLICIES: tuple[WeekPolicy, ...] = (
    GreedyWeek(REFERENCE, by_arrival),
    RankingWeek("ranking"),
    GreedyWeek("greedy by compatibility", by_compatibility),
    GreedyWeek("greedy by severity", by_severity),
    RollingHorizon("re-solved exactly", at_once),
    GreedyWeek("greedy by compatibility, late", by_compatibility, when_due),
    GreedyWeek("greedy by severity, late", by_severity, when_due),
    RollingHorizon("re-solved exactly, late", when_due),
)
_MEASURES = ("matched_share", "mean_compatibility", "minutes_to_offer", "objective")
_MOST_SEVERE = f"unassigned_severity_{SEVERITIES - 1}"
_HEAD = (
    "| policy | objective | minus first come | p | of the way to hindsight | matched, % | severity 6 left over | "
    "compatibility of an offer | hours to the offer |",
    "|---|---|---|---:|---:|---:|---:|---:|---:|",
)


@dataclass(frozen=True)
class Row:
    """One policy under one arrival law.

    Attributes:
        law: When people come.
        policy: Name.
        weeks: Their number.
        objective: Mean sum of rewards.
        difference: From first come, on the same weeks; None for itself.
        p_value: Wilcoxon's, of that difference, Holm over the law's policies; None for first come and for hindsight.
        way: Share of the mean distance from first come to hindsight that is covered.
        least_gap: Least distance to hindsight in any week; never negative.
        means: Of some KPIs.
    """

    law: str
    policy: str
    weeks: int
    objective: Interval
    difference: Interval | None
    p_value: float | None
    way: float
    least_gap: float
    means: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def study(replications: int, workers: int) -> Iterator[Row]:
    """Yield every policy under every law, hindsight last."""
    for law, relief in LAWS.items():
        weeks = joblib.Parallel(n_jobs=workers)(joblib.delayed(_week)(relief, seed) for seed in range(replications))
        yield from _compare(law, {name: [week[name] for week in weeks] for name in weeks[0]})


def markdown(rows: Sequence[Row]) -> str:
    """The tables; intervals are 95 %, bootstrapped over weeks, and p is Wilcoxon's with Holm's correction."""
    lines = [
        "## People arrive through the week (people of Table 5, one offer each)",
        "",
        "When people come is an assumption. The objective is the sum of rewards: severity first, then compatibility, 1 "
        "for all served perfectly. Late policies offer nothing that can wait for the next daily review; nobody leaves "
        "for having waited. Hindsight knows from the start who comes when; it bounds every policy in every week. "
        "Intervals are 95 % (bootstrap over weeks, differences paired); p is Wilcoxon's, with Holm's correction.",
    ]
    for law in dict.fromkeys(row.law for row in rows):
        own = [row for row in rows if row.law == law]
        lines += ["", f"### Arrivals: {law}, {own[0].weeks} weeks", "", *_HEAD, *(_line(row) for row in own)]
    return "\n".join([*lines, ""])


def _week(relief: Relief, seed: int) -> dict[str, dict[str, float]]:
    """The KPIs of every policy in one week, and of hindsight."""
    arriving = relief.sample(seed)
    rows = {policy.name: play(relief, arriving, policy, np.random.default_rng([seed, 1])).kpis() for policy in POLICIES}
    # Hindsight makes each offer when the later one of the two comes.
    best = hindsight_optimum(relief, arriving)
    waits = arriving.volunteer_at[best.volunteer] - arriving.patient_at[best.patient]
    return rows | {HINDSIGHT: kpis(arriving, best, np.maximum(waits, 0.0), relief.most_offers)}


def _compare(law: str, played: Mapping[str, list[dict[str, float]]]) -> Iterator[Row]:
    """The rows of one law."""
    scores = {name: np.array([week["objective"] for week in weeks]) for name, weeks in played.items()}
    reference, best = scores[REFERENCE], scores[HINDSIGHT]
    tested = [name for name in scores if name not in (REFERENCE, HINDSIGHT)]
    corrected = holm([wilcoxon_p(scores[name], reference) for name in tested]).tolist()
    p_values = dict(zip(tested, corrected, strict=True))
    for name, own in scores.items():
        yield Row(
            law=law,
            policy=name,
            weeks=len(own),
            objective=bootstrap_interval(own, rng=np.random.default_rng(0)),
            difference=None if name == REFERENCE else paired_interval(own, reference, rng=np.random.default_rng(0)),
            p_value=p_values.get(name),
            way=float((own - reference).mean() / (best - reference).mean()),
            least_gap=float((best - own).min()),
            means={key: float(np.mean([week[key] for week in played[name]])) for key in (*_MEASURES, _MOST_SEVERE)},
        )


def _line(row: Row) -> str:
    """One row of a table."""
    means = row.means
    difference = "" if row.difference is None else row.difference.format()
    p_value = "" if row.p_value is None else f"{row.p_value:.1g}"
    return (
        f"| {row.policy} | {row.objective.format()} | {difference} | {p_value} | {row.way:.2f} | "
        f"{100 * means['matched_share']:.1f} | {means[_MOST_SEVERE]:.1f} | {means['mean_compatibility']:.2f} | "
        f"{means['minutes_to_offer'] / HOUR:.1f} |"
    )

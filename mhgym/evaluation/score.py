"""Scoring a policy against the published results: the same traces, paired differences, and what its decisions took."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mhgym.evaluation.published import Published
from mhgym.evaluation.rollout import run_episode
from mhgym.evaluation.statistics import Interval, bootstrap_interval, paired_interval
from mhgym.policy import Policy
from mhgym.trace import Trace

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """A policy beside the baselines.

    Attributes:
        policy: Name.
        scenario: Name of the published results.
        objective: `[n]` of each trace.
        baselines: By policy, `[n]` on the same traces.
        decisions: Taken in all.
        illegal: Of them, which counted as HOLD.
        latency: Median milliseconds of a decision, sending the view included.
    """

    policy: str
    scenario: str
    objective: Floats
    baselines: dict[str, Floats]
    decisions: int
    illegal: int
    latency: float

    @property
    def mean(self) -> Interval:
        """Of the objective, with a 95 % bootstrap interval."""
        return bootstrap_interval(self.objective, rng=np.random.default_rng(0))

    def minus(self, baseline: str) -> Interval:
        """Mean difference on the same traces, with its interval."""
        return paired_interval(self.objective, self.baselines[baseline], rng=np.random.default_rng(0))

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        return {
            "policy": self.policy,
            "scenario": self.scenario,
            "traces": len(self.objective),
            "objective": vars(self.mean),
            "minus": {name: vars(self.minus(name)) for name in self.baselines},
            "decisions": self.decisions,
            "illegal": self.illegal,
            "latency_ms": self.latency,
        }

    def text(self) -> str:
        """For people, the best baseline first."""
        ranked = sorted(self.baselines, key=lambda name: -float(self.baselines[name].mean()))
        wide = max(map(len, [*ranked, self.policy, "policy"]))
        lines = [
            f"{self.scenario}, {len(self.objective)} traces, objective per arrival with 95 % bootstrap intervals",
            f"{'policy':<{wide}}  {'objective':<24}  {self.policy} minus it",
            f"{self.policy:<{wide}}  {self.mean.format(4)}",
        ]
        for name in ranked:
            own = bootstrap_interval(self.baselines[name], rng=np.random.default_rng(0)).format(4)
            lines.append(f"{name:<{wide}}  {own:<24}  {self.minus(name).format(4)}")
        lines.append(f"{self.decisions:,} decisions, {self.illegal:,} illegal; median {self.latency:.2f} ms")
        return "\n".join(lines) + "\n"


def score(
    policy: Policy, published: Published, traces: int | None = None, tell: Callable[[int], None] | None = None
) -> Score:
    """Play the published traces and compare.

    Args:
        policy: To be scored.
        published: Results of the baselines.
        traces: How many of the traces, from the first; None for all.
        tell: Is told how many have been played.

    Raises:
        ValueError: If there are not so many traces, or this build draws others than the published ones.
    """
    most = len(published.seeds)
    number = most if traces is None else traces
    if not 2 <= number <= most:
        raise ValueError(f"{published.name} has {most} published traces; traces must be 2 to that many, got {number}")
    scenario = published.scenario
    weights = np.array(scenario.weights.as_tuple())
    objective, latencies, decisions, illegal = [], [], 0, 0
    for seed, known in zip(published.seeds[:number], published.trace_hashes, strict=False):
        trace = Trace.sample(scenario, seed)
        if trace.hash != known:
            raise ValueError(
                f"trace {seed} of {published.name} comes out otherwise here than when it was published with mhgym "
                f"{published.version}; install that version"
            )
        episode = run_episode(scenario, policy, trace, "compiled")
        vector = [episode.kpis[name] for name in ("quality", "quantity", "burden", "fairness")]
        objective.append(float(weights @ vector))
        latencies.append(episode.latencies)
        decisions, illegal = decisions + episode.decisions, illegal + episode.illegal
        if tell is not None:
            tell(len(objective))
    return Score(
        policy.name,
        published.name,
        np.array(objective),
        {name: own[:number] for name, own in published.objectives.items()},
        decisions,
        illegal,
        1e3 * float(np.median(np.concatenate(latencies))) if decisions else 0.0,
    )

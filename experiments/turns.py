"""How long policies take to decide, in turns on the same traces, so that other load on the machine meets all alike."""

from collections.abc import Mapping, Sequence

import numpy as np

from mhgym.evaluation.rollout import run_episode
from mhgym.policy import Policy
from mhgym.scenario import Scenario
from mhgym.trace import Trace


def milliseconds(
    policies: Mapping[str, Policy], scenario: Scenario, seeds: Sequence[int], decisions: int = 300
) -> dict[str, float]:
    """Mean time of a decision of each policy, asked from views.

    Args:
        policies: By label.
        scenario: Where they decide.
        seeds: Of traces; the first is played to compile, and is not counted.
        decisions: No more traces are played once each policy has taken so many.

    Raises:
        ValueError: If there are fewer than two traces.
    """
    if len(seeds) < 2:
        raise ValueError(f"timing needs at least 2 traces, the first of which is not counted, got {len(seeds)}")
    seconds: dict[str, list[float]] = {label: [] for label in policies}
    for number, seed in enumerate(seeds):
        trace = Trace.sample(scenario, seed)
        for label, policy in policies.items():
            latencies = run_episode(scenario, policy, trace, "compiled").latencies
            if number:
                seconds[label].extend(latencies)
        if number and min(len(own) for own in seconds.values()) >= decisions:
            break
    return {label: 1e3 * float(np.mean(own)) for label, own in seconds.items()}

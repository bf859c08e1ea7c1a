"""How long policies take to decide, in turns on the same traces, so that other load on the machine meets all alike."""

from collections.abc import Mapping, Sequence
from time import perf_counter

import numpy as np

from mhgym.evaluation.rollout import run_episode
from mhgym.policy import Policy
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import CentreView, Pair


class Timed:
    """A policy by the clock, asked from views.

    Attributes:
        name: Of the policy.
        seconds: Of each decision so far.

    Args:
        policy: It.
    """

    def __init__(self, policy: Policy) -> None:
        self.name = policy.name
        self.seconds: list[float] = []
        self._policy = policy

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Prepare for an episode."""
        self._policy.reset(scenario, rng)

    def act(self, view: CentreView) -> Pair:
        """What the policy decides."""
        begun = perf_counter()
        pair = self._policy.act(view)
        self.seconds.append(perf_counter() - begun)
        return pair


def milliseconds(
    policies: Mapping[str, Policy], scenario: Scenario, seeds: Sequence[int], decisions: int = 300
) -> dict[str, float]:
    """Mean time of a decision of each policy.

    Args:
        policies: By label.
        scenario: Where they decide.
        seeds: Of traces; the first is played to compile, and is not counted.
        decisions: No more traces are played once each policy has taken so many.
    """
    timed = {label: Timed(policy) for label, policy in policies.items()}
    for number, seed in enumerate(seeds):
        trace = Trace.sample(scenario, seed)
        for policy in timed.values():
            run_episode(scenario, policy, trace, "compiled")
            if number == 0:
                policy.seconds.clear()
        if number and min(len(policy.seconds) for policy in timed.values()) >= decisions:
            break
    return {label: 1e3 * float(np.mean(policy.seconds)) for label, policy in timed.items()}

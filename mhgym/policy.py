"""The protocol of a policy: it sees views, and answers with a pair or HOLD."""

import hashlib
from typing import Protocol, runtime_checkable

import numpy as np

from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair


@runtime_checkable
class Policy(Protocol):
    """A decision rule. A policy is reset before every episode and may keep state within one."""

    @property
    def name(self) -> str:
        """Label in tables; two policies of one comparison need different names."""
        ...

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Prepare for an episode.

        Args:
            scenario: The centre: rosters, laws and rules, no realised chance.
            rng: Randomness of the policy's own, keyed by trace and policy and never the trace's.
        """
        ...

    def act(self, view: CentreView) -> Pair:
        """Decide at an epoch.

        Args:
            view: What can be known; at least one pair of `view.legal` is true.

        Returns:
            A row of `view.waiting` with a counsellor, or `HOLD`. Anything illegal counts as HOLD.
        """
        ...


def policy_rng(trace_hash: str, policy_name: str) -> np.random.Generator:
    """The generator of one policy in one episode."""
    digest = hashlib.blake2b(f"{trace_hash}/{policy_name}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))

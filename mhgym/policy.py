"""The protocol of a policy: it sees views, and answers with a pair or HOLD; if it likes, it also says why."""

import hashlib
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np

from mhgym.scenario import Scenario
from mhgym.view import HOLD, Bools, CentreView, Floats, Pair


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


@dataclass(frozen=True)
class Weighed:
    """What a policy held against each other at an epoch, for people to read.

    Attributes:
        measure: What the values are, with their unit.
        pairs: Candidates; `HOLD` among them where it was one.
        values: Of the candidates, the larger the better; a policy may take another for reasons beside them, which its
            `weigh` says.
    """

    measure: str
    pairs: tuple[Pair, ...]
    values: tuple[float, ...]

    @classmethod
    def of(
        cls, view: CentreView, measure: str, values: Floats, *, among: Bools | None = None, hold: float | None = None
    ) -> Self:
        """The legal pairs of a view, in its order.

        Args:
            view: What was decided on.
            measure: What the values are.
            values: `[n, C]`, or what broadcasts to it.
            among: `[n, C]` pairs that were candidates; illegal ones among them are left out. None for all.
            hold: What HOLD was worth; None where it was no candidate.
        """
        legal = view.legal if among is None else view.legal & among
        rows, counsellors = np.nonzero(legal)
        pairs = [Pair(int(row), int(counsellor)) for row, counsellor in zip(rows, counsellors, strict=True)]
        weights = np.broadcast_to(values, legal.shape)[rows, counsellors].tolist()
        held = ([], []) if hold is None else ([HOLD], [float(hold)])
        return cls(measure, (*pairs, *held[0]), (*map(float, weights), *held[1]))


@runtime_checkable
class Explains(Protocol):
    """A policy that says why it decides as it does."""

    def weigh(self, view: CentreView) -> Weighed:
        """What the last call of `act` held against each other; asked with its view, and changes nothing."""
        ...


def policy_rng(trace_hash: str, policy_name: str) -> np.random.Generator:
    """The generator of one policy in one episode."""
    digest = hashlib.blake2b(f"{trace_hash}/{policy_name}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))

"""A soft beginning: PPO is pulled to what a rule would do, less and less, and never all the way.

Cloning a rule makes a policy deterministic, from where it no longer explores. Here the pull is a cross-entropy beside
the loss of PPO, in the states that the learner itself comes to (as in DAgger: Ross, Gordon & Bagnell 2011), falling to
0 within a share of the training; and its target leaves some probability to every legal action, which is a floor of the
entropy as long as it pulls.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mhgym.policy import Policy


@dataclass(frozen=True)
class Teacher:
    """Who is imitated, and how strongly.

    Attributes:
        policy: With a compiled rule.
        pull: Weight of the cross-entropy at the beginning.
        until: Share of the training in which it falls to 0, in a straight line.
        softness: Probability that the target shares out to all legal actions.

    Raises:
        ValueError: If a number is out of its range, or the policy has no compiled rule.
    """

    policy: Policy
    pull: float = 1.0
    until: float = 0.5
    softness: float = 0.2

    def __post_init__(self) -> None:
        if not hasattr(self.policy, "compiled_rule"):
            raise ValueError(
                f"only a policy with a compiled rule can be imitated, such as cmt, got {self.policy.name!r}"
            )
        if not (self.pull > 0.0 and 0.0 < self.until <= 1.0 and 0.0 < self.softness <= 1.0):
            raise ValueError(
                "imitation needs a pull above 0, and until and softness above 0 and at most 1, got "
                f"{self.pull}, {self.until} and {self.softness}"
            )

    def weight(self, remaining: float) -> float:
        """Of the cross-entropy, by the share of the training that remains."""
        return self.pull * max(0.0, 1.0 - (1.0 - remaining) / self.until)

    def distance(self, log_probabilities: Tensor, masks: Tensor, taught: Tensor) -> Tensor:
        """Cross-entropy of the target, mean over the decisions that have one.

        Args:
            log_probabilities: `[B, A]` of the learner.
            masks: `[B, A]` legal actions.
            taught: `[B]` what the teacher would do; a decision has no target if it is not legal, `NO_ACTION` included.
        """
        legal = masks > 0
        known = (taught >= 0) & legal.gather(1, taught.clamp(min=0).unsqueeze(1)).squeeze(1)
        chosen = log_probabilities.gather(1, taught.clamp(min=0).unsqueeze(1)).squeeze(1)
        shared = torch.where(legal, log_probabilities, 0.0).sum(dim=1) / legal.sum(dim=1)
        each = -(1.0 - self.softness) * chosen - self.softness * shared
        return torch.where(known, each, 0.0).sum() / known.sum().clamp(min=1)

"""A rule for volunteers behind any policy for therapists: whose patience is nearest its end is kept company first."""

from dataclasses import dataclass, field, replace

import numpy as np

from agents.index_rules import check_at_least
from agents.selection import best_pair
from mhgym.policy import Policy
from mhgym.scenario import Scenario
from mhgym.view import HOLD, Bools, CentreView, Pair


@dataclass
class Bridging:
    """Lets a policy allocate requests to inboxes; when it has nothing to allocate, waits in inboxes are bridged.

    Bridged first is who has waited the largest share of the predicted patience. In a centre without inboxes it is the
    policy alone.

    Attributes:
        rule: Allocates; it sees as legal what goes into an inbox.
        urgency: Share of the predicted patience before which nobody is bridged. Default: assumption.
        name: Label in tables.
    """

    rule: Policy
    urgency: float = 0.5
    name: str = "bridging"
    _has_inbox: Bools = field(default_factory=lambda: np.zeros(0, dtype=np.bool_), init=False, repr=False)

    def __post_init__(self) -> None:
        check_at_least(0.0, urgency=self.urgency)

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Read who has an inbox, and prepare the policy."""
        self._has_inbox = scenario.roster.inboxes() > 0
        self.rule.reset(scenario, rng)

    def act(self, view: CentreView) -> Pair:
        """The policy's allocation, or a bridge, or HOLD."""
        if not self._has_inbox.any():
            return self.rule.act(view)
        into = view.legal & self._has_inbox
        if into.any():
            pair = self.rule.act(replace(view, legal=into))
            if pair != HOLD:
                return pair
        spent = (view.wait / view.waiting.patience)[:, None]
        return best_pair(view, spent, among=~self._has_inbox & (spent >= self.urgency))

"""A fair share for newcomers, in front of any policy: their matches count for more while they are short of contacts."""

from dataclasses import dataclass, field, replace

import numpy as np

from mhgym.domain import Roster
from mhgym.policy import Explains, Policy, Weighed
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair


@dataclass
class FairShare:
    """Shows a policy every match of a newcomer as better by `weight` for each contact that newcomers are short of.

    They are short of T·(n + 1) - m contacts, where T is their share of the minutes on duty so far of those who answer,
    and m of the n contacts taken were theirs: what they would be short of if the next one were not. Where they have
    more, it is 0. This is the virtual queue of the constraint that their share of contacts be at least T, and `weight`
    is the price of a unit of it: 0 leaves the policy as it is, and the larger the weight, the closer the constraint is
    kept and the more quality it costs.

    What is raised is the predicted quality in the view. So the weight moves every policy that reads it: index rules
    without limit; networks up to the largest feature they are shown; planners, which believe in better feedback, up to
    full feedback; not FCFS. Contacts in inboxes count when they are taken, so that until then the shortfall stands.

    Attributes:
        rule: Decides.
        weight: Predicted quality, scaled to [0, 1], for a contact that newcomers are short of.
        name: Label in tables.

    Raises:
        ValueError: If the weight is negative.

    Source: Neely (2010), "Stochastic network optimization with application to communication and queueing systems",
    drift plus penalty with a virtual queue.
    """

    rule: Policy
    weight: float = 1.0
    name: str = "fair_share"
    _roster: Roster | None = field(default=None, init=False, repr=False)
    _horizon: float = field(default=0.0, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"weight must be at least 0, got {self.weight}")

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Read the roster, and prepare the policy."""
        self._roster, self._horizon = scenario.roster, scenario.horizon
        self.rule.reset(scenario, rng)

    def act(self, view: CentreView) -> Pair:
        """The policy's decision on the raised view."""
        return self.rule.act(self.raised(view))

    def weigh(self, view: CentreView) -> Weighed:
        """What the policy says of the raised view; nothing if it says nothing."""
        if not isinstance(self.rule, Explains):
            return Weighed(f"{self.rule.name} does not say", (), ())
        return self.rule.weigh(self.raised(view))

    def raised(self, view: CentreView) -> CentreView:
        """The view with a newcomer's matches raised."""
        bonus = self.weight * self.shortfall(view)
        return replace(view, quality=view.quality + bonus * view.staff.new) if bonus else view

    def shortfall(self, view: CentreView) -> float:
        """Contacts that newcomers would be short of if the next one were not theirs, at least 0."""
        if self._roster is None:
            raise RuntimeError("reset the policy before it acts")
        staffed, new = self._roster.staffed_minutes(min(view.now, self._horizon)), view.staff.new
        staffed = np.where(self._roster.answers(), staffed, 0.0)
        if not (total := staffed.sum()):
            return 0.0
        taken = view.staff.taken
        return max(0.0, float(staffed[new].sum() / total * (taken.sum() + 1) - taken[new].sum()))

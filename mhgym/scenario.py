"""A scenario: what the centre is. Roster, laws, rules and horizon, without any randomness of its own."""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Self

from mhgym.domain import Roster
from mhgym.processes.arrivals import ArrivalLaw
from mhgym.processes.outcomes import OutcomeLaw, RemainingTimeModel
from mhgym.processes.population import Population, StaffLaw, UniformStaff

Zombies = Literal["kept", "evicted"]
Closing = Literal["drain", "cut"]
OnSignOut = Literal["transfer", "finish"]
OnBreak = Literal["transfer", "postpone"]
QueueDiscipline = Literal["arrival", "paper"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "zombies": ("kept", "evicted"),
    "closing": ("drain", "cut"),
    "on_sign_out": ("transfer", "finish"),
    "on_break": ("transfer", "postpone"),
    "queue_discipline": ("arrival", "paper"),
}


@dataclass(frozen=True)
class Rules:
    """How the centre works. Times in minutes.

    Attributes:
        cutoff: Nothing new is taken in this time before sign-out.
        wrap_up: Time after a contact before the counsellor's slot is free.
        zombie_wrap_up: Time that opening an abandoned contact costs; one abandoned in transfer costs `wrap_up`.
        on_sign_out: `transfer` sends contacts in service back to the queue, `finish` counts overtime.
        on_break: `transfer` likewise; `postpone` starts the break when nothing is in hand.
        zombies: `kept` where nobody sees that a caller has left, `evicted` where the system does.
        closing: `drain` serves whoever waits at the horizon, `cut` stops there.
        review_interval: Extra decision epochs at this spacing until the horizon; 0 for none.
        bridges: Times that the wait of a contact in an inbox may be bridged: kept company by somebody without an inbox,
            it is back in its inbox with its patience in full. For centres with inboxes.
        bridge_minutes: Mean of the exponential time that this takes. Default: assumption.
        queue_discipline: `paper` moves an abandoned contact to the back of the queue, as the simulator of Chiang et
            al. 2024 does. Its order gives zombies away, so it serves their reproduction only.
    """

    cutoff: float = 0.0
    wrap_up: float = 0.0
    zombie_wrap_up: float = 0.0
    on_sign_out: OnSignOut = "transfer"
    on_break: OnBreak = "transfer"
    zombies: Zombies = "evicted"
    closing: Closing = "drain"
    review_interval: float = 0.0
    queue_discipline: QueueDiscipline = "arrival"
    bridges: int = 0
    bridge_minutes: float = 15.0

    def __post_init__(self) -> None:
        for name in ("cutoff", "wrap_up", "zombie_wrap_up", "review_interval"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a finite number of minutes, at least 0, got {value}")
        if not (math.isfinite(self.bridge_minutes) and self.bridge_minutes > 0):
            raise ValueError(f"bridge_minutes must be a finite, positive number of minutes, got {self.bridge_minutes}")
        if self.bridges < 0:
            raise ValueError(f"bridges must be at least 0 times, got {self.bridges}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        if self.zombies == "evicted" and self.queue_discipline == "paper":
            raise ValueError("queue_discipline 'paper' orders zombies, so it needs zombies 'kept', got 'evicted'")


@dataclass(frozen=True)
class Weights:
    """What the scalar reward is made of, component by component.

    A weight multiplies its component of the reward vector, so that a positive weight on `burden` (which is at most 0)
    discourages burden.
    """

    quality: float = 0.0
    quantity: float = 1.0
    burden: float = 0.0
    fairness: float = 0.0

    def __post_init__(self) -> None:
        for name, value in zip(("quality", "quantity", "burden", "fairness"), self.as_tuple(), strict=True):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"the weight of {name} must be finite and at least 0, got {value}")

    def as_tuple(self) -> tuple[float, float, float, float]:
        """The weights in the order of the reward vector."""
        return self.quality, self.quantity, self.burden, self.fairness


@dataclass(frozen=True)
class Scenario:
    """A contact centre for one episode.

    Attributes:
        name: Label in tables.
        roster: Counsellors and their shifts.
        arrivals: Law of arrival times.
        population: Law of callers.
        outcomes: Law of feedback and service of a pair.
        horizon: Minutes in which contacts arrive.
        rules: How the centre works.
        staff: Law of what differs between counsellors.
        remaining: Prediction of remaining time.
        weights: Default scalarisation.
        service_level_minutes: T of the service level.
    """

    name: str
    roster: Roster
    arrivals: ArrivalLaw
    population: Population
    outcomes: OutcomeLaw
    horizon: float
    rules: Rules = field(default_factory=Rules)
    staff: StaffLaw = field(default_factory=UniformStaff)
    remaining: RemainingTimeModel = field(default_factory=RemainingTimeModel)
    weights: Weights = field(default_factory=Weights)
    service_level_minutes: float = 10.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.horizon) and self.horizon > 0):
            raise ValueError(f"the horizon must be a positive number of minutes, got {self.horizon}")
        if not self.service_level_minutes >= 0:
            raise ValueError(f"service_level_minutes must be at least 0, got {self.service_level_minutes}")
        if self.rules.bridges and not self.inboxes:
            raise ValueError(f"bridges are for centres with inboxes, got {self.rules.bridges} and nobody with an inbox")
        if self.rules.queue_discipline == "paper" and self.inboxes:
            raise ValueError("queue_discipline 'paper' orders one queue for all, so nobody may have an inbox")

    @property
    def until(self) -> float:
        """Minute at which counsellors' accounts close: the horizon when it cuts, never when it drains."""
        return self.horizon if self.rules.closing == "cut" else math.inf

    @cached_property
    def inboxes(self) -> bool:
        """Whether contacts wait for a person, and not in one queue for all."""
        return self.roster.has_inboxes

    @property
    def profile_size(self) -> int:
        """d, the entries of a profile of a caller or a counsellor; 0 where nobody has one."""
        return int(getattr(self.staff, "profile_size", 0))

    @property
    def leaks(self) -> bool:
        """Whether views of this scenario give hidden truth away, which bars it from learning results."""
        return self.rules.queue_discipline == "paper"

    @property
    def public(self) -> Self:
        """What a policy may be told: a law that replays a recording is the law that planners may know of it."""
        law = getattr(self.arrivals, "planning_law", None)
        return self if law is None else self.replace(arrivals=law)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed; fields of `Rules` may be named directly."""
        rules = {name: changes.pop(name) for name in list(changes) if name in Rules.__dataclass_fields__}
        if rules:
            changes["rules"] = replace(changes.get("rules", self.rules), **rules)
        return replace(self, **changes)

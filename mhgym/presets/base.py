"""What every preset shares: the overrides and how they become a scenario."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, ClassVar

from mhgym.processes.arrivals import ArrivalLaw
from mhgym.scenario import Rules, Scenario, Weights


@dataclass(kw_only=True)
class Preset:
    """Overrides that every preset takes; None keeps what the preset says.

    A preset of one's own is a dataclass that says in `_build` what its scenario is, from these and further settings.
    Rules and weights are overridden by `build` itself; of the rest, what `_build` does not read belongs into `refused`.

    Attributes:
        flow: `standard`, `heavy`, or mean arrivals per hour.
        staffing: See the preset.
        horizon: Minutes in which contacts arrive.
        arrivals: Name of an arrival law (see the preset), or a law of one's own.
        arrivals_path: File of recorded gaps in minutes, for `arrivals="replay"`.
        arrivals_column: Its column, if it is a CSV with a header.
        newcomers: Counsellors flagged as new (fairness).
        weights: Weight of each reward component by name, those not named get 0; empty keeps what the preset says.
        cutoff: See `Rules`, as the fields below.
        wrap_up: Minutes.
        zombie_wrap_up: Minutes.
        zombies: `kept` or `evicted`.
        closing: `drain` or `cut`.
        on_sign_out: `transfer` or `finish`.
        on_break: `transfer` or `postpone`.
        review_interval: Minutes; 0 for none.
        queue_discipline: `arrival` or `paper`.
        bridges: Times, in a centre with inboxes.
        bridge_minutes: Mean.
    """

    flow: Any = None
    staffing: Any = None
    horizon: float | None = None
    arrivals: Any = "preset"
    arrivals_path: str | None = None
    arrivals_column: str | None = None
    newcomers: int | None = None
    weights: dict[str, float] = field(default_factory=dict)
    cutoff: float | None = None
    wrap_up: float | None = None
    zombie_wrap_up: float | None = None
    zombies: str | None = None
    closing: str | None = None
    on_sign_out: str | None = None
    on_break: str | None = None
    review_interval: float | None = None
    queue_discipline: str | None = None
    bridges: int | None = None
    bridge_minutes: float | None = None

    default_weights: ClassVar[Weights] = Weights()
    #: Overrides that the preset does not take, so that none is ignored in silence.
    refused: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        for name in ("horizon", "cutoff", "wrap_up", "zombie_wrap_up", "review_interval", "bridge_minutes"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise TypeError(f"{name} must be a number of minutes, got {value!r} ({type(value).__name__})")
        if self.horizon is not None and not (math.isfinite(self.horizon) and self.horizon > 0):
            raise ValueError(f"horizon must be a finite, positive number of minutes, got {self.horizon}")
        for name, what in (("newcomers", "counsellors"), ("bridges", "times")):
            number = getattr(self, name)
            if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
                raise TypeError(f"{name} must be a number of {what}, got {number!r}")
        if self.newcomers is not None and self.newcomers < 0:
            raise ValueError(f"newcomers must be at least 0, got {self.newcomers}")

    @property
    def overrides(self) -> dict[str, Any]:
        """What is set otherwise than by default."""
        plain = type(self)()
        own = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in own.items() if value != getattr(plain, name)}

    def build(self) -> Scenario:
        """The scenario.

        Raises:
            ValueError: If a value is impossible; the message names it and the rule.
        """
        for item in fields(self):
            if item.name in self.refused and (value := getattr(self, item.name)) != item.default:
                raise ValueError(f"{type(self).__name__} takes no {item.name}, got {value!r}")
        scenario = self._build()
        names = {item.name for item in fields(Rules)}
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return replace(scenario, rules=replace(scenario.rules, **given), weights=self._weights())

    def _build(self) -> Scenario:
        raise TypeError("a preset must say what its scenario is")

    def _weights(self) -> Weights:
        if not isinstance(self.weights, Mapping):
            raise TypeError(f"weights must map reward components to numbers, got {self.weights!r}")
        if not self.weights:
            return self.default_weights
        names = [item.name for item in fields(Weights)]
        for name in self.weights:
            if name not in names:
                raise ValueError(f"unknown reward component {name!r}{suggest(str(name), names)}")
        for name, weight in self.weights.items():
            if isinstance(weight, bool) or not isinstance(weight, int | float):
                raise TypeError(f"the weight of {name} must be a number, got {weight!r}")
        return Weights(**{name: float(self.weights.get(name, 0.0)) for name in names})


def suggest(name: str, names: list[str]) -> str:
    """The end of an error message: the nearest known name, and all of them."""
    near = get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{hint} (known: {', '.join(names)})"


def positive_rate(value: Any, what: str) -> float:
    """A mean number of arrivals per hour, checked."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} must be 'standard', 'heavy' or a number of arrivals per hour, got {value!r}")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{what} must be a finite rate of at least 0 arrivals per hour, got {value}")
    return float(value)


def choose_law(name: Any, laws: Mapping[str, Any]) -> ArrivalLaw:
    """An arrival law by name (values are functions without arguments), or the law that was given."""
    if not isinstance(name, str):
        if not isinstance(name, ArrivalLaw):
            raise TypeError(f"arrivals must be the name of a law or an arrival law, got {name!r}")
        return name
    if name not in laws:
        raise ValueError(f"unknown arrival law {name!r}{suggest(name, list(laws))}")
    law: ArrivalLaw = laws[name]()
    return law

"""What a better prediction model would be worth: a policy that is told the truth where a model would predict.

Not for a leaderboard: `PerfectModels` holds the trace of the episode. It changes what its policy reads as predictions,
for contacts that are in the centre; who is still to come, and who has left unseen, it does not tell.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhgym.policy import Policy
from mhgym.processes import draws
from mhgym.processes.outcomes import OutcomeLaw, RemainingTimeModel
from mhgym.processes.population import Callers, Population
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Pair, Phase

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MODELS = ("feedback", "service_time", "patience", "remaining")


@dataclass
class PerfectModels:
    """A policy whose prediction models make no error.

    Attributes:
        policy: Decides.
        trace: Of the one episode that it plays.
        models: Which models are perfect; of `MODELS`.

    Raises:
        ValueError: If there is no model of a name.
    """

    policy: Policy
    trace: Trace
    models: tuple[str, ...] = MODELS

    def __post_init__(self) -> None:
        for name in self.models:
            if name not in MODELS:
                raise ValueError(f"there is no prediction model {name!r} (known: {', '.join(MODELS)})")

    @property
    def name(self) -> str:
        """The policy's."""
        return self.policy.name

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Prepare for the episode; the policy believes that the models are right about those still to come, too.

        Raises:
            ValueError: If contacts can be transferred, whose rest no trace knows, or wait in inboxes, where a decision
                is not yet an answer, or if knowing patience would tell who has left unseen.
        """
        if scenario.inboxes:
            raise ValueError(f"perfect models need a centre without inboxes, got {scenario.name}")
        if scenario.rules.zombies == "kept" and "patience" in self.models:
            raise ValueError("perfect 'patience' would tell who has left unseen where zombies are 'kept'; leave it out")
        if scenario.rules.on_break != "postpone" or scenario.rules.on_sign_out != "finish":
            raise ValueError(
                "perfect models need a centre without transfers: on_break 'postpone' and on_sign_out 'finish', got "
                f"{scenario.rules.on_break!r} and {scenario.rules.on_sign_out!r}"
            )
        self._minutes: dict[int, float] = {}  # true service of each contact that was answered
        self.policy.reset(believed(scenario, self.models), rng)

    def act(self, view: CentreView) -> Pair:
        """The policy's decision on what is true."""
        pair = self.policy.act(self._told(view))
        if pair != HOLD:
            row, counsellor = pair
            contact = int(view.waiting.contact[row])
            self._minutes[contact] = self.trace.realise(contact, counsellor, int(view.staff.chats[counsellor]))[1]
        return pair

    def _told(self, view: CentreView) -> CentreView:
        truth = self._realise(view)
        waiting, in_hand = view.waiting, view.in_hand
        serving = in_hand.phase == Phase.SERVICE
        minutes = np.array([self._minutes[contact] for contact in in_hand.contact.tolist()])
        if "patience" in self.models:
            waiting = replace(waiting, patience=self.trace.values[waiting.contact, draws.PATIENCE])
        if "service_time" in self.models:
            in_hand = replace(in_hand, predicted=np.where(serving, minutes, in_hand.predicted))
        if "remaining" in self.models:
            rest = in_hand.started_at + minutes - view.now
            in_hand = replace(in_hand, remaining=np.where(serving, rest, in_hand.remaining))
        return replace(
            view,
            waiting=waiting,
            in_hand=in_hand,
            quality=truth[0] if "feedback" in self.models else view.quality,
            service_time=truth[1] if "service_time" in self.models else view.service_time,
        )

    def _realise(self, view: CentreView) -> Floats:
        """`[2, n, C]` true feedback, scaled to [0, 1], and minutes of each waiting contact and counsellor now."""
        truth = np.empty((2, *view.quality.shape))
        chats = view.staff.chats.tolist()
        for row, contact in enumerate(view.waiting.contact.tolist()):
            for counsellor, earlier in enumerate(chats):
                truth[:, row, counsellor] = self.trace.realise(contact, counsellor, earlier)
        return truth


def believed(scenario: Scenario, models: tuple[str, ...]) -> Scenario:
    """The centre as it looks to whoever trusts the perfect models: what were errors is spread among callers and pairs.

    The truth keeps its law but for a few per cent: what is predicted is no longer limited before the error is added.
    """
    law, remaining = scenario.outcomes, scenario.remaining
    if "feedback" in models:
        law = _without_error(law, "feedback")
    if "service_time" in models:
        law = replace(_without_error(law, "service"), predicted_min=law.service_min, predicted_max=law.service_max)
    if "remaining" in models:
        remaining = RemainingTimeModel(knots=(0.0,), error_sd=(0.0,), floor=0.0)
    population = _Foretold(scenario.population, models)
    return scenario.replace(outcomes=law, remaining=remaining, population=population)


def _without_error(law: OutcomeLaw, what: str) -> OutcomeLaw:
    """The error of one of two pair terms moved into the term that is predicted; their covariance stays."""
    spread, error = getattr(law, f"pair_{what}_sd"), getattr(law, f"{what}_error_sd")
    total = float(np.hypot(spread, error))
    correlation = law.pair_correlation * spread / total if total else 0.0
    spreads: dict[str, Any] = {f"pair_{what}_sd": total, f"{what}_error_sd": 0.0}
    return replace(law, pair_correlation=correlation, **spreads)


@dataclass(frozen=True)
class _Foretold:
    """A population whose hidden numbers are what the models predict."""

    true: Population
    models: tuple[str, ...] = field(default=())

    def sample(self, size: int, rng: np.random.Generator) -> Callers:
        callers = self.true.sample(size, rng)
        return replace(callers, values=self._told(callers.values))

    def draw_values(self, caller_type: Ints, risk: Ints, attributes: Ints, rng: np.random.Generator) -> Floats:
        return self._told(self.true.draw_values(caller_type, risk, attributes, rng))

    def _told(self, values: Floats) -> Floats:
        columns = {
            "feedback": (draws.FEEDBACK_MEAN, draws.FEEDBACK_SHIFT),
            "service_time": (draws.SERVICE_MEAN, draws.SERVICE_SHIFT),
        }
        told = values.copy()
        for name, (mean, shift) in columns.items():
            if name in self.models:
                told[:, mean] += told[:, shift]
                told[:, shift] = 0.0
        if "patience" in self.models:
            told[:, draws.PATIENCE_MEAN] = told[:, draws.PATIENCE]
        return told

    def resample_service(
        self, predicted: Floats, elapsed: Floats, caller_type: Ints, risk: Ints, rng: np.random.Generator
    ) -> Floats:
        if "service_time" in self.models:
            return np.maximum(predicted, elapsed)
        return self.true.resample_service(predicted, elapsed, caller_type, risk, rng)

    def resample_patience(self, mean: Floats, waited: Floats, rng: np.random.Generator) -> Floats:
        if "patience" in self.models:
            return np.maximum(mean, waited)
        return self.true.resample_patience(mean, waited, rng)

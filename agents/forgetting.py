"""Planning without some of the prediction models: each is replaced by its mean (Kleinerman et al. 2022, Table 6)."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mhgym.processes import draws
from mhgym.processes.outcomes import RemainingTimeModel
from mhgym.processes.population import Callers, Population
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Phase

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MODELS = ("feedback", "service_time", "patience", "remaining")


@dataclass
class Forgetful:
    """What a planner believes and sees when some models are missing.

    Attributes:
        without: Names of `MODELS`.

    Raises:
        ValueError: If there is no model of a name.
    """

    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.without:
            if name not in MODELS:
                raise ValueError(f"there is no prediction model {name!r} to leave out (known: {', '.join(MODELS)})")
        self._quality = self._minutes = self._patience = 0.0

    def scenario(self, scenario: Scenario) -> Scenario:
        """The centre as a planner without the models believes it to be."""
        if not self.without:
            return scenario
        rng = np.random.default_rng(0)
        callers = scenario.population.sample(4096, rng).values
        self._patience = float(callers[:, draws.PATIENCE_MEAN].mean())
        law = scenario.outcomes
        feedback = np.clip(np.rint(callers[:, draws.FEEDBACK_MEAN].mean()), 1.0, 5.0)
        self._quality = float(feedback - 1.0) / 4.0
        self._minutes = float(np.clip(callers[:, draws.SERVICE_MEAN].mean(), law.predicted_min, law.predicted_max))
        if "feedback" in self.without:
            error = math.hypot(law.pair_feedback_sd, law.feedback_error_sd)
            law = replace(law, pair_feedback_sd=0.0, feedback_error_sd=error, senior_bonus=0.0, feedback_per_chat=0.0)
        if "service_time" in self.without:
            error = math.hypot(law.pair_service_sd, law.service_error_sd)
            law = replace(law, pair_service_sd=0.0, service_error_sd=error, service_per_chat=0.0)
        remaining = RemainingTimeModel() if "remaining" in self.without else scenario.remaining
        population = _Alike(scenario.population, callers.mean(axis=0), self.without)
        return scenario.replace(outcomes=law, remaining=remaining, population=population)

    def view(self, view: CentreView) -> CentreView:
        """What a planner without the models sees."""
        if not self.without:
            return view
        effects = view.staff.effects.copy()
        waiting, in_hand = view.waiting, view.in_hand
        quality, service_time = view.quality, view.service_time
        if "feedback" in self.without:
            quality = np.full_like(quality, self._quality)
            effects[:, draws.FEEDBACK_EFFECT] = 0.0
        if "service_time" in self.without:
            service_time = np.full_like(service_time, self._minutes)
            effects[:, draws.SERVICE_EFFECT] = 0.0
            in_hand = replace(in_hand, predicted=np.full_like(in_hand.predicted, self._minutes))
        if "patience" in self.without:
            waiting = replace(waiting, patience=np.full_like(waiting.patience, self._patience))
        if "remaining" in self.without:
            rest = np.maximum(0.5, in_hand.predicted - (view.now - in_hand.started_at))
            serving = in_hand.phase == Phase.SERVICE
            in_hand = replace(in_hand, remaining=np.where(serving, rest, in_hand.remaining))
        staff = replace(view.staff, effects=effects)
        return replace(view, waiting=waiting, in_hand=in_hand, staff=staff, quality=quality, service_time=service_time)


@dataclass(frozen=True, eq=False)
class _Alike:
    """A population whose callers all look like the mean; what a model would have told of them counts as chance.

    That holds for callers still to come. Of those who wait or are served only the mean is known, and their patience and
    service go on as if they were alike: no planner without the model would know their mixture.
    """

    true: Population
    means: Floats
    without: tuple[str, ...]

    def sample(self, size: int, rng: np.random.Generator) -> Callers:
        callers = self.true.sample(size, rng)
        return replace(callers, values=self._averaged(callers.values))

    def draw_values(self, caller_type: Ints, risk: Ints, attributes: Ints, rng: np.random.Generator) -> Floats:
        return self._averaged(self.true.draw_values(caller_type, risk, attributes, rng))

    def _averaged(self, values: Floats) -> Floats:
        averaged = values.copy()
        columns = {
            "feedback": (draws.FEEDBACK_MEAN, draws.FEEDBACK_SHIFT),
            "service_time": (draws.SERVICE_MEAN, draws.SERVICE_SHIFT),
        }
        for name, (mean, shift) in columns.items():
            if name in self.without:
                averaged[:, shift] += averaged[:, mean] - self.means[mean]
                averaged[:, mean] = self.means[mean]
        if "patience" in self.without:
            averaged[:, draws.PATIENCE_MEAN] = self.means[draws.PATIENCE_MEAN]
        return averaged

    def resample_service(
        self, predicted: Floats, elapsed: Floats, caller_type: Ints, risk: Ints, rng: np.random.Generator
    ) -> Floats:
        return self.true.resample_service(predicted, elapsed, caller_type, risk, rng)

    def resample_patience(self, mean: Floats, waited: Floats, rng: np.random.Generator) -> Floats:
        return self.true.resample_patience(mean, waited, rng)

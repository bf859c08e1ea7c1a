"""Planning without some of the prediction models: each is replaced by its mean (Kleinerman et al. 2022, Table 6)."""

from dataclasses import dataclass, replace

import numpy as np

from mhgym.processes import draws
from mhgym.processes.outcomes import RemainingTimeModel
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Phase

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
            law = replace(law, pair_feedback_sd=0.0, senior_bonus=0.0, feedback_per_chat=0.0)
        if "service_time" in self.without:
            law = replace(law, pair_service_sd=0.0, service_per_chat=0.0)
        remaining = RemainingTimeModel() if "remaining" in self.without else scenario.remaining
        return scenario.replace(outcomes=law, remaining=remaining)

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

"""Callers of Open Up, a 24-hour text service in Hong Kong (Chiang, Law & Yip 2024).

Figures are those of the authors' public simulator unless said. Times in minutes.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import CallerType, Risk, Role, Roster
from mhgym.processes import draws
from mhgym.processes.outcomes import OutcomeLaw
from mhgym.processes.population import Callers, exponential_patience, new_keys

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TERMS_ACCEPTED = 0.748  # share of visitors
#: Share of repeat callers, of those who accepted: at least 14 accepted chats in the calendar month.
REPEAT_SHARE = 0.288
# Share of each risk, low to high (high holds crisis), for non-repeat and repeat callers.
_RISK_SHARES = ((0.891, 0.102, 0.007), (0.897, 0.097, 0.006))
# Chat = scale × Beta(a, b): (a, b, scale) by caller type and risk.
_CHAT = (
    ((1.67, 4.64, 190.5), (2.17, 5.32, 250.6), (3.89, 82.4, 1991.3)),
    ((1.67, 4.64, 190.5), (2.17, 5.32, 250.6), (2.29, 84774.16, 4481110.5)),
)
_CHAT_MIN, _CHAT_MAX = 0.1, 660.0
#: Mean patience of non-repeat and repeat callers: fitted on abandoned callers only, as published; and with those who
#: were answered as censored, computed from the published sufficient statistics.
PATIENCE_MEANS = {"published": (3.45, 5.29), "censored": (6.17, 8.60)}

#: Counsellors do not differ and chats do not tire: nothing of the kind is published for Open Up.
OPEN_UP_OUTCOMES = OutcomeLaw(
    predicted_min=_CHAT_MIN, predicted_max=_CHAT_MAX, service_min=_CHAT_MIN, service_max=_CHAT_MAX
)
#: Assumption, as an option: feedback of normal latent score by role, for studies that need a quality in Open Up.
FEEDBACK_BY_ROLE = {Role.VOLUNTEER: -0.3, Role.FULL_TIME: 0.2, Role.DUTY_OFFICER: 0.4}
ROLE_OUTCOMES = OutcomeLaw(
    pair_feedback_sd=1.0,
    feedback_error_sd=0.5,
    predicted_min=_CHAT_MIN,
    predicted_max=_CHAT_MAX,
    service_min=_CHAT_MIN,
    service_max=_CHAT_MAX,
)

Patience = Literal["published", "censored"]
Feedback = Literal["none", "by_role"]
Chats = Literal["by_risk", "by_type"]


@dataclass(frozen=True)
class OpenUpPopulation:
    """Callers of Open Up.

    Attributes:
        patience: `published` or `censored` means.
        feedback: `none` gives every answered contact full feedback, so that quality equals quantity; `by_role` centres
            a latent score on 4 (assumption).
        low_risk_scale: Scale of the Beta law of low-risk chats, minutes: 190.5 published; 152.4 is the authors' study
            of chats of 40 minutes.
        chats: `by_risk` as published. `by_type` is a block that the authors left commented out: at every risk the
            shape of low-risk chats, with this scale for non-repeat callers and 190.5 for repeat callers.
    """

    patience: Patience = "published"
    feedback: Feedback = "none"
    low_risk_scale: float = 190.5
    chats: Chats = "by_risk"

    def __post_init__(self) -> None:
        if self.patience not in PATIENCE_MEANS:
            raise ValueError(f"patience must be one of {', '.join(PATIENCE_MEANS)}, got {self.patience!r}")
        if self.feedback not in ("none", "by_role"):
            raise ValueError(f"feedback must be 'none' or 'by_role', got {self.feedback!r}")
        if self.chats not in ("by_risk", "by_type"):
            raise ValueError(f"chats must be 'by_risk' or 'by_type', got {self.chats!r}")
        if isinstance(self.low_risk_scale, bool) or not isinstance(self.low_risk_scale, int | float):
            raise TypeError(f"low_risk_scale must be a number of minutes, got {self.low_risk_scale!r}")
        if not self.low_risk_scale > 0:
            raise ValueError(f"low_risk_scale must be positive, got {self.low_risk_scale} minutes")

    def _chat_law(self, caller_type: Ints, risk: Ints) -> tuple[Floats, Floats, Floats]:
        """Parameters a, b and scale of each contact's chat."""
        table = np.array(_CHAT)
        if self.chats == "by_type":
            table[:] = table[:, Risk.LOW, None]
            table[CallerType.NON_REPEAT, :, 2] = self.low_risk_scale
        else:
            table[:, Risk.LOW, 2] = self.low_risk_scale
        a, b, scale = np.moveaxis(table[caller_type, risk], -1, 0)
        return a, b, scale

    def sample(self, size: int, rng: np.random.Generator) -> Callers:
        """See `Population.sample`."""
        accepted = rng.random(size) < _TERMS_ACCEPTED
        repeat = (rng.random(size) < REPEAT_SHARE).astype(np.int64)  # codes of CallerType
        cumulative = np.cumsum(np.array(_RISK_SHARES), axis=1)
        risk = (rng.random(size)[:, None] >= cumulative[repeat, :2]).sum(axis=1, dtype=np.int64)
        attributes = np.full((size, 3), -1, dtype=np.int64)
        return Callers(
            accepted=accepted,
            caller_type=repeat,
            risk=risk,
            attributes=attributes,
            values=self.draw_values(repeat, risk, attributes, rng),
            keys=new_keys(size, rng),
        )

    def draw_values(self, caller_type: Ints, risk: Ints, attributes: Ints, rng: np.random.Generator) -> Floats:
        """See `Population.draw_values`."""
        del attributes
        size = len(risk)
        a, b, scale = self._chat_law(caller_type, risk)
        chat = np.clip(scale * rng.beta(a, b), _CHAT_MIN, _CHAT_MAX)
        values = np.zeros((size, draws.NUM_CALLER_VALUES))
        # Likert; 4 is an assumption, as all feedback by role; 5 stands for full feedback where none is published.
        values[:, draws.FEEDBACK_MEAN] = 4.0 if self.feedback == "by_role" else 5.0
        values[:, draws.SERVICE_MEAN] = scale * a / (a + b)
        values[:, draws.SERVICE_SHIFT] = chat - values[:, draws.SERVICE_MEAN]
        values[:, draws.PATIENCE_MEAN] = np.array(PATIENCE_MEANS[self.patience])[caller_type]
        values[:, draws.PATIENCE] = exponential_patience(values[:, draws.PATIENCE_MEAN], rng)
        values[:, draws.REMAINING_NOISE] = rng.standard_normal(size)
        return values

    def resample_service(
        self, predicted: Floats, elapsed: Floats, caller_type: Ints, risk: Ints, rng: np.random.Generator
    ) -> Floats:
        """See `Population.resample_service`: the Beta law of the contact's type and risk beyond the time elapsed."""
        del predicted
        _, _, scale = self._chat_law(caller_type, risk)
        total = np.empty(elapsed.shape)
        uniform = rng.random(elapsed.shape)
        for law in np.unique(np.stack([caller_type, risk], axis=-1).reshape(-1, 2), axis=0).tolist():
            here = (caller_type == law[0]) & (risk == law[1])
            a, b, _ = (float(entry) for entry in self._chat_law(*(np.array(code) for code in law)))
            quantiles = _beta_quantiles(a, b)
            below = np.interp(elapsed[here] / scale[here], quantiles, _SHARES_BELOW)
            share = below + (1.0 - below) * uniform[here]
            total[here] = scale[here] * np.interp(share, _SHARES_BELOW, quantiles)
        return np.clip(total, np.maximum(_CHAT_MIN, elapsed), np.maximum(_CHAT_MAX, elapsed))

    def resample_patience(self, mean: Floats, waited: Floats, rng: np.random.Generator) -> Floats:
        """See `Population.resample_patience`; memoryless."""
        return exponential_patience(mean, rng, waited)


#: Where the distribution function of chats is tabulated, ever finer towards its end; linear between. By definition, of
#: no effect beyond rounding.
_SHARES_BELOW = np.concatenate(
    [np.linspace(0.0, 1.0, 4096, endpoint=False), 1.0 - np.geomspace(1 / 4096, 1e-12, 256)[1:]]
)


@lru_cache(maxsize=16)
def _beta_quantiles(a: float, b: float) -> Floats:
    """Quantiles of a Beta law at `_SHARES_BELOW`: solving for each draw anew took most of a planner's time."""
    from scipy.special import betaincinv  # here, since importing it takes longer than the first steps

    quantiles: Floats = betaincinv(a, b, _SHARES_BELOW)
    return quantiles


@dataclass(frozen=True)
class RoleStaff:
    """Counsellors whose feedback differs by role only (assumption, see `FEEDBACK_BY_ROLE`)."""

    def sample(self, roster: Roster, rng: np.random.Generator) -> Floats:
        """See `StaffLaw.sample`."""
        del rng
        staff = np.zeros((len(roster), draws.NUM_STAFF_VALUES))
        staff[:, draws.FEEDBACK_EFFECT] = [FEEDBACK_BY_ROLE.get(person.role, 0.0) for person in roster]
        return staff

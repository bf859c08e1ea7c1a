"""The outcome law: what the models predict for a pair, and what truly happens."""

import math
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OutcomeLaw:
    """Feedback and service time of a pair, latent-normal with fatigue.

    The prediction is the caller's mean plus the counsellor's effect plus a normal term of the pair; the truth is the
    prediction plus an error of the caller (in the population) and one of the pair. The fields are in the order of the
    entries in `processes.draws`, which holds the formulas.

    Attributes:
        pair_feedback_sd: Pair's standard deviation of latent feedback, Likert points.
        pair_service_sd: Pair's standard deviation of predicted service, minutes.
        pair_correlation: Correlation of the two.
        senior_bonus: Likert points when a senior caller meets a senior counsellor.
        feedback_per_chat: Likert points lost for each earlier contact of the counsellor in the shift.
        service_per_chat: Minutes gained for each.
        feedback_error_sd: Pair's standard deviation of truth around predicted feedback, Likert points.
        service_error_sd: Pair's standard deviation of truth around predicted service, minutes.
        predicted_min: Least predicted service, minutes.
        predicted_max: Largest predicted service, minutes.
        service_min: Least true service, minutes.
        service_max: Largest true service, minutes.
    """

    pair_feedback_sd: float = 0.0
    pair_service_sd: float = 0.0
    pair_correlation: float = 0.0
    senior_bonus: float = 0.0
    feedback_per_chat: float = 0.0
    service_per_chat: float = 0.0
    feedback_error_sd: float = 0.0
    service_error_sd: float = 0.0
    predicted_min: float = 0.0
    predicted_max: float = math.inf
    service_min: float = 0.0
    service_max: float = math.inf
    _packed: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("pair_feedback_sd", "pair_service_sd", "feedback_error_sd", "service_error_sd", "service_min"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if not -1 <= self.pair_correlation <= 1:
            raise ValueError(f"pair_correlation must lie in [-1, 1], got {self.pair_correlation}")
        for low, high in (("predicted_min", "predicted_max"), ("service_min", "service_max")):
            if not getattr(self, low) <= getattr(self, high):
                raise ValueError(
                    f"{low} must not exceed {high}, got {getattr(self, low)} and {getattr(self, high)} minutes"
                )
        packed = np.array([getattr(self, entry.name) for entry in fields(self) if entry.init], dtype=np.float64)
        packed.setflags(write=False)
        object.__setattr__(self, "_packed", packed)

    def packed(self) -> Floats:
        """`[12]` the entries as the compiled functions take them, read-only."""
        return self._packed


@dataclass(frozen=True)
class RemainingTimeModel:
    """Prediction of the remaining minutes of a contact under way.

    One noise per contact is scaled by a standard deviation that varies continuously with the true remaining time, so
    that the prediction neither flickers nor jumps. Without knots there is no model and the prediction is the predicted
    service time less the time elapsed.

    Attributes:
        knots: True remaining times, minutes, increasing.
        error_sd: Standard deviation of the error at each knot, minutes; constant outside.
        floor: Least prediction, minutes.
    """

    knots: tuple[float, ...] = ()
    error_sd: tuple[float, ...] = ()
    floor: float = 0.5
    _arrays: tuple[Floats, Floats] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.knots) != len(self.error_sd):
            raise ValueError(f"knots and error_sd must pair up, got {len(self.knots)} and {len(self.error_sd)}")
        if any(later <= earlier for earlier, later in zip(self.knots, self.knots[1:], strict=False)):
            raise ValueError(f"knots must increase, got {self.knots}")
        if any(sd < 0 for sd in self.error_sd):
            raise ValueError(f"error_sd must not be negative, got {self.error_sd}")
        arrays = np.array(self.knots, dtype=np.float64), np.array(self.error_sd, dtype=np.float64)
        object.__setattr__(self, "_arrays", arrays)

    def arrays(self) -> tuple[Floats, Floats]:
        """`knots` and `error_sd` as arrays `[k]`."""
        return self._arrays

    @property
    def exact(self) -> bool:
        """Whether every prediction is the truth."""
        return bool(self.knots) and not any(self.error_sd) and self.floor == 0.0

    def noise_behind(self, predicted: Floats, remaining: Floats, rng: np.random.Generator) -> Floats:
        """Draw the noises `[..., k]` that make true remaining times `[..., k]` look as predicted `[k]`.

        A prediction above the floor fixes its noise; one at the floor says only that the noise was low enough.
        """
        if not self.knots or self.exact or not len(predicted):
            return rng.standard_normal(remaining.shape)
        from scipy.special import ndtr, ndtri

        spread = np.maximum(np.interp(remaining, *self._arrays), 1e-9)
        exact = (predicted - remaining) / spread
        low = ndtri(np.maximum(rng.random(exact.shape) * ndtr(exact), 1e-300))
        noise: Floats = np.where(predicted <= self.floor, low, exact)
        return noise

    def log_likelihood(self, predicted: Floats, remaining: Floats) -> Floats:
        """Log density of the predictions given true remaining times, up to a constant; the two broadcast.

        A prediction at the floor says only that the noise was low enough.
        """
        if not self.knots:
            return np.zeros(np.broadcast_shapes(predicted.shape, remaining.shape))
        from scipy.special import log_ndtr

        spread = np.maximum(np.interp(remaining, *self._arrays), 1e-9)
        z = (predicted - remaining) / spread
        return np.where(predicted <= self.floor, log_ndtr(z), -0.5 * z * z - np.log(spread))

"""What one counsellor sees, cut out of what a dispatcher sees."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mhgym.mdp import ObservationLayout
from mhgym.mdp.blocks import BlockLayout
from mhgym.mdp.observation import COUNSELLOR_FEATURES, GLOBAL_FEATURES, PAIR_FEATURES, QUEUE_FEATURES

Observations = NDArray[np.float32]
_LEGAL, _QUALITY, _SERVICE_TIME = (PAIR_FEATURES.index(name) for name in ("legal", "quality", "service_time"))

#: What the others could do for a caller, in the order of `PAIR_FEATURES`.
OTHERS_FEATURES = (
    "takers",  # colleagues who may take the caller now / other counsellors
    "best_quality",  # the highest predicted among them, 0 if there is none
    "least_service_time",  # the shortest predicted among them, hours, 0 if there is none
)


@dataclass(frozen=True)
class CounsellorLayout(BlockLayout):
    """Where things stand in a counsellor's flat observation, in the units of the dispatcher's.

    `globals` and `queue` `[N, Q]` are the dispatcher's; `own` `[K]` are the counsellor's features and `pairs` `[N, P]`
    those of the counsellor with every caller; `colleagues` `[K]` are the means of the others' features and `others`
    `[N, P]` what they could do for every caller, see `OTHERS_FEATURES`.

    Attributes:
        dispatcher: Layout of the observations that these are cut out of.
    """

    dispatcher: ObservationLayout

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each block, in order."""
        n = self.dispatcher.num_slots
        return {
            "globals": (len(GLOBAL_FEATURES),),
            "queue": (n, len(QUEUE_FEATURES)),
            "own": (len(COUNSELLOR_FEATURES),),
            "pairs": (n, len(PAIR_FEATURES)),
            "colleagues": (len(COUNSELLOR_FEATURES),),
            "others": (n, len(OTHERS_FEATURES)),
        }

    def encode(self, observations: Observations, counsellors: NDArray[np.int64]) -> Observations:
        """What a counsellor of each centre sees, in a fresh array.

        Args:
            observations: `[E, dispatcher.size]` what the dispatchers see.
            counsellors: `[E]` who looks.

        Returns:
            `[E, size]`.
        """
        seen = self.dispatcher.split(observations)
        flat = np.empty((len(observations), self.size), dtype=np.float32)
        blocks = self.split(flat)
        everyone, each = seen["counsellors"], np.arange(len(observations))
        present = everyone[..., :1].copy()
        present[each, counsellors] = 0.0
        blocks["globals"][:], blocks["queue"][:] = seen["globals"], seen["queue"]
        blocks["own"][:] = everyone[each, counsellors]
        blocks["pairs"][:] = seen["pairs"][each, :, counsellors]
        number = np.maximum(present.sum(axis=1), 1.0)
        blocks["colleagues"][:] = (everyone * present).sum(axis=1) / number
        blocks["others"][:] = _others(seen["pairs"], present[:, None, :, 0], number)
        return flat


def _others(pairs: Observations, present: Observations, number: Observations) -> Observations:
    """`[E, N, 3]` what those present `[E, 1, C]`, so many `[E, 1]`, could do for every caller."""
    may_take = pairs[..., _LEGAL] * present
    takers = may_take.sum(axis=-1)
    quality = (pairs[..., _QUALITY] * may_take).max(axis=-1)
    minutes = np.where(may_take > 0.0, pairs[..., _SERVICE_TIME], np.inf).min(axis=-1)
    return np.stack([takers / number, quality, np.where(takers > 0.0, minutes, 0.0)], axis=-1)

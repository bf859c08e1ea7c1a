"""What a network is shown of a centre."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhgym.mdp import ActionLayout, without_hold
from mhgym.mdp.observation import ObservationLayout
from mhgym.view import CentreView


def _nothing() -> NDArray[np.float32]:
    return np.zeros(0, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Sight:
    """How a centre is laid out for a network; `network_card.Card.sight` has that of a trained one.

    Attributes:
        layout: Of the observation, padding included.
        told: `[W]` what the network is told beyond the observation: the preference by which it is to decide.
        may_hold: Whether it may hold where a pair can be assigned.
    """

    layout: ObservationLayout
    told: NDArray[np.float32] = field(default_factory=_nothing)
    may_hold: bool = True

    @cached_property
    def actions(self) -> ActionLayout:
        """The actions of that layout."""
        return ActionLayout(self.layout.num_slots, self.layout.num_counsellors)

    def see(self, view: CentreView) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """What the network is given of a view, `[size + W]`, and the mask `[N * C + 1]` of what it may choose."""
        return self.tell(self.layout.encode(view)[None])[0], self.allow(self.actions.mask(view)[None])[0]

    def tell(self, obs: NDArray[np.float32]) -> NDArray[np.float32]:
        """`[B, size + W]` what the network is given of observations `[B, size]`."""
        return np.hstack([obs, np.tile(self.told, (len(obs), 1))]) if len(self.told) else obs

    def allow(self, masks: NDArray[Any]) -> NDArray[Any]:
        """`[B, N * C + 1]` what the network may choose of legal actions."""
        return masks if self.may_hold else without_hold(masks)

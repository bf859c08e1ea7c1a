"""What a network is shown of a centre."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mhgym.mdp import ActionLayout
from mhgym.mdp.observation import ObservationLayout
from mhgym.view import CentreView


@dataclass(frozen=True)
class Sight:
    """How a centre is laid out for a network; `network_card.Card.sight` has that of a trained one.

    Attributes:
        layout: Of the observation, padding included.
    """

    layout: ObservationLayout

    @cached_property
    def actions(self) -> ActionLayout:
        """The actions of that layout."""
        return ActionLayout(self.layout.num_slots, self.layout.num_counsellors)

    def see(self, view: CentreView) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """What the network is given of a view, `[size]`, and the mask `[N * C + 1]` of what it may choose."""
        return self.layout.encode(view), self.actions.mask(view)

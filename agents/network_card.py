"""What a trained network is: it stands in the header of its file, so that loading runs no code and needs no torch.

A network keeps the names of the features that it was trained on, in their order; a build of mhgym with other ones
refuses it by the name of what differs.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from agents.preferences import Preferences
from agents.sight import Sight
from mhgym.mdp.observation import (
    COUNSELLOR_FEATURES,
    GLOBAL_FEATURES,
    PAIR_FEATURES,
    QUEUE_FEATURES,
    ObservationLayout,
)
from mhgym.metrics import COMPONENTS
from mhgym.scenario import Scenario

#: Names of the features of every block, in order.
FEATURES = {
    "globals": GLOBAL_FEATURES,
    "queue": QUEUE_FEATURES,
    "counsellors": COUNSELLOR_FEATURES,
    "pairs": PAIR_FEATURES,
}


@dataclass(frozen=True)
class Card:
    """What a network is and where it comes from.

    Attributes:
        network: `index_rule` or `mlp`.
        width: Hidden features of the actor.
        critic_width: Of the critic.
        num_slots: N that it was trained with.
        num_counsellors: C that it was trained with, padding included.
        inboxes: Whether its observations had the blocks of centres with inboxes; only a perceptron reads them.
        num_extra: Features beyond the observation.
        preferences: Components whose weights it is told, in those features; empty if it knows one preference.
        may_hold: Whether it may hold where a pair can be assigned.
        features: Names of the features of every block.
        training: How it was trained: scenario, seed, settings, decisions, curve.
    """

    network: str
    width: int
    critic_width: int
    num_slots: int
    num_counsellors: int
    num_extra: int = 0
    inboxes: bool = False
    preferences: tuple[str, ...] = ()
    may_hold: bool = True
    features: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(FEATURES))
    training: Mapping[str, Any] = field(default_factory=dict)

    def write(self) -> str:
        """For the header of a file."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """A card from the header of a file."""
        values = json.loads(text)
        values["features"] = {name: tuple(names) for name, names in values["features"].items()}
        values["preferences"] = tuple(values.get("preferences", ()))
        return cls(**values)

    @property
    def layout(self) -> ObservationLayout:
        """The layout that it was trained with."""
        return ObservationLayout(self.num_slots, self.num_counsellors, self.inboxes)

    def check_features(self) -> None:
        """Refuse a network that was trained on other features than this build has.

        Raises:
            ValueError: With the block and the first feature that differs.
        """
        for block, names in FEATURES.items():
            known = self.features.get(block, ())
            for index in range(max(len(names), len(known))):
                pair = [sequence[index] if index < len(sequence) else "nothing" for sequence in (known, names)]
                if pair[0] != pair[1]:
                    raise ValueError(
                        f"feature {index} of block {block!r} was {pair[0]!r} when the network was trained, here it is "
                        f"{pair[1]!r}; train it anew, or use the version of mhgym that it was trained with"
                    )

    def layout_for(self, num_slots: int, num_counsellors: int, *, inboxes: bool = False) -> ObservationLayout:
        """The layout to show the network in a centre.

        A roster below that of training is padded to it, as smaller ones were in training, since some features are
        shares of C. For a larger roster C is its own size, so that these shares stay at most 1; to have seen such
        rosters, train with a sampler, or at least with a larger `num_counsellors`.

        Raises:
            ValueError: If a perceptron, which depends on sizes, meets other slots than its own, more counsellors, or
                inboxes where it was trained without or the other way round.
        """
        sizes = self.num_slots, self.num_counsellors
        if self.network != "index_rule" and (num_slots != sizes[0] or num_counsellors > sizes[1]):
            raise ValueError(
                f"this network {self.network!r} was trained for {sizes[0]} queue slots and at most {sizes[1]} "
                f"counsellors, the centre has {num_slots} and {num_counsellors}; use one of kind 'index_rule', which "
                "fits any"
            )
        if self.network != "index_rule" and inboxes != self.inboxes:
            words = ("without inboxes", "with inboxes")
            raise ValueError(
                f"this network {self.network!r} was trained in a centre {words[self.inboxes]}, this is one "
                f"{words[inboxes]}; use one of kind 'index_rule', which fits any"
            )
        return ObservationLayout(num_slots, max(sizes[1], num_counsellors), inboxes)

    def sight(
        self, scenario: Scenario, num_slots: int | None = None, weights: Mapping[str, float] | None = None
    ) -> Sight:
        """What the network is shown of a centre.

        Args:
            scenario: The centre.
            num_slots: N queue slots; null for as many as in training.
            weights: Of the reward's components, by which it is to decide; null for the scenario's.

        Raises:
            ValueError: If the network does not fit, or does not know the weights.
        """
        if weights is not None and not self.preferences:
            raise ValueError(
                f"this network was trained for one preference, got weights {dict(weights)}; train one with "
                "learners.<agent>.preferences, or leave weights out"
            )
        own = dict(zip(COMPONENTS, scenario.weights.as_tuple(), strict=True)) if weights is None else weights
        layout = self.layout_for(num_slots or self.num_slots, len(scenario.roster), inboxes=scenario.inboxes)
        return Sight(layout, Preferences(self.preferences).tell(own), self.may_hold)

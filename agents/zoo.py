"""Trained networks in files: weights in safetensors, what they are in its header, so that loading runs no code.

A network keeps the names of the features that it was trained on, in their order; a build of mhgym with other ones
refuses it by the name of what differs. The networks that the leaderboard cites lie in `agents/networks/`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from agents.ppo_policy import build_actor, build_critic
from mhgym.mdp.observation import (
    COUNSELLOR_FEATURES,
    GLOBAL_FEATURES,
    PAIR_FEATURES,
    QUEUE_FEATURES,
    ObservationLayout,
)

FOLDER = Path(__file__).parent / "networks"
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
        num_counsellors: C that it was trained with.
        num_extra: Features beyond the observation.
        features: Names of the features of every block.
        training: How it was trained: scenario, seed, settings, decisions, curve.
    """

    network: str
    width: int
    critic_width: int
    num_slots: int
    num_counsellors: int
    num_extra: int = 0
    features: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(FEATURES))
    training: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Self:
        """A card from the header of a file."""
        values = json.loads(text)
        values["features"] = {name: tuple(names) for name, names in values["features"].items()}
        return cls(**values)

    @property
    def layout(self) -> ObservationLayout:
        """The layout that it was trained with."""
        return ObservationLayout(self.num_slots, self.num_counsellors)

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

    def layout_for(self, num_slots: int, num_counsellors: int) -> ObservationLayout:
        """The layout to show the network in a centre; one that depends on sizes has only its own.

        Raises:
            ValueError: If a perceptron meets other sizes than its own.
        """
        sizes = self.num_slots, self.num_counsellors
        if self.network != "index_rule" and sizes != (num_slots, num_counsellors):
            raise ValueError(
                f"this network {self.network!r} was trained for {sizes[0]} queue slots and {sizes[1]} counsellors, the "
                f"centre has {num_slots} and {num_counsellors}; use one of kind 'index_rule', which fits any"
            )
        return ObservationLayout(num_slots, num_counsellors)


def find_network(name: str | Path) -> Path:
    """The file of a network: a path, or the name of one in `agents/networks`.

    Raises:
        ValueError: If there is none.
    """
    for path in (Path(name), FOLDER / f"{name}.safetensors"):
        if path.is_file():
            return path
    known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.safetensors"))) or "none"
    raise ValueError(f"there is no network {str(name)!r}: give a file, or a name (known: {known})")


def save_network(path: Path, actor: nn.Module, critic: nn.Module, card: Card) -> None:
    """Write actor and critic with their card."""
    tensors = {f"actor.{name}": tensor.contiguous() for name, tensor in actor.state_dict().items()}
    tensors |= {f"critic.{name}": tensor.contiguous() for name, tensor in critic.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"card": json.dumps(asdict(card))})


def load_network(path: str | Path) -> tuple[nn.Module, nn.Module, Card]:
    """Actor, critic and card of a file.

    Raises:
        ValueError: If the file is no network of ours, or its features are not those of this build.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is no safetensors file: {error}") from error
    if "card" not in metadata:
        raise ValueError(f"{path} has no card in its header; write networks by agents.zoo.save_network")
    card = Card.read(metadata["card"])
    card.check_features()
    actor = build_actor(card.network, card.layout, card.width, card.num_extra)
    critic = build_critic(card.network, card.layout, card.critic_width, card.num_extra)
    for name, module in (("actor", actor), ("critic", critic)):
        own = {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
        module.load_state_dict(own)
        module.eval().requires_grad_(False)
    return actor, critic, card

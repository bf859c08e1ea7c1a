"""Trained networks in files: weights in safetensors, what they are in its header, so that loading runs no code.

The networks that the leaderboard cites lie in `agents/networks/`.
"""

import hashlib
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from agents.network_card import Card
from agents.ppo_policy import build_actor, build_critic

FOLDER = Path(__file__).parent / "networks"


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


def digest_of_files(*files: Path) -> str:
    """Of the contents of files, which tells a network from others of the same name."""
    digest = hashlib.blake2b(digest_size=8)
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def save_network(path: Path, actor: nn.Module, critic: nn.Module, card: Card) -> None:
    """Write actor and critic with their card."""
    tensors = {f"actor.{name}": tensor.contiguous() for name, tensor in actor.state_dict().items()}
    tensors |= {f"critic.{name}": tensor.contiguous() for name, tensor in critic.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"card": card.write()})


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

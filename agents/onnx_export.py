"""Networks for the ONNX runtime, which decides without torch (`agents.onnx_policy`)."""

import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from agents.index_network import scene_of
from agents.zoo import load_network
from mhgym.mdp.observation import ObservationLayout

OPSET = 18


class _OverScene(nn.Module):
    """The index-rule network from flat observations of one layout."""

    def __init__(self, actor: nn.Module, layout: ObservationLayout) -> None:
        super().__init__()
        self.actor, self.layout = actor, layout

    def forward(self, obs: Tensor) -> Tensor:
        logits: Tensor = self.actor(scene_of(obs, self.layout))
        return logits


def export_onnx(network: str | Path, target: Path, num_slots: int, num_counsellors: int) -> None:
    """Write the actor of a network as ONNX, `observation [B, size]` to `logits [B, N * C + 1]`, for one size of centre.

    Args:
        network: File of the network.
        target: File to write; its card is in its metadata.
        num_slots: N queue slots.
        num_counsellors: C counsellors, padding included; at least as many as in training are taken.

    Raises:
        ValueError: If the network does not fit that size.
    """
    actor, _, card = load_network(network)
    layout = card.layout_for(num_slots, num_counsellors, inboxes=card.inboxes)
    module = _OverScene(actor, layout) if card.network == "index_rule" else actor
    example = torch.zeros(2, layout.size + card.num_extra)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        # The exporter that follows it cannot yet express shapes that depend on data, such as who is in the queue.
        warnings.simplefilter("ignore")
        draft = str(Path(folder) / "network.onnx")
        names = {"input_names": ["observation"], "output_names": ["logits"], "dynamic_axes": {"observation": {0: "B"}}}
        torch.onnx.export(module.eval(), (example,), draft, opset_version=OPSET, dynamo=False, **names)  # type: ignore[arg-type]
        model = onnx.load(draft)
    sized = replace(card, num_slots=layout.num_slots, num_counsellors=layout.num_counsellors)
    onnx.helper.set_model_props(model, {"card": sized.write()})
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(target))

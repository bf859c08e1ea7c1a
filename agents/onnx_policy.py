"""A network in ONNX as a policy: it decides as `agents.learned` does, without torch."""

from pathlib import Path

import numpy as np
import onnxruntime

from agents.network_card import Card
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair


class OnnxPolicy:
    """Decides by an exported network, for centres of the size that it was exported for.

    Args:
        path: File written by `agents.onnx_export`.
        name: Label in tables; null for the name of the file.

    Raises:
        ValueError: If the file has no card, or was trained on other features.
    """

    def __init__(self, path: str | Path, name: str | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # faster for small networks
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        metadata = self._session.get_modelmeta().custom_metadata_map
        if "card" not in metadata:
            raise ValueError(f"{path} has no card in its metadata; write it by agents.onnx_export.export_onnx")
        self._card = Card.read(metadata["card"])
        self._card.check_features()
        self.name = name or Path(path).stem

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Check that the roster fits.

        Raises:
            ValueError: If there are more counsellors than the network was exported for.
        """
        del rng
        if len(scenario.roster) > self._card.num_counsellors:
            raise ValueError(
                f"this network was exported for at most {self._card.num_counsellors} counsellors, the roster has "
                f"{len(scenario.roster)}; export it anew by agents.onnx_export"
            )
        self._sight = self._card.sight(scenario)

    def act(self, view: CentreView) -> Pair:
        """The pair of the highest score, or HOLD."""
        obs, mask = self._sight.see(view)
        (logits,) = self._session.run(None, {"observation": obs[None]})
        return self._sight.actions.decode(int(np.where(mask > 0, logits[0], -np.inf).argmax()), view)

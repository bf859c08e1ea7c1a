"""The study of transfer: rules are tuned where they are compared, networks never; what was not met is named."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from rich.console import Console

from agents.index_network import IndexRuleActor, IndexRuleCritic
from agents.network_card import Card
from agents.zoo import save_network
from experiments.search import Scorer
from experiments.studies import transfer
from mhgym.evaluation.splits import seeds_of
from mhgym.policy import Policy
from mhgym.presets import make_scenario


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two untrained networks, and a search that is quick."""
    for seed in range(2):
        torch.manual_seed(seed)
        card = Card("index_rule", 8, 8, num_slots=16, num_counsellors=5)
        path = tmp_path / f"{transfer.NETWORKS}{seed}.safetensors"
        save_network(path, IndexRuleActor(8), IndexRuleCritic(8), card)
    for name, value in {"FOLDER": tmp_path, "FLOWS": (12.0, 20.0), "STAFFING": (4, 7)}.items():
        monkeypatch.setattr(transfer, name, value)
    for name, value in {"_CANDIDATES": 9, "_BUDGET": 400, "_TRAINING": 100}.items():
        monkeypatch.setattr(transfer, name, value)
    return tmp_path


def test_every_centre_has_its_row(zoo: Path) -> None:
    rows = transfer.reproduce(20, 1, zoo, Console())["rows"]
    assert [(row["flow"], row["staffing"]) for row in rows] == [(12.0, 4), (12.0, 7), (20.0, 4), (20.0, 7)]
    assert [row["unseen"] for row in rows] == [False, True, True, True]
    for row in rows:
        assert set(row["gains"]) == {"fcfs", "cmt", "best_match_wait"}
        for name, gain in row["gains"].items():
            assert gain["estimate"] == pytest.approx(row["means"]["networks"] - row["means"][name], abs=1e-12)
            assert gain["low"] <= gain["estimate"] <= gain["high"]
    table = (zoo / "report.md").read_text()
    assert "| 12 | 4 | yes |" in table
    assert "| 20 | 7 | no |" in table


def test_the_rule_is_tuned_on_training_traces_of_the_centre(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wins the last round has the best mean of those left in it, on the centre's own training traces."""
    scenario = make_scenario(transfer.PRESET, flow=20.0, staffing=2)
    scored: list[tuple[Scorer, list[float]]] = []

    class Recorder(Scorer):
        def score(self, policy: Policy, count: int) -> NDArray[np.float64]:
            scores = super().score(policy, count)
            scored.append((self, [policy.price, count, scores.mean()]))
            return scores

    monkeypatch.setattr(transfer, "Scorer", Recorder)
    found = transfer.search(scenario)
    assert {(one.scenario.name, one.seeds) for one, _ in scored} == {(scenario.name, seeds_of("train", 100))}
    assert all(one.scenario == scenario for one, _ in scored)
    most = max(count for _, (_, count, _) in scored)
    last = {price: mean for _, (price, count, mean) in scored if count == most}
    assert len(last) > 1
    assert last[found["price"]] == max(last.values())


def test_a_network_of_one_seed_keeps_the_luck_of_traces() -> None:
    own, other = np.array([[1.0, 2.0, 3.0, 6.0]]), np.zeros((1, 4))
    interval = transfer.gain(own, other)
    assert interval.estimate == 3.0
    assert interval.low < 3.0 < interval.high


def test_without_networks_the_study_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="train one with sampler"):
        transfer.reproduce(2, 1, tmp_path, Console())

"""The study of learning: seeds kept apart, differences on common traces, intervals that hold the luck of training."""

from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from agents.index_network import IndexRuleActor, IndexRuleCritic
from agents.network_card import Card
from agents.zoo import save_network
from experiments.studies import learned
from experiments.studies.learned import Arena, Row

ARENA = Arena(
    "EranHeavy",
    {"trial": "trial_seed", "more": "more_seed"},
    ("fcfs", "cmt"),
    "cmt",
    ("mcts", "mcts_day"),
    "mcts",
    "mcts_day",
    times=2,
    share=0.25,
    bound=True,
)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Two untrained networks; of another kind there is only one, which is too few."""
    folder = tmp_path_factory.mktemp("networks")
    for seed in range(2):
        torch.manual_seed(seed)
        card = Card("index_rule", 8, 8, num_slots=16, num_counsellors=5)
        save_network(folder / f"trial_seed{seed}.safetensors", IndexRuleActor(8), IndexRuleCritic(8), card)
    save_network(folder / "more_seed0.safetensors", IndexRuleActor(8), IndexRuleCritic(8), card)
    return learned.networks_of(ARENA, folder)


def test_a_preset_without_networks_is_left_out_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learned, "ARENAS", (ARENA,))
        assert learned.reproduce(4, 1, tmp_path, Console()) == {"rows": []}
    assert "EranHeavy is left out: it needs 2 networks trial_seed*.safetensors" in capsys.readouterr().out


def test_rows_and_report(networks: dict[str, list[Path]], tmp_path: Path) -> None:
    assert list(networks) == ["trial"]
    rows, bound = learned.measure(ARENA, networks, 8, 1, tmp_path)
    named = {row.label: row for row in rows}
    assert bound is not None
    assert bound.shape == (8,)
    assert named["trial"].scores.shape == (2, 16)
    assert not np.array_equal(*named["trial"].scores)
    assert named["mcts"].scores.shape == (1, 4)
    assert named["cmt"].minus(named["cmt"]).estimate == 0.0
    gap = named["cmt"].scores[0, :4].mean() - named["mcts"].scores.mean()
    assert named["cmt"].minus(named["mcts"]).estimate == pytest.approx(gap)
    assert named["fcfs"].share(named["fcfs"], bound) == 0.0
    way = (named["cmt"].scores[0, :8] - named["fcfs"].scores[0, :8]).mean() / (
        bound - named["fcfs"].scores[0, :8]
    ).mean()
    assert named["cmt"].share(named["fcfs"], bound) == pytest.approx(way)
    text = learned.markdown(ARENA, rows, bound)
    assert all(f"| {label}" in text for label in named)
    assert "nan" not in text
    assert "trial seed by seed" in text
    assert "more" not in text


def test_intervals_of_networks_hold_the_luck_of_training() -> None:
    """Scores that differ by seed alone: more traces narrow nothing, and the interval reaches from seed to seed."""
    luck = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    rows = [Row("EranHeavy", "ppo", np.tile(luck[:, None], (1, traces)), 1.0) for traces in (5, 500)]
    few, many = (row.interval() for row in rows)
    assert (few.low, few.high) == pytest.approx((many.low, many.high), abs=0.02)
    assert many.high - many.low > 0.15
    single = Row("EranHeavy", "cmt", np.full((1, 500), 0.3), 1.0)
    assert rows[1].minus(single).estimate == pytest.approx(0.0)
    assert rows[1].beats(single).estimate == pytest.approx(0.5)

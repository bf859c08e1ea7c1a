"""The ONNX export decides as the network does, where there is no torch."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from agents.learned import Learned
from agents.network_card import Card
from agents.onnx_export import export_onnx
from agents.onnx_policy import OnnxPolicy
from agents.ppo_policy import build_actor, build_critic
from agents.zoo import save_network
from mhgym.evaluation.rollout import run_episodes
from mhgym.mdp.observation import ObservationLayout
from mhgym.policy import policy_rng
from mhgym.presets import make_scenario

ALONE = """
import sys
sys.modules["torch"] = None  # importing it fails
from agents.onnx_policy import OnnxPolicy
from mhgym.evaluation.rollout import run_episodes
from mhgym.presets import make_scenario
(episode,) = run_episodes(make_scenario("EranHeavy"), OnnxPolicy(sys.argv[1]), range(1), "simpy")
print(episode.kpis["objective_per_arrival"])
"""


def write_network(path: Path, kind: str, num_counsellors: int) -> None:
    torch.manual_seed(0)
    layout = ObservationLayout(16, num_counsellors)
    networks = build_actor(kind, layout, 8, 0), build_critic(kind, layout, 8, 0)
    last = networks[0].score if kind == "index_rule" else networks[0][-1]
    torch.nn.init.orthogonal_(last.weight, gain=3.0)
    save_network(path, *networks, Card(kind, 8, 8, 16, num_counsellors))


@pytest.mark.parametrize("kind", ["index_rule", "mlp"])
def test_decides_as_the_network(kind: str, tmp_path: Path) -> None:
    scenario = make_scenario("EranHeavy")
    size = len(scenario.roster)
    write_network(tmp_path / "n.safetensors", kind, size)
    export_onnx(tmp_path / "n.safetensors", tmp_path / "n.onnx", 16, size)
    ours, theirs = (
        run_episodes(scenario, policy, range(10), "compiled")
        for policy in (Learned(str(tmp_path / "n.safetensors")), OnnxPolicy(tmp_path / "n.onnx"))
    )
    assert len({episode.kpis["quality"] for episode in ours}) > 5
    assert [episode.kpis for episode in ours] == [episode.kpis for episode in theirs]


def test_needs_no_torch(tmp_path: Path) -> None:
    write_network(tmp_path / "n.safetensors", "index_rule", 5)
    export_onnx(tmp_path / "n.safetensors", tmp_path / "n.onnx", 16, 5)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path / "n.onnx")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 0.0 < float(done.stdout) < 1.0


def test_a_larger_roster_than_exported_is_refused(tmp_path: Path) -> None:
    write_network(tmp_path / "n.safetensors", "index_rule", 2)
    export_onnx(tmp_path / "n.safetensors", tmp_path / "n.onnx", 16, 2)
    policy, scenario = OnnxPolicy(tmp_path / "n.onnx"), make_scenario("EranHeavy")
    with pytest.raises(ValueError, match=f"exported for at most 2 counsellors, the roster has {len(scenario.roster)}"):
        policy.reset(scenario, policy_rng("", "n"))


@pytest.mark.parametrize("kind", ["index_rule", "mlp"])
def test_a_smaller_roster_is_padded_as_in_training(kind: str, tmp_path: Path) -> None:
    """Trained for 6 counsellors, exported for 4 to the same, it decides for 4 as the network does."""
    write_network(tmp_path / "n.safetensors", kind, 6)
    export_onnx(tmp_path / "n.safetensors", tmp_path / "n.onnx", 16, 4)
    scenario = make_scenario("EranHeavy")
    assert len(scenario.roster) == 4
    ours, theirs = (
        run_episodes(scenario, policy, range(4), "compiled")
        for policy in (Learned(str(tmp_path / "n.safetensors")), OnnxPolicy(tmp_path / "n.onnx"))
    )
    assert [episode.kpis for episode in ours] == [episode.kpis for episode in theirs]
    assert all(episode.illegal == 0 for episode in ours)


def test_a_perceptron_is_not_exported_for_more(tmp_path: Path) -> None:
    write_network(tmp_path / "n.safetensors", "mlp", 5)
    with pytest.raises(ValueError, match="for 16 queue slots and at most 5 counsellors, the centre has 16 and 6"):
        export_onnx(tmp_path / "n.safetensors", tmp_path / "n.onnx", 16, 6)

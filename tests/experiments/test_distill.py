"""Distillation: the objective is that of the softmax of expected gains, lessons are what a search weighed."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from agents import make_agent
from agents.distillation import Fitting, Lessons, fit, worth
from agents.guided_search import GuidedSearch
from agents.learned import play
from agents.mcts import MCTS
from agents.zoo import find_network, load_network
from experiments import distill
from experiments.configs import ScenarioConfig
from experiments.lessons import collect
from mhgym.evaluation.rollout import run_episode
from mhgym.mdp.labels import NO_ACTION
from mhgym.presets import find_preset, make_scenario
from mhgym.trace import Trace

NETWORK = "ppo_eran_heavy_seed0"
SEARCH = {
    "simulations": 8,
    "per_candidate": True,
    "root": "uniform",
    "candidates": 4,
    "gumbel": 1.0,
    "temperature": 0.003,
}


def test_what_a_policy_is_worth() -> None:
    """By hand: two weighed decisions of four, a third that does not exist."""
    scores = torch.tensor([[1.0, 5.0, 2.0, 9.0]])
    gained, entropy = worth(scores, torch.tensor([[2, 0, NO_ACTION]]), torch.tensor([[0.0, 0.3, 7.0]]))
    likely = np.exp(2.0) / (np.exp(2.0) + np.exp(1.0))
    assert float(gained) == pytest.approx(0.3 * (1.0 - likely))
    assert float(entropy) == pytest.approx(-likely * np.log(likely) - (1.0 - likely) * np.log(1.0 - likely))


class Table(nn.Module):
    """The same scores whatever is seen."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.scores = nn.Parameter(torch.zeros(size))

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        return self.scores.expand(len(obs), -1)


def test_scores_become_expected_gains_in_units_of_the_temperature() -> None:
    """Noise ten times the gains averages out; the decision that nobody weighed is left alone."""
    _, _, card = load_network(find_network(NETWORK))
    sight = card.sight(make_scenario("EranHeavy"))
    rng, size = np.random.default_rng(0), 40_000
    gains = np.array([0.0, 0.002, -0.003], dtype=np.float32)
    noisy = gains + rng.normal(0.0, 0.02, (size, 3)).astype(np.float32)
    lessons = Lessons(np.zeros((size, 1), dtype=np.float32), np.tile([4, 7, 1], (size, 1)), noisy)
    actor, fitting = Table(9), Fitting(temperature=0.002, epochs=40, batch_size=1000, learning_rate=0.02)
    gained = list(fit(actor, "mlp", sight, lessons, fitting, seed=0))
    scores = actor.scores.detach().numpy()
    means = noisy.mean(axis=0)
    np.testing.assert_allclose(scores[[7, 1]] - scores[4], (means[1:] - means[0]) / 0.002, atol=0.05)
    assert (scores[[0, 2, 3, 5, 6, 8]] == 0.0).all()
    shares = np.exp(means / 0.002) / np.exp(means / 0.002).sum()
    assert gained[-1] == pytest.approx(float(shares @ means), abs=1e-4)


def test_lessons_of_unequal_width_are_joined() -> None:
    def lot(size: int, width: int) -> Lessons:
        return Lessons(
            np.full((size, 5), size, dtype=np.float32),
            np.full((size, width), width),
            np.full((size, width), 0.5, dtype=np.float32),
        )

    joined = Lessons.join([lot(3, 2), lot(2, 4), lot(0, 1)])
    assert [array.shape for array in joined] == [(5, 5), (5, 4), (5, 4)]
    np.testing.assert_array_equal(joined.actions[0], [2, 2, NO_ACTION, NO_ACTION])
    np.testing.assert_array_equal(joined.gains[0], [0.5, 0.5, 0.0, 0.0])
    with pytest.raises(ValueError, match="no decision had two candidates"):
        Lessons.join([lot(0, 3)])


def test_lessons_are_what_the_search_weighed() -> None:
    scenario = make_scenario("EranHeavy")
    search = make_agent("guided_search", network=NETWORK, **SEARCH)
    assert isinstance(search, GuidedSearch)
    sight = search.sight_of(scenario)
    lessons = collect(search, sight, scenario, [3])

    class Witness:
        name = search.name

        def __init__(self) -> None:
            self.rows: list[tuple[np.ndarray, list[int], tuple[float, ...]]] = []

        def reset(self, *args: object) -> None:
            search.reset(*args)  # type: ignore[arg-type]

        def act(self, view: object) -> object:
            pair = search.act(view)  # type: ignore[arg-type]
            weighed = search.weigh(view)  # type: ignore[arg-type]
            obs, mask = sight.see(view)  # type: ignore[arg-type]
            actions = [sight.actions.encode(own, view) for own in weighed.pairs]  # type: ignore[arg-type]
            assert mask[actions].all()
            if len(actions) > 1:
                self.rows.append((obs, actions, weighed.values))
            return pair

    witness = Witness()
    run_episode(scenario, witness, Trace.sample(scenario, 3), "compiled")  # type: ignore[arg-type]
    assert len(witness.rows) == len(lessons.gains) > 5
    for row, (obs, actions, values) in enumerate(witness.rows):
        np.testing.assert_array_equal(lessons.observations[row], obs)
        assert [action for action in lessons.actions[row] if action != NO_ACTION] == actions
        np.testing.assert_allclose(lessons.gains[row, : len(values)], values, rtol=1e-6)
    assert (lessons.gains[:, 0] == 0.0).all()
    assert np.ptp(lessons.gains) > 0.0


def test_lessons_teach() -> None:
    """40 shifts of search around CMT teach a network that knows nothing more than lessons without gains do."""
    scenario = make_scenario("EranHeavy")
    actor, _, card = load_network(find_network(NETWORK))
    torch.manual_seed(0)
    for layer in actor.modules():
        if isinstance(layer, nn.Linear):
            layer.reset_parameters()
    sight, seeds = card.sight(scenario), range(1_000_000, 1_000_400)
    weights = np.array(scenario.weights.as_tuple())
    teacher = MCTS(simulations=8, per_candidate=True, root="uniform", candidates=4)
    lessons = collect(teacher, sight, scenario, range(40))
    scores = []
    for gains in (lessons.gains, np.zeros_like(lessons.gains)):
        pupil = copy.deepcopy(actor)
        list(fit(pupil, "index_rule", sight, lessons._replace(gains=gains), Fitting(epochs=40, batch_size=64), seed=0))
        scores.append(play(pupil, scenario, seeds, sight) @ weights)
    gain = scores[0] - scores[1]
    assert gain.mean() > 4.0 * gain.std(ddof=1) / np.sqrt(len(gain))


def config(**changes: object) -> distill.DistillConfig:
    settings = {"traces": 4, "iterations": 2, "validation_traces": 20, "workers": 1, **changes}
    scenarios = {"eran_heavy": ScenarioConfig(settings=find_preset("EranHeavy")())}
    fitting = Fitting(epochs=2, batch_size=16)
    return distill.DistillConfig(
        network=NETWORK,
        scenarios=scenarios,
        fitting=fitting,
        **({"search": SEARCH} | settings),  # type: ignore[arg-type]
    )


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distill, "_BLOCK", 2)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    distill.distill(config(), whole, Console(quiet=True))
    last = "ppo_eran_heavy_seed0_eran_heavy_2.safetensors"
    assert sorted(path.name for path in (whole / "lessons").iterdir()) == ["1-0.npz", "1-2.npz", "2-4.npz", "2-6.npz"]

    def die(*args: object, **settings: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(distill, "fit", die)
        with pytest.raises(KeyboardInterrupt):
            distill.distill(config(), killed, Console(quiet=True))
    (killed / "lessons" / "1-2.npz").unlink()
    kept = (killed / "lessons" / "1-0.npz").stat().st_mtime_ns
    distill.distill(config(), killed, Console(quiet=True))
    assert (killed / "lessons" / "1-0.npz").stat().st_mtime_ns == kept
    assert (killed / last).read_bytes() == (whole / last).read_bytes()
    told = load_network(whole / last)[2].training
    assert told["distilled"]["iteration"] == 2
    assert told["begun"]["scenario"] == "eran_heavy"
    with pytest.raises(ValueError, match="holds a training with other settings of traces"):
        distill.distill(config(traces=6), whole, Console(quiet=True))


def test_what_cannot_be_distilled_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got iterations=0, traces=4, lessons="):
        distill.distill(config(iterations=0), tmp_path / "none", Console(quiet=True))
    with pytest.raises(ValueError, match="runs in 1 thread, got threads=2"):
        distill.distill(config(search=SEARCH | {"threads": 2}), tmp_path / "none", Console(quiet=True))
    with pytest.raises(ValueError, match="got iterations=2, traces=0, lessons="):
        distill.distill(config(traces=0), tmp_path / "none", Console(quiet=True))
    with pytest.raises(ValueError, match="elsewhere has no lessons; give folders that"):
        distill.distill(config(lessons=[str(tmp_path / "elsewhere")]), tmp_path / "none", Console(quiet=True))
    with pytest.raises(ValueError, match="temperature must be above 0, got 0"):
        Fitting(temperature=0.0)
    assert not (tmp_path / "none").exists()


def test_lessons_of_other_runs_are_learnt_from(tmp_path: Path) -> None:
    """Learning from one's own lessons gives the same weights as from the same lessons of another run."""
    distill.distill(config(iterations=1), tmp_path / "own", Console(quiet=True))
    others = {"traces": 0, "iterations": 1, "lessons": [str(tmp_path / "own")]}
    distill.distill(config(**others), tmp_path / "other", Console(quiet=True))
    with pytest.raises(ValueError, match="lessons of another centre: other settings of flow"):
        distill.distill(config(**others, flow=20.0), tmp_path / "elsewhere", Console(quiet=True))
    own, other = (
        load_network(tmp_path / name / "ppo_eran_heavy_seed0_eran_heavy_1.safetensors") for name in ("own", "other")
    )
    for name, weights in own[0].state_dict().items():
        assert torch.equal(weights, other[0].state_dict()[name])
    assert other[2].training["distilled"]["lessons_of"][0]["run"] == "own"
    assert "search" not in other[2].training["distilled"]

"""Training by command: deterministic, resumable after a kill, and what it writes decides as a policy."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from rich.console import Console

from agents import make_agent
from agents.zoo import digest_of_files, load_network
from experiments.explain import explain_decision
from experiments.train import TrainConfig, build_source, train
from experiments.training import Progress
from mhgym.evaluation.rollout import run_episodes
from mhgym.evaluation.splits import seeds_of
from mhgym.presets import make_scenario

ROOT = Path(__file__).resolve().parents[2]
QUICK = (
    "decisions=512",  # four rollouts
    "validation_traces=4",
    "validate_every=2",
    "checkpoint_seconds=0",
    "tensorboard=false",
    "learners.ppo.width=8",
    "learners.ppo.critic_width=8",
    "learners.ppo.num_envs=16",
    "learners.ppo.num_steps=8",
    "learners.ppo.batch_size=64",
    "learners.ppo.bank=32",
    "learners.ppo.renewed=8",
)


def compose_train(*overrides: str) -> TrainConfig:
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = OmegaConf.to_object(compose("train", [*QUICK, *overrides]))
    assert isinstance(config, TrainConfig)
    return config


def tensors_of(path: Path) -> list[torch.Tensor]:
    actor, critic, _ = load_network(path)
    return [*actor.state_dict().values(), *critic.state_dict().values()]


#: What training can do beyond one scenario and one preference.
BEYOND = {
    "plain": (),
    "preferences": ("learners.ppo.preferences=[quality,quantity,burden]",),
    "imitation": ("learners.ppo.imitate=best_match_wait", "learners.ppo.pull_until=0.6", "learners.ppo.may_hold=false"),
    "same_traces": ("learners.ppo.same_traces=4",),
    "sampler": ("sampler.flow=[10,14]", "sampler.staffing=[3,5]", "learners.ppo.num_counsellors=6"),
}


@pytest.mark.parametrize("overrides", BEYOND.values(), ids=BEYOND)
def test_a_killed_training_goes_on_to_the_same_weights(
    overrides: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between its second and third rollout; weights, curve and card are those of an undisturbed run."""
    config, console = compose_train(*overrides), Console(quiet=True)
    whole = train(config, tmp_path / "whole", console)

    class KilledError(Exception):
        pass

    save = Progress.save

    def kill(self: Progress, path: Path) -> None:
        save(self, path)
        if self.rollouts == 2:
            raise KilledError

    monkeypatch.setattr(Progress, "save", kill)
    with pytest.raises(KilledError):
        train(config, tmp_path / "killed", console)
    monkeypatch.setattr(Progress, "save", save)
    torch.rand(3)  # what the process did in between does not matter
    resumed = train(config, tmp_path / "killed", console)

    assert all(torch.equal(one, other) for one, other in zip(tensors_of(whole), tensors_of(resumed), strict=True))
    assert load_network(whole)[2] == load_network(resumed)[2]
    curves = [json.loads((tmp_path / name / "curve.json").read_text())["points"] for name in ("whole", "killed")]
    for point in (*curves[0], *curves[1]):
        del point["seconds"]
    assert len(curves[0]) == 4
    assert curves[0] == curves[1]


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    one, other = (
        train(compose_train("decisions=128", f"seed={seed}"), tmp_path / str(seed), Console(quiet=True))
        for seed in (0, 1)
    )
    assert not all(torch.equal(a, b) for a, b in zip(tensors_of(one), tensors_of(other), strict=True))


def test_a_training_goes_on_from_a_network(tmp_path: Path) -> None:
    """With a learning rate of 0 it ends with the weights that it began with; its card tells of them."""
    begun = train(compose_train("decisions=256"), tmp_path / "begun", Console(quiet=True))
    settings = ("decisions=256", "seed=1", f"start={begun}")
    config = compose_train(*settings, "learners.ppo.learning_rate=0")
    still = train(config, tmp_path / "still", Console(quiet=True))
    moved = train(compose_train(*settings), tmp_path / "moved", Console(quiet=True))
    same = [
        all(torch.equal(a, b) for a, b in zip(tensors_of(begun), tensors_of(path), strict=True))
        for path in (still, moved)
    ]
    assert same == [True, False]
    card = load_network(moved)[2]
    assert card.training["start"] == [begun.stem, digest_of_files(begun)]
    assert card.training["begun"] == load_network(begun)[2].training


def test_the_network_of_a_training_is_a_policy(tmp_path: Path) -> None:
    path = train(compose_train("decisions=128"), tmp_path, Console(quiet=True))
    policy = make_agent("learned", network=str(path))
    episodes = run_episodes(make_scenario("EranHeavy"), policy, range(2), "compiled")
    assert policy.name == "ppo_eran_heavy"
    assert all(episode.illegal == 0 and episode.decisions > 0 for episode in episodes)


def test_a_decision_of_it_is_explained(tmp_path: Path) -> None:
    path = train(compose_train("decisions=128"), tmp_path, Console(quiet=True))
    settings = ["decision=2", f"agents.ppo.settings.network={path}"]
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config, late = (OmegaConf.to_object(compose("explain", [*settings, *more])) for more in ([], ["decision=500"]))
        rule = OmegaConf.to_object(compose("explain", ["agent=cmt"]))
    text = explain_decision(config).text()
    assert text.startswith("minute ")
    assert "fcfs would" in text
    with pytest.raises(ValueError, match=r"the episode has decisions 0 to \d+, got decision=500"):
        explain_decision(late)
    with pytest.raises(ValueError, match="only networks are explained, got 'cmt'; choose agent=ppo"):
        explain_decision(rule)


def test_a_folder_keeps_to_its_settings(tmp_path: Path) -> None:
    train(compose_train("decisions=128"), tmp_path, Console(quiet=True))
    with pytest.raises(ValueError, match=r"holds a training with other settings of seed; choose another folder"):
        train(compose_train("decisions=128", "seed=5"), tmp_path, Console(quiet=True))


def test_scenarios_of_a_sampler_are_trained_and_validated(tmp_path: Path) -> None:
    """The card has the layout of training; references and validation are of all flows and rosters."""
    path = train(compose_train("decisions=128", *BEYOND["sampler"]), tmp_path / "a", Console(quiet=True))
    card = load_network(path)[2]
    assert (card.num_slots, card.num_counsellors) == (16, 6)
    assert card.training["sampler"] == {"flow": [10.0, 14.0], "staffing": [3, 5]}
    policy = make_agent("learned", network=str(path))
    seeds = seeds_of("validation", 4)
    sampler = build_source(compose_train(*BEYOND["sampler"]), "eran_heavy")
    expected = []
    for k, seed in enumerate(seeds):
        part = sampler.by_staffing()[k % 3]
        scenario = part.sample(np.random.default_rng(seed))
        assert len(scenario.roster) == 3 + k % 3
        (episode,) = run_episodes(scenario, policy, [seed], "compiled")
        expected.append(episode.kpis["objective_per_arrival"])
    points = json.loads((tmp_path / "a" / "curve.json").read_text())["points"]
    assert points[-1]["validation"] == pytest.approx(np.mean(expected), abs=1e-9)


def test_a_network_of_many_preferences_says_so(tmp_path: Path) -> None:
    path = train(compose_train("decisions=128", *BEYOND["preferences"]), tmp_path, Console(quiet=True))
    card = load_network(path)[2]
    assert (card.num_extra, card.preferences) == (4, ("quality", "quantity", "burden"))
    policy = make_agent("learned", network=str(path), weights={"quantity": 1.0})
    (episode,) = run_episodes(make_scenario("EranHeavy"), policy, range(1), "compiled")
    assert episode.illegal == 0


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["sampler.flow=[10,14]"],
            r"sampler needs flow and staffing, each as \[least, largest\], got \[10.0, 14.0\] and",
        ),
        (["learners.ppo.preferences=[burden,fairness]"], "weights of at least 0 for burden, fairness, not all 0, got"),
        (["learners.ppo.imitate=cmt2"], r"unknown agent 'cmt2' \(known: batch_assignment, best_match, "),
        (
            ["learners.ppo.imitate=random"],
            "only a policy with a compiled rule can be imitated, such as cmt, got 'random'",
        ),
        ([*BEYOND["sampler"], "staffing=3"], "a sampler draws flow and staffing, got also flow=None, staffing=3"),
        ([*BEYOND["sampler"], "learners.ppo.num_counsellors=4"], "at least the 5 of the roster, got 4"),
        (["start=distilled_eran_heavy_seed0"], "learns: width is 32, not 8; critic_width is 32, not 8; set"),
        ([*BEYOND["sampler"], "validation_traces=2"], "3 numbers of counsellors need a trace each, got 2"),
    ],
)
def test_impossible_trainings_are_refused(overrides: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        train(compose_train(*overrides), tmp_path, Console(quiet=True))


def test_one_agent_at_a_time(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="training takes 1 agent and 1 scenario, got 2 and 1"):
        train(compose_train("agent=[ppo,cmt]"), tmp_path, Console(quiet=True))
    with pytest.raises(ValueError, match=r"learners does not say how 'cmt' learns \(known: ppo, ppo_mlp\)"):
        train(compose_train("agent=cmt"), tmp_path, Console(quiet=True))

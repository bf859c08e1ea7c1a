"""Imitation: labels are what the policy would do, the pull is soft and ends, and HOLD can be masked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agents import make_agent
from agents.imitation import Teacher
from agents.index_network import ILLEGAL
from agents.learned import Learned, play
from agents.network_card import Card
from agents.ppo_policy import entropies
from agents.vec_env import RoutingVecEnv
from agents.zoo import save_network
from experiments.training import LearnerConfig, make_model
from mhgym.envs import MixtureVectorEnv, RoutingBatch, RoutingEnv
from mhgym.evaluation.rollout import run_episodes
from mhgym.mdp import without_hold
from mhgym.mdp.labels import NO_ACTION
from mhgym.presets import ScenarioSampler, make_scenario
from mhgym.trace import Trace

TUNED = {"price": 0.018, "thresholds": [-0.04, -0.7, -0.4], "lapse": 22.0, "gain": 3.6, "longest": 9.5}
CASES: list[tuple[str, dict[str, Any], str, dict[str, Any], int]] = [
    ("cmt", {}, "EranHeavy", {}, 16),
    ("best_match", TUNED, "EranHeavy", {}, 3),  # the queue overflows 3 slots
    ("fcfs", {}, "OpenUp", {"horizon": 300.0, "flow": 40.0, "staffing": 1}, 4),
    ("lcfs", {}, "OpenUp", {"horizon": 300.0, "flow": 40.0, "staffing": 1}, 5),
]


@pytest.mark.parametrize(("agent", "settings", "preset", "overrides", "num_slots"), CASES)
def test_labels_are_what_the_policy_does(
    agent: str, settings: dict[str, Any], preset: str, overrides: dict[str, Any], num_slots: int
) -> None:
    """Decision for decision of 24 random episodes, padding included; no label where no slot shows the pair."""
    scenario, policy = make_scenario(preset, **overrides), make_agent(agent, **settings)
    batch = RoutingBatch(24, scenario, num_slots=num_slots, num_counsellors=len(scenario.roster) + 2)
    traces = [Trace.sample(scenario, seed) for seed in range(24)]
    batch.begin(range(24), traces)
    singles = [RoutingEnv(scenario, num_slots=num_slots, engine="compiled") for _ in range(24)]
    for single, trace in zip(singles, traces, strict=True):
        single.reset(options={"trace": trace})
    rng, compared, unsaid, held = np.random.default_rng(0), 0, 0, 0
    while not batch.over.all() and compared < 2_000:
        labels = batch.labels(policy)
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in batch.mask])
        for e in np.flatnonzero(~batch.over):
            view = singles[e].core.view
            policy.reset(scenario, np.random.default_rng(0))
            pair = policy.act(view)
            expected = batch.actions.encode(pair, view)
            hidden = pair.row >= 0 and expected == batch.actions.hold
            assert labels[e] == (NO_ACTION if hidden else expected)
            compared, unsaid, held = compared + 1, unsaid + hidden, held + (pair.row < 0)
            taken = batch.actions.decode(int(actions[e]), view)
            singles[e].step(np.int64(singles[e].core.actions.encode(taken, view)))
        batch.step(actions, ~batch.over)
    assert compared > 150
    assert unsaid > 0 or agent not in ("lcfs",) or num_slots > 5
    assert held > 0 or agent != "best_match"


def test_a_mixture_is_labelled_part_by_part() -> None:
    env, policy = MixtureVectorEnv(6, ScenarioSampler("EranHeavy", (8.0, 20.0), (2, 4))), make_agent("cmt")
    env.reset(seed=0)
    np.testing.assert_array_equal(env.labels(policy), np.concatenate([part.labels(policy) for part in env.parts]))
    with pytest.raises(ValueError, match="only a policy with a compiled rule labels a batch, which 'random' has not"):
        env.labels(make_agent("random"))


def test_the_pull_is_least_at_its_soft_target() -> None:
    """By Gibbs' inequality, and there the entropy is that of the target: of softness over 3 actions, not 0."""
    teacher = Teacher(make_agent("cmt"), softness=0.3)
    masks, taught = torch.tensor([[1, 1, 0, 1]]), torch.tensor([1])
    target = torch.tensor([[0.1, 0.8, 0.0, 0.1]])

    def pulled(probabilities: torch.Tensor) -> float:
        logs = torch.where(masks > 0, probabilities.clamp(min=1e-9).log(), ILLEGAL)
        return teacher.distance(logs, masks, taught).item()

    least = pulled(target)
    assert least == pytest.approx(entropies(torch.where(masks > 0, target.log(), ILLEGAL)).item(), abs=1e-5)
    rng = torch.Generator().manual_seed(0)
    for _ in range(50):
        other = torch.rand(1, 4, generator=rng) * masks
        assert pulled(other / other.sum()) > least
    assert pulled(torch.tensor([[0.0, 1.0, 0.0, 0.0]])) > least  # a clone of the teacher


def test_decisions_without_a_label_are_not_pulled() -> None:
    teacher, masks = Teacher(make_agent("cmt")), torch.tensor([[1, 1, 1], [1, 1, 0], [1, 1, 1]])
    logs = torch.log_softmax(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)), dim=1).requires_grad_()
    teacher.distance(logs, masks, torch.tensor([NO_ACTION, 2, 0])).backward()
    assert not logs.grad[:2].any()
    assert logs.grad[2].any()
    alone = teacher.distance(logs[2:], masks[2:], torch.tensor([0]))
    assert teacher.distance(logs, masks, torch.tensor([NO_ACTION, 2, 0])).item() == pytest.approx(alone.item())
    assert teacher.distance(logs, masks, torch.full((3,), NO_ACTION)).item() == 0.0


def test_the_pull_falls_to_nothing() -> None:
    teacher = Teacher(make_agent("cmt"), pull=2.0, until=0.5)
    assert [teacher.weight(remaining) for remaining in (1.0, 0.75, 0.5, 0.2)] == [2.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"policy": make_agent("random")},
            "only a policy with a compiled rule can be imitated, such as cmt, got 'random'",
        ),
        ({"pull": 0.0}, "imitation needs a pull above 0"),
        ({"until": 1.5}, "got 1.0, 1.5 and 0.2"),
        ({"softness": 0.0}, "got 1.0, 0.5 and 0.0"),
    ],
)
def test_impossible_teachers_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Teacher(**{"policy": make_agent("cmt"), **change})


def test_a_pulled_learner_comes_to_do_what_its_teacher_does() -> None:
    """After 20 rollouts the teacher's choice is likelier by more than a tenth than with a learner left alone."""
    torch.set_num_threads(1)

    def agreement(imitate: str | None) -> float:
        learner = LearnerConfig(
            width=16,
            critic_width=16,
            num_envs=64,
            num_steps=16,
            batch_size=256,
            bank=64,
            renewed=8,
            learning_rate=1e-2,
            imitate=imitate,
            pull_until=1.0,
        )
        model = make_model(learner, make_scenario("EranHeavy"), 0)
        model.learn(20 * 1024)
        env, policy = model.env, make_agent("cmt")
        assert isinstance(env, RoutingVecEnv)
        shares = []
        obs = env.reset()
        for _ in range(20):
            masks, labels = env.action_masks(), torch.from_numpy(env.vector.labels(policy)).unsqueeze(1)
            with torch.no_grad():
                logs = model.policy.log_probabilities(model.policy.read(torch.from_numpy(obs)), masks)
            shares.append(logs.gather(1, labels).exp().mean().item())
            obs, *_ = env.step(labels.squeeze(1).numpy())
        return float(np.mean(shares))

    assert agreement("cmt") > agreement(None) + 0.1


def test_without_hold_nobody_holds_who_can_route(tmp_path: Path) -> None:
    masks = np.array([[1, 0, 1], [0, 0, 1]], dtype=np.int8)
    np.testing.assert_array_equal(without_hold(masks), [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(without_hold(masks > 0), [[1, 0, 0], [0, 0, 1]])
    learner = LearnerConfig(
        width=8, critic_width=8, num_envs=8, num_steps=8, batch_size=64, bank=8, renewed=0, may_hold=False
    )
    scenario = make_scenario("EranHeavy")
    model = make_model(learner, scenario, 0)
    model.learn(64)
    taken = model.rollout_buffer.actions[:, :, 0] == scenario_hold(model)
    assert not (taken & (model.rollout_buffer.action_masks[:, :, :-1].any(axis=2))).any()
    torch.nn.init.constant_(model.policy.actor.hold[-1].bias, 100.0)  # it would hold always
    layout = model.policy.layout
    card = Card("index_rule", 8, 8, layout.num_slots, layout.num_counsellors, may_hold=False)
    save_network(tmp_path / "n.safetensors", model.policy.actor, model.policy.critic, card)
    episodes = run_episodes(scenario, Learned(str(tmp_path / "n.safetensors")), range(5), "compiled")
    assert min(episode.kpis["quantity"] for episode in episodes) > 0.5
    totals = play(model.policy.actor, scenario, range(5), card.sight(scenario))
    np.testing.assert_allclose(totals[:, 1], [episode.kpis["quantity"] for episode in episodes], atol=1e-9)


def scenario_hold(model: Any) -> int:
    return int(model.action_space.n) - 1

"""Preferences are drawn, told, paid by, and decided by."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from agents import make_agent
from agents.index_network import IndexRuleActor, IndexRuleCritic
from agents.learned import Learned, play
from agents.network_card import Card
from agents.preferences import Preferences
from agents.vec_env import RoutingVecEnv
from agents.zoo import find_network, load_network, save_network
from mhgym.evaluation.rollout import run_episodes
from mhgym.mdp.observation import ObservationLayout
from mhgym.metrics import COMPONENTS
from mhgym.presets import make_scenario

SOME = ("quality", "burden", "quantity")


def test_drawn_weights_are_uniform_over_those_that_add_up_to_one() -> None:
    """Of 3 components: each has mean 1/3 and variance 1/18, and is at least x with chance (1 - x)^2."""
    drawn = Preferences(SOME).draw(20_000, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.sum(axis=1), 1.0, atol=1e-6)
    assert not drawn[:, COMPONENTS.index("fairness")].any()
    own = drawn[:, [COMPONENTS.index(name) for name in SOME]]
    np.testing.assert_allclose(own.mean(axis=0), 1 / 3, atol=5 * np.sqrt(1 / 18 / 20_000))
    for x in (0.2, 0.5, 0.9):
        np.testing.assert_allclose((own >= x).mean(axis=0), (1 - x) ** 2, atol=5 * np.sqrt(0.25 / 20_000))


def test_weights_are_told_by_their_shares() -> None:
    np.testing.assert_allclose(Preferences(SOME).tell({"quality": 3.0, "quantity": 1.0}), [0.75, 0.25, 0.0, 0.0])
    assert Preferences().tell({"fairness": 1.0}).shape == (0,)


@pytest.mark.parametrize("weights", [{"fairness": 0.1, "quality": 1.0}, {"quality": -1.0, "burden": 2.0}, {}])
def test_weights_that_it_does_not_know_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="knows weights of at least 0 for quality, burden, quantity, not all 0, got"):
        Preferences(SOME).tell(weights)


@pytest.mark.parametrize("components", [("quality",), ("quality", "speed"), ("quality", "quality")])
def test_components_that_make_no_choice_are_refused(components: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="preferences must be two or more of quality, quantity, burden, fairness"):
        Preferences(components)


def test_an_episode_is_told_its_weights_and_paid_by_them() -> None:
    env, twin = (RoutingVecEnv(6, "EranHeavy", preferences=SOME, bank=20) for _ in range(2))
    for own in (env, twin):
        own.seed(4)
    obs = env.reset()
    np.testing.assert_array_equal(obs, twin.reset())
    assert obs.shape[1:] == env.observation_space.shape
    told, ends = obs[:, -4:], 0
    returns = np.zeros(6)
    for _ in range(120):
        actions = env.vector.action_masks().argmax(axis=1)
        obs, rewards, dones, infos = env.step(actions)
        np.testing.assert_array_equal(obs, twin.step(actions)[0])
        vectors = np.array([info["reward_vector"] for info in infos])
        np.testing.assert_allclose(rewards, (vectors * told).sum(axis=1), atol=1e-6)
        returns += (vectors * told).sum(axis=1)
        np.testing.assert_array_equal(obs[~dones, -4:], told[~dones])
        for row in np.flatnonzero(dones):
            np.testing.assert_array_equal(infos[row]["terminal_observation"][-4:], told[row])
            assert infos[row]["episode"]["r"] == pytest.approx(returns[row], abs=1e-5)
            assert not np.array_equal(obs[row, -4:], told[row])
            returns[row] = 0.0
            ends += 1
        told = obs[:, -4:].copy()
    assert ends > 12


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Untrained, with last layers as large as the others, so that what it is told matters."""
    torch.manual_seed(0)
    actor, critic = IndexRuleActor(16, 4), IndexRuleCritic(16, 4)
    for last in (actor.score, actor.hold[-1]):
        torch.nn.init.orthogonal_(last.weight, gain=3.0)
    torch.nn.init.constant_(actor.hold[-1].bias, -6.0)
    size = len(make_scenario("EranHeavy").roster)
    save_network(
        tmp_path / "many.safetensors", actor, critic, Card("index_rule", 16, 16, 16, size, 4, preferences=SOME)
    )
    return tmp_path / "many.safetensors"


def test_a_network_decides_by_the_weights_that_it_is_told(network: Path) -> None:
    """One view at a time as in a batch; the scenario's weights are told where none are given."""
    scenario = make_scenario("EranHeavy")
    actor, _, card = load_network(network)
    seen = {}
    for label, weights in (("own", None), ("same", {"quality": 1.0, "quantity": 1.0}), ("burden", {"burden": 1.0})):
        policy = Learned(str(network), weights=weights)
        episodes = run_episodes(scenario, policy, range(12), "compiled")
        seen[label] = [[episode.kpis[name] for name in COMPONENTS] for episode in episodes]
        totals = play(actor, scenario, range(12), card.sight(scenario, weights=weights), num_envs=5)
        np.testing.assert_allclose(totals, seen[label], atol=1e-9)
    assert seen["own"] == seen["same"]
    assert seen["own"] != seen["burden"]
    assert repr(Learned(str(network), weights={"burden": 1.0})) != repr(Learned(str(network)))


def test_a_network_of_one_preference_takes_no_weights() -> None:
    policy = make_agent("learned", network="ppo_eran_heavy", weights={"quantity": 1.0})
    with pytest.raises(ValueError, match=r"trained for one preference, got weights {'quantity': 1.0}; train one with"):
        policy.reset(make_scenario("EranHeavy"), np.random.default_rng(0))


def test_cards_without_preferences_are_read() -> None:
    card = Card("index_rule", 8, 8, 16, 4)
    values = json.loads(card.write())
    del values["preferences"]
    assert Card.read(json.dumps(values)) == card
    many = Card("index_rule", 8, 8, 16, 4, num_extra=4, preferences=SOME)
    assert Card.read(many.write()) == many
    assert card.layout == ObservationLayout(16, 4)


def test_the_network_of_the_zoo_moves_along_the_front() -> None:
    """On 200 shifts each component is largest where it has all the weight, by more than 3 standard errors (paired)."""
    scenario = make_scenario("EranHeavy")
    actor, _, card = load_network(find_network("ppo_preferences_eran_heavy"))
    totals = {
        name: play(actor, scenario, range(200), card.sight(scenario, weights={name: 1.0})) for name in card.preferences
    }
    for name in card.preferences:
        for other in card.preferences:
            if other != name:
                gain = (totals[name] - totals[other])[:, COMPONENTS.index(name)]
                assert gain.mean() > 3.0 * gain.std(ddof=1) / np.sqrt(len(gain))

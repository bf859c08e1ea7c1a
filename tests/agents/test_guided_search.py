"""Guided search: the network's own decision without a search, its candidates, and who ends a simulation."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from agents import make_agent
from agents.guided_search import ENDINGS, GuidedSearch
from agents.index_network import IndexRuleActor, IndexRuleCritic
from agents.learned import Learned
from agents.mcts import Arena
from agents.network_card import Card
from agents.sight import Sight
from agents.zoo import load_network, save_network
from mhgym.engines import columns
from mhgym.engines.compiled import CompiledEngine
from mhgym.evaluation.rollout import run_episodes
from mhgym.mdp.observation import COUNSELLOR_FEATURES, ObservationLayout
from mhgym.presets import make_scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Random weights, a critic whose values differ from state to state."""
    torch.manual_seed(0)
    actor, critic = IndexRuleActor(16), IndexRuleCritic(16)
    for last in (actor.score, actor.hold[-1]):
        torch.nn.init.orthogonal_(last.weight, gain=3.0)
    torch.nn.init.constant_(actor.hold[-1].bias, -6.0)
    path = tmp_path_factory.mktemp("networks") / "random.safetensors"
    save_network(path, actor, critic, Card("index_rule", 16, 16, num_slots=16, num_counsellors=5))
    return str(path)


def busy_view() -> CentreView:
    """An epoch of EranHeavy at which three callers wait, whom nobody was given to."""
    engine = CompiledEngine(make_scenario("EranHeavy"))
    engine.reset(Trace.sample(engine.scenario, 5))
    while engine.advance():
        view = engine.view()
        if len(view.waiting) >= 3 and view.legal.sum() >= 6:
            return view
        engine.hold()
    raise AssertionError("no epoch with a choice")


def ready(network: str, **settings: object) -> GuidedSearch:
    policy = make_agent("guided_search", network=network, **settings)
    assert isinstance(policy, GuidedSearch)
    policy.reset(make_scenario("EranHeavy"), np.random.default_rng(0))
    return policy


def test_without_simulations_it_is_the_network(network: str) -> None:
    scenario = make_scenario("EranHeavy")
    own = run_episodes(scenario, Learned(network), range(5), "compiled")
    searched = run_episodes(scenario, make_agent("guided_search", network=network, simulations=0), range(5), "compiled")
    assert [episode.kpis for episode in searched] == [episode.kpis for episode in own]


def test_candidates_are_the_likeliest_of_the_network(network: str) -> None:
    view, learned = busy_view(), Learned(network)
    learned.reset(make_scenario("EranHeavy"), np.random.default_rng(0))
    pairs = ready(network, candidates=4).propose(view)
    scores = learned.score(learned.see(view)[0])[0]
    ranked = [float(scores[learned.actions.encode(pair, view)]) for pair in pairs]
    assert pairs[0] == learned.act(view)
    assert ranked == sorted(ranked, reverse=True)
    assert len(pairs) == min(4, int(view.legal.sum()) + 1)
    assert HOLD not in ready(network, hold=False).propose(view)[1:]


def test_simulations_stop_at_the_critic(network: str) -> None:
    """What was gained until the first epoch after the look-ahead, and the critic's value of that epoch's state."""
    view, policy = busy_view(), ready(network, rule_minutes=10.0, ending="critic")
    pairs = policy.propose(view)
    arena = Arena(policy, view, pairs)
    arena.draw(20)
    values = policy.evaluate(arena, pairs[0], range(20))
    state = arena.futures.state
    now, over = state.clock_f[:, columns.NOW], state.clock_i[:, columns.OVER] == 1
    assert (now[~over] >= view.now + 10.0).all()
    assert not over.all()
    weights = np.array(make_scenario("EranHeavy").weights.as_tuple())
    gained = arena.worth(arena.futures.evaluate(range(20), *pairs[0], policy._rule, until=view.now + 10.0), range(20))
    steps = policy._show(arena.futures)
    rows = np.flatnonzero(~over)
    steps.observe(rows)
    expected = gained.copy()
    expected[rows] += policy._values(steps.obs[rows]) @ weights
    np.testing.assert_allclose(values, expected)
    assert np.ptp(values - gained) > 0.0


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_rule_that_plays_to_the_end_leaves_nothing_to_the_network(network: str, ending: str) -> None:
    view = busy_view()
    values = []
    for rule_minutes in (None, 10_000.0):
        policy = ready(network, rule_minutes=rule_minutes, ending=ending)
        arena = Arena(policy, view, policy.propose(view))
        arena.draw(10)
        arena.offered[:] = 12.0  # which planners with a horizon estimate otherwise
        values.append(policy.evaluate(arena, arena.pairs[0], range(10)))
    assert math.isfinite(values[0].sum())
    np.testing.assert_array_equal(*values)


def first_come(obs: np.ndarray) -> np.ndarray:
    """Scores that make a network of FCFS: the first slot goes first, to whoever has been idle longest."""
    blocks = make_layout().split(obs)
    waiting, idle = blocks["queue"][:, :, 0], blocks["counsellors"][:, :, COUNSELLOR_FEATURES.index("idle")]
    slots = np.arange(waiting.shape[1])
    pairs = np.where(waiting > 0, -100.0 * slots, -1e6)[:, :, None] + idle[:, None, :]
    return np.hstack([pairs.reshape(len(obs), -1), np.full((len(obs), 1), -1e7)]).astype(np.float32)


def make_layout() -> ObservationLayout:
    return ObservationLayout(16, len(make_scenario("EranHeavy").roster))


@pytest.mark.parametrize("look_ahead", [None, 20.0])
def test_a_network_plays_futures_out_as_a_rule_of_the_same_decisions(
    network: str, look_ahead: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, values = busy_view(), []
    for rule_minutes in (None, 0.0):
        policy = ready(network, rule_minutes=rule_minutes, look_ahead=look_ahead, rollout="fcfs")
        pairs = policy.propose(view)
        monkeypatch.setattr(policy, "_sight", Sight(make_layout()))
        monkeypatch.setattr(policy, "_scores", first_come)
        arena = Arena(policy, view, pairs)
        arena.draw(40)
        values.append([policy.evaluate(arena, pair, range(10, 40)) for pair in pairs])
    assert np.ptp(values[0]) > 0.0
    np.testing.assert_allclose(*values, atol=1e-6)


def test_noise_draws_the_first_candidate_from_the_policy_of_the_network(network: str) -> None:
    """The Gumbel-max law; frequencies of 4,000 draws within four standard errors."""
    view, learned = busy_view(), Learned(network)
    learned.reset(make_scenario("EranHeavy"), np.random.default_rng(0))
    policy = ready(network, gumbel=1.0, candidates=3)
    scores = learned.score(learned.see(view)[0])[0]
    expected = torch.softmax(scores, dim=0).numpy()
    draws = 4000
    drawn = [policy.propose(view) for _ in range(draws)]
    assert all(len(set(pairs)) == 3 for pairs in drawn)
    firsts = [learned.actions.encode(pairs[0], view) for pairs in drawn]
    share = np.bincount(firsts, minlength=len(expected)) / draws
    assert (np.abs(share - expected) <= 4.0 * np.sqrt(expected * (1.0 - expected) / draws) + 1e-9).all()
    assert ((expected > 0.02) & (expected < 0.98)).sum() >= 2


def test_scores_and_simulated_gains_are_weighed_by_their_errors(network: str) -> None:
    """The posterior mean of a normal prior and a normal mean; without doubt the network's own, in full doubt theirs."""
    view, policy = busy_view(), ready(network, candidates=3, temperature=0.01, doubt=2.0)
    arena = Arena(policy, view, policy.propose(view))
    arena.values = np.array([[0.0, 0.0, 0.0, 0.0], [0.01, 0.03, 0.0, 0.02], [np.nan, 0.04, np.nan, np.nan]])
    policy._liking = np.array([1.0, 0.0, -1.0])
    gain, error, prior = 0.015, np.std([0.01, 0.03, 0.0, 0.02], ddof=1) / 2.0, -0.01
    even = error * np.sqrt(-prior / gain) / 0.01  # prior / belief + gain / error**2 is 0 there
    policy.doubt = 0.97 * even
    assert policy.choose(arena) == 0
    policy.doubt = 1.03 * even
    assert policy.choose(arena) == 1
    policy.doubt = 1e6
    assert policy.choose(arena) == 1
    policy._liking = np.array([1.0, 0.0, 3.0])  # met in one future only, so its prior stands: 0.02 above the first
    assert policy.choose(arena) == 2


def test_what_it_cannot_do_is_refused(network: str) -> None:
    with pytest.raises(ValueError, match="runs in 1 thread, got threads=2"):
        make_agent("guided_search", network=network, threads=2)
    with pytest.raises(ValueError, match="forgets no models, got without=feedback"):
        make_agent("guided_search", network=network, without=("feedback",))
    with pytest.raises(ValueError, match="ending must be one of network, critic, got 'rule'"):
        make_agent("guided_search", network=network, ending="rule")
    with pytest.raises(ValueError, match=r"got look_ahead=60.0; leave it out, or take ending=network"):
        make_agent("guided_search", network=network, rule_minutes=5.0, ending="critic", look_ahead=60.0)
    with pytest.raises(ValueError, match="temperature must be positive, got 0"):
        make_agent("guided_search", network=network, temperature=0.0)
    with pytest.raises(ValueError, match=r"got caution=1.0 too; leave one out"):
        make_agent("guided_search", network=network, temperature=0.003, caution=1.0)
    with pytest.raises(ValueError, match=r"rule_minutes must be at least 0 or null, got -1.0"):
        make_agent("guided_search", network=network, rule_minutes=-1.0)
    with pytest.raises(ValueError, match=r"of kind 'index_rule', 'ppo_mlp_eran_heavy' is 'mlp'"):
        make_agent("guided_search", network="ppo_mlp_eran_heavy")


def test_results_of_other_weights_are_kept_apart(network: str, tmp_path: Path) -> None:
    own = repr(make_agent("guided_search", network=network))
    assert own == repr(make_agent("guided_search", network=network))
    other = tmp_path / Path(network).name
    actor, critic, card = load_network(network)
    actor.score.bias.data += 1.0
    save_network(other, actor, critic, card)
    digests = {repr(make_agent("guided_search", network=str(path))).split("digest=")[1] for path in (network, other)}
    assert len(digests) == 2

"""Guided search: the network's own decision without a search, its candidates, and the critic where simulations stop."""

import math

import numpy as np
import pytest
import torch

from agents import make_agent
from agents.guided_search import GuidedSearch
from agents.index_network import IndexRuleActor, IndexRuleCritic
from agents.learned import Learned
from agents.mcts import Arena
from agents.network_card import Card
from agents.zoo import save_network
from mhgym.engines import columns
from mhgym.engines.compiled import CompiledEngine
from mhgym.evaluation.rollout import run_episodes
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
    view, policy = busy_view(), ready(network, look_ahead=10.0)
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


def test_a_look_ahead_beyond_the_end_is_none(network: str) -> None:
    """Simulations that reach the end need no critic, and have the values of MCTS's own."""
    view = busy_view()
    values = []
    for look_ahead in (None, 10_000.0):
        policy = ready(network, look_ahead=look_ahead)
        arena = Arena(policy, view, policy.propose(view))
        arena.draw(10)
        arena.offered[:] = 12.0  # which planners with a horizon estimate otherwise
        values.append(policy.evaluate(arena, arena.pairs[0], range(10)))
    assert math.isfinite(values[0].sum())
    np.testing.assert_array_equal(*values)


def test_what_it_cannot_do_is_refused(network: str) -> None:
    with pytest.raises(ValueError, match="runs in 1 thread, got threads=2"):
        make_agent("guided_search", network=network, threads=2)
    with pytest.raises(ValueError, match="forgets no models, got without=feedback"):
        make_agent("guided_search", network=network, without=("feedback",))
    with pytest.raises(ValueError, match=r"of kind 'index_rule', 'ppo_mlp_eran_heavy' is 'mlp'"):
        make_agent("guided_search", network="ppo_mlp_eran_heavy")

"""An explanation says what the network does, its attributions add up, and they follow what the network looks at."""

from pathlib import Path

import numpy as np
import pytest
import torch

from agents import make_agent
from agents.explain import explain, integrated_gradients, name_attributions
from agents.index_network import IndexRuleActor, IndexRuleCritic
from agents.learned import Learned
from agents.network_card import Card
from agents.zoo import save_network
from mhgym.engines.registry import make_engine
from mhgym.presets import make_scenario
from mhgym.trace import Trace
from mhgym.view import CentreView

SCENARIO = make_scenario("EranHeavy")


@pytest.fixture
def policy(tmp_path: Path) -> Learned:
    torch.manual_seed(0)
    actor = IndexRuleActor(16)
    for last in (actor.score, actor.hold[-1]):
        torch.nn.init.orthogonal_(last.weight, gain=3.0)
    path = tmp_path / "fresh.safetensors"
    save_network(path, actor, IndexRuleCritic(16), Card("index_rule", 16, 16, 16, len(SCENARIO.roster)))
    return Learned(str(path))


@pytest.fixture
def view() -> CentreView:
    """A busy minute: several legal pairs."""
    engine = make_engine("simpy", SCENARIO)
    fcfs = make_agent("fcfs")
    for seed in range(100):
        engine.reset(Trace.sample(SCENARIO, seed))
        while engine.advance():
            found = engine.view()
            if found.legal.sum() >= 4 and len(found.waiting) >= 3:
                return found
            engine.assign(*fcfs.act(found))
    raise AssertionError("no busy minute in 100 shifts")


def test_explains_what_is_done(policy: Learned, view: CentreView) -> None:
    explanation = explain(policy, SCENARIO, view)
    pairs = [candidate.pair for candidate in explanation.candidates]
    assert pairs[0] == policy.act(view)
    assert len(pairs) == view.legal.sum() + 1
    assert sum(candidate.probability for candidate in explanation.candidates) == pytest.approx(1.0, abs=1e-5)
    first = make_agent("fcfs").act(view)
    assert explanation.rules["fcfs"].startswith(f"contact {view.waiting.contact[first.row]} ")
    assert explanation.rules["fcfs"].endswith(f"to counsellor {first.counsellor}")
    assert all(candidate.words in explanation.text() for candidate in explanation.candidates)


def test_credits_add_up_to_the_score(policy: Learned, view: CentreView) -> None:
    """Less what it is where every feature is nought but the same people are there."""
    explanation = explain(policy, SCENARIO, view)
    obs, mask = policy.see(view)
    legal = np.flatnonzero(mask[0].numpy())
    with torch.no_grad():
        gained = (policy.score(obs) - policy.score(obs * 1e-6))[0][legal].numpy()
    attributions = integrated_gradients(policy, obs, legal)
    assert np.abs(gained).max() > 0.1
    np.testing.assert_allclose(attributions.sum(axis=1), gained, atol=0.01 * np.abs(gained).max())
    totals = [
        sum(value for _, value in candidate.attributions) + candidate.rest for candidate in explanation.candidates
    ]
    np.testing.assert_allclose(np.sort(totals), np.sort(attributions.sum(axis=1)), atol=1e-5)


def test_a_network_that_looks_at_quality_alone_is_explained_by_it(policy: Learned, view: CentreView) -> None:
    """Other weights into the encoder are nought, so no other feature of the pair may have attribution."""
    encoder = policy._actor.encoder
    for layer in (encoder.centre, encoder.caller, encoder.counsellor, encoder.pair):
        layer.weight.zero_()
    encoder.pair.weight[:, 1] = 1.0
    policy.reset(SCENARIO, np.random.default_rng(0))
    obs, mask = policy.see(view)
    action = int(np.flatnonzero(mask[0].numpy())[0])
    attributions = integrated_gradients(policy, obs, np.array([action]))[0]
    named, _ = name_attributions(attributions, policy.layout, *divmod(action, policy.layout.num_counsellors))
    assert abs(named.pop("pair quality")) > 1e-3
    assert all(attribution == 0.0 for attribution in named.values())

"""The compiled network: the sums of the modules, whoever is there."""

import numpy as np
import pytest
import torch

from agents.compiled_network import CompiledActor, CompiledCritic
from agents.index_network import IndexRuleActor, IndexRuleCritic, scene_of
from mhgym.envs.vector import RoutingBatch
from mhgym.presets import make_scenario
from mhgym.trace import Trace


@pytest.mark.parametrize("num_extra", [0, 3])
@pytest.mark.parametrize("preset", ["EranHeavy", "OpenUp"])
def test_compiled_networks_give_what_the_modules_give(preset: str, num_extra: int) -> None:
    """Random weights, biases too, on centres along random episodes, from empty queues to full ones."""
    torch.manual_seed(0)
    rng = np.random.default_rng(1)
    actor, critic = IndexRuleActor(24, num_extra), IndexRuleCritic(16, num_extra)
    with torch.no_grad():
        for parameter in (*actor.parameters(), *critic.parameters()):
            parameter.normal_(0.0, 0.3)
    batch = RoutingBatch(16, make_scenario(preset))
    batch.begin(range(16), [Trace.sample(batch.scenario, seed) for seed in range(16)])
    scored = 0
    for _ in range(40):
        obs = np.concatenate([batch.obs, rng.random((16, num_extra), dtype=np.float32)], axis=1)
        obs[0, : batch.layout.size] = 0.0  # nobody there
        with torch.inference_mode():
            scene = scene_of(torch.from_numpy(obs), batch.layout)
            scores, values = actor(scene).numpy(), critic(scene).numpy()
        own = CompiledActor(actor, batch.layout)(obs)
        np.testing.assert_allclose(own, scores, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(CompiledCritic(critic, batch.layout)(obs), values, rtol=1e-4, atol=1e-4)
        scored += int((scores > -1e6).sum())
        choice = [rng.choice(np.flatnonzero(mask)) for mask in batch.mask]
        batch.step(np.array(choice), ~batch.over)
    assert scored > 1_000

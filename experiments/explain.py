"""Why a network decides so: `python -m experiments.explain agent=ppo scenario=eran_heavy trace=0 decision=6`."""

import sys
from dataclasses import dataclass
from typing import cast

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents import make_agent
from agents.explain import Explanation, explain
from agents.learned import Learned
from experiments.configs import LeaderboardConfig, register_configs
from experiments.leaderboard import build_scenario
from mhgym.engines.registry import make_engine
from mhgym.evaluation.splits import seeds_of
from mhgym.policy import policy_rng
from mhgym.trace import Trace
from mhgym.view import HOLD


@dataclass
class ExplainConfig(LeaderboardConfig):
    """One decision of one network.

    Attributes:
        trace: Number of the trace in the split.
        decision: Number of the decision in its episode; 0 is the first.
    """

    trace: int = 0
    decision: int = 0


register_configs()
ConfigStore.instance().store(name="explain_schema", node=ExplainConfig)


def explain_decision(config: ExplainConfig) -> Explanation:
    """Let the network play up to the decision and explain it.

    Raises:
        ValueError: If it is no network, or the episode has not so many decisions.
    """
    if len(config.agents) != 1 or len(config.scenarios) != 1:
        raise ValueError(f"explain takes 1 agent and 1 scenario, got {len(config.agents)} and {len(config.scenarios)}")
    (entry,), (place,) = config.agents.values(), config.scenarios
    policy = make_agent(entry.name, **entry.settings)
    if not isinstance(policy, Learned):
        raise ValueError(f"only networks are explained, got {entry.name!r}; choose agent=ppo")
    if config.trace < 0:
        raise ValueError(f"trace must be the number of a trace, 0 or more, got {config.trace}")
    scenario = build_scenario(config, place)
    seeds = seeds_of(config.evaluation.split, max(2, config.trace + 1))
    trace = Trace.sample(scenario, seeds[config.trace])
    engine = make_engine("simpy", scenario)  # which starts at once
    engine.reset(trace)
    policy.reset(scenario.public, policy_rng(trace.hash, policy.name))
    taken = 0
    while engine.advance():
        view = engine.view()
        if taken == config.decision:
            return explain(policy, scenario.public, view)
        pair = policy.act(view)
        if pair == HOLD or not engine.assign(*pair):
            engine.hold()
        taken += 1
    raise ValueError(f"the episode has decisions 0 to {taken - 1}, got decision={config.decision}")


@hydra.main(version_base="1.3", config_path="../conf", config_name="explain")
def main(raw: DictConfig) -> None:
    """Compose the configuration and print the explanation."""
    console = Console()
    try:
        text = explain_decision(cast(ExplainConfig, OmegaConf.to_object(raw))).text()
    except (ValueError, TypeError) as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True)
        sys.exit(2)
    console.print(text, soft_wrap=True, highlight=False)


if __name__ == "__main__":
    main()

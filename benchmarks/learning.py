"""How fast PPO learns, and how fast what it learnt decides."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch
from omegaconf import OmegaConf
from stable_baselines3.common.callbacks import BaseCallback

from agents import make_agent
from agents.learned import Learned, best_actions, fast_scores, play
from agents.network_card import Card
from agents.sight import Sight
from agents.zoo import save_network
from benchmarks.sizes import Sizes
from benchmarks.timing import Result, Timing, duration, interleave, rate
from experiments.search import Scorer
from experiments.training import LearnerConfig, make_model
from mhgym.engines.registry import make_engine
from mhgym.envs.vector import RoutingBatch
from mhgym.evaluation.splits import seeds_of
from mhgym.policy import policy_rng
from mhgym.presets import make_scenario
from mhgym.scenario import Scenario
from mhgym.trace import Trace

_CONFIGURATION = Path(__file__).resolve().parents[1] / "conf/train.yaml"
_VALIDATION = seeds_of("validation", 1_000)
_MOST = 5_000_000  # decisions of a training that may pass CMT


def learners() -> dict[str, LearnerConfig]:
    """The learners of `conf/train.yaml`."""
    loaded = OmegaConf.load(_CONFIGURATION).learners
    return {str(label): LearnerConfig(**values) for label, values in loaded.items()}


def measure_learning(sizes: Sizes) -> list[Result]:
    """Decisions a second with learning, seconds until CMT is passed, and the latency of the network."""
    torch.set_num_threads(1)
    scenario = make_scenario("EranHeavy")
    return [*measure_training(sizes, scenario), *measure_passing(sizes, scenario), *measure_latency(sizes, scenario)]


def measure_training(sizes: Sizes, scenario: Scenario) -> list[Result]:
    """Decisions a second of whole rollouts with what is learnt from them, traces drawn ahead."""
    tasks: dict[str, Callable[[], int]] = {}
    for label, learner in learners().items():
        learner.num_envs, learner.num_steps = sizes.training_batch
        model = make_model(learner, scenario, 0)
        model.learn(learner.num_envs * learner.num_steps)
        for threads in (1, 2):

            def learn(model=model, number=learner.num_envs * learner.num_steps, threads=threads) -> int:  # type: ignore[no-untyped-def]
                torch.set_num_threads(threads)
                model.learn(number, reset_num_timesteps=False)
                torch.set_num_threads(1)
                return int(number)

            tasks[f"{label}.{threads}"] = learn
    series = interleave(tasks, sizes.repeats)
    words = "PPO on EranHeavy, `{}` of conf/train.yaml, learning included, traces drawn before"
    results = []
    for label in learners():
        results += [
            rate(f"learning.{label}", words.format(label), "decisions", series[f"{label}.1"]),
            rate(
                f"learning.{label}.two_threads",
                f"{words.format(label)}; torch in two threads, by the clock",
                "decisions",
                series[f"{label}.2"],
                by_clock=True,
            ),
        ]
    return results


class _UntilAbove(BaseCallback):
    """Stops a training when its greedy policy is above a score on validation traces, whose time does not count."""

    def __init__(self, scenario: Scenario, score: float) -> None:
        super().__init__()
        self._scenario = scenario
        self._weights = np.array(scenario.weights.as_tuple())
        self._score, self.passed = score, False
        self.cpu, self.wall = 0.0, 0.0
        self._mark = process_time(), perf_counter()

    def _on_rollout_start(self) -> None:
        self.cpu += process_time() - self._mark[0]
        self.wall += perf_counter() - self._mark[1]
        policy = self.model.policy
        totals = play(policy.actor, self._scenario, _VALIDATION, Sight(policy.layout))
        self.passed = float((totals @ self._weights).mean()) > self._score
        self._mark = process_time(), perf_counter()

    def _on_step(self) -> bool:
        return not self.passed


def measure_passing(sizes: Sizes, scenario: Scenario) -> list[Result]:
    """Time of a training until its policy is above CMT on 1,000 validation traces."""
    timings = []
    learner = learners()["ppo"]
    cmt = float(np.mean(Scorer(scenario, _VALIDATION, "per_arrival").score(make_agent("cmt"), len(_VALIDATION))))
    for seed in range(sizes.trainings):
        until = _UntilAbove(scenario, cmt)
        make_model(learner, scenario, seed).learn(_MOST, callback=until)
        if not until.passed:
            raise RuntimeError(f"after {_MOST:,} decisions with seed {seed} PPO was not above CMT")
        timings.append(Timing(1, until.cpu, until.wall))
    if not timings:
        return []
    words = "PPO `ppo` on EranHeavy: training until a first look finds it above CMT"
    return [duration("learning.passing", words, "s", timings)]


def measure_latency(sizes: Sizes, scenario: Scenario) -> list[Result]:
    """A decision of the network: one view at a time, and 256 centres at once."""
    learner = learners()["ppo"]
    model = make_model(learner, scenario, 0)
    layout, batch = model.policy.layout, RoutingBatch(256, scenario, num_slots=learner.num_slots)
    batch.begin(range(256), [Trace.sample(scenario, seed) for seed in range(256)])
    scores = fast_scores(model.policy.actor, layout)
    engine = make_engine("compiled", scenario)
    engine.reset(Trace.sample(scenario, 0))
    engine.advance()
    view = engine.view()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        card = Card(learner.network, learner.width, learner.critic_width, layout.num_slots, layout.num_counsellors)
        save_network(path, model.policy.actor, model.policy.critic, card)
        policy = Learned(str(path))
    policy.reset(scenario, policy_rng("", "ppo"))

    def one() -> int:
        for _ in range(sizes.latencies):
            policy.act(view)
        return sizes.latencies

    def many() -> int:
        for _ in range(sizes.latencies):
            best_actions(scores(batch.obs), batch.mask)
        return sizes.latencies

    series = interleave({"1": one, "256": many}, sizes.repeats)
    words = {"1": "a decision of `ppo` from a view", "256": "256 decisions of `ppo` from observations, at once"}
    return [duration(f"learning.latency.{size}", words[size], "ms", timings) for size, timings in series.items()]

"""Kleinerman et al. 2022, Tables 4 to 6 and Figure 3: FCFS, CMT and MCTS on common traces of the ERAN presets.

The population was calibrated on the FCFS and CMT columns of Tables 4 and 5; everything else is predicted. A planner
maximises the objective that its row is scored by: the paper's (`served`) or the one counted per arrival.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from agents import make_agent
from experiments.cells import collect, digest_of
from experiments.configs import agent_settings
from experiments.workers import compute_all
from mhgym.evaluation.perfect_models import MODELS, PerfectModels
from mhgym.evaluation.rollout import Episode, run_episode, run_episodes
from mhgym.evaluation.statistics import Interval, holm, paired_interval, wilcoxon_p
from mhgym.presets import make_scenario
from mhgym.trace import Trace

Floats = NDArray[np.float64]

STANDARD, HEAVY = "EranStandard", "EranHeavy"
MEASURES = ("quality_served", "quantity", "objective_served", "objective_per_arrival")
BLOCK = 25  # traces of one job

#: The paper's means of quality, quantity and their weighted sum.
PAPER: dict[tuple[str, str], tuple[float, float, float]] = {
    (STANDARD, "fcfs"): (0.681, 0.832, 0.754),
    (STANDARD, "cmt"): (0.753, 0.836, 0.794),
    (STANDARD, "mcts"): (0.766, 0.833, 0.799),
    (HEAVY, "fcfs"): (0.687, 0.845, 0.757),
    (HEAVY, "cmt"): (0.820, 0.851, 0.824),
    (HEAVY, "mcts"): (0.851, 0.873, 0.857),
    (HEAVY, "mcts without feedback"): (0.751, 0.802, 0.777),
    (HEAVY, "mcts without service_time"): (0.787, 0.846, 0.817),
    (HEAVY, "mcts without patience"): (0.841, 0.800, 0.821),
    (HEAVY, "mcts without remaining"): (0.824, 0.822, 0.823),
}
PAPER_SECONDS = 13.0  # of calculation a shift


@dataclass(frozen=True)
class Entry:
    """One policy on one preset.

    Attributes:
        preset: Name.
        label: Of the policy; `PAPER` has the paper's figures under some.
        agent: Name in `agents.AGENTS`.
        settings: Of the agent.
        objective: The measure that the policy maximises, or that a rule is scored by.
        perfect: Prediction models that tell the policy the truth, see `mhgym.evaluation.perfect_models`.
    """

    preset: str
    label: str
    agent: str
    settings: dict[str, Any] = field(default_factory=dict)
    objective: str = "objective_served"
    perfect: tuple[str, ...] = ()

    def play(self, seeds: range) -> list[Episode]:
        """Play the test traces of these seeds."""
        policy, scenario = make_agent(self.agent, **self.settings), make_scenario(self.preset)
        if not self.perfect:
            return run_episodes(scenario, policy, seeds, "compiled")
        traces = [Trace.sample(scenario, seed) for seed in seeds]
        return [
            run_episode(scenario, PerfectModels(policy, trace, self.perfect), trace, "compiled") for trace in traces
        ]


@dataclass(frozen=True)
class Block:
    """An entry on some traces, computed once and kept, see `experiments.cells`."""

    entry: Entry
    seeds: range

    @property
    def key(self) -> str:
        """Digest of the entry, the traces and the source code."""
        return digest_of("block", repr(self.entry), repr(self.seeds))

    def tables(self) -> dict[str, pl.DataFrame]:
        """`scores` of each trace, with the seconds of all its decisions, and the seconds of each decision."""
        episodes = self.entry.play(self.seeds)
        scores = [
            {
                "seed": episode.seed,
                **{name: episode.kpis[name] for name in MEASURES},
                "seconds": episode.latencies.sum(),
            }
            for episode in episodes
        ]
        latencies = np.concatenate([episode.latencies for episode in episodes])
        return {"scores": pl.DataFrame(scores), "decisions": pl.DataFrame({"seconds": latencies})}


@dataclass(frozen=True)
class Result:
    """What an entry scored.

    Attributes:
        entry: The policy and preset.
        scores: By measure, `[traces]`.
        seconds: `[traces]` of calculation, decisions added up; 0 for compiled rules.
        decision_seconds: Median and 99th percentile of a decision.
    """

    entry: Entry
    scores: dict[str, Floats]
    seconds: Floats
    decision_seconds: tuple[float, float]

    @property
    def objective(self) -> Floats:
        """`[traces]` what the entry is scored by."""
        return self.scores[self.entry.objective]


@dataclass(frozen=True)
class Comparison:
    """A difference of two policies on common traces, in the objective that both maximise."""

    preset: str
    objective: str
    better: str
    than: str
    difference: Interval
    p: float
    p_holm: float

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def planner(simulations: int, objective: str, **settings: Any) -> dict[str, Any]:
    """Settings of a planner that maximises an objective."""
    return {"simulations": simulations, "objective": objective.removeprefix("objective_"), **settings}


def table_entries() -> list[Entry]:
    """Tables 4, 5 and 6."""
    entries = []
    for preset in (STANDARD, HEAVY):
        entries += [Entry(preset, rule, rule) for rule in ("fcfs", "cmt")]
        for objective in ("objective_served", "objective_per_arrival"):
            suffix = "" if objective == "objective_served" else ", per arrival"
            for label, more in (("mcts", {}), ("mcts per candidate", {"per_candidate": True})):
                entries.append(Entry(preset, label + suffix, "mcts", planner(300, objective, **more), objective))
    return entries + rival_entries() + model_entries() + root_entries()


def rival_entries() -> list[Entry]:
    """What is tuned on training traces, per arrival."""
    name = "objective_per_arrival"
    best = agent_settings("mcts_tuned")[1] | planner(300, name)
    return [
        Entry(HEAVY, "best_match_wait", "best_match", agent_settings("best_match_wait")[1], name),
        Entry(HEAVY, "mcts tuned, per arrival", "mcts", best, name),
        Entry(HEAVY, "mcts tuned per candidate, per arrival", "mcts", best | {"per_candidate": True}, name),
    ]


def root_entries() -> list[Entry]:
    """UCB1 in place of sequential halving."""
    name = "objective_per_arrival"
    return [Entry(HEAVY, "mcts by UCB1, per arrival", "mcts", planner(300, name, root="uct"), name)]


def model_entries() -> list[Entry]:
    """The planner with each prediction model replaced by its mean (Table 6), and by the truth."""
    name = "objective_served"
    means = [Entry(HEAVY, f"mcts without {model}", "mcts", planner(300, name, without=(model,))) for model in MODELS]
    told = {**{f"perfect {model}": (model,) for model in MODELS}, "perfect models": MODELS}
    truth = [Entry(HEAVY, f"mcts with {what}", "mcts", planner(300, name), perfect=told[what]) for what in told]
    return means + truth


def run(entries: Iterable[Entry], seeds: range, workers: int, cache: Path = Path(".cache/cells")) -> Iterator[Result]:
    """Play every entry on the same traces; what was played before is taken from the cache, timings included."""
    for entry in entries:
        blocks = [Block(entry, seeds[first : first + BLOCK]) for first in range(0, len(seeds), BLOCK)]
        for _ in compute_all(blocks, cache, workers):
            pass
        scores, decisions = collect(blocks, cache, "scores"), collect(blocks, cache, "decisions")["seconds"].to_numpy()
        yield Result(
            entry,
            {name: scores[name].to_numpy() for name in MEASURES},
            scores["seconds"].to_numpy(),
            (float(np.median(decisions)), float(np.quantile(decisions, 0.99))),
        )


def compare(results: list[Result]) -> list[Comparison]:
    """Every ordering that the paper claims, under both objectives; other models and rivals against the planner.

    Wilcoxon's p-values are corrected over the whole table (Holm).
    """
    found = {(result.entry.preset, result.entry.label): result for result in results}
    pairs: list[tuple[str, str, str, str]] = []
    for preset in (STANDARD, HEAVY):
        for name, suffix in (("objective_served", ""), ("objective_per_arrival", ", per arrival")):
            pairs += [(preset, name, "cmt", "fcfs"), (preset, name, f"mcts{suffix}", "fcfs")]
            pairs += [(preset, name, f"mcts{suffix}", "cmt"), (preset, name, f"mcts per candidate{suffix}", "cmt")]
    pairs += [(HEAVY, "objective_served", "mcts", entry.label) for entry in model_entries() if not entry.perfect]
    pairs += [(HEAVY, "objective_served", entry.label, "mcts") for entry in model_entries() if entry.perfect]
    pairs += [(HEAVY, entry.objective, entry.label, "mcts, per arrival") for entry in rival_entries() + root_entries()]
    samples = [(found[pair[0], pair[2]].scores[pair[1]], found[pair[0], pair[3]].scores[pair[1]]) for pair in pairs]
    p_values = [wilcoxon_p(*sample) for sample in samples]
    adjusted = holm(p_values)
    return [
        Comparison(*pair, paired_interval(*sample, rng=np.random.default_rng(number)), p, float(corrected))
        for number, (pair, sample, p, corrected) in enumerate(zip(pairs, samples, p_values, adjusted, strict=True))
    ]

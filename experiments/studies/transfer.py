"""Does what was learnt travel? Networks trained on some flows and rosters, in centres that they have never met.

The networks of `agents/networks` named `NETWORKS` were trained on EranHeavy's callers at 10 to 14 calls an hour and 3
to 5 counsellors. Here they meet other flows and rosters without being trained again, beside rules whose settings were
searched for in each of those centres.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from omegaconf import OmegaConf
from rich.console import Console

from agents import make_agent
from agents.learned import play
from agents.zoo import FOLDER, load_network
from experiments.configs import CONF, agent_settings
from experiments.search import Range, Scorer, draw_candidates, halve
from mhgym.evaluation.splits import seeds_of
from mhgym.evaluation.statistics import Interval, crossed_interval
from mhgym.presets import make_scenario
from mhgym.scenario import Scenario

Floats = NDArray[np.float64]

PRESET = "EranHeavy"
NETWORKS = "ppo_transfer_seed"
SPECIALIST = "ppo_eran_heavy_seed"  # trained at 12 calls an hour and 4 counsellors alone
TRAINED_FLOW, TRAINED_STAFFING = (10.0, 14.0), (3, 5)
FLOWS = (7.0, 12.0, 20.0)  # calls an hour
STAFFING = (2, 3, 4, 6, 8, 12)  # counsellors
RULES = ("fcfs", "cmt")
TUNED = "best_match_wait"
_CANDIDATES, _BUDGET, _TRAINING = 81, 40_000, 5_000
_RESAMPLES = 2000


@dataclass(frozen=True)
class Row:
    """One centre.

    Attributes:
        flow: Calls an hour.
        staffing: Counsellors.
        means: Objective by policy.
        gains: Of the networks over each other policy, on the same traces; seeds and traces are resampled.
        settings: Of the tuned rule.
    """

    flow: float
    staffing: int
    means: dict[str, float]
    gains: dict[str, Interval]
    settings: dict[str, Any]

    @property
    def unseen(self) -> bool:
        """Whether the networks were not trained there."""
        inside = TRAINED_STAFFING[0] <= self.staffing <= TRAINED_STAFFING[1]
        return not (inside and TRAINED_FLOW[0] <= self.flow <= TRAINED_FLOW[1])

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        gains = {name: vars(gain) for name, gain in self.gains.items()}
        return {**vars(self), "gains": gains, "unseen": self.unseen}


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write the report into a folder; the same as plain data.

    Args:
        replications: Test traces of each centre.
        workers: Processes.
        folder: Of the results.
        console: Where to print.

    Raises:
        ValueError: If there is no network that was trained on several centres.
    """
    networks = sorted(FOLDER.glob(f"{NETWORKS}*.safetensors"))
    if not networks:
        raise ValueError(f"agents/networks has no {NETWORKS}*.safetensors; train one with sampler.flow and staffing")
    specialists = sorted(FOLDER.glob(f"{SPECIALIST}*.safetensors"))
    tasks = (
        delayed(measure)(flow, staffing, networks, specialists, replications) for flow in FLOWS for staffing in STAFFING
    )
    rows = list(Parallel(n_jobs=workers)(tasks))
    text = markdown(rows, replications, len(networks), len(specialists))
    console.print(text, highlight=False, soft_wrap=True)
    (folder / "report.md").write_text(text, encoding="utf-8")
    return {"rows": [row.as_json() for row in rows]}


def measure(flow: float, staffing: int, networks: list[Path], specialists: list[Path], replications: int) -> Row:
    """Play everybody in one centre."""
    scenario, seeds = make_scenario(PRESET, flow=flow, staffing=staffing), seeds_of("test", replications)
    settings = search(scenario)
    name, _ = agent_settings(TUNED)
    scorer = Scorer(scenario, seeds)
    others = {label: scorer.score(make_agent(label), replications)[None] for label in RULES}
    others[TUNED] = scorer.score(make_agent(name, **settings), replications)[None]
    others |= {"specialists": objectives(specialists, scenario, seeds)} if specialists else {}
    own = objectives(networks, scenario, seeds)
    means = {"networks": own, **others}
    return Row(
        flow,
        staffing,
        {label: float(scores.mean()) for label, scores in means.items()},
        {label: gain(own, scores) for label, scores in others.items()},
        settings,
    )


def search(scenario: Scenario) -> dict[str, Any]:
    """Settings of the tuned rule for a centre, on training traces, as `experiments.tune` searches for them."""
    name, defaults = agent_settings(TUNED)
    ranges = OmegaConf.load(CONF / "tune.yaml").spaces[TUNED]
    space = {str(setting): Range(**ranges[setting]) for setting in ranges}
    candidates = draw_candidates(space, defaults, _CANDIDATES, np.random.default_rng(0))
    training = Scorer(scenario, seeds_of("train", _TRAINING))
    *_, last = halve(lambda settings: make_agent(name, **settings), candidates, training, _BUDGET)
    return last.candidates[0]


def objectives(networks: list[Path], scenario: Scenario, seeds: range) -> Floats:
    """`[networks, traces]` objective per arrival."""
    weights = np.array(scenario.weights.as_tuple())
    scores = []
    for path in networks:
        actor, _, card = load_network(path)
        scores.append(play(actor, scenario, seeds, card.sight(scenario)) @ weights)
    return np.array(scores)


def gain(own: Floats, other: Floats) -> Interval:
    """Of networks `[seeds, traces]` over somebody else, whose own seeds are averaged."""
    difference = own - other.mean(axis=0)
    table = np.repeat(difference, 2, axis=0) if len(difference) == 1 else difference  # one seed: no luck of training
    return crossed_interval(table, rng=np.random.default_rng(0), statistic="mean", resamples=_RESAMPLES)


def markdown(rows: list[Row], replications: int, seeds: int, specialists: int) -> str:
    """The report."""
    others = list(rows[0].gains)
    lines = [
        f"# Networks in centres that they have not met, {replications} test traces each",
        "",
        f"Objective per arrival of {seeds} network(s) trained at {TRAINED_FLOW[0]:g} to {TRAINED_FLOW[1]:g} calls an "
        f"hour and {TRAINED_STAFFING[0]} to {TRAINED_STAFFING[1]} counsellors, and what they gain over others with "
        f"95 % intervals, each by itself. {TUNED} was tuned in each centre ({_CANDIDATES} settings, {_BUDGET:,} "
        f"training shifts); specialists are {specialists} network(s) trained at 12 calls and 4 counsellors alone, "
        "their mean taken as it is.",
        "",
        f"| calls an hour | counsellors | trained there | networks | minus {' | minus '.join(others)} |",
        f"|---:|---:|---|---:|{'---:|' * len(others)}",
    ]
    for row in rows:
        gains = " | ".join(row.gains[name].format(4) for name in others)
        own = f"{row.means['networks']:.4f}"
        lines.append(f"| {row.flow:g} | {row.staffing} | {'no' if row.unseen else 'yes'} | {own} | {gains} |")
    return "\n".join(lines) + "\n"

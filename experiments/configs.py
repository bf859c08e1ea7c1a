"""The dataclasses behind `conf/`: keys, types and defaults that Hydra checks every configuration against."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf

from experiments.search_path import register_search_path
from mhgym.evaluation.isolation import Limits
from mhgym.presets.open_up_roster import BASE_STAFFING, COST_WEIGHTS, SATURATION_STAFFING

#: The configuration folder.
CONF = Path(__file__).resolve().parents[1] / "conf"


@dataclass
class ScenarioConfig:
    """One scenario of a comparison.

    Attributes:
        traces: Number of traces.
        bound: Whether the clairvoyant bound is computed, for objective `per_arrival`; `agents.bound` says where
            it is defined. A trace of EranHeavy takes a tenth of a second, one of EranDay all the seconds it is given.
        settings: The preset with its overrides, checked against its own dataclass.
    """

    traces: int = MISSING
    bound: bool = False
    settings: Any = MISSING


@dataclass
class AgentConfig:
    """One policy.

    Attributes:
        name: In `agents.AGENTS`.
        source: Instead, of somebody else's: `file.py:Class`, `package.module:Class`, or an entry point of the group
            `mhgym.policies`.
        settings: Keyword arguments.
    """

    name: str | None = None
    source: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class ArrivalsConfig:
    """Arrival law of every scenario; `path` and `column` belong to `replay`."""

    law: str = "preset"
    path: str | None = None
    column: str | None = None


@dataclass
class LimitsConfig:
    """What a policy of others may take in its own process.

    Attributes:
        start: Seconds to be imported and made.
        reset: Seconds to prepare for an episode.
        decision: Seconds for a decision.
        memory_gib: Address space.
    """

    start: float = 120.0
    reset: float = 60.0
    decision: float = 10.0
    memory_gib: float = 16.0

    def build(self) -> Limits:
        """As `IsolatedPolicy` takes them."""
        return Limits(self.start, self.reset, self.decision, int(self.memory_gib * 2**30))


@dataclass
class EvaluationConfig:
    """How to compare.

    Attributes:
        split: `train`, `validation` or `test`: disjoint ranges of trace seeds.
        traces: Number of traces of every scenario; null keeps each scenario's own.
        objective: `per_arrival`, the weighted KPIs with an abandoned contact counted as 0, or `served`, the paper's.
        reference: Agent that the others are compared with.
        confidence: Of all intervals.
        resamples: Of the bootstrap.
        block: Episodes in one cached cell.
        workers: Processes.
        backend: What runs them: `loky` on this machine, `ray` on a cluster (`RAY_ADDRESS`) or locally.
        bound_seconds: Most time for the bound of a trace.
        engine: `compiled`, or `simpy` for no compilation; the results are the same.
    """

    split: str = "test"
    traces: int | None = None
    objective: str = "per_arrival"
    reference: str = "fcfs"
    confidence: float = 0.95
    resamples: int = 10_000
    block: int = 50
    workers: int = 2
    backend: str = "loky"
    bound_seconds: float = 30.0
    engine: str = "compiled"


@dataclass
class PledgeConfig:
    """What a search for a roster of Open Up has to keep, and what it may spend.

    Attributes:
        answered: Share of the contacts that accepted the terms to be answered within 10 minutes.
        line: Share of the time with at most one living contact in line, in every hour of the day.
        cost: Of one counsellor by role, without unit.
        roles: Whose numbers the search may change. Duty officers oversee and coach, which no simulation here counts.
        budget: Rosters that each search may measure.
    """

    answered: float = 0.85
    line: float = 0.85
    cost: dict[str, float] = field(default_factory=lambda: dict(COST_WEIGHTS))
    roles: list[str] = field(default_factory=lambda: ["volunteers", "full_time"])
    budget: int = 600


@dataclass
class LeaderboardConfig:
    """The main job.

    Attributes:
        scenarios: Scenarios by label.
        agents: Policies by label.
        players: By scenario, the labels of the agents that play it; where it is not named, all. Policies of others play
            everywhere.
        policy: The source of a policy of others, or a list of them, see `AgentConfig.source`; one with settings is
            given as `+agents={label: {source: file.py:Class, settings: {longest: 5}}}`.
        limits: What each of those may take.
        flow: Of every scenario: `standard`, `heavy` or a mean of arrivals per hour; null keeps its own.
        staffing: Likewise: counsellors in ERAN; in Open Up full-time staff per shift, or numbers by shift and role.
        weights: Likewise: of the reward's components; empty keeps its own.
        arrivals: Likewise.
        evaluation: How to compare.
        output: Results folder; null names one after the overrides, under `results/`.
        cache: Folder of completed cells.
        plots: Whether to draw.
        replay: A row to play again instead: `scenario/policy` of the results in `output`, or that behind `published/`.
        shifts: Episodes of each scenario, of the first traces, that the page replays for every policy.
    """

    scenarios: dict[str, ScenarioConfig] = field(default_factory=dict)
    agents: dict[str, AgentConfig] = field(default_factory=dict)
    players: dict[str, list[str]] = field(default_factory=dict)
    policy: Any = None
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    flow: Any = None
    staffing: Any = None
    weights: dict[str, float] = field(default_factory=dict)
    arrivals: ArrivalsConfig = field(default_factory=ArrivalsConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    output: str | None = None
    cache: str = ".cache/cells"
    plots: bool = True
    shifts: int = 2
    replay: str | None = None


def known_agents() -> list[str]:
    """Labels of the agents in `conf/agent`."""
    return sorted(path.stem for path in (CONF / "agent").glob("*.yaml"))


def agent_settings(label: str) -> tuple[str, dict[str, Any]]:
    """Name and settings of an agent in `conf/agent`, for studies that compose nothing.

    Raises:
        ValueError: If there is none of that label.
    """
    path = CONF / f"agent/{label}.yaml"
    if not path.is_file():
        raise ValueError(f"unknown agent {label!r} (known: {', '.join(known_agents())})")
    loaded = OmegaConf.to_container(OmegaConf.load(path))
    assert isinstance(loaded, dict)
    return str(loaded["name"]), {str(name): value for name, value in loaded.get("settings", {}).items()}


def register_configs() -> None:
    """Make the dataclasses known to Hydra, and what other packages join."""
    ConfigStore.instance().store(name="leaderboard_schema", node=LeaderboardConfig)
    register_search_path()
    register_rosters()


def register_rosters() -> None:
    """Make Open Up's rosters known to Hydra: `roster=base staffing.pm.volunteers=3`."""
    for name, staffing in (("base", BASE_STAFFING), ("saturation", SATURATION_STAFFING)):
        ConfigStore.instance().store(group="roster", name=name, node=staffing, package="staffing")

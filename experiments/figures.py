"""Pictures of a comparison: objectives, waits, occupancy, and one episode of each scenario."""

from pathlib import Path

from experiments.cells import Cell
from experiments.comparison import Row
from experiments.entrants import Outsider
from experiments.plots import plot_gantt, plot_objective, plot_occupancy, plot_waits
from experiments.profiles import occupancy_by_policy, waits_by_policy
from mhgym.evaluation.rollout import run_episode
from mhgym.policy import Policy
from mhgym.trace import Trace

_DAY = 1440.0


def draw_figures(folder: Path, cells: list[Cell], rows: list[Row], cache: Path) -> None:
    """Draw every picture of a comparison into a folder."""
    plot_objective(
        [
            {
                "scenario": row.scenario,
                "policy": row.policy,
                "low": row.objective.low,
                "estimate": row.objective.estimate,
                "high": row.objective.high,
            }
            for row in rows
        ],
        folder / "objective.png",
    )
    for label in dict.fromkeys(cell.scenario_label for cell in cells):
        own = [cell for cell in cells if cell.scenario_label == label]
        _draw_scenario(folder, label, own, cache)


def _draw_scenario(folder: Path, label: str, cells: list[Cell], cache: Path) -> None:
    plot_waits(waits_by_policy(cells, cache), _png(folder, "waits", label))
    plot_occupancy(occupancy_by_policy(cells, cache), _png(folder, "occupancy", label))
    ours = {cell.policy.name: (cell, cell.policy) for cell in reversed(cells) if not isinstance(cell.policy, Outsider)}
    for name, (cell, policy) in ours.items():
        if name in ("fcfs", next(iter(ours))):
            _draw_episode(cell, policy, _png(folder, f"episode_{name}", label))


def _draw_episode(cell: Cell, policy: Policy, path: Path) -> None:
    scenario, seed = cell.scenario, cell.seeds[0]
    episode = run_episode(scenario, policy, Trace.sample(scenario, seed))
    title = f"{cell.scenario_label}, {cell.policy.name}, trace {seed}"
    window = (0.0, _DAY) if scenario.horizon > _DAY else None
    plot_gantt(episode.log, scenario.roster, scenario.horizon, path, title, window)


def _png(folder: Path, kind: str, label: str) -> Path:
    return folder / f"{kind}_{label}.png"

"""What index rules offer together when their weights and thresholds are swept: the front of all four objectives.

EranHeavy, every rule on the same shifts. Which rules make up the front is decided on validation shifts and everything
else is measured on test shifts, so that no rule is on the front because its test shifts were lucky.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from agents import make_agent
from experiments.cells import Cell, collect, compute_all
from experiments.configs import agent_settings
from experiments.studies.pareto_figures import plot_attainment, plot_front
from mhgym.evaluation.pareto import expected_utility, hypervolume, nondominated, uniform_weights
from mhgym.evaluation.splits import seeds_of
from mhgym.evaluation.statistics import Interval
from mhgym.metrics import COMPONENTS
from mhgym.presets import make_scenario

Floats = NDArray[np.float64]

PRESET = "EranHeavy"
#: Worst of quality, quantity and fairness by definition; of burden an assumption, far below every rule.
REFERENCE = (0.0, 0.0, -1.0, -1.0)
CONFIDENCE = 0.95
_BLOCK = 250
_RESAMPLES = 500
_PREFERENCES = 2000


@dataclass(frozen=True)
class Candidate:
    """One setting of one rule."""

    label: str
    family: str
    agent: str
    settings: Mapping[str, Any]


def _sweep(family: str, agent: str, name: str, values: tuple[Any, ...], **fixed: Any) -> list[Candidate]:
    return [Candidate(f"{family} {value}", family, agent, {name: value, **fixed}) for value in values]


def candidates() -> list[Candidate]:
    """All settings. A network of many preferences belongs here as one more family, with a candidate for each."""
    tuned = agent_settings("best_match_wait")[1]
    price, gain, longest = tuned["price"], tuned["gain"], tuned["longest"]
    orders = ("fcfs", "lcfs", "fastest_server", "cmt", "cmu_theta", "quality_mu")
    levels = (0.0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
    prices = (0.0, 0.0025, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.0175, 0.02, 0.025, 0.03, 0.04, 0.06, 0.1)
    return [
        *(Candidate(name, "orders without a weight", name, {}) for name in orders),
        *_sweep("quality less price", "best_match", "price", prices),
        *_sweep("the same, waiting", "best_match", "price", prices, gain=gain, longest=longest),
        *(
            Candidate(f"quality above {level}", "quality above a threshold", "best_match", {"thresholds": (level,)})
            for level in levels
        ),
        *(
            Candidate(f"index above {level}", "index above a threshold", "best_match", _above(price, level))
            for level in (-0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
        ),
        *_sweep("cmt, waiting from gain", "cmt_wait", "gain", (1.0, 1.2, 1.5, 2.0, 3.0), longest=longest),
        *_sweep("wait over service, head start", "max_weight", "head_start", (0.0, 2.0, 5.0, 15.0, 50.0)),
        *_sweep("cμ/θ, penalty", "cmu_theta", "penalty", (2.0, 10.0, 50.0)),
    ]


def _above(price: float, level: float) -> dict[str, Any]:
    """Quality less price, kept back below a level while no more than one counsellor is idle."""
    return {"price": price, "thresholds": (level, level - 0.2, level - 0.4)}


@dataclass(frozen=True)
class Front:
    """Candidates and what they reached.

    Attributes:
        candidates: In order.
        chosen: `[k]` which are on the front, by validation shifts.
        scores: `[k, n, 4]` objectives on the test shifts, in the order of `metrics.COMPONENTS`.
    """

    candidates: list[Candidate]
    chosen: NDArray[np.bool_]
    scores: Floats

    @property
    def means(self) -> Floats:
        """`[k, 4]` over the test shifts."""
        return self.scores.mean(axis=1)

    def of(self, family: str | None = None) -> NDArray[np.int64]:
        """Those on the front, of one family or of all."""
        mine = [family in (None, candidate.family) for candidate in self.candidates]
        return np.flatnonzero(self.chosen & np.array(mine))


def measure(replications: int, workers: int, *, cache: Path = Path(".cache/cells")) -> Front:
    """Play every candidate on validation shifts, which choose the front, and on test shifts, which measure it.

    Args:
        replications: Shifts of each kind.
        workers: Processes.
        cache: Folder of completed cells.

    Raises:
        ValueError: If candidates met different shifts.
    """
    scenario, found = make_scenario(PRESET), candidates()
    scores = {}
    for split in ("validation", "test"):
        seeds = seeds_of(split, replications)
        parts = [seeds[first : first + _BLOCK] for first in range(0, len(seeds), _BLOCK)]
        policies = [make_agent(one.agent, **one.settings) for one in found]
        cells = [[Cell("pareto", scenario, policy, part) for part in parts] for policy in policies]
        for _ in compute_all([cell for own in cells for cell in own], cache, workers):
            pass
        tables = [collect(own, cache, "episodes") for own in cells]
        hashes = tables[0]["trace_hash"].to_list()
        if any(table["trace_hash"].to_list() != hashes for table in tables):
            raise ValueError("every rule must meet the same traces; clear the cache of cells and run again")
        scores[split] = np.stack([table.select(COMPONENTS).to_numpy() for table in tables])
    return Front(found, nondominated(scores["validation"].mean(axis=1)), scores["test"])


@dataclass(frozen=True)
class Worth:
    """What a set of rules offers together.

    Attributes:
        size: Rules.
        hypervolume: Above `REFERENCE`.
        utility: Expected, over preferences spread evenly over all weights that add up to 1.
        gain: Of that utility over the best single rule of the set.
    """

    size: int
    hypervolume: Interval
    utility: Interval
    gain: Interval


def worth(scores: Floats, *, resamples: int = _RESAMPLES) -> Worth:
    """What rules with these scores `[k, n, 4]` offer; shifts are resampled, the same for all rules."""
    rng = np.random.default_rng(0)
    preferences = uniform_weights(_PREFERENCES, scores.shape[-1], rng)

    def values(means: Floats) -> tuple[float, float, float]:
        best = expected_utility(means, preferences)
        return hypervolume(means, REFERENCE), best, best - float((preferences @ means.T).mean(axis=0).max())

    number = scores.shape[1]
    drawn = [values(scores[:, rng.integers(number, size=number)].mean(axis=1)) for _ in range(resamples)]
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    estimates = values(scores.mean(axis=1))
    return Worth(len(scores), *map(Interval, low.tolist(), estimates, high.tolist(), [CONFIDENCE] * 3))


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write report and pictures into a folder; the same as plain data.

    Args:
        replications: Validation and test shifts.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    front = measure(replications, workers)
    families = [None, *dict.fromkeys(front.candidates[k].family for k in front.of())]
    worths = {family or "all rules": worth(front.scores[front.of(family)]) for family in families}
    for name, one in worths.items():
        words = f"hypervolume {one.hypervolume.format(4)}  expected utility {one.utility.format(4)}"
        console.print(f"{name:32s} {one.size:3d} on the front  {words}", highlight=False)
    (folder / "report.md").write_text(markdown(front, worths), encoding="utf-8")
    plot_front(front.means, [one.family for one in front.candidates], front.chosen, folder / "front.png")
    plot_attainment(front.scores[front.of()], folder / "attainment.png")
    rows = [
        {"label": one.label, "family": one.family, "front": bool(on_front)} | dict(zip(COMPONENTS, means, strict=True))
        for one, on_front, means in zip(front.candidates, front.chosen, front.means.tolist(), strict=True)
    ]
    figures = ("hypervolume", "utility", "gain")
    sets = {
        name: {"size": one.size} | {figure: vars(getattr(one, figure)) for figure in figures}
        for name, one in worths.items()
    }
    return {"rules": rows, "sets": sets}


def markdown(front: Front, worths: Mapping[str, Worth]) -> str:
    """What each set offers, then every rule."""
    shifts = front.scores.shape[1]
    lines = [
        f"# The front of index rules: {PRESET}, {shifts} validation and {shifts} test shifts",
        "",
        "A rule is on the front if no other is as good in all of quality, quantity, burden and fairness, and better in "
        "one, in the means of the validation shifts; all figures are of the test shifts, with 95 % bootstrap intervals "
        "of common resamples. Hypervolume is what the set dominates above quality 0, quantity 0, burden -1 and "
        "fairness -1. Expected utility is the mean, over weights of the four spread evenly (Dirichlet 1, 1, 1, 1), of "
        "the best rule's weighted sum; the gain is over the best single rule for all weights.",
        "",
        "| set | rules on the front | hypervolume | expected utility | gain over one rule |",
        "|---|---:|---|---|---|",
    ]
    for name, one in worths.items():
        cells = [name, str(one.size), *(value.format(4) for value in (one.hypervolume, one.utility, one.gain))]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"| rule | front | {' | '.join(COMPONENTS)} |", "|---|---|" + "---:|" * len(COMPONENTS)]
    for one, on_front, means in zip(front.candidates, front.chosen, front.means, strict=True):
        cells = [one.label, "yes" if on_front else "", *(f"{value:.4f}" for value in means)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"

"""What swept index rules and one network that is told preferences offer: the front of all four objectives.

EranHeavy, every rule on the same shifts. Which rules make up a front, and which of them serves which preference, is
decided on validation shifts; everything else is measured on test shifts, so that nothing is good because its test
shifts were lucky.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from agents import make_agent
from experiments.cells import Cell, collect
from experiments.configs import agent_settings
from experiments.studies.pareto_figures import plot_attainment, plot_front
from experiments.workers import compute_all
from mhgym.evaluation.pareto import hypervolume, nondominated, uniform_weights
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
NETWORK = "one network, told preferences"
_STEPS = 5  # of the grid of told preferences


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
    """All settings; the preferences that a network is told are one more family."""
    tuned = agent_settings("best_match_wait")[1]
    price, gain, longest = tuned["price"], tuned["gain"], tuned["longest"]
    orders = ("fcfs", "lcfs", "fastest_server", "cmt", "cmu_theta", "quality_mu")
    levels = (0.0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
    prices = (0.0, 0.0025, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.0175, 0.02, 0.025, 0.03, 0.04, 0.06, 0.1)
    return [
        *_told(),
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


def _told() -> list[Candidate]:
    """The network of `agents.preferences` at a grid of all weights of quality, quantity and burden, which it knows."""
    agent, settings = agent_settings("ppo_preferences")
    grid = [steps for steps in itertools.product(range(_STEPS + 1), repeat=len(COMPONENTS) - 1) if sum(steps) == _STEPS]
    weights = [dict(zip(COMPONENTS, (step / _STEPS for step in steps), strict=False)) for steps in grid]
    return [
        Candidate(
            "told " + ", ".join(f"{name} {one:g}" for name, one in told.items()),
            NETWORK,
            agent,
            settings | {"weights": told},
        )
        for told in weights
    ]


def _above(price: float, level: float) -> dict[str, Any]:
    """Quality less price, kept back below a level while no more than one counsellor is idle."""
    return {"price": price, "thresholds": (level, level - 0.2, level - 0.4)}


@dataclass(frozen=True)
class Front:
    """Candidates and what they reached.

    Attributes:
        candidates: In order.
        validation: `[k, 4]` mean objectives on the validation shifts, in the order of `metrics.COMPONENTS`.
        scores: `[k, n, 4]` objectives on the test shifts.
    """

    candidates: list[Candidate]
    validation: Floats
    scores: Floats

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """`[k]` which are on the front of all, by validation shifts."""
        return nondominated(self.validation)

    @property
    def means(self) -> Floats:
        """`[k, 4]` over the test shifts."""
        return self.scores.mean(axis=1)

    def of(self, *families: str) -> NDArray[np.int64]:
        """Those on the front that some families have among themselves; without families that of all."""
        mine = [not families or candidate.family in families for candidate in self.candidates]
        members = np.flatnonzero(mine)
        return members[nondominated(self.validation[members])]

    def families(self) -> list[str]:
        """All families, in order."""
        return list(dict.fromkeys(candidate.family for candidate in self.candidates))


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
    return Front(found, scores["validation"].mean(axis=1), scores["test"])


@dataclass(frozen=True)
class Worth:
    """What a set of rules offers together, or how much more than another set.

    Attributes:
        size: Rules.
        hypervolume: Above `REFERENCE`.
        utility: Expected, over preferences spread evenly over all weights that add up to 1, each of which takes the
            rule that was best for it on validation shifts.
        gain: Of that utility over the one rule that was best for all preferences together.
    """

    size: int
    hypervolume: Interval
    utility: Interval
    gain: Interval


def offers(front: Front, members: NDArray[np.int64], *, resamples: int = _RESAMPLES) -> Floats:
    """`[1 + resamples, 3]` hypervolume, utility and gain of some candidates, first of the test shifts themselves.

    The others are of shifts drawn again, the same for all candidates, so that differences of two sets are paired.
    """
    rng = np.random.default_rng(0)
    preferences = uniform_weights(_PREFERENCES, len(COMPONENTS), rng)
    valued = preferences @ front.validation[members].T
    best, served = int(valued.mean(axis=0).argmax()), valued.argmax(axis=1)
    weights = np.zeros((len(members), len(COMPONENTS)))  # of all preferences that a rule serves
    np.add.at(weights, served, preferences / len(preferences))
    scores = front.scores[members]
    number = scores.shape[1]

    def values(means: Floats) -> tuple[float, float, float]:
        utility = float((weights * means).sum())
        return hypervolume(means, REFERENCE), utility, utility - float((preferences @ means[best]).mean())

    drawn = [values(scores[:, rng.integers(number, size=number)].mean(axis=1)) for _ in range(resamples)]
    return np.array([values(scores.mean(axis=1)), *drawn])


def worth(size: int, offered: Floats) -> Worth:
    """Estimates and intervals of what a set of so many rules offers, or of a difference of two sets' offers."""
    low, high = np.quantile(offered[1:], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return Worth(size, *map(Interval, low.tolist(), offered[0].tolist(), high.tolist(), [CONFIDENCE] * 3))


def reproduce(replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write report and pictures into a folder; the same as plain data.

    Args:
        replications: Validation and test shifts.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    front = measure(replications, workers)
    worths = compare(front)
    for name, one in worths.items():
        words = f"hypervolume {one.hypervolume.format(4)}  expected utility {one.utility.format(4)}"
        console.print(f"{name:40s} {one.size:3d}  {words}", highlight=False)
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


def compare(front: Front, *, resamples: int = _RESAMPLES) -> dict[str, Worth]:
    """All sets, and what the network offers more than the swept rules and adds to them."""
    families = front.families()
    sets = {
        "all": front.of(),
        "swept rules": front.of(*(family for family in families if family != NETWORK)),
        **{family: front.of(family) for family in families},
    }
    offered = {name: offers(front, members, resamples=resamples) for name, members in sets.items()}
    worths = {name: worth(len(members), offered[name]) for name, members in sets.items()}
    for name in (NETWORK, "all"):
        more = offered[name] - offered["swept rules"]
        worths[f"{name}, minus swept rules"] = worth(len(sets[name]) - len(sets["swept rules"]), more)
    return worths


def markdown(front: Front, worths: Mapping[str, Worth]) -> str:
    """What each set offers, then every rule."""
    shifts = front.scores.shape[1]
    lines = [
        f"# The front of index rules and of a network told preferences: {PRESET}, {shifts} validation and {shifts} "
        "test shifts",
        "",
        "A rule is on the front of a set if no other of the set is as good in all of quality, quantity, burden and "
        "fairness, and better in one, in the means of the validation shifts; all figures are of the test shifts, with "
        "95 % bootstrap intervals of common resamples. Hypervolume is what the set dominates above quality 0, quantity "
        "0, burden -1 and fairness -1. Expected utility is the mean, over weights of the four spread evenly (Dirichlet "
        "1, 1, 1, 1), of the weighted sum of the rule that was best for those weights on validation shifts; the gain "
        "is over the one rule that was best for all of them. The network knows weights of quality, quantity and "
        f"burden, is told a grid of them in steps of 1/{_STEPS}, and knows nothing of fairness.",
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

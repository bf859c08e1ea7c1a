"""The bars of the design and whether this run meets them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.report import number
from benchmarks.timing import Result


@dataclass(frozen=True)
class Bar:
    """A number to reach.

    Attributes:
        what: Name.
        key: Of the result that is held against it.
        number: The bar.
        at_most: Whether the result must not exceed it; else it must not fall short.
    """

    what: str
    key: str
    number: float
    at_most: bool = False

    def judge(self, results: Mapping[str, Result]) -> dict[str, Any] | None:
        """The bar with what was measured; None where this run did not measure it."""
        if self.key not in results:
            return None
        result = results[self.key]
        met = result.value <= self.number if self.at_most else result.value >= self.number
        return {
            "what": self.what,
            "key": self.key,
            "bar": ("≤ " if self.at_most else "≥ ") + f"{number(self.number)} {result.unit}",
            "measured": result.value,
            "unit": result.unit,
            "met": met,
        }


_STEPS = "EranHeavy, N = 16, all written, compiled"

#: DESIGN.md, section 6; the last two are bars on start-up.
BARS = (
    Bar(f"{_STEPS}, batch 64, kernels alone", "steps.EranHeavy.kernel.64", 1e6),
    Bar(f"{_STEPS}, batch 64, called from Python", "steps.EranHeavy.call.64", 1e6),
    Bar(f"{_STEPS}, batch 1024, kernels alone", "steps.EranHeavy.kernel.1024", 1e6),
    Bar(f"{_STEPS}, batch 1, kernels alone", "steps.EranHeavy.kernel.1", 2e5),
    Bar(f"{_STEPS}, batch 1, called from Python", "steps.EranHeavy.call.1", 2e5),
    Bar("compiled over SimPy, EranHeavy, SimPy's leanest driver", "ratio.EranHeavy.loop.lean", 100.0),
    Bar("compiled over SimPy, EranHeavy, SimPy with views", "ratio.EranHeavy.loop.viewed", 100.0),
    Bar("compiled over SimPy, OpenUp day, SimPy's leanest driver", "ratio.OpenUp.loop.lean", 100.0),
    Bar("compiled over SimPy, OpenUp day, SimPy with views", "ratio.OpenUp.loop.viewed", 100.0),
    Bar("30 days of Open Up, FCFS", "month.serve", 20.0, at_most=True),
    Bar("PPO on EranHeavy, index-rule network, learning included, two cores", "learning.ppo.two_threads", 15_000.0),
    Bar("PPO on EranHeavy until above CMT", "learning.passing", 300.0, at_most=True),
    Bar("`import mhgym`", "start.import", 0.5, at_most=True),
    Bar("first step of the compiled environment, from the cache", "start.cached.single", 1.0, at_most=True),
)


def judge_all(results: list[Result]) -> list[dict[str, Any]]:
    """Every bar that this run measured."""
    table = {result.key: result for result in results}
    return [verdict for bar in BARS if (verdict := bar.judge(table)) is not None]

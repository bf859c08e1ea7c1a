"""Open Up under FCFS: replications with everything that the reports show, and many rosters on the same callers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.episodes import run_rule
from mhgym.engines.rules import Rule
from mhgym.metrics.by_hour import HourlyCounts, count_by_hour
from mhgym.metrics.waits import wait_kpis
from mhgym.presets import make_scenario
from mhgym.processes.arrivals import ArrivalLaw
from mhgym.scenario import Scenario
from mhgym.trace import Trace

Floats = NDArray[np.float64]
Staffing = Mapping[str, Mapping[str, int]]

MONTH = 43_200.0  # minutes


@dataclass(frozen=True)
class Played:
    """Replications of one setting: the KPIs of each in the order of the seeds, and their hours pooled."""

    kpis: tuple[dict[str, float], ...]
    hours: HourlyCounts

    def values(self, name: str) -> Floats:
        """`[n]` one KPI."""
        return np.array([row[name] for row in self.kpis])


def play(scenario: Scenario, seeds: range, workers: int) -> Played:
    """Replicate a scenario under FCFS on the compiled engine; the same seeds bring the same callers to every roster."""
    parts = [range(part[0], part[-1] + 1) for part in np.array_split(seeds, min(workers, len(seeds)))]
    done = joblib.Parallel(n_jobs=workers)(joblib.delayed(_play)(scenario, part) for part in parts)
    return Played(sum((part.kpis for part in done), ()), reduce(add, (part.hours for part in done)))


def _play(scenario: Scenario, seeds: range) -> Played:
    engine = CompiledEngine(scenario)
    kpis, hours = [], []
    for seed in seeds:
        run_rule(engine, Trace.sample(scenario, seed), Rule.FIRST_COME)
        kpis.append(engine.kpis())
        hours.append(count_by_hour(engine.log(), scenario.roster, scenario.horizon))
    return Played(tuple(kpis), reduce(add, hours))


def month_scenario(preset: str, month: Path, **overrides: Any) -> Scenario:
    """A preset on the recorded month."""
    return make_scenario(preset, horizon=MONTH, arrivals="replay", arrivals_path=str(month), **overrides)


@dataclass(frozen=True)
class Measures:
    """What a roster achieves, on each of `n` traces.

    Attributes:
        conversion: `[n]` first answers / visitors.
        service_level: `[n]` first answers within the pledged minutes / contacts that accepted the terms.
        crowded: `[n, 24]` share of the time with more than one living contact in line, by hour of the day; `[0]` if
            not asked for.
    """

    conversion: Floats
    service_level: Floats
    crowded: Floats


class Rosters:
    """Rosters of one preset on common callers: what one changes in the roster changes nothing in the traces.

    Args:
        preset: `OpenUp` or `OpenUpPaper`.
        seeds: Of the traces.
        hours: Whether to measure the line by hour of the day, which doubles the time.
        arrivals: A law, or the name of one.
        **overrides: Settings of the preset.
    """

    def __init__(
        self,
        preset: str,
        seeds: Sequence[int],
        *,
        hours: bool = False,
        arrivals: ArrivalLaw | str = "preset",
        **overrides: Any,
    ) -> None:
        self._preset, self._hours = preset, hours
        self._settings = {"arrivals": arrivals, **overrides}
        base = make_scenario(preset, **self._settings)
        self._traces = [Trace.sample(base, seed) for seed in seeds]
        self.played = 0  # episodes so far

    def measure(self, staffing: Staffing) -> Measures:
        """Play every trace with a roster under FCFS."""
        scenario = make_scenario(self._preset, staffing=staffing, **self._settings)
        size = len(scenario.roster)
        staff = scenario.staff.sample(scenario.roster, np.random.default_rng(0))  # the same for everybody in Open Up
        engine = CompiledEngine(scenario)
        rows, crowded = [], []
        for trace in self._traces:
            run_rule(engine, replace(trace, staff=staff, known=np.empty((0, size, 2))), Rule.FIRST_COME)
            log = engine.log()
            kpis = wait_kpis(log, scenario.service_level_minutes)
            rows.append((kpis["first_answer_conversion"], kpis["service_level"]))
            if self._hours:
                crowded.append(count_by_hour(log, scenario.roster, scenario.horizon).crowded_share)
        self.played += len(rows)
        conversion, service_level = np.array(rows).T
        return Measures(conversion, service_level, np.array(crowded))

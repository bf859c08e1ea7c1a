"""Months in which nothing, nobody or no living caller comes: they run on both engines, and every KPI is defined."""

import math

import numpy as np
import pytest

from agents import make_agent
from mhgym.domain import Counsellor, Role, Roster, Shift
from mhgym.engines.registry import ENGINES
from mhgym.envs import RoutingEnv
from mhgym.evaluation.rollout import run_episode
from mhgym.metrics.by_hour import count_by_hour
from mhgym.presets import make_scenario
from mhgym.presets.open_up_roster import ROLE_NAMES, SHIFTS
from mhgym.processes.arrivals import PoissonArrivals, ReplayArrivals
from mhgym.processes.arrivals.rates import HourlyRates
from mhgym.scenario import Scenario
from mhgym.trace import Trace

DAY, MONTH = 1440.0, 43_200.0
OPEN_UP = make_scenario("OpenUp", horizon=MONTH)
CALLERS = 60


def crew(*shifts: Shift) -> Roster:
    return Roster((Counsellor(Role.FULL_TIME, shifts, capacity=3), Counsellor(Role.VOLUNTEER, shifts, capacity=2)))


def first_morning() -> ReplayArrivals:
    """One caller a minute for an hour, then nobody for the rest of the month."""
    return ReplayArrivals((1.0,) * CALLERS, PoissonArrivals(HourlyRates((60.0,))))


DAYS = [Shift(day * DAY + 480.0, day * DAY + 960.0) for day in range(1, 30)]
ON_BREAK = [Shift(shift.start, shift.end, breaks=((shift.start, shift.end),)) for shift in DAYS]
MONTHS: dict[str, Scenario] = {
    "no arrivals": make_scenario("OpenUp", horizon=MONTH, flow=0.0),
    "no staff": OPEN_UP.replace(roster=Roster((Counsellor(Role.FULL_TIME, ()),)), arrivals=first_morning()),
    "no staff and no arrivals": make_scenario("OpenUp", horizon=MONTH, flow=0.0).replace(
        roster=Roster((Counsellor(Role.FULL_TIME, ()),))
    ),
    "every caller a zombie": OPEN_UP.replace(roster=crew(*DAYS), arrivals=first_morning()),
    "every caller gone, zombies evicted": OPEN_UP.replace(
        roster=crew(*DAYS), arrivals=first_morning(), zombies="evicted"
    ),
    "a break over every shift": OPEN_UP.replace(roster=crew(*ON_BREAK), arrivals=first_morning()),
    "a postponed break over every shift": OPEN_UP.replace(
        roster=crew(*ON_BREAK), arrivals=first_morning(), on_break="postpone"
    ),
}


@pytest.fixture(scope="module", params=list(MONTHS))
def month(request: pytest.FixtureRequest) -> tuple[str, Scenario, Trace]:
    scenario = MONTHS[request.param]
    return request.param, scenario, Trace.sample(scenario, 0)


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize("agent", ["fcfs", "lcfs", "newest_within", "likely_there"])
def test_the_month_runs_and_every_kpi_is_defined(month: tuple[str, Scenario, Trace], agent: str, engine: str) -> None:
    name, scenario, trace = month
    with np.errstate(all="raise"):
        episode = run_episode(scenario, make_agent(agent), trace, engine)
    assert [key for key, value in episode.kpis.items() if not math.isfinite(value)] == []
    assert episode.kpis["visitors"] == len(trace) == (0 if "no arrivals" in name else CALLERS)
    assert episode.kpis["answered"] == episode.kpis["conversion"] == episode.kpis["quantity"] == 0


@pytest.mark.parametrize("agent", ["fcfs", "likely_there"])
def test_the_engines_agree(month: tuple[str, Scenario, Trace], agent: str) -> None:
    _, scenario, trace = month
    kpis = [run_episode(scenario, make_agent(agent), trace, engine).kpis for engine in ENGINES]
    assert kpis[0] == kpis[1]


def test_the_hours_of_the_day_are_defined_where_anything_was(month: tuple[str, Scenario, Trace]) -> None:
    _, scenario, trace = month
    episode = run_episode(scenario, make_agent("fcfs"), trace, "compiled")
    hours = count_by_hour(episode.log, scenario.roster, scenario.horizon)
    assert np.isfinite(hours.crowded_share).all()
    assert np.isfinite(hours.unused_share).tolist() == (hours.slots > 0).tolist()


def test_the_environment_ends_with_defined_rewards(month: tuple[str, Scenario, Trace]) -> None:
    _, scenario, _ = month
    env = RoutingEnv(scenario)
    _, info = env.reset(seed=0)
    total, over = np.zeros(4), False
    while not over:
        _, _, terminated, truncated, info = env.step(int(info["action_mask"].argmax()))
        total += info["reward_vector"]
        over = terminated or truncated
    names = ("quality", "quantity", "burden", "fairness")
    assert total == pytest.approx([info["kpis"][name] for name in names], abs=1e-9)


def test_every_zombie_is_opened_and_costs_its_minutes() -> None:
    """All are gone by the next morning: opened one after another, 5 minutes each, by first come, first served."""
    scenario = MONTHS["every caller a zombie"]
    trace = Trace.sample(scenario, 0)
    kpis = run_episode(scenario, make_agent("fcfs"), trace, "compiled").kpis
    low_or_medium = int((trace.accepted & (trace.risk < 2)).sum())
    assert kpis["abandonment"] == 1.0
    assert kpis["zombies_opened"] == kpis["offered"] >= low_or_medium > 0
    assert kpis["zombie_minutes"] == pytest.approx(5.0 * kpis["offered"])
    assert kpis["occupancy"] > 0

    left = run_episode(scenario, make_agent("likely_there", least=0.1), trace, "compiled").kpis
    assert left["zombies_opened"] == left["zombie_minutes"] == 0.0


def test_a_break_over_every_shift_leaves_nobody_on_duty() -> None:
    scenario = MONTHS["a break over every shift"]
    kpis = run_episode(scenario, make_agent("fcfs"), Trace.sample(scenario, 0), "compiled").kpis
    assert kpis["occupancy"] == kpis["zombie_minutes"] == 0.0
    assert kpis["abandonment"] == 1.0


def test_what_cannot_be_built_says_the_way_out() -> None:
    with pytest.raises(ValueError, match="got 0; a centre without staff has one without shifts"):
        make_scenario("OpenUp", staffing={shift: dict.fromkeys(ROLE_NAMES, 0) for shift in SHIFTS})

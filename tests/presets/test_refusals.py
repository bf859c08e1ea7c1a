"""Impossible values are refused where they are given; the message names the value and the rule."""

import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mhgym.domain import Counsellor, Role, Roster, Shift
from mhgym.metrics import BurdenRule
from mhgym.presets import PRESETS, ScenarioSampler, make_scenario
from mhgym.presets.open_up_population import OpenUpPopulation
from mhgym.processes.arrivals import ConditionedPoisson, HawkesArrivals, HourlyRates, PoissonArrivals, SinusoidalRate
from mhgym.processes.markovian import ExponentialPopulation
from mhgym.processes.outcomes import OutcomeLaw, RemainingTimeModel
from mhgym.scenario import Rules, Scenario, Weights

ERAN, OPEN_UP = "EranHeavy", "OpenUp"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail instead of hanging."""

    def stop(*_: object) -> None:
        raise RuntimeError(f"no answer within {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


REFUSED: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    # misspelt
    ("EranHevy", {}, ValueError, "unknown scenario 'EranHevy'; did you mean 'EranHeavy'"),
    (ERAN, {"stafing": 3}, ValueError, "EranHeavy has no setting 'stafing'; did you mean 'staffing'"),
    (ERAN, {"patience": "censored"}, ValueError, "EranHeavy has no setting 'patience'"),
    (ERAN, {"flow": "hevy"}, ValueError, "unknown flow 'hevy'; did you mean 'heavy'"),
    (OPEN_UP, {"flow": "hevy"}, ValueError, "unknown flow 'hevy'; did you mean 'heavy'"),
    (ERAN, {"arrivals": "poison"}, ValueError, "unknown arrival law 'poison'; did you mean 'poisson'"),
    (ERAN, {"weights": {"qualty": 1.0}}, ValueError, "unknown reward component 'qualty'; did you mean 'quality'"),
    (OPEN_UP, {"zombies": "eviced"}, ValueError, "zombies must be one of kept, evicted, got 'eviced'"),
    (OPEN_UP, {"closing": "open"}, ValueError, "closing must be one of drain, cut, got 'open'"),
    (OPEN_UP, {"on_sign_out": "stay"}, ValueError, "on_sign_out must be one of transfer, finish, got 'stay'"),
    (OPEN_UP, {"on_break": "finish"}, ValueError, "on_break must be one of transfer, postpone, got 'finish'"),
    (OPEN_UP, {"patience": "publised"}, ValueError, "patience must be one of published, censored, got 'publised'"),
    (OPEN_UP, {"feedback": "some"}, ValueError, "feedback must be 'none' or 'by_role', got 'some'"),
    # numbers out of range
    (ERAN, {"flow": -1.0}, ValueError, "flow must be a finite rate of at least 0 arrivals per hour, got -1.0"),
    (ERAN, {"flow": math.nan}, ValueError, "flow must be a finite rate .* got nan"),
    (OPEN_UP, {"flow": math.inf}, ValueError, "flow must be a finite rate .* got inf"),
    (ERAN, {"staffing": 0}, ValueError, "staffing must be at least 1 counsellor, got 0"),
    (ERAN, {"staffing": -2}, ValueError, "staffing must be at least 1 counsellor, got -2"),
    ("EranDay", {"staffing": 0}, ValueError, "staffing must be at least 1 counsellor, got 0"),
    (OPEN_UP, {"staffing": -1}, ValueError, r"staffing of \w+.full_time must be a whole number of at least 0, got -1"),
    (OPEN_UP, {"staffing": {"pm": {"volunteers": -3}}}, ValueError, "staffing of pm.volunteers .* at least 0, got -3"),
    (OPEN_UP, {"staffing": {"pm": {"volunteers": 1.5}}}, ValueError, "pm.volunteers must be a whole number .* got 1.5"),
    (ERAN, {"horizon": 0}, ValueError, "horizon must be .*positive.* got 0"),
    (ERAN, {"horizon": -60.0}, ValueError, "horizon must be .*positive.* got -60.0"),
    (ERAN, {"horizon": math.nan}, ValueError, "horizon must be .*positive.* got nan"),
    (ERAN, {"horizon": math.inf}, ValueError, "horizon must be .*positive.* got inf"),
    ("EranDay", {"horizon": 0}, ValueError, "horizon must be .*positive.* got 0"),
    ("EranDay", {"horizon": math.inf}, ValueError, "horizon must be .*positive.* got inf"),
    (OPEN_UP, {"horizon": 0}, ValueError, "horizon must be .*positive.* got 0"),
    (OPEN_UP, {"horizon": -5}, ValueError, "horizon must be .*positive.* got -5"),
    (OPEN_UP, {"horizon": math.inf}, ValueError, "horizon must be .*positive.* got inf"),
    (OPEN_UP, {"cutoff": -1.0}, ValueError, "cutoff must be a finite number of minutes, at least 0, got -1.0"),
    ("Therapists", {"bridge_minutes": 0.0}, ValueError, "bridge_minutes must be a finite, positive number"),
    ("Therapists", {"bridges": -1}, ValueError, "bridges must be at least 0 times, got -1"),
    ("Therapists", {"inbox": 0}, ValueError, "inbox must have room for at least 1 request, got 0"),
    ("Therapists", {"volunteers": 1.5}, TypeError, "volunteers must be a whole number, got 1.5"),
    ("EranHeavy", {"bridges": 1}, ValueError, "bridges are for centres with inboxes"),
    ("OpenUpPaper", {"cutoff": -1.0}, ValueError, "cutoff must be a finite number of minutes, at least 0, got -1.0"),
    (OPEN_UP, {"wrap_up": math.inf}, ValueError, "wrap_up must be a finite number of minutes, at least 0, got inf"),
    (OPEN_UP, {"zombie_wrap_up": -0.5}, ValueError, "zombie_wrap_up must be .* at least 0, got -0.5"),
    (ERAN, {"review_interval": -2}, ValueError, "review_interval must be .* at least 0, got -2"),
    (ERAN, {"newcomers": -1}, ValueError, "newcomers must be at least 0, got -1"),
    (ERAN, {"weights": {"burden": -1.0}}, ValueError, "weight of burden must be finite and at least 0, got -1.0"),
    (ERAN, {"weights": {"quality": math.nan}}, ValueError, "weight of quality must be finite .* got nan"),
    (OPEN_UP, {"chats": "by_mood"}, ValueError, "chats must be 'by_risk' or 'by_type', got 'by_mood'"),
    (OPEN_UP, {"low_risk_scale": 0.0}, ValueError, "low_risk_scale must be positive, got 0.0"),
    # wrong types
    (ERAN, {"staffing": 2.5}, TypeError, "staffing must be a whole number of counsellors, got 2.5"),
    (ERAN, {"staffing": "4"}, TypeError, "staffing must be a whole number of counsellors, got '4'"),
    (ERAN, {"staffing": True}, TypeError, "staffing must be a whole number of counsellors, got True"),
    (ERAN, {"flow": True}, TypeError, "flow must be .* number of arrivals per hour, got True"),
    (ERAN, {"flow": [7]}, TypeError, r"flow must be .* number of arrivals per hour, got \[7\]"),
    (OPEN_UP, {"flow": [7]}, TypeError, r"flow must be .* number of arrivals per hour, got \[7\]"),
    (ERAN, {"horizon": "60"}, TypeError, "horizon must be a number of minutes, got '60'"),
    (ERAN, {"cutoff": True}, TypeError, "cutoff must be a number of minutes, got True"),
    (ERAN, {"newcomers": 1.0}, TypeError, "newcomers must be a number of counsellors, got 1.0"),
    (ERAN, {"weights": [1, 0]}, TypeError, r"weights must map reward components to numbers, got \[1, 0\]"),
    (ERAN, {"weights": {"quality": "high"}}, (TypeError, ValueError), "weight.* quality .* 'high'"),  # type: ignore[list-item]
    (ERAN, {"arrivals": 5}, TypeError, "arrivals must be the name of a law or an arrival law, got 5"),
    (OPEN_UP, {"low_risk_scale": "big"}, TypeError, "low_risk_scale must be .* got 'big'"),
    (OPEN_UP, {"staffing": [2]}, TypeError, r"staffing of Open Up must be .* got \[2\]"),
    (OPEN_UP, {"staffing": {"pm": 3}}, (TypeError, ValueError), "staffing of pm must .* got 3"),  # type: ignore[list-item]
    # names inside a value
    (OPEN_UP, {"staffing": {"night": {}}}, ValueError, "unknown shift 'night' in staffing"),
    (OPEN_UP, {"staffing": {"gravyard": {}}}, ValueError, "unknown shift 'gravyard' .*; did you mean 'graveyard'"),
    (OPEN_UP, {"staffing": {"pm": {"fulltime": 2}}}, ValueError, "unknown role 'fulltime' .*did you mean 'full_time'"),
    # combinations
    (ERAN, {"arrivals": "replay"}, ValueError, "'replay' needs arrivals_path"),
    (ERAN, {"queue_discipline": "paper"}, ValueError, "'paper' orders zombies, so it needs zombies 'kept'"),
    (
        OPEN_UP,
        {
            "staffing": {
                shift: {"volunteers": 0, "full_time": 0, "duty_officers": 0}
                for shift in ("graveyard", "am", "pm", "special")
            }
        },
        ValueError,
        "a roster needs at least one counsellor, got 0",
    ),
]


@pytest.mark.parametrize(
    ("name", "overrides", "error", "message"), REFUSED, ids=[f"{name}-{values}"[:70] for name, values, _, _ in REFUSED]
)
def test_presets_refuse_what_is_impossible(
    name: str, overrides: dict[str, Any], error: type[Exception], message: str
) -> None:
    with within(3.0), pytest.raises(error, match=message):
        make_scenario(name, **overrides)


def counsellor(**changes: Any) -> Counsellor:
    return Counsellor(**{"role": Role.VOLUNTEER, "shifts": (Shift(0.0, 60.0),), **changes})


def scenario(**changes: Any) -> Scenario:
    parts = {
        "name": "x",
        "roster": Roster((counsellor(),)),
        "arrivals": PoissonArrivals(HourlyRates((6.0,))),
        "population": ExponentialPopulation(5.0),
        "outcomes": OutcomeLaw(),
        "horizon": 60.0,
    }
    return Scenario(**{**parts, **changes})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Shift(60.0, 30.0), "a shift must end after it starts, got start 60.0 and end 30.0"),
        (lambda: Shift(60.0, 60.0), "a shift must end after it starts"),
        (lambda: Shift(0.0, math.inf), "a shift must end after it starts, got start 0.0 and end inf"),
        (lambda: Shift(-5.0, 30.0), "cannot start before minute 0 of the episode, got -5.0"),
        (lambda: Shift(0.0, 60.0, ((50.0, 70.0),)), "breaks must lie in order inside the shift 0.0 to 60.0, got 50.0"),
        (lambda: Shift(0.0, 60.0, ((30.0, 40.0), (10.0, 20.0))), "breaks must lie in order"),
        (lambda: Shift(0.0, 60.0, ((30.0, 30.0),)), "breaks must lie in order"),
        (lambda: Shift(0.0, 60.0, closed=((9.0, 3.0),)), "a closed interval must end after it starts, got 9.0 to 3.0"),
        (lambda: Shift(0.0, 60.0, cutoff=-1.0), "a shift's cutoff must be at least 0 minutes, got -1.0"),
        (lambda: counsellor(capacity=0), "capacity must be at least 1 contact, got 0"),
        (lambda: counsellor(risks=frozenset()), "eligible for at least one level of risk"),
        (lambda: counsellor(shifts=(Shift(0.0, 60.0), Shift(50.0, 70.0))), "in order and not overlap, got one until"),
        (lambda: Roster(()), "a roster needs at least one counsellor, got 0"),
        (lambda: scenario(horizon=0.0), "the horizon must be a positive number of minutes, got 0.0"),
        (lambda: scenario(horizon=-1.0), "the horizon must be a positive number of minutes, got -1.0"),
        (lambda: scenario(horizon=math.nan), "the horizon must be a positive number of minutes, got nan"),
        (lambda: scenario(service_level_minutes=-1.0), "service_level_minutes must be at least 0, got -1.0"),
        (lambda: Rules(cutoff=-0.1), "cutoff must be a finite number of minutes, at least 0, got -0.1"),
        (lambda: Rules(closing="never"), "closing must be one of drain, cut, got 'never'"),  # type: ignore[arg-type]
        (lambda: Weights(fairness=-1.0), "the weight of fairness must be finite and at least 0, got -1.0"),
        (lambda: OutcomeLaw(pair_correlation=1.5), r"pair_correlation must lie in \[-1, 1\], got 1.5"),
        (lambda: OutcomeLaw(pair_feedback_sd=-1.0), "pair_feedback_sd must not be negative, got -1.0"),
        (lambda: OutcomeLaw(service_min=9.0, service_max=3.0), "service_min must not exceed service_max, got 9.0 and"),
        (lambda: RemainingTimeModel((5.0, 2.0), (1.0, 1.0)), "knots must increase"),
        (lambda: RemainingTimeModel((5.0,), ()), "knots and error_sd must pair up, got 1 and 0"),
        (lambda: RemainingTimeModel((5.0,), (-1.0,)), "error_sd must not be negative"),
        (lambda: ExponentialPopulation(0.0), "mean_service must be positive, got 0.0"),
        (lambda: OpenUpPopulation(low_risk_scale=-1.0), "low_risk_scale must be positive, got -1.0"),
        (lambda: HourlyRates((6.0, -1.0)), "at least 0 arrivals, got -1.0 in hour 1"),
        (lambda: SinusoidalRate(6.0, 1.5, 60.0), r"amplitude of a rate must lie in \[-1, 1\].* got 1.5"),
        (lambda: ConditionedPoisson(HourlyRates((6.0,)), 9, 3), "maximum .* at least its minimum, got 3 and 9"),
        (lambda: HawkesArrivals(HourlyRates((6.0,)), 1.2, 0.1), "1.2"),
        (lambda: BurdenRule(occupancy_threshold=1.1), r"occupancy_threshold must lie in \[0, 1\], got 1.1"),
        (lambda: ScenarioSampler("EranHeavy", (9.0, 3.0), (2, 4)), "flow must be a range .* got 9.0 to 3.0"),
        (lambda: ScenarioSampler("EranHeavy", (3.0, 9.0), (0, 4)), "staffing must be a range .* got 0 to 4"),
        (lambda: ScenarioSampler("EranHeavy", (3.0, 9.0), (2, 4), {"stafing": 2}), "no setting 'stafing'"),
    ],
)
def test_parts_of_a_scenario_refuse_what_is_impossible(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_builds_as_it_is_and_refuses_an_unknown_setting(name: str) -> None:
    assert make_scenario(name).name == name
    with pytest.raises(ValueError, match=f"{name} has no setting 'colour'"):
        make_scenario(name, colour="red")

"""Who calls in a trace: offspring of self-exciting arrivals are persons who call again, nobody else does."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mhgym.domain import CallerType
from mhgym.presets import make_scenario
from mhgym.presets.open_up_population import REPEAT_SHARE
from mhgym.processes import draws
from mhgym.trace import Trace

ALPHA = 1e-4  # chance that a correct law fails one comparison
DAY = 1440.0
DAYS = 140
EXCITED = make_scenario("OpenUp", arrivals="hawkes", horizon=7 * DAY)


@pytest.fixture(scope="module")
def weeks() -> list[Trace]:
    return [Trace.sample(EXCITED, seed) for seed in range(DAYS // 7)]


def test_without_those_who_call_again_the_base_rate_is_left(weeks: list[Trace]) -> None:
    """First contacts of each hour of the day are Poisson with the base rate; exact bounds, shared among the hours."""
    first = np.concatenate([trace.arrived_at[trace.first_contacts] for trace in weeks])
    counts = np.bincount((first % DAY // 60).astype(int), minlength=24)
    base = DAYS * np.array(EXCITED.arrivals.base.per_hour)
    tail = ALPHA / (2 * 24)
    assert (stats.poisson.ppf(tail, base) <= counts).all()
    assert (counts <= stats.poisson.ppf(1 - tail, base)).all()
    assert sum(len(trace) for trace in weeks) > stats.poisson.ppf(1 - ALPHA, base.sum())  # with them it is not


def test_who_calls_again_is_the_same_person(weeks: list[Trace]) -> None:
    for trace in weeks:
        first = trace.person
        assert (trace.person[first] == first).all()
        assert (trace.arrived_at[first] <= trace.arrived_at).all()
        for name in ("caller_type", "risk", "attributes"):
            np.testing.assert_array_equal(getattr(trace, name), getattr(trace, name)[first])
        again = np.flatnonzero(~trace.first_contacts)
        mean, patience = trace.values[:, draws.PATIENCE_MEAN], trace.values[:, draws.PATIENCE]
        np.testing.assert_array_equal(mean[again], mean[first[again]])
        assert len(again) > 100
        assert (patience[again] != patience[first[again]]).all()


def test_persons_keep_the_law_of_the_population(weeks: list[Trace]) -> None:
    """Shares of repeat callers among persons by the exact binomial law, patience of those who call again by its own."""
    types = np.concatenate([trace.caller_type[trace.first_contacts] for trace in weeks])
    assert stats.binomtest(int((types == CallerType.REPEAT).sum()), len(types), REPEAT_SHARE).pvalue > ALPHA
    again = np.concatenate([trace.values[~trace.first_contacts] for trace in weeks])
    scaled = again[:, draws.PATIENCE] / again[:, draws.PATIENCE_MEAN]
    assert stats.kstest(scaled, "expon").pvalue > ALPHA


def test_other_laws_know_nobody_who_calls_again() -> None:
    trace = Trace.sample(make_scenario("OpenUp"), 0)
    assert len(trace.person) == 0
    assert trace.first_contacts.all()


def test_persons_are_part_of_the_chance_that_a_hash_names(weeks: list[Trace]) -> None:
    nobody = replace(weeks[0], person=np.empty(0, dtype=np.int64))
    assert nobody.hash != weeks[0].hash == Trace.sample(EXCITED, 0).hash
    with pytest.raises(ValueError, match="needs as many rows of person, or none, got 3"):
        replace(weeks[0], person=np.zeros(3, dtype=np.int64))

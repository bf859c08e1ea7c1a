"""The closed forms against each other, a Poisson law and a Markov chain solved by linear algebra."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from mhgym.metrics.erlang import erlang_a, erlang_b, erlang_c

RATES = st.floats(0.05, 5.0)
SERVERS = st.integers(1, 12)
SOLVED = 1e-8  # double precision through a linear solve of some hundred states


def chain(arrival_rate, service_rate, patience_rate, num_servers, places):
    """Stationary law of the number in system, from the generator cut at `places` waiting callers."""
    size = num_servers + places + 1
    generator = np.zeros((size, size))
    for state in range(size):
        if state + 1 < size:
            generator[state, state + 1] = arrival_rate
        if state:
            waiting = max(0, state - num_servers)
            generator[state, state - 1] = min(state, num_servers) * service_rate + waiting * patience_rate
    generator -= np.diag(generator.sum(axis=1))
    generator[:, 0] = 1.0  # one balance equation is redundant: replace it by normalisation
    return np.linalg.solve(generator.T, np.eye(size)[0])


def asa_of(law, service_rate, patience_rate, num_servers):
    """Mean wait of the answered by first-step analysis of a tagged caller with `ahead` callers before them."""
    answered, wait = [], []
    full = num_servers * service_rate
    for ahead in range(len(law) - num_servers):
        total = full + (ahead + 1) * patience_rate
        up = (full + ahead * patience_rate) / total
        chance, minutes = (answered[-1], wait[-1]) if answered else (1.0, 0.0)
        answered.append(up * chance)
        wait.append(up * (minutes + chance / total))  # minutes waited, on the event of being answered
    late = law[num_servers:]
    return (late @ wait) / (law[:num_servers].sum() + late @ answered)


@settings(max_examples=60, deadline=None)
@given(RATES, RATES, st.floats(0.1, 5.0), SERVERS)
def test_erlang_a_solves_the_truncated_chain(arrival_rate, service_rate, patience_rate, num_servers):
    law = chain(arrival_rate, service_rate, patience_rate, num_servers, places=250)
    queue = law[num_servers:] @ np.arange(len(law) - num_servers)

    measures = erlang_a(arrival_rate, service_rate, patience_rate, num_servers)

    assert measures.p_wait == pytest.approx(law[num_servers:].sum(), abs=SOLVED)
    assert measures.mean_wait == pytest.approx(queue / arrival_rate, abs=SOLVED)
    assert measures.abandonment == pytest.approx(patience_rate * queue / arrival_rate, abs=SOLVED)
    assert measures.asa == pytest.approx(asa_of(law, service_rate, patience_rate, num_servers), abs=SOLVED)


@settings(deadline=None)
@given(RATES, RATES, st.floats(1.0, 5.0), SERVERS)  # with x at most 60, for beyond about 90 Palm's form overflows
def test_erlang_a_matches_palms_incomplete_gamma(arrival_rate, service_rate, patience_rate, num_servers):
    """A(x, y) = x e^y y^-x gamma(x, y) with x = n mu / theta, y = lambda / theta (Mandelbaum & Zeltyn 2007)."""
    x, y = num_servers * service_rate / patience_rate, arrival_rate / patience_rate
    palm = math.exp(math.log(x) + y - x * math.log(y) + special.gammaln(x)) * special.gammainc(x, y)
    loss = erlang_b(arrival_rate, service_rate, num_servers).blocking

    expected = palm * loss / (1 + (palm - 1) * loss)

    # the terms of the exponent reach some hundreds, which costs about three digits of double precision
    assert erlang_a(arrival_rate, service_rate, patience_rate, num_servers).p_wait == pytest.approx(expected, rel=1e-8)


@settings(deadline=None)
@given(RATES, RATES, SERVERS)
def test_when_patience_equals_service_the_number_present_is_poisson(arrival_rate, service_rate, num_servers):
    expected = stats.poisson(arrival_rate / service_rate).sf(num_servers - 1)

    assert erlang_a(arrival_rate, service_rate, service_rate, num_servers).p_wait == pytest.approx(expected, rel=1e-9)


@settings(deadline=None)
@given(st.floats(0.05, 0.95), RATES, SERVERS)
def test_erlang_a_tends_to_erlang_c_as_patience_grows(utilisation, service_rate, num_servers):
    arrival_rate = utilisation * service_rate * num_servers
    limit = erlang_c(arrival_rate, service_rate, num_servers)

    measures = erlang_a(arrival_rate, service_rate, 1e-9 * service_rate, num_servers)

    # the first-order error is theta x (queue scale 1 / (1 - rho)^2 = 400) / mu, some 1e-6 at the most
    assert measures.p_wait == pytest.approx(limit.p_wait, rel=1e-5)
    assert measures.mean_wait == pytest.approx(limit.mean_wait, rel=1e-5)
    assert measures.asa == pytest.approx(limit.asa, rel=1e-5)
    assert measures.abandonment == pytest.approx(0, abs=1e-6)


@settings(deadline=None)
@given(RATES, RATES, SERVERS)
def test_erlang_a_tends_to_erlang_b_as_patience_vanishes(arrival_rate, service_rate, num_servers):
    """Callers without patience are lost exactly when they would have to wait."""
    blocking = erlang_b(arrival_rate, service_rate, num_servers).blocking

    measures = erlang_a(arrival_rate, service_rate, 1e9, num_servers)

    assert measures.p_wait == pytest.approx(blocking, rel=1e-6)
    assert measures.abandonment == pytest.approx(blocking, rel=1e-6)


@settings(deadline=None)
@given(RATES, RATES, SERVERS)
def test_erlang_b_is_the_truncated_poisson_law(arrival_rate, service_rate, num_servers):
    poisson = stats.poisson(arrival_rate / service_rate)

    expected = poisson.pmf(num_servers) / poisson.cdf(num_servers)

    assert erlang_b(arrival_rate, service_rate, num_servers).blocking == pytest.approx(expected, rel=1e-9)


@settings(deadline=None)
@given(st.floats(0.01, 0.99))
def test_erlang_c_of_one_server_is_mm1(utilisation):
    measures = erlang_c(utilisation, 1.0, 1)

    assert measures.p_wait == pytest.approx(utilisation, rel=1e-9)
    assert measures.mean_wait == pytest.approx(utilisation / (1 - utilisation), rel=1e-9)


@settings(deadline=None)
@given(RATES, RATES, RATES, SERVERS)
def test_one_more_server_never_hurts(arrival_rate, service_rate, patience_rate, num_servers):
    fewer = erlang_a(arrival_rate, service_rate, patience_rate, num_servers)
    more = erlang_a(arrival_rate, service_rate, patience_rate, num_servers + 1)

    assert more.p_wait <= fewer.p_wait
    assert more.abandonment <= fewer.abandonment


def test_overload_with_very_patient_callers_stays_finite():
    """Twice the capacity: half of the callers must abandon, and all wait."""
    measures = erlang_a(arrival_rate=20.0, service_rate=0.1, patience_rate=1e-4, num_servers=100)

    assert measures.p_wait == pytest.approx(1.0)
    assert measures.abandonment == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: erlang_c(2.0, 1.0, 2), "stable only if .*got 2.0 and 2 "),
        (lambda: erlang_a(0.0, 1.0, 1.0, 2), "arrival_rate must be positive.*got 0.0"),
        (lambda: erlang_a(1.0, 1.0, math.inf, 2), "patience_rate must be positive and finite.*got inf"),
        (lambda: erlang_a(1.0, 1.0, 1e-18, 1), "patience_rate must keep the queue below"),
        (lambda: erlang_b(1.0, 1.0, 0), "num_servers must be at least 1, got 0"),
    ],
)
def test_errors_name_value_and_rule(call, message):
    with pytest.raises(ValueError, match=message):
        call()

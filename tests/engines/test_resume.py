"""A planner's future does not repeat what has happened in the present minute."""

import numpy as np
import pytest

from mhgym.domain import Counsellor, Role, Roster, Shift
from mhgym.engines import columns as col
from mhgym.engines.futures import Futures
from mhgym.engines.posterior import draw_futures
from mhgym.engines.simulator import Simulator
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.processes.markovian import ExponentialPopulation
from mhgym.processes.outcomes import OutcomeLaw
from mhgym.scenario import Rules, Scenario
from mhgym.testing import Witness
from mhgym.trace import Trace
from mhgym.view import Pair

EARLY = Shift(start=0.0, end=240.0, breaks=((60.0, 75.0),))
LATE = Shift(start=60.0, end=240.0)


def centre() -> Scenario:
    """One counsellor whose break is put off at minute 60, when two others sign in; callers wait for hours."""
    return Scenario(
        name="change of shift",
        roster=Roster(tuple(Counsellor(Role.VOLUNTEER, (shift,)) for shift in (EARLY, LATE, LATE))),
        arrivals=PoissonArrivals(HourlyRates((20.0,))),
        population=ExponentialPopulation(mean_service=300.0, mean_patience=1e6),
        outcomes=OutcomeLaw(),
        horizon=240.0,
        rules=Rules(on_break="postpone", on_sign_out="finish"),
    )


def at_the_change(seed: int) -> Witness:
    """The second epoch of minute 60: one of the two has taken somebody already."""
    witness = Witness(centre(), Trace.sample(centre(), seed))
    while witness.advance():
        view = witness.view()
        if view.now == 60.0 and view.staff.chats[1:].sum() == 1:
            return witness
        row, counsellor = np.argwhere(view.legal)[0]
        witness.decide(Pair(int(row), int(counsellor)))
    raise AssertionError("nobody waited at the change of shift")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_sign_in_and_a_break_of_this_minute_come_once(seed: int) -> None:
    witness = at_the_change(seed)
    view, scenario = witness.view(), witness.scenario
    assert view.staff.break_due[0] == 15.0
    drawn = draw_futures(view, scenario, np.random.default_rng(seed), 1)
    engine = Simulator.of(view, scenario, drawn, 0).start()
    futures = Futures(view, scenario, drawn)

    assert engine.advance()
    engine.hold()
    engine.advance()

    later = engine.view()
    assert later.now > 60.0
    np.testing.assert_array_equal(later.staff.chats, view.staff.chats)
    assert later.staff.break_due[0] in (0.0, 15.0)  # 0 once the break is taken
    row = futures.start.clock_i[0, col.NEXT_ROSTER]
    assert (futures.plan.timeline_f[row:, col.AT] > 60.0).all()

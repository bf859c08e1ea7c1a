"""Checks of one's own policy or scenario, which say in words what is wrong: nothing found is an empty list."""

import copy
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.reference import ReferenceEngine
from mhgym.evaluation.named_policies import NAME_RULE, fits_tables
from mhgym.policy import Policy, policy_rng
from mhgym.presets import make_scenario
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.scenario import Scenario
from mhgym.testing.redraw import assert_no_leak
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Pair


def policy_check(policy: Policy, scenario: Scenario | str = "EranHeavy", seeds: Sequence[int] = (0, 1, 2)) -> list[str]:
    """What a policy does that the protocol does not allow, or that would make its results depend on more than chance.

    Args:
        policy: Whose `reset` and `act` are called.
        scenario: The centre, or the name of a preset.
        seeds: Of the traces that it plays, each of them three times.

    Returns:
        A sentence for each thing found.
    """
    scenario = make_scenario(scenario) if isinstance(scenario, str) else scenario
    found = _check_shape(policy)
    if found:
        return found
    traces = [Trace.sample(scenario, seed) for seed in seeds]
    try:
        first, again = ([_play(policy, scenario, trace) for trace in traces] for _ in range(2))
        backwards = [_play(policy, scenario, trace) for trace in reversed(traces)][::-1]
    except _FoundError as error:
        return [str(error)]
    for trace, one, two, three in zip(traces, first, again, backwards, strict=True):
        if one.decisions != two.decisions:
            found.append(
                f"on trace {trace.seed} it decided otherwise when it played the same traces again; all of its "
                "randomness has to come from the generator that reset is given"
            )
        elif one.decisions != three.decisions:
            found.append(f"on trace {trace.seed} it decided otherwise after other traces; reset has to forget them")
    illegal, decisions = (sum(getattr(played, name) for played in first) for name in ("illegal", "number"))
    if illegal:
        found.append(f"{illegal} of {decisions} decisions were illegal, and counted as HOLD; ask view.legal[row, j]")
    try:
        pickle.dumps(policy)
    except Exception as error:
        found.append(f"it cannot be sent to another process ({error}), so a comparison would have to run in one")
    return list(dict.fromkeys(found))


def scenario_check(scenario: Scenario | str, seeds: Sequence[int] = (0, 1)) -> list[str]:
    """What of a scenario would make its results wrong, or other in one engine than in the other.

    Args:
        scenario: The centre, or the name of a preset, whose overrides are then looked at, too.
        seeds: Of the traces that are played, by whoever waits longest and the first who may serve them.

    Returns:
        A sentence for each thing found.
    """
    found = []
    if isinstance(scenario, str):
        found += _check_overrides(scenario)
        scenario = make_scenario(scenario)
    try:
        traces = [Trace.sample(scenario, seed) for seed in seeds]
    except Exception as error:
        return [*found, f"a trace cannot be drawn, a law raised {type(error).__name__}: {error}"]
    if not any(trace.offered for trace in traces):
        found.append(f"nobody arrives in {len(traces)} traces; look at the arrivals and the horizon")
    for trace in traces:
        if Trace.sample(scenario, trace.seed).hash != trace.hash:
            found.append(f"trace {trace.seed} comes out otherwise when drawn again; a law has randomness of its own")
        logs = []
        for engine in (ReferenceEngine(scenario), CompiledEngine(scenario)):
            engine.reset(trace)
            while engine.advance():
                engine.assign(*_first_pair(engine.view()))
            logs.append(engine.log())
        different = [part.name for part in fields(logs[0]) if not _equal(*(getattr(log, part.name) for log in logs))]
        if different:
            found.append(f"on trace {trace.seed} the engines differ in {', '.join(different)}; please report it")
    if scenario.leaks:
        found.append("its views show which of the waiting have left (queue_discipline 'paper'); no result stands on it")
    else:
        try:
            assert_no_leak(scenario, _FirstPair(), seeds[0], every=10, redraws=1)
        except AssertionError as error:
            found.append(f"views tell what nobody can know: {error}")
    try:
        pickle.dumps(scenario)
    except Exception as error:
        found.append(f"it cannot be sent to another process ({error}); use classes and functions of a module")
    return list(dict.fromkeys(found))


def _check_overrides(name: str) -> list[str]:
    """Overrides of a preset that change nothing and are not refused."""
    plain = make_scenario(name)
    law = PoissonArrivals(HourlyRates((1.0,)))
    tries = {
        "flow": (3.0, 5.0),
        "staffing": (1, 3),
        "horizon": (plain.horizon / 2, plain.horizon * 2),
        "arrivals": (law,),
        "newcomers": (0, 1),
    }
    ignored = [key for key, values in tries.items() if all(_ignores(name, plain, key, value) for value in values)]
    if not ignored:
        return []
    return [f"{name} ignores {', '.join(ignored)}; read it in _build, or name it in refused (mhgym.presets.Preset)"]


def _ignores(name: str, plain: Scenario, key: str, value: Any) -> bool:
    try:
        return repr(make_scenario(name, **{key: value})) == repr(plain)
    except (ValueError, TypeError):
        return False


class _FoundError(Exception):
    """Something that ends a check."""


@dataclass(frozen=True)
class _Played:
    decisions: list[Pair]
    illegal: int

    @property
    def number(self) -> int:
        return len(self.decisions)


class _FirstPair:
    name = "first pair"

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        pass

    def act(self, view: CentreView) -> Pair:
        return _first_pair(view)


def _first_pair(view: CentreView) -> Pair:
    row, counsellor = np.argwhere(view.legal)[0]
    return Pair(int(row), int(counsellor))


def _check_shape(policy: Any) -> list[str]:
    found = [f"it has no {name}" for name in ("reset", "act") if not callable(getattr(policy, name, None))]
    name = getattr(policy, "name", None)
    if not fits_tables(name):
        found.append(f"its name is {name!r:.90}; {NAME_RULE}")
    return found


def _play(policy: Policy, scenario: Scenario, trace: Trace) -> _Played:
    engine = CompiledEngine(scenario)
    engine.reset(trace)
    _call(f"reset for {scenario.name}", lambda: policy.reset(scenario.public, policy_rng(trace.hash, policy.name)))
    decisions: list[Pair] = []
    illegal = 0
    while engine.advance():
        view = engine.view()
        kept = copy.deepcopy(view)
        where = f"act, trace {trace.seed}, minute {view.now:.1f}"
        pair = _read(_call(where, lambda view=view: policy.act(view)), where)
        if not _equal(view, kept):
            raise _FoundError(f"{where}: it wrote into the view; copy an array before changing it")
        decisions.append(pair)
        if pair == HOLD or not engine.assign(*pair):
            illegal += pair != HOLD
            engine.hold()
    return _Played(decisions, illegal)


def _call(where: str, function: Any) -> Any:
    try:
        return function()
    except Exception as error:
        raise _FoundError(f"{where}: {type(error).__name__}: {error}") from error


def _read(answer: Any, where: str) -> Pair:
    try:
        row, counsellor = answer
        if not all(isinstance(number, int | np.integer) for number in (row, counsellor)):
            raise TypeError
        return Pair(int(row), int(counsellor))
    except (TypeError, ValueError):
        words = f"it answered {answer!r}; a row of the queue and a counsellor, or HOLD, is needed"
        raise _FoundError(f"{where}: {words}") from None


def _equal(one: Any, other: Any) -> bool:
    """Whether two things of the same kind hold the same, array by array."""
    if is_dataclass(one):
        return all(_equal(getattr(one, part.name), getattr(other, part.name)) for part in fields(one))
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
    return bool(one == other)

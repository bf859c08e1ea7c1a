"""The leak test: views must stay the same when everything that is not yet manifest is drawn anew.

A `Witness` runs an episode and notes what its views made manifest. `redraw_hidden` gives a second trace that agrees
with the first in all that is manifest at a decision epoch and in nothing else; the same decisions on that trace must
lead to the same view, field by field. Whatever differs would have told a policy something that nobody can know.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mhgym.engines.protocol import Engine
from mhgym.engines.reference import ReferenceEngine
from mhgym.policy import Policy, policy_rng
from mhgym.processes import draws
from mhgym.processes.population import Callers
from mhgym.scenario import Scenario
from mhgym.testing.hidden import LEAST_REST, WIDEST_REST, noise_behind, redraw_service, set_service
from mhgym.testing.redraw_inboxes import redraw_with_inboxes
from mhgym.trace import Trace
from mhgym.view import HOLD, CentreView, Pair, Phase

Floats = NDArray[np.float64]

EngineFactory = Callable[[Scenario], Engine]

#: The noise behind a fixed predicted remaining time is solved for, so these fields agree up to rounding only, minutes.
_SOLVED = {"in_hand.remaining", "waiting.remaining", "service_time"}
_SOLVED_TOLERANCE = 1e-9


class Answer(NamedTuple):
    """A contact was given to a counsellor, after so many minutes in the queue; `chats` as the view showed them."""

    counsellor: int
    chats: int
    joined_at: float
    at: float


class Witness:
    """An episode under way, with what its decisions made manifest.

    Args:
        scenario: The centre.
        trace: The episode.
        engine: Makes the engine that is to be tested.
    """

    def __init__(self, scenario: Scenario, trace: Trace, engine: EngineFactory = ReferenceEngine) -> None:
        self.scenario = scenario
        self.trace = trace
        self.decisions: list[Pair] = []
        self.answers: dict[int, list[Answer]] = defaultdict(list)
        self._engine = engine(scenario)
        self._engine.reset(trace)

    def advance(self) -> bool:
        """Run to the next decision epoch; False when the episode is over."""
        return self._engine.advance()

    def view(self) -> CentreView:
        """What the engine shows at this epoch."""
        return self._engine.view()

    def decide(self, pair: Pair) -> None:
        """Take a decision and note it; an illegal one is a HOLD."""
        view = self.view()
        if pair != HOLD and self._engine.assign(*pair):
            answer = Answer(
                pair.counsellor,
                int(view.staff.chats[pair.counsellor]),
                float(view.waiting.joined_at[pair.row]),
                view.now,
            )
            self.answers[int(view.waiting.contact[pair.row])].append(answer)
        else:
            pair = HOLD
            self._engine.hold()
        self.decisions.append(pair)


def redraw_hidden(witness: Witness, rng: np.random.Generator) -> Trace:
    """A trace that shows the same at the witness's epoch and differs in all that is hidden there.

    Drawn anew are future arrivals and their callers; the patience of those waiting, longer than the wait so far where
    the system sees departures and free where it does not; all errors of contacts not yet served, and all feedback; the
    rest of every contact in service, with its noise solved so that the predicted remaining time stays.

    What is manifest stays: arrivals so far, predictions, ends of service that have happened, departures that were seen.
    Kept too is the rest of a contact in its second leg of service if there is a remaining-time model, since its two
    predictions leave no freedom.

    Args:
        witness: At a decision epoch.
        rng: Randomness of the test.
    """
    scenario, trace, view = witness.scenario, witness.trace, witness.view()
    past = len(view.arrivals)
    values = trace.values[:past].copy()
    keys = trace.keys[:past].copy()
    fresh = _fresh_values(witness, past, rng)
    values[:, draws.FEEDBACK_SHIFT] = fresh[:, draws.FEEDBACK_SHIFT]
    latent = None
    if scenario.inboxes:
        latent = redraw_with_inboxes(scenario, trace, view, values, keys, fresh, rng)
    else:
        unserved = np.array([not witness.answers.get(contact) for contact in range(past)], dtype=np.bool_)
        redraw_service(np.flatnonzero(unserved), values, keys, fresh, rng)
        _redraw_patience(witness, view, values, fresh, rng)
        _redraw_rests(witness, view, values, keys, rng)
    arrivals = scenario.arrivals.resample(view.arrivals, view.now, scenario.horizon, rng)
    future = scenario.population.sample(len(arrivals), rng)
    known = Callers(
        trace.accepted[:past],
        trace.caller_type[:past],
        trace.risk[:past],
        trace.attributes[:past],
        values,
        keys,
    )
    joined = (np.concatenate([getattr(known, item.name), getattr(future, item.name)]) for item in fields(Callers))
    staff, arrived_at = trace.staff.copy(), np.concatenate([trace.arrived_at[:past], arrivals])
    if scenario.profile_size:
        staff[:, draws.UNKNOWN_EFFECT] = staff[:, draws.UNKNOWN_SD] * rng.standard_normal(len(staff))
    return Trace.compose(scenario, arrived_at, Callers(*joined), staff, known=latent)


def _fresh_values(witness: Witness, past: int, rng: np.random.Generator) -> Floats:
    """New hidden numbers for the contacts that have arrived."""
    trace = witness.trace
    return witness.scenario.population.draw_values(
        trace.caller_type[:past], trace.risk[:past], trace.attributes[:past], rng
    )


def _redraw_patience(
    witness: Witness, view: CentreView, values: Floats, fresh: Floats, rng: np.random.Generator
) -> None:
    """New patience of those in the queue, of open zombies and of contacts in service, within what is manifest."""
    kept = witness.scenario.rules.zombies == "kept"
    for contact, wait in zip(view.waiting.contact.tolist(), view.wait.tolist(), strict=True):
        outlasted = _longest_answered_wait(witness.answers[contact])
        least = outlasted if kept else max(outlasted, wait)
        values[contact, draws.PATIENCE] = least + fresh[contact, draws.PATIENCE]
    for contact, phase in zip(view.in_hand.contact.tolist(), view.in_hand.phase.tolist(), strict=True):
        answers = witness.answers[contact]
        if phase == Phase.ZOMBIE:
            least = _longest_answered_wait(answers[:-1])
            longest = answers[-1].at - answers[-1].joined_at
            values[contact, draws.PATIENCE] = least + (longest - least) * rng.random()
        else:
            values[contact, draws.PATIENCE] = _longest_answered_wait(answers) + fresh[contact, draws.PATIENCE]


def _longest_answered_wait(answers: list[Answer]) -> float:
    return max((answer.at - answer.joined_at for answer in answers), default=0.0)


def _redraw_rests(
    witness: Witness, view: CentreView, values: Floats, keys: NDArray[np.uint64], rng: np.random.Generator
) -> None:
    """New service times of contacts in service and of transferred ones that wait."""
    has_model = bool(witness.scenario.remaining.knots)
    held, queue = view.in_hand, view.waiting
    for k in np.flatnonzero(held.phase == Phase.SERVICE):
        contact = int(held.contact[k])
        if not (has_model and len(witness.answers[contact]) > 1):
            _redraw_rest(witness, contact, view.now, float(held.remaining[k]), values, keys, rng)
    for row in np.flatnonzero(queue.transferred):
        interrupted_at, predicted = float(queue.joined_at[row]), float(queue.remaining[row])
        _redraw_rest(witness, int(queue.contact[row]), interrupted_at, predicted, values, keys, rng)


def _redraw_rest(
    witness: Witness,
    contact: int,
    until: float,
    predicted: float,
    values: Floats,
    keys: NDArray[np.uint64],
    rng: np.random.Generator,
) -> None:
    """A new service time beyond what was served by `until`, behind the same prediction of what remains then."""
    answers = witness.answers[contact]
    law = witness.scenario.outcomes
    ends = [*(later.joined_at for later in answers[1:]), until]
    served = sum(end - answer.at for answer, end in zip(answers, ends, strict=True))
    least = max(law.service_min, served + LEAST_REST)
    longest = min(law.service_max, served + WIDEST_REST)
    if longest <= least:
        return
    total = least + (longest - least) * rng.random()
    noise = noise_behind(witness.scenario, predicted, total - served, rng)
    if noise is not None:
        counsellor, chats = answers[0].counsellor, answers[0].chats
        minutes = witness.trace.predict_pair(contact, counsellor, chats)[1]
        set_service(witness.scenario, witness.trace.staff, contact, counsellor, minutes, total, values, keys, rng)
        values[contact, draws.REMAINING_NOISE] = noise


def replay_view(
    scenario: Scenario, trace: Trace, decisions: list[Pair], engine: EngineFactory = ReferenceEngine
) -> CentreView:
    """The view to which decisions lead on a trace.

    Raises:
        AssertionError: If the episode ends before, or a decision that was legal is not.
    """
    witness = Witness(scenario, trace, engine)
    for number, pair in enumerate(decisions):
        if not witness.advance():
            raise AssertionError(
                f"the number of decision epochs gives hidden truth away: over after {number} decisions"
            )
        witness.decide(pair)
        if witness.decisions[-1] != pair:
            raise AssertionError(f"the legality of decision {number} {pair} gives hidden truth away")
    if not witness.advance():
        raise AssertionError(
            f"the number of decision epochs gives hidden truth away: over after {len(decisions)} decisions"
        )
    return witness.view()


def assert_views_equal(expected: Any, actual: Any, path: str = "") -> None:
    """Compare two views field by field, types and shapes included.

    Args:
        expected: A view, or a part of one.
        actual: The other.
        path: Name of the part.

    Raises:
        AssertionError: Naming the first field that differs.
    """
    if type(expected) is not type(actual):
        raise AssertionError(f"view field {path!r} differs: {type(expected).__name__} and {type(actual).__name__}")
    if is_dataclass(expected):
        for item in fields(expected):
            name = f"{path}.{item.name}" if path else item.name
            assert_views_equal(getattr(expected, item.name), getattr(actual, item.name), name)
    elif isinstance(expected, np.ndarray):
        if expected.dtype != actual.dtype or expected.shape != actual.shape:
            raise AssertionError(
                f"view field {path!r} differs: {expected.dtype}{expected.shape} and {actual.dtype}{actual.shape}"
            )
        if path in _SOLVED:
            same = np.allclose(expected, actual, rtol=0.0, atol=_SOLVED_TOLERANCE, equal_nan=True)
        else:
            same = np.array_equal(expected, actual, equal_nan=expected.dtype.kind == "f")
        if not same:
            raise AssertionError(f"view field {path!r} differs: {expected} and {actual}")
    elif expected != actual:
        raise AssertionError(f"view field {path!r} differs: {expected} and {actual}")


@dataclass(frozen=True)
class LeakCheck:
    """What a leak test covered, so that a test can require that it was not idle.

    Attributes:
        epochs: Decision epochs at which hidden things were redrawn.
        waiting: Waiting contacts over these epochs.
        in_service: Contacts in service over these epochs.
        bridged: Contacts whose wait was being bridged.
        transferred: Transferred contacts that waited.
        future: Arrivals of the true trace that lay ahead.
    """

    epochs: int = 0
    waiting: int = 0
    in_service: int = 0
    bridged: int = 0
    transferred: int = 0
    future: int = 0

    def plus(self, witness: Witness, view: CentreView) -> "LeakCheck":
        """This and one more epoch."""
        return LeakCheck(
            self.epochs + 1,
            self.waiting + len(view.waiting),
            self.in_service + int((view.in_hand.phase == Phase.SERVICE).sum()),
            self.bridged + int((view.in_hand.phase == Phase.BRIDGE).sum()),
            self.transferred + int(view.waiting.transferred.sum()),
            self.future + len(witness.trace) - len(view.arrivals),
        )


def assert_no_leak(
    scenario: Scenario,
    policy: Policy,
    seed: int,
    *,
    every: int = 1,
    redraws: int = 2,
    engine: EngineFactory = ReferenceEngine,
) -> LeakCheck:
    """Redraw what is hidden at epochs of one episode, and require the same view.

    Args:
        scenario: The centre.
        policy: Leads through the episode.
        seed: Of the trace.
        every: Epochs from one that is checked to the next; each check replays the episode.
        redraws: Second traces for each of them.
        engine: Makes the engine under test.

    Returns:
        What was covered.

    Raises:
        AssertionError: Naming the minute and the field of the view that gives hidden truth away.
    """
    trace = Trace.sample(scenario, seed)
    witness = Witness(scenario, trace, engine)
    rng = np.random.default_rng([seed, 0xFEED])
    policy.reset(scenario.public, policy_rng(trace.hash, policy.name))
    done = LeakCheck()
    while witness.advance():
        view = witness.view()
        if len(witness.decisions) % every == 0:
            for _ in range(redraws):
                other = redraw_hidden(witness, rng)
                try:
                    assert_views_equal(view, replay_view(scenario, other, witness.decisions, engine))
                except AssertionError as error:
                    raise AssertionError(f"{scenario.name}, seed {seed}, minute {view.now}: {error}") from error
            done = done.plus(witness, view)
        witness.decide(policy.act(view))
    return done

"""How the reward of a centre is divided among its counsellors.

The centre's reward vector of a step is R: quality, quantity, burden and fairness, see `mdp.reward`.

- `shared`: every counsellor gets R.
- `own`: quality and quantity go to the counsellor whose answered contacts they are, and a contact that is sent back to
  the queue is taken from who had it. Burden, a mean over counsellors, and fairness are the centre's; everyone gets the
  same part of them. What all get adds up to R in every step.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import Outcome
from mhgym.engines import columns as col
from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.protocol import Engine
from mhgym.envs.core import RoutingCore
from mhgym.presets.base import suggest

Floats = NDArray[np.float64]


class Division(Protocol):
    """Divides what a centre is paid."""

    def begin(self, core: RoutingCore) -> None:
        """An episode begins."""
        ...

    def divide(self, reward: Floats, core: RoutingCore) -> Floats:
        """`[C, 4]` what every counsellor gets of the `[4]` that the last step paid; absent counsellors get 0."""
        ...


class Shared:
    """Every counsellor gets all of it."""

    def begin(self, core: RoutingCore) -> None:
        """Nothing to prepare."""

    def divide(self, reward: Floats, core: RoutingCore) -> Floats:
        """`[C, 4]` the reward, once for each counsellor."""
        parts = np.zeros((core.actions.num_counsellors, 4))
        parts[: len(core.scenario.roster)] = reward
        return parts


class Own:
    """Everyone gets what their own answers bring, and the same part of the rest."""

    def begin(self, core: RoutingCore) -> None:
        """Nobody has answered anybody."""
        assert core.trace is not None
        self._offered = max(1, core.trace.offered)
        self._credited = np.zeros((core.actions.num_counsellors, 2))

    def divide(self, reward: Floats, core: RoutingCore) -> Floats:
        """`[C, 4]` parts that add up to the reward."""
        now = credited(core.centre.engine, len(self._credited))
        parts = np.zeros((len(now), 4))
        parts[:, :2] = (now - self._credited) / self._offered
        parts[: len(core.scenario.roster), 2:] = reward[2:] / len(core.scenario.roster)
        self._credited = now
        return parts


def credited(engine: Engine, num_counsellors: int) -> Floats:
    """`[C, 2]` feedback and number of the contacts that count as answered by each counsellor now.

    Raises:
        TypeError: If the engine keeps no book of its contacts.
    """
    outcome, finisher, feedback = _contacts(engine)
    answered = outcome == Outcome.ANSWERED
    finisher = finisher[answered]
    columns = [np.bincount(finisher, weights, num_counsellors) for weights in (feedback[answered], None)]
    return np.stack(columns, axis=1)


def _contacts(engine: Engine) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """`[n]` outcome so far, who answered, and feedback of every contact."""
    if isinstance(engine, CompiledEngine):
        size = len(engine.trace)
        contact_i, contact_f = engine.state.contact_i[0, :size], engine.state.contact_f[0, :size]
        return contact_i[:, col.OUTCOME], contact_i[:, col.FINISHER], contact_f[:, col.FEEDBACK]
    book: Any = getattr(engine, "book", None)
    if book is None:
        raise TypeError(f"reward='own' needs an engine with a book of contacts, {type(engine).__name__} has none")
    outcome, finisher = np.array(book.outcome, dtype=np.int64), np.array(book.finisher, dtype=np.int64)
    return outcome, finisher, np.array(book.feedback, dtype=np.float64)


_DIVISIONS: dict[str, type[Shared] | type[Own]] = {"shared": Shared, "own": Own}


def make_division(name: str) -> Division:
    """A division by name.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in _DIVISIONS:
        raise ValueError(f"unknown reward {name!r}{suggest(name, list(_DIVISIONS))}")
    return _DIVISIONS[name]()

"""A trace: all chance of one episode, drawn before the first decision and independent of any policy."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mhgym.processes import draws
from mhgym.processes.arrivals import HawkesArrivals, first_ancestors
from mhgym.processes.population import Callers, Population
from mhgym.scenario import Scenario

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STREAMS = ("arrivals", "callers", "staff", "returns")
_ROWS = ("accepted", "caller_type", "risk", "attributes", "values", "keys")  # one row for each contact
_ARRAYS = ("arrived_at", *_ROWS, "staff", "law", "known")


def stream(seed: int, purpose: str) -> np.random.Generator:
    """The generator of one purpose of one episode; different purposes never share draws."""
    if seed < 0:
        raise ValueError(f"a trace seed must be at least 0, got {seed}")
    return np.random.default_rng(np.random.SeedSequence([seed, _STREAMS.index(purpose)]))


def _no_known(num_counsellors: int) -> Floats:
    return np.empty((0, num_counsellors, 2))


def _call_again(callers: Callers, person: Ints, population: Population, rng: np.random.Generator) -> Callers:
    """Let contacts be those of the persons given: one type, risk and attributes, every time another mood.

    Families do not depend on who founds them, so that one contact by itself has the population's law as before.
    """
    caller_type, risk, attributes = callers.caller_type[person], callers.risk[person], callers.attributes[person]
    again = population.draw_values(caller_type, risk, attributes, rng)
    first = (person == np.arange(len(person)))[:, None]
    values = np.where(first, callers.values, again)
    return replace(callers, caller_type=caller_type, risk=risk, attributes=attributes, values=values)


@dataclass(frozen=True)
class Trace:
    """The realised chance of one episode with `n` contacts and `C` counsellors. Arrays are read-only.

    Attributes:
        arrived_at: `[n]` arrival minutes, increasing.
        accepted: `[n]` whether the terms of service were accepted.
        caller_type: `[n]` codes of `CallerType`.
        risk: `[n]` codes of `Risk`.
        attributes: `[n, 3]` codes; the population's `attributes` names the columns.
        values: `[n, 8 + d]` hidden and predicted numbers of callers, columns in `processes.draws`.
        keys: `[n, 2]` keys of the pair's draws: predictions, errors.
        staff: `[C, 5]` effects of counsellors, columns in `processes.draws`; `[C, 9 + d]` with profiles of d entries.
        law: `[12]` packed outcome law.
        known: `[k, C, 2]` latent predictions of the first `k` callers where a planner knows nothing else; empty in a
            trace drawn from a scenario.
        seed: What it was drawn from; -1 if composed by hand.
        person: `[n]` who calls: the row of the same person's first contact; empty where nobody calls again. Views do
            not show it, only that type, risk and attributes are those of the person.
    """

    arrived_at: Floats
    accepted: NDArray[np.bool_]
    caller_type: Ints
    risk: Ints
    attributes: Ints
    values: Floats
    keys: NDArray[np.uint64]
    staff: Floats
    law: Floats
    known: Floats
    seed: int = -1
    person: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    _hash: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        size, num_counsellors = len(self.arrived_at), len(self.staff)
        if (self.arrived_at[1:] < self.arrived_at[:-1]).any():
            raise ValueError("arrival times of a trace must not decrease")
        for name in _ROWS:
            if (rows := len(getattr(self, name))) != size:
                raise ValueError(f"a trace of {size} contacts needs {size} rows of {name}, got {rows}")
        if len(self.person) not in (0, size):
            raise ValueError(
                f"a trace of {size} contacts needs as many rows of person, or none, got {len(self.person)}"
            )
        if self.known.shape[1:] != (num_counsellors, 2):
            raise ValueError(f"known must have shape (k, {num_counsellors}, 2), got {self.known.shape}")
        for name in (*_ARRAYS, "person"):
            getattr(self, name).setflags(write=False)

    @classmethod
    def sample(cls, scenario: Scenario, seed: int) -> Self:
        """Draw the episode that a seed stands for; offspring of self-exciting arrivals are the same person again."""
        law, person = scenario.arrivals, np.empty(0, dtype=np.int64)
        if isinstance(law, HawkesArrivals):
            arrived_at, parents = law.sample_with_parents(scenario.horizon, stream(seed, "arrivals"))
            person = first_ancestors(parents)
        else:
            arrived_at = law.sample(scenario.horizon, stream(seed, "arrivals"))
        callers = scenario.population.sample(len(arrived_at), stream(seed, "callers"))
        if len(person):
            callers = _call_again(callers, person, scenario.population, stream(seed, "returns"))
        staff = scenario.staff.sample(scenario.roster, stream(seed, "staff"))
        return cls.compose(scenario, arrived_at, callers, staff, seed=seed, person=person)

    @classmethod
    def compose(
        cls,
        scenario: Scenario,
        arrived_at: Floats,
        callers: Callers,
        staff: Floats,
        *,
        known: Floats | None = None,
        seed: int = -1,
        person: Ints | None = None,
    ) -> Self:
        """Put a trace together from its parts."""
        return cls(
            arrived_at=arrived_at,
            accepted=callers.accepted,
            caller_type=callers.caller_type,
            risk=callers.risk,
            attributes=callers.attributes,
            values=callers.values,
            keys=callers.keys,
            staff=staff,
            law=scenario.outcomes.packed(),
            known=_no_known(len(staff)) if known is None else known,
            seed=seed,
            person=np.empty(0, dtype=np.int64) if person is None else person,
        )

    def __len__(self) -> int:
        return len(self.arrived_at)

    @property
    def offered(self) -> int:
        """N: contacts that accepted the terms. Known to the environment, never to a view."""
        return int(self.accepted.sum())

    @property
    def first_contacts(self) -> NDArray[np.bool_]:
        """`[n]` whether a contact is its person's first of the episode; without the others the base rate is left."""
        if not len(self.person):
            return np.ones(len(self), dtype=np.bool_)
        first: NDArray[np.bool_] = self.person == np.arange(len(self))
        return first

    @property
    def hash(self) -> str:
        """16 hexadecimal digits that name all chance of this episode."""
        if not self._hash:
            digest = hashlib.blake2b(digest_size=8)
            for name in (*_ARRAYS, *(("person",) if len(self.person) else ())):
                value = getattr(self, name)
                digest.update(f"{name}{value.dtype}{value.shape}".encode())
                digest.update(np.ascontiguousarray(value).tobytes())
            self._hash.append(digest.hexdigest())
        return self._hash[0]

    def bridge_minutes(self, mean: float, contact: int, counsellor: int, number: int) -> float:
        """Minutes for which a counsellor bridges a contact's wait for the `number`-th time, counted from 0."""
        return float(draws.bridge_minutes(mean, self.keys, contact, counsellor, number))

    def patience(self, contact: int) -> float:
        """Minutes that a caller would wait, in the first queue and again after each transfer."""
        return float(self.values[contact, draws.PATIENCE])

    def realise(self, contact: int, counsellor: int, chats: int, taken: int = 0) -> tuple[float, float]:
        """What truly happens to a pair: feedback scaled to [0, 1], minutes of service.

        Args:
            contact: Row of the contact.
            counsellor: Index of the counsellor.
            chats: Contacts that the counsellor has answered since sign-in.
            taken: And in all.
        """
        feedback, minutes = draws.realise_pair(
            self.law, self.values, self.keys, self.staff, self.known, contact, counsellor, chats, taken
        )
        return (float(feedback) - 1.0) / 4.0, float(minutes)

    def predict_pair(self, contact: int, counsellor: int, chats: int, taken: int = 0) -> tuple[float, float]:
        """What the models predict for a pair: feedback scaled to [0, 1], minutes of service; see `realise`."""
        feedback, minutes = draws.predict_pair(
            self.law, self.values, self.keys, self.staff, self.known, contact, counsellor, chats, taken
        )
        return (float(feedback) - 1.0) / 4.0, float(minutes)

    def predict(self, contacts: Ints, chats: Ints, taken: Ints | None = None) -> tuple[Floats, Floats]:
        """What the models predict: feedback scaled to [0, 1] and minutes of service, each `[len(contacts), C]`."""
        taken = np.zeros_like(chats) if taken is None else taken
        feedback, minutes = draws.predict_pairs(
            self.law, self.values, self.keys, self.staff, self.known, contacts, chats, taken
        )
        return (feedback - 1.0) / 4.0, minutes

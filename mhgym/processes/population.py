"""Who calls and who answers: the protocols, and the columns that a sample has."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import Roster
from mhgym.processes import draws

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Callers:
    """A sample of `n` callers.

    Attributes:
        accepted: `[n]` whether they accept the terms of service.
        caller_type: `[n]` codes of `CallerType`.
        risk: `[n]` codes of `Risk`.
        attributes: `[n, 3]` codes of what policies see; -1 where a centre does not know one. A population that knows
            any names the columns in `attributes`.
        values: `[n, 8 + d]` columns of `processes.draws`: means, shifts, patience in minutes, noise, profile.
        keys: `[n, 2]` keys of the pair's draws: predictions, errors.
    """

    accepted: NDArray[np.bool_]
    caller_type: Ints
    risk: Ints
    attributes: Ints
    values: Floats
    keys: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.accepted)


class Population(Protocol):
    """The law of callers."""

    def sample(self, size: int, rng: np.random.Generator) -> Callers:
        """Draw `size` callers, independent of one another and of any decision."""
        ...

    def draw_values(self, caller_type: Ints, risk: Ints, attributes: Ints, rng: np.random.Generator) -> Floats:
        """`[n, 8 + d]` predicted and hidden numbers of callers given what is known of them, see `processes.draws`."""
        ...

    def resample_service(
        self, predicted: Floats, elapsed: Floats, caller_type: Ints, risk: Ints, rng: np.random.Generator
    ) -> Floats:
        """Draw total service minutes of contacts `[k]` in service, given that each is longer than `elapsed`.

        Args:
            predicted: `[..., k]` predicted service minutes at the answer.
            elapsed: `[..., k]` minutes in service so far.
            caller_type: `[..., k]` codes.
            risk: `[..., k]` codes.
            rng: Randomness of the planner.
        """
        ...

    def resample_patience(self, mean: Floats, waited: Floats, rng: np.random.Generator) -> Floats:
        """Draw patience `[..., n]` in minutes of contacts given that each is longer than the wait so far.

        Args:
            mean: `[..., n]` predicted patience, minutes.
            waited: `[..., n]` minutes waited since the contact joined the queue.
            rng: Randomness of the planner.
        """
        ...


class StaffLaw(Protocol):
    """The law of what differs between counsellors and is drawn anew for every episode.

    One that gives people profiles says of how many entries in `profile_size`.
    """

    def sample(self, roster: Roster, rng: np.random.Generator) -> Floats:
        """`[C, 5]` rows of `processes.draws`: effects on feedback and minutes, senior, age, message ratio.

        With profiles `[C, 9 + d]`.
        """
        ...


@dataclass(frozen=True)
class UniformStaff:
    """Counsellors who do not differ."""

    def sample(self, roster: Roster, rng: np.random.Generator) -> Floats:
        """`[C, 5]` zeros."""
        del rng
        return np.zeros((len(roster), draws.NUM_STAFF_VALUES))


def exponential_patience(mean: Floats, rng: np.random.Generator, waited: Floats | float = 0.0) -> Floats:
    """Patience `[..., n]` in minutes with the given means, beyond the minutes waited; what is left is memoryless."""
    patience: Floats = waited + mean * rng.standard_exponential(mean.shape)
    return patience


def normal_service(
    predicted: Floats, elapsed: Floats, error_sd: float, least: float, longest: float, rng: np.random.Generator
) -> Floats:
    """Total service minutes `[..., k]`: the prediction plus a normal error, beyond the time elapsed and clipped."""
    from scipy.special import ndtr, ndtri  # here, since importing it takes longer than the first steps

    # Every total is at least `least`, so a shorter time elapsed says nothing.
    told = elapsed >= least
    below = np.where(told, ndtr((elapsed - predicted) / error_sd), 0.0)
    share = below + (1.0 - below) * rng.random(elapsed.shape)
    total = predicted + error_sd * ndtri(np.minimum(share, 1.0 - 1e-12))
    clipped: Floats = np.clip(total, np.maximum(least, elapsed), np.maximum(longest, elapsed))
    return clipped


def new_keys(size: int, rng: np.random.Generator) -> NDArray[np.uint64]:
    """`[size, 2]` keys of pair draws."""
    return rng.integers(0, 2**64, size=(size, 2), dtype=np.uint64)

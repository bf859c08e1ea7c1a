"""The cheapest roster of Open Up that keeps a pledge: a budgeted local search, every roster on the same callers.

From a roster that may fail, posts are added one by one, the one first that closes most of the gap for its cost. From a
roster that keeps the pledge, cheaper ones are tried that differ by at most three posts. Which of them to try is guessed
from the effects of single posts, taken to add up; whether one keeps the pledge is always measured.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, product

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from experiments.studies.open_up_play import Measures, Rosters, Staffing
from mhgym.presets.open_up_roster import ROLE_NAMES, SHIFTS

Floats = NDArray[np.float64]
Post = tuple[str, str]  # shift, role

POSTS: tuple[Post, ...] = tuple(product(SHIFTS, ROLE_NAMES))
_NEAR = 0.01  # a guessed shortfall at which a roster is still worth trying
_TRIES = 60  # rosters tried from one before the search ends


@dataclass(frozen=True)
class Pledge:
    """What a roster has to achieve.

    Attributes:
        answered: Share of the contacts that accepted the terms to be answered within the pledged minutes, in the mean
            over traces and surely so (one-sided 95 %), since the best of many rosters look better than they are.
        line: Share of the time with at most one living contact in line, in every hour of the day, in the mean over
            traces; None for no such pledge.
    """

    answered: float = 0.85
    line: float | None = 0.85

    def __post_init__(self) -> None:
        for name, value in (("answered", self.answered), ("line", self.line)):
            if value is not None and not 0 < value <= 1:
                raise ValueError(f"the pledge {name} must be a share in (0, 1], got {value}")

    def figures(self, measures: Measures) -> Floats:
        """`[25]` the share surely answered in time, then the share of each hour with more than one in line."""
        answered = measures.service_level
        error = answered.std(ddof=1) / len(answered) ** 0.5
        surely = answered.mean() - stats.t.ppf(0.95, len(answered) - 1) * error
        return np.concatenate([[surely], measures.crowded.mean(axis=0)])

    def shortfall(self, figures: Floats) -> float:
        """How far figures are from the pledge: 0 if it is kept."""
        missing = max(0.0, self.answered - float(figures[0]))
        if self.line is None:
            return missing
        return missing + float(np.maximum(0.0, figures[1:] - (1.0 - self.line)).mean())


@dataclass(frozen=True)
class Candidate:
    """A roster that was measured: number of each of `POSTS`, cost, figures of the pledge, shortfall and conversion."""

    numbers: tuple[int, ...]
    cost: float
    figures: Floats
    shortfall: float
    conversion: float

    @property
    def staffing(self) -> dict[str, dict[str, int]]:
        """By shift and role."""
        return staffing_of(self.numbers)


class BudgetSpentError(Exception):
    """As many rosters have been measured as the budget allows."""


def numbers_of(staffing: Staffing) -> tuple[int, ...]:
    """The number of each of `POSTS`."""
    return tuple(staffing[shift][role] for shift, role in POSTS)


def staffing_of(numbers: tuple[int, ...]) -> dict[str, dict[str, int]]:
    """By shift and role."""
    filled = dict(zip(POSTS, numbers, strict=True))
    return {shift: {role: filled[shift, role] for role in ROLE_NAMES} for shift in SHIFTS}


@dataclass
class StaffingSearch:
    """The search; `run` it once.

    Attributes:
        rosters: Measures rosters on common traces, hours included.
        cost: Of one counsellor by role.
        pledge: To keep.
        roles: Whose numbers may change.
        budget: Rosters that may be measured.
        seen: All that were, in order.
    """

    rosters: Rosters
    cost: Mapping[str, float]
    pledge: Pledge
    roles: Sequence[str]
    budget: int
    seen: dict[tuple[int, ...], Candidate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if missing := set(ROLE_NAMES) - set(self.cost):
            raise ValueError(f"cost needs a number for each of {', '.join(ROLE_NAMES)}, got none for {missing}")
        if not self.roles or set(self.roles) - set(ROLE_NAMES):
            raise ValueError(f"roles must be some of {', '.join(ROLE_NAMES)}, got {list(self.roles)}")
        if wrong := {role: value for role, value in self.cost.items() if not value > 0}:
            raise ValueError(f"costs must be positive, got {wrong}")
        if self.budget < 1:
            raise ValueError(f"a search needs a budget of at least 1 roster, got {self.budget}")

    @property
    def open_posts(self) -> list[int]:
        """Indices of `POSTS` whose numbers may change."""
        return [index for index, (_, role) in enumerate(POSTS) if role in self.roles]

    def look(self, numbers: tuple[int, ...]) -> Candidate:
        """Measure a roster, or remember it.

        Raises:
            BudgetSpentError: If it is new and the budget is spent.
        """
        if numbers not in self.seen:
            if len(self.seen) >= self.budget:
                raise BudgetSpentError
            measures = self.rosters.measure(staffing_of(numbers))
            figures = self.pledge.figures(measures)
            price = sum(self.cost[role] * number for (_, role), number in zip(POSTS, numbers, strict=True))
            conversion = float(measures.conversion.mean())
            self.seen[numbers] = Candidate(numbers, price, figures, self.pledge.shortfall(figures), conversion)
        return self.seen[numbers]

    def run(self, start: Staffing) -> Candidate | None:
        """The cheapest roster found that keeps the pledge; None if the budget did not reach one."""
        with suppress(BudgetSpentError):
            self._improve(self._extend(self.look(numbers_of(start))))
        kept = [found for found in self.seen.values() if not found.shortfall]
        return min(kept, key=lambda found: (found.cost, -found.conversion), default=None)

    def _extend(self, current: Candidate) -> Candidate:
        """Add posts until the pledge is kept, or no single one helps."""
        while current.shortfall:
            around = [self.look(changed(current.numbers, {post: 1})) for post in self.open_posts]
            best = max(around, key=lambda found: (current.shortfall - found.shortfall) / (found.cost - current.cost))
            if best.shortfall >= current.shortfall:
                break
            current = best
        return current

    def _improve(self, current: Candidate) -> None:
        """Go to cheaper rosters that keep the pledge as long as there are any to be found."""
        while not current.shortfall:
            found = self._cheaper(current)
            if found is None:
                return
            current = found

    def _cheaper(self, current: Candidate) -> Candidate | None:
        """The first roster that keeps the pledge among the cheaper ones, the cheapest of the likely ones first."""
        effects = {
            (post, step): self.look(changed(current.numbers, {post: step})).figures - current.figures
            for post in self.open_posts
            for step in (-1, 1)
            if current.numbers[post] + step >= 0
        }

        def guess(change: dict[int, int]) -> float:
            moved = sum(abs(step) * effects[post, int(np.sign(step))] for post, step in change.items())
            return self.pledge.shortfall(current.figures + moved)

        options = []
        for change in changes(self.open_posts):
            numbers = changed(current.numbers, change)
            saved = -sum(self.cost[POSTS[post][1]] * step for post, step in change.items())
            if min(numbers) >= 0 and sum(numbers) and saved > 0 and (short := guess(change)) < _NEAR:
                options.append((short > 0, -saved, short, numbers))
        for *_, numbers in sorted(options)[:_TRIES]:
            if not (found := self.look(numbers)).shortfall:
                return found
        return None


def changed(numbers: tuple[int, ...], change: Mapping[int, int]) -> tuple[int, ...]:
    """The roster with posts more or less."""
    return tuple(number + change.get(post, 0) for post, number in enumerate(numbers))


def changes(posts: Sequence[int]) -> Iterator[dict[int, int]]:
    """Every change by one or two of these posts less and at most one more."""
    for removed in [*((post,) for post in posts), *combinations_with_replacement(posts, 2)]:
        for added in (None, *(post for post in posts if post not in removed)):
            change = {post: -removed.count(post) for post in removed}
            if added is not None:
                change[added] = 1
            yield change

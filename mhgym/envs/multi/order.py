"""Who is asked next, and where."""

import numpy as np
from numpy.typing import NDArray

from mhgym.scenario import Scenario

NOBODY = -1  # in the place of a counsellor or a contact


def next_asked(may_pull: NDArray[np.bool_], idle_since: NDArray[np.float64]) -> NDArray[np.int64]:
    """`[E]` who is asked next in each centre, -1 for nobody.

    Args:
        may_pull: `[E, C]` who could take one of the callers shown and has not declined.
        idle_since: `[E, C]` minute at which the longest-idle free slot became free.
    """
    longest = np.argmin(np.where(may_pull, idle_since, np.inf), axis=1)
    return np.where(may_pull.any(axis=1), longest, NOBODY)


def refuse_inboxes(scenario: Scenario) -> None:
    """Refuse a centre whose counsellors have nothing to pull from.

    Raises:
        ValueError: If contacts wait for a person.
    """
    if scenario.inboxes:
        raise ValueError(
            f"counsellors pull from one queue, but in {scenario.name} contacts wait in inboxes; "
            "use mhgym.envs.multi.dispatchers_v0"
        )

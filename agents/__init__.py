"""Policies, one file each; none knows another unless it is built on it."""

from collections.abc import Callable

from agents.first_come import FirstCome, LastCome, MostSevereFirst
from agents.index_rules import CMT, CMuTheta
from agents.uniform import UniformRandom
from mhgym.policy import Policy

#: Policies by the name that configurations use.
AGENTS: dict[str, Callable[..., Policy]] = {
    "random": UniformRandom,
    "fcfs": FirstCome,
    "lcfs": LastCome,
    "most_severe_first": MostSevereFirst,
    "cmt": CMT,
    "cmu_theta": CMuTheta,
}


def make_agent(name: str, **settings: object) -> Policy:
    """A policy by name.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in AGENTS:
        raise ValueError(f"unknown agent {name!r} (known: {', '.join(AGENTS)})")
    return AGENTS[name](**settings)

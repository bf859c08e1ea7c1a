"""Policies, one file each; none knows another unless it is built on it."""

from collections.abc import Callable, Mapping
from typing import Any

from agents.batch_assignment import BatchAssignment
from agents.bridging import Bridging
from agents.fair_share import FairShare
from agents.first_come import FirstCome, LastCome, MostSevereFirst
from agents.index_rules import CMT, CMu, CMuH, CMuTheta, FastestServer, MaxWeight, QualityMu
from agents.index_rules_holding import BestMatch, CMTWait, ReserveHighRisk
from agents.ip_matcher import Hungarian, IPMatcher
from agents.mcts import MCTS
from agents.sharing import LeastLoaded, ProportionalFair, RoundRobin
from agents.uniform import UniformRandom
from agents.zombie_rules import LikelyThere, NewestWithin
from mhgym.policy import Policy


def _learned(**settings: Any) -> Policy:
    """A trained network; needs torch, which the other policies go without."""
    try:
        from agents.learned import Learned
    except ImportError as error:
        raise ValueError(f"a trained network needs the extra 'train' (pip install -e '.[train]'): {error}") from error
    return Learned(**settings)


def _guided(**settings: Any) -> Policy:
    """Search guided by a network; needs torch, too."""
    try:
        from agents.guided_search import GuidedSearch
    except ImportError as error:
        raise ValueError(f"guided search needs the extra 'train' (pip install -e '.[train]'): {error}") from error
    return _plan(make=GuidedSearch, **settings)


def _plan(*, rollout: Mapping[str, Any] | str = "cmt", make: Callable[..., Policy] = MCTS, **settings: Any) -> Policy:
    """A planner whose rollout rule is one of the policies."""
    return make(rollout=_inner("rollout", rollout), **settings)


def _fair(*, rule: Mapping[str, Any] | str = "best_match", **settings: Any) -> Policy:
    """A fair share for newcomers in front of one of the policies."""
    return FairShare(_inner("rule", rule), **settings)


def _bridging(*, rule: Mapping[str, Any] | str = "best_match", **settings: Any) -> Policy:
    """A rule for volunteers behind one of the policies."""
    return Bridging(_inner("rule", rule), **settings)


def _inner(role: str, policy: Mapping[str, Any] | str) -> Policy:
    """A policy inside another: a name, or a mapping of `name` and `settings`."""
    named = {"name": policy} if isinstance(policy, str) else policy
    if "name" not in named or set(named) - {"name", "settings"}:
        raise ValueError(f"{role} takes a name and settings, got {', '.join(sorted(named)) or 'nothing'}")
    return make_agent(named["name"], **named.get("settings", {}))


#: Policies by the name that configurations use.
AGENTS: dict[str, Callable[..., Policy]] = {
    "random": UniformRandom,
    "fcfs": FirstCome,
    "lcfs": LastCome,
    "most_severe_first": MostSevereFirst,
    "newest_within": NewestWithin,
    "likely_there": LikelyThere,
    "cmt": CMT,
    "cmt_wait": CMTWait,
    "cmu": CMu,
    "cmu_theta": CMuTheta,
    "cmu_h": CMuH,
    "quality_mu": QualityMu,
    "max_weight": MaxWeight,
    "fastest_server": FastestServer,
    "best_match": BestMatch,
    "fair_share": _fair,
    "least_loaded": LeastLoaded,
    "round_robin": RoundRobin,
    "proportional_fair": ProportionalFair,
    "batch_assignment": BatchAssignment,
    "bridging": _bridging,
    "reserve_high_risk": ReserveHighRisk,
    "ip_matcher": IPMatcher,
    "hungarian": Hungarian,
    "mcts": _plan,
    "learned": _learned,
    "guided_search": _guided,
}


def make_agent(name: str, /, **settings: object) -> Policy:
    """A policy by name; a setting `name` is its label in tables.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in AGENTS:
        raise ValueError(f"unknown agent {name!r} (known: {', '.join(AGENTS)})")
    return AGENTS[name](**settings)

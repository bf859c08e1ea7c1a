"""Who takes part in a comparison: agents of this checkout, and policies of others.

Somebody else's policy (`policy=file.py:Class`) is played in a process of its own, see `mhgym.evaluation.isolation`.
Where it fails, it fails alone: the comparison goes on and tells what happened.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agents import make_agent
from experiments.configs import AgentConfig, LeaderboardConfig
from experiments.source_code import digest_of_code
from mhgym.evaluation.isolation import IsolatedPolicy, Limits, PolicyError
from mhgym.policy import Policy


@dataclass(frozen=True)
class Outsider:
    """Somebody else's policy, of which nothing but its name is known here.

    Attributes:
        source: As `mhgym.evaluation.named_policies.load_policy` takes it.
        name: That it gave itself.
        settings: Keyword arguments of its class.
        limits: What it may take.
        digest: Of its code: the file, or all files of the top-level package. What else it reads is not in it.
    """

    source: str
    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits, repr=False)  # which change no episode that is played to its end
    digest: str = ""

    @classmethod
    def introduce(cls, source: str, settings: dict[str, Any], limits: Limits) -> "Outsider":
        """Make the policy once, to learn its name.

        Raises:
            PolicyError: If it cannot be made.
        """
        with IsolatedPolicy(source, settings, limits) as policy:
            return cls(source, policy.name, settings, limits, digest_of_code(source))


class Entrants(NamedTuple):
    """Who takes part.

    Attributes:
        policies: That play, by label; those of others by their source where they have none.
        failures: By source, why a policy could not be made.
    """

    policies: dict[str, "Policy | Outsider"]
    failures: dict[str, str]


def entrants(config: LeaderboardConfig) -> Entrants:
    """The policies of a comparison, those of others made once to learn their names.

    Raises:
        ValueError: If an agent is unknown or refuses its settings, or two have the same name.
    """
    policies: dict[str, Policy | Outsider] = {}
    failures: dict[str, str] = {}
    limits = config.limits.build()
    given = [] if config.policy is None else [config.policy] if isinstance(config.policy, str) else config.policy
    if not isinstance(given, list) or not all(isinstance(source, str) for source in given):
        raise ValueError(f"policy is file.py:Class or a list of such, got {config.policy!r}")
    for label, entry in {**config.agents, **{source: AgentConfig(source=source) for source in given}}.items():
        if (entry.name is None) == (entry.source is None):
            raise ValueError(f"agent {label!r} needs a name of this checkout, or the source of somebody else's policy")
        if entry.name is not None:
            policies[label] = make_agent(entry.name, **entry.settings)
            continue
        try:
            policies[label] = Outsider.introduce(str(entry.source), entry.settings, limits)
        except PolicyError as error:
            failures[str(entry.source)] = str(error)
    names = [policy.name for policy in policies.values()]
    if len(set(names)) < len(names):
        raise ValueError(f"policies need different names, got {', '.join(names)}")
    return Entrants(policies, failures)


@contextmanager
def opened(policy: "Policy | Outsider") -> Iterator[Policy]:
    """A policy to play with; an outsider's process ends with the block.

    Raises:
        PolicyError: If an outsider cannot be made, or calls itself otherwise than when it was introduced.
    """
    if not isinstance(policy, Outsider):
        yield policy
        return
    with IsolatedPolicy(policy.source, policy.settings, policy.limits) as isolated:
        if isolated.name != policy.name:
            raise PolicyError(
                f"policy {policy.source} was {policy.name!r} when it was introduced and is {isolated.name!r} now; its "
                "randomness is keyed by its name"
            )
        yield isolated
    if digest_of_code(policy.source) != policy.digest:
        raise PolicyError(f"policy {policy.source} was edited while it played; start the comparison again")

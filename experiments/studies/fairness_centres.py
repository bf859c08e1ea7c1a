"""The centres of the study of fairness: who may be treated unlike others there, and by which policies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import make_agent
from experiments.configs import agent_settings
from mhgym.domain import CALLER_TYPES, RISKS, Roster
from mhgym.policy import Policy
from mhgym.presets import make_scenario
from mhgym.presets.eran_population import AGE_BANDS, DEVICES, GENDERS
from mhgym.presets.therapists_population import AGE_BANDS as USERS_AGE_BANDS
from mhgym.presets.therapists_population import LANGUAGES
from mhgym.processes import draws
from mhgym.processes.population import StaffLaw
from mhgym.scenario import Scenario
from mhgym.trace import Trace

FCFS = "fcfs"


@dataclass(frozen=True)
class Grouping:
    """What tells groups of callers apart.

    Attributes:
        name: In tables.
        groups: In the order of their codes.
        column: Of a trace's attributes; None where the trace itself has a row of the name.
    """

    name: str
    groups: tuple[str, ...]
    column: int | None = None

    def codes(self, trace: Trace) -> NDArray[np.int64]:
        """`[n]` the group of each contact; -1 where the centre does not know it."""
        found: NDArray[np.int64] = (
            getattr(trace, self.name) if self.column is None else trace.attributes[:, self.column]
        )
        return found


_RISK, _TYPE = Grouping("risk", RISKS), Grouping("caller_type", CALLER_TYPES)
_ERAN_CALLERS = (Grouping("age_band", AGE_BANDS, 2), Grouping("gender", GENDERS, 1), Grouping("device", DEVICES, 0))
_USERS = (Grouping("language", LANGUAGES, 2), _RISK, Grouping("age_band", USERS_AGE_BANDS, 1))


@dataclass(frozen=True)
class Novices:
    """A law of counsellors in which callers rate newcomers lower than the others, and the models know it.

    Attributes:
        staff: The law of what else differs between counsellors.
        feedback: Latent Likert points less, in the mean.
    """

    staff: StaffLaw
    feedback: float

    def sample(self, roster: Roster, rng: np.random.Generator) -> NDArray[np.float64]:
        """See `StaffLaw.sample`."""
        staff = self.staff.sample(roster, rng)
        staff[:, draws.FEEDBACK_EFFECT] -= self.feedback * roster.new()
        return staff


@dataclass(frozen=True)
class Centre:
    """One centre, the policies that are compared there and the groups that they may treat unlike each other.

    Attributes:
        label: In tables.
        preset: Name of the scenario.
        groupings: Of callers.
        policies: Agent and settings by label, FCFS first.
        priced: Labels of those that are also played with a price on what newcomers are short of.
        overrides: Of the preset.
        handicap: Latent Likert points by which newcomers are rated lower. Assumption: nobody published how much.
        share: Of the traces asked for that are played here.
        rated: Whether callers rate their contacts; elsewhere every answer counts as full feedback.
        note: What a reader must know.
    """

    label: str
    preset: str
    groupings: tuple[Grouping, ...]
    policies: Mapping[str, tuple[str, dict[str, Any]]]
    priced: tuple[str, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    handicap: float = 0.0
    share: float = 1.0
    rated: bool = True
    note: str = ""

    def scenario(self) -> Scenario:
        """The centre's scenario."""
        scenario = make_scenario(self.preset, **self.overrides)
        return scenario.replace(staff=Novices(scenario.staff, self.handicap)) if self.handicap else scenario

    def policy(self, label: str, weight: float = 0.0) -> Policy:
        """One of the policies, with a price on what newcomers are short of (`agents.fair_share`) if it is above 0."""
        name, settings = self.policies[label]
        if not weight:
            return make_agent(name, **settings)
        return make_agent("fair_share", rule={"name": name, "settings": settings}, weight=weight)

    def traces(self, replications: int) -> int:
        """How many traces to play here of so many asked for."""
        return max(2, round(self.share * replications))


def _eran() -> dict[str, tuple[str, dict[str, Any]]]:
    """Two maximise quality: one tuned for that and quantity, one that routes no match predicted below a half."""
    named = {label: agent_settings(label) for label in (FCFS, "cmt", "best_match_above", "mcts", "ppo")}
    return named | {"match_above_half": ("best_match", {"name": "match_above_half", "thresholds": (0.5,)})}


def _open_up() -> dict[str, tuple[str, dict[str, Any]]]:
    ruled = {label: agent_settings(label) for label in (FCFS, "cmt", "best_match", "most_severe_first", "mcts_hour")}
    return ruled | {"ppo": ("learned", {"name": "ppo", "network": "ppo_open_up_day_seed0"})}


def _therapists() -> dict[str, tuple[str, dict[str, Any]]]:
    """As in ERAN, but nothing is tuned or trained for it; four fifths of full feedback are what half is there."""
    named = {label: agent_settings(label) for label in (FCFS, "cmt", "mcts_hour")}
    match = {"best_match": {}, "match_above_.8": {"name": "match_above_.8", "thresholds": (0.8,)}}
    return named | {label: ("best_match", settings) for label, settings in match.items()}


def centres() -> list[Centre]:
    """All centres."""
    eran: dict[str, Any] = {"groupings": _ERAN_CALLERS, "policies": _eran()}
    rules = ("cmt", "best_match_above", "match_above_half", "ppo")
    rated = "The newcomer is rated {} latent Likert points lower, and the models know it: an assumption, not a finding."
    return [
        Centre(
            "EranHeavy",
            "EranHeavy",
            priced=rules,
            note="The last counsellor of the roster is new and no different in law: what sets them apart is the order "
            "in which a rule takes counsellors.",
            **eran,
        ),
        Centre("EranHeavy, new 1 lower", "EranHeavy", priced=rules, handicap=1.0, note=rated.format("1.0"), **eran),
        Centre(
            "EranHeavy, new 2 lower",
            "EranHeavy",
            priced=(*rules, "mcts"),
            handicap=2.0,
            note=rated.format("2.0"),
            **eran,
        ),
        Centre(
            "EranStandard, new 2 lower", "EranStandard", priced=rules, handicap=2.0, note=rated.format("2.0"), **eran
        ),
        Centre(
            "Therapists",
            "Therapists",
            _USERS,
            _therapists(),
            priced=("cmt", "best_match", "match_above_.8"),
            overrides={"weights": {"quality": 0.5, "quantity": 0.5}},  # planners weigh no fairness
            share=0.1,
            note="Three therapists of twelve are new for two of three days, learn, and may not take high risk. Every "
            "number of this centre is an assumption.",
        ),
        Centre(
            "OpenUp, a day",
            "OpenUp",
            (_RISK, _TYPE),
            _open_up(),
            share=0.1,
            rated=False,
            note="The volunteer of the evening shift is new, may not take high risk, and has two slots where full-time "
            "staff have three. Feedback is not published: every answer counts as full.",
        ),
    ]

"""What an online week is worth: the reward of each offer, and the KPIs to which rewards add up."""

from dataclasses import dataclass

import numpy as np

from mhgym.matching.arrivals import STARTS, ArrivingWeek, Floats
from mhgym.matching.offers import Offers, objectives
from mhgym.matching.people import Week
from mhgym.matching.traits import FIFTHS, SEVERITIES

COMPONENTS = ("severity", "compatibility")


@dataclass(frozen=True)
class Worth:
    """The reward: severity first, then compatibility, both as shares of what serving everybody perfectly would pay.

    A patient's first offer pays (severity + 1) / Σ (severity + 1) over all patients of the week; every offer pays its
    fifths / (5·k·P). The scalar weighs one unit of severity above all compatibility there is, so it keeps the report's
    order of objectives: its optimum has the most patients by severity, then the most compatibility, because all weights
    that rise with severity have the report's optimum. Below the optimum it ranks by the sum of severity + 1. The week's
    totals are known to the environment and never to a view.

    Attributes:
        severity: Σ (severity + 1).
        fifths: 5·k·P.
    """

    severity: int
    fifths: int

    @classmethod
    def of(cls, week: Week, most_offers: int) -> "Worth":
        """Of a week; without patients nothing is paid."""
        patients = week.patients
        whole = int((patients.severity + 1).sum())
        return cls(max(1, whole), max(1, FIFTHS * most_offers * len(patients)))

    @property
    def weights(self) -> Floats:
        """`[2]` weights of the components, which add up to 1."""
        most = self.severity * (self.fifths + 1), self.fifths
        return np.array(most) / sum(most)

    def pay(self, severity: int, fifths: int, *, first: bool) -> Floats:
        """`[2]` what an offer pays.

        Args:
            severity: Of the patient.
            fifths: Compatibility of the pair.
            first: Whether it is the patient's first offer.
        """
        return np.array([(severity + 1) / self.severity if first else 0.0, fifths / self.fifths])


def kpis(arriving: ArrivingWeek, offers: Offers, waits: Floats, most_offers: int) -> dict[str, float]:
    """The KPIs of a week that is over, from its offers alone.

    `objective` is the sum of all rewards, `severity_share` and `compatibility_share` those of its components;
    `severity_score` and `compatibility` are the report's sums over offers; minutes run from a patient's arrival to the
    offer and to the meeting, means over offers, 0 without any.

    Args:
        arriving: The week.
        offers: All offers.
        waits: `[n]` minutes from a patient's arrival to each offer, in any order.
        most_offers: The report's k.
    """
    week = arriving.week
    severity, served = week.patients.severity, offers.served(len(week.patients))
    reached, worth = objectives(week, offers), Worth.of(week, most_offers)
    shares = np.array([(severity[served] + 1).sum() / worth.severity, reached.fifths / worth.fifths])
    left = np.bincount(severity[~served], minlength=SEVERITIES)
    return {
        "patients": float(len(week.patients)),
        "volunteers": float(len(week.volunteers)),
        "offers": float(len(offers)),
        "matched": float(reached.patients),
        "unassigned": float(reached.unassigned),
        "matched_share": reached.patients / max(1, len(week.patients)),
        "severity_score": float(reached.severity_score),
        "compatibility": reached.compatibility,
        "mean_compatibility": reached.compatibility / max(1, len(offers)),
        **{f"unassigned_severity_{level}": float(left[level]) for level in range(SEVERITIES)},
        "minutes_to_offer": _mean(waits),
        "minutes_to_meeting": _mean(STARTS[offers.slot] - arriving.patient_at[offers.patient]),
        "severity_share": float(shares[0]),
        "compatibility_share": float(shares[1]),
        "objective": float(worth.weights @ shares),
    }


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0

"""Shortcuts to results give the results of the long way."""

import numpy as np
import pytest

from mhgym.engines.rules import Rule
from mhgym.evaluation.rollout import rule_kpis, rule_shares
from mhgym.presets import make_scenario

RULES = (Rule.FIRST_COME, Rule.CMT)


@pytest.mark.parametrize(
    ("preset", "overrides", "number"),
    [("EranStandard", {}, 40), ("EranHeavy", {}, 40), ("OpenUp", {"horizon": 1440}, 2)],
)
def test_shares_are_those_of_the_kpis(preset: str, overrides: dict[str, float], number: int) -> None:
    """Running counts and contact records agree, also where terms are refused and contacts are transferred.

    Feedback comes in quarters, whose sums are exact, or in full, so that the order of adding leaves no difference.
    """
    scenario, seeds = make_scenario(preset, **overrides), range(number)

    shares = rule_shares(scenario, RULES, seeds)

    for column, rule in enumerate(RULES):
        kpis = rule_kpis(scenario, rule, seeds)
        for name in ("quality_served", "quantity"):
            assert np.array_equal(shares[name][:, column], [row[name] for row in kpis])
    assert (shares["quantity"][:, 0] != shares["quantity"][:, 1]).any()  # the rules do differ

"""The contract kit: checks that users run on their own policy, scenario or engine."""

from mhgym.testing.checks import policy_check, scenario_check
from mhgym.testing.redraw import Witness, assert_no_leak, assert_views_equal, redraw_hidden

__all__ = ["Witness", "assert_no_leak", "assert_views_equal", "policy_check", "redraw_hidden", "scenario_check"]

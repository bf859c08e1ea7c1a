"""The indices of the compiled rules, number by number as the policies of `agents.index_rules` compute them.

The order of the operations is part of each formula, since a rule and its policy have to agree to the last bit; none
uses a power or an exponential, which NumPy and Numba round differently.
"""

from enum import IntEnum

from mhgym.compiling import kernel

#: Least quality in an index, so that the worst pairs are still ranked by time. Assumption: Kleinerman et al. 2022 do
#: not say what their index does with a predicted feedback of 1, which is a quality of 0.
QUALITY_FLOOR = 0.02


class Rule(IntEnum):
    """The rules that have a compiled form; what a policy names in `compiled_rule`.

    After the colon their parameters, in the order in which they are packed:

    FIRST_COME, LAST_COME, MOST_SEVERE_FIRST: none.
    CMT: none.
    CMU_THETA: penalty of an abandonment, minutes of waiting.
    CMU: cost of a minute of waiting at low, medium and high risk.
    CMU_H: growth of the cost of waiting per minute waited, shape of patience.
    QUALITY_MU: none.
    MAX_WEIGHT: head start, minutes.
    FASTEST_SERVER: none.
    RESERVE: slots kept free for high risk.
    CMT_WAIT: gain in quality worth waiting for, longest predicted wait in minutes (0 to wait for nobody).
    BEST_MATCH: the same two, price of a minute of service, minutes before the horizon at which thresholds lapse, then
        the least index with at most 1, with 2, 3 and at least 4 idle counsellors.
    LIKELY_THERE: logarithm of the least probability that is opened, whether high risk goes first, whether the oldest
        does.
    NEWEST_WITHIN: the limit, minutes waited.
    """

    FIRST_COME = 0
    LAST_COME = 1
    MOST_SEVERE_FIRST = 2
    CMT = 3
    CMU_THETA = 4
    CMU = 5
    CMU_H = 6
    QUALITY_MU = 7
    MAX_WEIGHT = 8
    FASTEST_SERVER = 9
    RESERVE = 10
    CMT_WAIT = 11
    BEST_MATCH = 12
    LIKELY_THERE = 13
    NEWEST_WITHIN = 14


#: Where the parameters of `CMT_WAIT` (the first two) and `BEST_MATCH` stand.
GAIN, LONGEST, PRICE, LAPSE, FIRST_LEVEL = range(5)
NUM_LEVELS = 4
#: Where those of `LIKELY_THERE` stand.
LEAST, HIGH_RISK_FIRST, OLDEST_FIRST = range(3)

_CMU, _CMU_H, _QUALITY_MU = int(Rule.CMU), int(Rule.CMU_H), int(Rule.QUALITY_MU)
_MAX_WEIGHT, _FASTEST_SERVER = int(Rule.MAX_WEIGHT), int(Rule.FASTEST_SERVER)


@kernel
def index_value(rule, params, quality, minutes, patience, wait, risk):  # type: ignore[no-untyped-def]
    """The index of a pair under one of the rules from `CMU` on.

    Args:
        rule: A `Rule`.
        params: Its parameters.
        quality: Predicted feedback in [0, 1].
        minutes: Predicted minutes of service.
        patience: Predicted minutes that the caller would wait in all.
        wait: Minutes waited.
        risk: A `Risk`.
    """
    if rule == _CMU:
        return params[risk] / minutes
    if rule == _CMU_H:
        cost = 1.0 + params[0] * wait
        rest = (params[1] - 1.0) * patience + wait
        return max(quality, QUALITY_FLOOR) * cost * rest / (params[1] * minutes)
    if rule == _QUALITY_MU:
        return max(quality, QUALITY_FLOOR) / minutes
    if rule == _MAX_WEIGHT:
        return (params[0] + wait) / minutes
    if rule == _FASTEST_SERVER:
        return -minutes
    return quality - params[PRICE] * minutes

"""The report of the study of fairness: a claim for each price, and tables of counsellors, callers and prices."""

from collections.abc import Iterator, Sequence

from experiments.studies.fairness_cells import STAFF
from experiments.studies.fairness_centres import FCFS
from experiments.studies.fairness_measures import Finding, Price
from mhgym.evaluation.statistics import Interval

#: Below it the four-fifths rule speaks of adverse impact, see `mhgym.metrics.by_group`.
FOUR_FIFTHS = 0.8
#: Measures of callers: words, digits.
CALLER_WORDS = {
    "answered": ("answered / offered", 3),
    "wait": ("minutes to the first answer, of those who had one", 2),
    "feedback": ("mean feedback of the answered", 3),
}
_STAFF_COLUMNS = (
    "representation",
    *(f"{name}, {group}" for name in ("occupancy", "feedback") for group in reversed(STAFF)),
)
_HEAD = (
    "Rates are ratios of sums over test traces; intervals are of 95 %, each by itself, from traces drawn again for all "
    "policies together. *Representation* is newcomers' share of answered contacts over their share of staffed time: 1 "
    "is their due, and below .8 the four-fifths rule speaks of adverse impact. A *gap* is the best group less the "
    "worst; its interval allows for the two having been picked and reaches down to 0 where groups may fare alike. Jain "
    "and Gini are of answered contacts per staffed minute, means over traces: an hour has few contacts, so that chance "
    "alone keeps them from 1 and 0. Weights are prices in quality on each contact that newcomers are short of "
    "(`agents.fair_share`)."
)
_CENTRE_COLUMNS = ("fairness", "jain", "gini", "burden", "quality", "quantity")
_COSTS = ("quality", "feedback of all", "quantity")
_PRICE_COLUMNS = ("representation", "fairness", "quality", "feedback of all", "quantity", "burden")


def markdown(findings: Sequence[Finding]) -> str:
    """All centres."""
    lines = ["# Fairness: what policies do to new counsellors and to groups of callers", "", _HEAD]
    for finding in findings:
        lines += ["", f"## {finding.centre.label}, {finding.traces} test traces", "", finding.centre.note]
        if finding.prices:
            lines += ["", *(f"- {claim(label, price)}" for label, price in finding.prices.items())]
        lines += ["", "### Counsellors", "", *_staff(finding, _STAFF_COLUMNS)]
        lines += ["", "### Counsellors and the centre", "", *_staff(finding, _CENTRE_COLUMNS)]
        lines += _callers(finding)
        if finding.prices:
            lines += ["", "### What a price on what newcomers are short of buys and costs", "", *_prices(finding)]
    return "\n".join(lines) + "\n"


def claim(label: str, price: Price) -> str:
    """What the least sufficient price buys and costs, as a sentence."""
    start = price.reached[0]["representation"]
    begin = f"{label}: with weight 0 newcomers get {start.format(2)} of their share of contacts ({verdict(start)})"
    if price.enough is None:
        last = f"{price.weights[-1]:g} ({price.reached[-1]['representation'].format(2)})"
        return f"{begin}; no weight up to {last} gave them all of it on validation traces."
    if not price.enough:
        return f"{begin}, and had all of it on validation traces: there is nothing to buy."
    index = price.weights.index(price.enough)
    after, change = price.reached[index]["representation"], price.changes[index]
    return (
        f"{begin}; with weight {price.enough:g}, the least that gave them all of it on validation traces, "
        f"{after.format(2)} ({verdict(after)}), for {change['quality'].format(4)} quality, "
        f"{change['quantity'].format(4)} quantity and {change['feedback of all'].format(4)} feedback of the answered."
    )


def verdict(representation: Interval) -> str:
    """What an interval of the representation says."""
    if representation.high < FOUR_FIFTHS:
        return "starved by the four-fifths rule"
    if representation.high < 1.0:
        return "short of their share"
    return "more than their share" if representation.low > 1.0 else "not shown to differ from their share"


def _staff(finding: Finding, columns: Sequence[str]) -> Iterator[str]:
    """One row for each policy, with the difference from FCFS of the first column."""
    first = columns[0]
    yield f"| policy | {first} | minus {FCFS} | {' | '.join(columns[1:])} |"
    yield "|---|" + "---|" * (len(columns) + 1)
    for label, one in finding.treatments.items():
        change = "" if label == FCFS else one.staff_changes[first].format(3)
        cells = [one.staff[first].format(3), change, *(one.staff[name].format(3) for name in columns[1:])]
        yield f"| {label} | {' | '.join(cells)} |"


def _callers(finding: Finding) -> Iterator[str]:
    """A table for each grouping and measure; where it is not FCFS's row, what changed in the answered share."""
    for grouping in finding.centre.groupings:
        for name, (words, digits) in CALLER_WORDS.items():
            if name == "feedback" and not finding.centre.rated:
                continue
            yield from ("", f"### Callers by {grouping.name.replace('_', ' ')}: {words}", "")
            yield f"| policy | {' | '.join(grouping.groups)} | gap |"
            yield "|---|" + "---|" * (len(grouping.groups) + 1)
            for label, one in finding.treatments.items():
                cells = [interval.format(digits) for interval in one.callers[grouping.name][name]]
                yield f"| {label} | {' | '.join(cells)} | {one.gaps[grouping.name][name].format(digits)} |"
                if name == "answered" and label != FCFS:
                    changes = [interval.format(digits) for interval in one.caller_changes[grouping.name][name]]
                    yield f"| {label} minus {FCFS} | {' | '.join(changes)} | |"


def _prices(finding: Finding) -> Iterator[str]:
    """A row for each policy and weight, with differences from weight 0."""
    costs = " | ".join(f"{name}, minus weight 0" for name in _COSTS)
    yield f"| policy | weight | {' | '.join(_PRICE_COLUMNS)} | {costs} |"
    yield "|---|---:|" + "---|" * (len(_PRICE_COLUMNS) + len(_COSTS))
    for label, price in finding.prices.items():
        for weight, reached, change in zip(price.weights, price.reached, price.changes, strict=True):
            cells = [reached[name].format(3) for name in _PRICE_COLUMNS]
            cells += ["" if not weight else change[name].format(4) for name in _COSTS]
            yield f"| {label} | {weight:g} | {' | '.join(cells)} |"

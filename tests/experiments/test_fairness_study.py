"""The study of fairness: definitions, honest intervals of gaps, prices that work, and a report without gaps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.studies import fairness, fairness_report
from experiments.studies.fairness_cells import GroupCell
from experiments.studies.fairness_centres import Centre, Grouping, Novices, centres
from experiments.studies.fairness_figures import plot_gaps, plot_price
from experiments.studies.fairness_measures import WEIGHTS, Finding, measure
from experiments.studies.fairness_statistics import Estimate, resamples
from mhgym.evaluation.rollout import run_episodes
from mhgym.evaluation.splits import seeds_of
from mhgym.evaluation.statistics import Interval
from mhgym.presets import make_scenario
from mhgym.trace import Trace

_TRACES = 40


@pytest.fixture(scope="module")
def centre() -> Centre:
    """The quality-maximiser where newcomers are rated far lower."""
    found = next(one for one in centres() if one.label == "EranStandard, new 2 lower")
    few = {label: found.policies[label] for label in ("fcfs", "match_above_half")}
    return replace(found, policies=few, priced=("match_above_half",))


@pytest.fixture(scope="module")
def finding(centre: Centre, tmp_path_factory: pytest.TempPathFactory) -> Finding:
    return measure(centre, _TRACES, 1, tmp_path_factory.mktemp("cells"))


def test_measures_are_ratios_of_sums_of_the_test_traces(centre: Centre, finding: Finding) -> None:
    scenario, policy = centre.scenario(), centre.policy("match_above_half")
    episodes = run_episodes(scenario, policy, seeds_of("test", _TRACES), "compiled")
    kpis = {name: np.array([one.kpis[name] for one in episodes]) for name in episodes[0].kpis}
    share = (kpis["new_share_of_answered"] * kpis["answered"]).sum() / kpis["answered"].sum()
    ages = [centre.groupings[0].codes(Trace.sample(scenario, one.seed)) for one in episodes]
    young = [(group == 0, one.log.outcome) for group, one in zip(ages, episodes, strict=True)]
    answered = sum(int((outcome[member] == 1).sum()) for member, outcome in young)
    treatment = finding.treatments["match_above_half"]

    assert treatment.staff["representation"].estimate == pytest.approx(share / (1 / 3))
    assert treatment.staff["quality"].estimate == pytest.approx(kpis["quality"].mean())
    assert treatment.callers["age_band"]["answered"][0].estimate == pytest.approx(
        answered / sum(int(member.sum()) for member, _ in young)
    )
    assert all(change.low == change.high == 0.0 for change in finding.treatments["fcfs"].staff_changes.values())


def test_without_a_weight_the_quality_maximiser_starves_newcomers_and_with_it_not(finding: Finding) -> None:
    price = finding.prices["match_above_half"]
    assert price.reached[0]["representation"].high < 1.0
    assert price.reached[WEIGHTS.index(1.0)]["representation"].low > price.reached[0]["representation"].estimate
    assert price.changes[WEIGHTS.index(1.0)]["representation"].low > 0.0
    assert price.changes[WEIGHTS.index(1.0)]["feedback of all"].high < 0.0
    assert price.reached[0] == finding.treatments["match_above_half"].staff


def test_novices_differ_from_the_others_in_their_rating_only() -> None:
    scenario = make_scenario("EranHeavy")
    plain, rated = scenario.staff, Novices(scenario.staff, 1.5)
    one, other = (law.sample(scenario.roster, np.random.default_rng(1)) for law in (plain, rated))
    assert (one - other)[:, 0] == pytest.approx(1.5 * scenario.roster.new())
    assert np.array_equal(one[:, 1:], other[:, 1:])


def test_the_interval_of_a_gap_holds_no_gap_where_there_is_none() -> None:
    """Of 200 samples without a gap at most 5 % may miss it, by 3 standard errors; of large gaps none is missed."""
    rng, held, draws = np.random.default_rng(0), 0, resamples(100, size=400)
    for _ in range(200):
        rates = Estimate.mean(rng.normal(0.5, 0.3, (100, 6)), draws)
        held += rates.gap_interval().contains(0.0)
        assert np.quantile(np.ptp(rates.drawn, axis=1), 0.025) > 0.0  # percentiles of the gap itself would miss it
    assert held >= 200 * (0.95 - 3 * np.sqrt(0.05 * 0.95 / 200))

    apart = Estimate.mean(rng.normal([0.2, 0.5, 0.8], 0.3, (100, 3)), draws).gap_interval()
    assert 0.4 < apart.low < 0.6 < apart.high


def test_estimates_resample_ratios_of_sums() -> None:
    draws = resamples(3, size=50)
    parts, wholes = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 0.0]]), np.array([[2.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    ratio = Estimate.total(parts, draws) / Estimate.total(wholes, draws)
    assert ratio.value[0] == pytest.approx(3 / 8)
    assert np.isnan(ratio.value[1])
    expected = (draws @ parts[:, 0]) / (draws @ wholes[:, 0])
    assert np.allclose(ratio.drawn[:, 0], expected)


@pytest.mark.parametrize("one", centres(), ids=lambda one: one.label)
def test_every_centre_can_be_played(one: Centre) -> None:
    scenario = one.scenario()
    policies = [one.policy(label) for label in one.policies]
    policies += [one.policy(label, weight) for label in one.priced for weight in WEIGHTS[1:]]
    assert len({repr(policy) for policy in policies}) == len(policies)
    assert next(iter(one.policies)) == "fcfs"
    assert set(one.priced) <= set(one.policies)
    assert scenario.roster.new().any()
    for grouping in one.groupings:
        codes = [grouping.codes(Trace.sample(scenario, seed)) for seed in range(20)]
        assert set(np.concatenate(codes).tolist()) == set(range(len(grouping.groups)))


def test_cells_of_other_groups_or_weights_have_other_names(centre: Centre) -> None:
    def key(weight: float, *groupings: Grouping) -> str:
        policy = centre.policy("match_above_half", weight)
        return GroupCell("x", centre.scenario(), policy, range(3), groupings=groupings).key

    age, gender, _ = centre.groupings
    assert len({key(0.0, age), key(1.0, age), key(3.0, age), key(0.0, gender), key(0.0, age, gender)}) == 5


def test_a_claim_says_what_the_interval_says() -> None:
    verdicts = [fairness_report.verdict(Interval(low, (low + high) / 2, high)) for low, high in _INTERVALS]
    assert verdicts == [
        "starved by the four-fifths rule",
        "short of their share",
        "not shown to differ from their share",
        "more than their share",
    ]


_INTERVALS = ((0.6, 0.7), (0.7, 0.9), (0.9, 1.1), (1.1, 1.2))


def test_the_report_names_everything_and_the_pictures_are_written(finding: Finding, tmp_path: Path) -> None:
    text = fairness_report.markdown([finding])
    plot_price({finding.centre.label: finding.prices}, tmp_path / "price.png")
    plot_gaps([finding], tmp_path / "gaps.png")
    data = fairness.plain(finding)

    assert all(f"| {label} |" in text for label in finding.treatments)
    assert all(name in text for grouping in finding.centre.groupings for name in grouping.groups)
    assert "match_above_half: with weight 0 newcomers get" in text
    assert "nan" not in text
    assert data["prices"]["match_above_half"]["reached"][0]["representation"]["low"] > 0.0
    assert all((tmp_path / name).stat().st_size > 10_000 for name in ("price.png", "gaps.png"))

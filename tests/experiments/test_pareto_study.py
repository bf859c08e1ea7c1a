"""The study of fronts: common shifts, a front chosen apart from what measures it, and a report without gaps."""

from pathlib import Path

import numpy as np
import pytest

from agents import make_agent
from experiments.cells import Cell
from experiments.studies import pareto
from experiments.studies.pareto_figures import plot_attainment, plot_front
from mhgym.evaluation.pareto import expected_utility, nondominated, uniform_weights
from mhgym.metrics import COMPONENTS
from mhgym.presets import make_scenario


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> pareto.Front:
    return pareto.measure(4, 1, cache=tmp_path_factory.mktemp("cells"))


def test_every_candidate_is_another_rule() -> None:
    found = pareto.candidates()
    assert len({repr(make_agent(one.agent, **one.settings)) for one in found}) == len(found)
    assert len({one.label for one in found}) == len(found)


def test_scores_are_the_kpis_of_the_test_shifts_and_validation_chooses(front: pareto.Front) -> None:
    scenario, one = make_scenario(pareto.PRESET), front.candidates[-3]
    for split, first in (("test", 2_000_000), ("validation", 1_000_000)):
        cell = Cell("pareto", scenario, make_agent(one.agent, **one.settings), range(first, first + 4))
        own = cell.tables()["episodes"].select(COMPONENTS).to_numpy()
        assert (split == "test") == np.allclose(front.scores[-3], own)
    assert front.scores.shape == (len(front.candidates), 4, 4)
    assert 1 <= front.chosen.sum() < len(front.candidates)
    assert not np.array_equal(front.chosen, nondominated(front.means))  # of other shifts


def of_scores(*rules: list[float]) -> pareto.Front:
    """A front of made-up rules with these mean objectives; validation shifts are other shifts of the same."""
    rng = np.random.default_rng(0)
    validation, test = (np.array(rules)[:, None] + 0.01 * rng.standard_normal((len(rules), 50, 4)) for _ in range(2))
    found = [pareto.Candidate(str(index), "made up", "fcfs", {}) for index in range(len(rules))]
    return pareto.Front(found, validation.mean(axis=1), test)


def test_the_worth_of_one_rule_and_of_two() -> None:
    """One rule gains nothing over itself; a second that is better elsewhere adds to both measures."""
    front = of_scores([0.8, 0.7, -0.3, 0.0], [0.7, 0.9, -0.3, 0.0])
    one, two = np.array([0]), np.array([0, 1])
    offered = [pareto.offers(front, members, resamples=50) for members in (one, two)]
    alone, both = (pareto.worth(number, values) for number, values in enumerate(offered, 1))
    more = pareto.worth(1, offered[1] - offered[0])

    assert alone.gain.estimate == pytest.approx(0.0, abs=1e-12)
    assert both.gain.low > 0.0
    assert alone.hypervolume.low < alone.hypervolume.estimate < alone.hypervolume.high
    assert alone.hypervolume.estimate == pytest.approx(np.prod(front.means[0] - pareto.REFERENCE))
    assert both.hypervolume.low > alone.hypervolume.high
    assert more.hypervolume.estimate == pytest.approx(both.hypervolume.estimate - alone.hypervolume.estimate)
    assert more.utility.estimate == pytest.approx(both.utility.estimate - alone.utility.estimate)
    assert 0.0 < more.utility.low < more.utility.estimate < more.utility.high


def test_preferences_take_the_rule_that_validation_shifts_chose() -> None:
    """Choosing on the shifts that measure is never worse in the figures: that is the luck that is left out here."""
    front = of_scores(*np.random.default_rng(1).normal([0.8, 0.7, -0.3, -0.1], 0.002, (30, 4)).tolist())
    preferences = uniform_weights(2000, 4, np.random.default_rng(0))
    everyone = np.arange(30)
    honest = pareto.offers(front, everyone, resamples=2)[0, 1]
    by_luck = expected_utility(front.means, preferences)
    known = pareto.offers(pareto.Front(front.candidates, front.means, front.scores), everyone, resamples=2)[0, 1]

    assert honest < by_luck
    assert known == pytest.approx(by_luck)


def test_the_network_is_told_a_grid_of_preferences() -> None:
    told = [one.settings["weights"] for one in pareto.candidates() if one.family == pareto.NETWORK]
    assert len(told) == 21
    assert all(sum(weights.values()) == pytest.approx(1.0) and "fairness" not in weights for weights in told)
    assert {max(weights.values()) for weights in told} >= {1.0}


def test_the_report_names_every_rule_and_the_pictures_are_written(front: pareto.Front, tmp_path: Path) -> None:
    worths = pareto.compare(front, resamples=5)
    text = pareto.markdown(front, worths)
    plot_front(front.means, [one.family for one in front.candidates], front.chosen, tmp_path / "front.png")
    plot_attainment(front.scores[front.of()], tmp_path / "attainment.png")

    assert all(f"| {one.label} |" in text for one in front.candidates)
    assert all(f"| {name} |" in text for name in worths)
    assert text.count("| yes |") == front.chosen.sum()
    assert "nan" not in text
    assert all((tmp_path / name).stat().st_size > 10_000 for name in ("front.png", "attainment.png"))

"""The study of fronts: common shifts, a front chosen apart from what measures it, and a report without gaps."""

from pathlib import Path

import numpy as np
import pytest

from agents import make_agent
from experiments.cells import Cell
from experiments.studies import pareto
from experiments.studies.pareto_figures import plot_attainment, plot_front
from mhgym.evaluation.pareto import nondominated
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
    scenario, one = make_scenario(pareto.PRESET), front.candidates[3]
    for split, first in (("test", 2_000_000), ("validation", 1_000_000)):
        cell = Cell("pareto", scenario, make_agent(one.agent, **one.settings), range(first, first + 4))
        own = cell.tables()["episodes"].select(COMPONENTS).to_numpy()
        assert (split == "test") == np.allclose(front.scores[3], own)
    assert front.scores.shape == (len(front.candidates), 4, 4)
    assert 1 <= front.chosen.sum() < len(front.candidates)
    assert not np.array_equal(front.chosen, nondominated(front.means))  # of other shifts


def test_the_worth_of_one_rule_and_of_two() -> None:
    """One rule gains nothing over itself; a second that is better elsewhere adds to both measures."""
    rng = np.random.default_rng(0)
    one = np.array([0.8, 0.7, -0.3, 0.0]) + 0.01 * rng.standard_normal((1, 50, 4))
    other = np.array([0.7, 0.9, -0.3, 0.0]) + 0.01 * rng.standard_normal((1, 50, 4))
    alone, both = (pareto.worth(scores, resamples=50) for scores in (one, np.concatenate([one, other])))

    assert alone.gain.estimate == pytest.approx(0.0, abs=1e-12)
    assert both.gain.low > 0.0
    assert alone.hypervolume.low < alone.hypervolume.estimate < alone.hypervolume.high
    assert alone.hypervolume.estimate == pytest.approx(np.prod(one.mean(axis=(0, 1)) - pareto.REFERENCE))
    assert both.hypervolume.low > alone.hypervolume.high
    assert both.utility.estimate > alone.utility.estimate


def test_the_report_names_every_rule_and_the_pictures_are_written(front: pareto.Front, tmp_path: Path) -> None:
    worths = {"all rules": pareto.worth(front.scores[front.of()], resamples=5)}
    text = pareto.markdown(front, worths)
    plot_front(front.means, [one.family for one in front.candidates], front.chosen, tmp_path / "front.png")
    plot_attainment(front.scores[front.of()], tmp_path / "attainment.png")

    assert all(f"| {one.label} |" in text for one in front.candidates)
    assert text.count("| yes |") == front.chosen.sum()
    assert "nan" not in text
    assert all((tmp_path / name).stat().st_size > 10_000 for name in ("front.png", "attainment.png"))

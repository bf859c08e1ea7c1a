"""The study of Kleinerman's tables: every claim has its entries, and the report says what was measured."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.studies import budget, kleinerman, kleinerman_report
from experiments.studies.kleinerman import HEAVY, MEASURES, PAPER, Entry, Result


def made_up(entry: Entry, number: int) -> Result:
    """Scores of 40 shifts, each entry .01 above the one before."""
    rng = np.random.default_rng(0)
    scores = {name: 0.5 + 0.01 * number + 0.01 * rng.standard_normal(40) for name in MEASURES}
    return Result(entry, scores, np.full(40, 0.05), (0.002, 0.004))


def test_the_papers_rows_are_all_reproduced() -> None:
    labels = {(entry.preset, entry.label) for entry in kleinerman.table_entries()}
    assert set(PAPER) <= labels
    assert len(labels) == len(kleinerman.table_entries())


def test_a_planner_is_scored_by_what_it_maximises() -> None:
    for entry in kleinerman.table_entries() + budget.entries():
        if entry.agent == "mcts":
            assert entry.objective == f"objective_{entry.settings['objective']}"


def test_differences_are_paired_and_corrected() -> None:
    results = [made_up(entry, number) for number, entry in enumerate(kleinerman.table_entries())]
    comparisons = kleinerman.compare(results)
    gains = {(c.preset, c.objective, c.better, c.than): c for c in comparisons}
    first = gains[HEAVY, "objective_served", "cmt", "fcfs"]
    assert first.difference.estimate == pytest.approx(0.01, abs=1e-12)
    assert all(c.p_holm >= c.p for c in comparisons)
    assert sum(c.than.startswith("mcts without") for c in comparisons) == 4


def test_the_report_is_complete_and_drawn(tmp_path) -> None:  # type: ignore[no-untyped-def]
    results = [made_up(entry, number) for number, entry in enumerate(kleinerman.table_entries())]
    curve = [made_up(entry, number) for number, entry in enumerate(budget.entries())]
    text = kleinerman_report.markdown(results, kleinerman.compare(results)) + budget.markdown(curve)
    for entry in kleinerman.table_entries() + budget.entries():
        assert f"| {entry.label} |" in text
    assert "nan" not in text
    kleinerman_report.plot_objectives(results, tmp_path / "figure3.png")
    budget.plot_budget(curve, tmp_path / "budget.png")
    assert all((tmp_path / name).stat().st_size > 5_000 for name in ("figure3.png", "budget.png"))


def test_entries_play_on_the_same_traces(tmp_path: Path) -> None:
    """Two rules and a planner without simulations, whose rollout is one of them."""
    entries = [Entry(HEAVY, "cmt", "cmt"), Entry(HEAVY, "none", "mcts", {"simulations": 0})]
    cmt, none = kleinerman.run(entries, range(30), 1, tmp_path)
    for name in MEASURES:
        np.testing.assert_array_equal(cmt.scores[name], none.scores[name])
    other = next(iter(kleinerman.run([replace(entries[0], agent="fcfs")], range(30), 1, tmp_path)))
    assert not np.array_equal(other.objective, cmt.objective)


def test_a_block_is_played_once(tmp_path: Path) -> None:
    entry = Entry(HEAVY, "told", "mcts", {"simulations": 4}, perfect=("service_time",))
    first, again = (next(iter(kleinerman.run([entry], range(3), 1, tmp_path))) for _ in range(2))
    np.testing.assert_array_equal(first.seconds, again.seconds)
    assert (first.seconds > 0).all()
    plain = next(iter(kleinerman.run([replace(entry, perfect=())], range(3), 1, tmp_path)))
    assert not np.array_equal(plain.objective, first.objective)

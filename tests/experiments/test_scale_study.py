"""A centre that grows: it runs with hundreds of counsellors, on both engines alike; the report says what it costs."""

from pathlib import Path

import pytest
from rich.console import Console

from agents import make_agent
from experiments.studies import scale
from mhgym.engines.rules import Rule
from mhgym.evaluation.rollout import rule_kpis, run_episode
from mhgym.trace import Trace


def test_callers_and_staff_grow_alike() -> None:
    small, large = scale.grown(1), scale.grown(10)
    assert (len(small.roster), len(large.roster)) == (15, 150)
    assert large.arrivals.mean_rate(1440.0) == pytest.approx(10 * small.arrivals.mean_rate(1440.0))
    assert len(set(large.roster.names())) == 150
    with pytest.raises(ValueError, match="a whole factor of at least 1, got 0"):
        scale.grown(0)


def test_the_engines_agree_on_three_times_the_centre() -> None:
    scenario = scale.grown(3)
    trace = Trace.sample(scenario, 0)
    kpis = [run_episode(scenario, make_agent("fcfs"), trace, engine).kpis for engine in ("simpy", "compiled")]
    assert kpis[0] == kpis[1]


def test_a_centre_of_1500_counsellors_runs_and_every_contact_ends() -> None:
    (kpis,) = rule_kpis(scale.grown(100), Rule.FIRST_COME, (0,))
    assert kpis["offered"] > 15_000
    assert kpis["quantity"] + kpis["abandonment"] + kpis["unanswered"] == pytest.approx(1.0)
    assert 0.4 < kpis["quantity"] < 0.75  # the base case answers .58, and large centres waste less


def test_the_exponent_of_a_known_growth() -> None:
    sizes = [scale.Size(k, 15 * k, 200.0 * k, 2.0 * k**0.5, 1.0, 1.0, 9.0, 0.5) for k in (1, 4, 16)]
    assert scale.growth(sizes, "engine") == pytest.approx([1.5, 1.5])
    assert scale.growth(sizes, "trace") == pytest.approx([1.0, 1.0])


def test_the_report_has_every_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "FACTORS", (1, 2))
    data = scale.reproduce(2, 1, tmp_path, Console(quiet=True))
    assert [size["counsellors"] for size in data["sizes"]] == [15, 30]
    assert all(0 < size["engine"] < size["steps"] for size in data["sizes"])
    assert "| 2 | 30 |" in (tmp_path / "report.md").read_text()

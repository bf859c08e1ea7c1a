"""The study of zombies: common traces, shares as of means, and a report without gaps."""

from pathlib import Path

import pytest

from experiments.studies import zombies

HELD = "likeliest there, at least 10 %"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, zombies.Row]:
    cache = tmp_path_factory.mktemp("cells")
    labels = (zombies.FCFS, HELD, zombies.EVICTED)
    found = zombies.measure(range(4), 1, labels=labels, horizon=1440.0, cache=cache)
    return {row.label: row for row in found}


def test_shares_are_those_of_the_means(rows: dict[str, zombies.Row]) -> None:
    floor, own, ceiling = (rows[name].means["quantity"].estimate for name in (zombies.FCFS, HELD, zombies.EVICTED))
    assert rows[HELD].share is not None
    assert rows[HELD].share.estimate == pytest.approx((own - floor) / (ceiling - floor))
    assert rows[HELD].differences["quantity"].estimate == pytest.approx(own - floor)
    assert rows[zombies.FCFS].share is None


def test_only_eviction_spends_nothing_on_zombies(rows: dict[str, zombies.Row]) -> None:
    minutes = {name: row.means["zombie_minutes"].estimate for name, row in rows.items()}
    assert minutes[zombies.EVICTED] == 0 < minutes[HELD] < minutes[zombies.FCFS]


def test_every_order_can_be_made() -> None:
    policies = [zombies._policy(label) for label in zombies.POLICIES]
    assert len({repr(policy) for policy in policies}) == len(zombies.POLICIES) - 1  # eviction is FCFS elsewhere


def test_the_report_names_everything(rows: dict[str, zombies.Row], tmp_path: Path) -> None:
    text = zombies.markdown(list(rows.values()), list(rows.values())[:1], 4)
    assert all(f"| {label} |" in text for label in rows)
    assert all(words.lower() in text.lower() for words, _ in zombies.MEASURES.values())
    assert "nan" not in text
    assert rows[HELD].as_json()["differences"]["burden"]["low"] <= rows[HELD].differences["burden"].high

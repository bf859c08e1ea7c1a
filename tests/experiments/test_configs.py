"""Every file in `conf/` composes, and describes something that can be built."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from experiments.leaderboard import build_cells
from experiments.reproduce import ReproduceConfig

CONF = Path(__file__).resolve().parents[2] / "conf"
GROUPS = ("scenario", "arrivals", "reward", "agent", "evaluation")
OPTIONS = [(group, path.stem) for group in GROUPS for path in sorted((CONF / group).glob("*.yaml"))]


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_option_composes_and_builds(group: str, option: str, tmp_path: Path) -> None:
    gaps = tmp_path / "gaps.txt"
    gaps.write_text("1.0\n" * 10)
    overrides = [f"{group}={option}", *([f"arrivals.path={gaps}"] if option == "replay" else [])]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_object(compose("leaderboard", overrides=overrides))
    assert build_cells(config)


@pytest.mark.parametrize("name", ["board", "publish"])
def test_the_board_composes_and_builds(name: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_object(compose(name))
    cells = build_cells(config)
    for label in config.scenarios:
        players = {cell.policy.name for cell in cells if cell.scenario_label == label}
        assert len(players) == len(config.players[label])
    assert set(config.agents) == {name for names in config.players.values() for name in names}, "one plays nowhere"


@pytest.mark.parametrize("option", [path.stem for path in sorted((CONF / "study").glob("*.yaml"))])
def test_study_composes(option: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_object(compose("reproduce", overrides=[f"study={option}"]))
    assert isinstance(config, ReproduceConfig)
    assert config.study.name == option


@pytest.mark.parametrize(("roster", "counsellors"), [("base", 17), ("saturation", 39)])
def test_a_roster_by_shift_and_role_can_be_changed_post_by_post(roster: str, counsellors: int) -> None:
    overrides = ["scenario=open_up_day", f"roster={roster}", "staffing.pm.volunteers=3"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_object(compose("leaderboard", overrides=overrides))
    people = build_cells(config)[0].scenario.roster
    assert len(people) == counsellors  # 15 or 37, and two more volunteers in the afternoon
    assert sum(name.startswith("pm_volunteer") for name in people.names()) == 3


def test_the_search_for_a_roster_is_configured() -> None:
    overrides = ["study=staffing", "staffing.am.full_time=4", "pledge.cost.volunteers=1", "pledge.answered=0.7"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_object(compose("reproduce", overrides=overrides))
    assert isinstance(config, ReproduceConfig)
    assert config.staffing["am"] == {"volunteers": 1, "full_time": 4, "duty_officers": 1}
    assert config.pledge.cost == {"volunteers": 1.0, "full_time": 2.0, "duty_officers": 3.0}
    assert config.pledge.answered == 0.7


def test_flow_and_staffing_reach_every_scenario() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_object(compose("leaderboard", overrides=["flow=heavy", "staffing=3"]))
    sizes = {cell.scenario_label: len(cell.scenario.roster) for cell in build_cells(config)}
    assert sizes == {"eran_heavy": 3, "open_up_week": 19}  # 15 and one more full-time in each of 4 shifts

"""Hydra finds scenarios and configuration files of other packages; what is wrong is told in one line."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException, SearchPathException
from omegaconf import OmegaConf

from experiments.configs import CONF, LeaderboardConfig
from experiments.leaderboard import build_cells

PRESET = """
from dataclasses import dataclass
from mhgym.presets import EranHeavy

@dataclass(kw_only=True)
class {name}(EranHeavy):
    beds: int = 2
"""
SCENARIO = """# @package scenarios.{label}
defaults:
  - /preset@settings: {name}

traces: 6
settings:
  flow: 8.0
"""


def composed(*overrides: str) -> LeaderboardConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_object(compose("leaderboard", overrides=list(overrides)))
    assert isinstance(config, LeaderboardConfig)
    return config


def package(name: str, preset: str, **files: str) -> tuple[str, dict[str, dict[str, str]], dict[str, str]]:
    """A package with a preset and a folder of configuration files."""
    groups = {"mhgym.scenarios": {preset: f"{name}.own:{preset}"}, "mhgym.configs": {name: f"{name}.conf"}}
    own = {f"{name}/__init__.py": "", f"{name}/conf/__init__.py": "", f"{name}/own.py": PRESET.format(name=preset)}
    return name, groups, own | {f"{name}/conf/{path}": text for path, text in files.items()}


def test_a_package_of_files_joins_scenarios_agents_and_rewards(write_package):
    files = {
        "scenario/inn.yaml": SCENARIO.format(label="inn", name="Inn"),
        "agent/slow_cmt.yaml": "# @package agents.slow_cmt\nname: cmt_wait\nsettings: {gain: 2.0}\n",
    }
    write_package(*package("inn_line", "Inn", **files))

    config = composed("scenario=[inn,eran_heavy]", "agent=[fcfs,slow_cmt]", "scenarios.inn.settings.beds=7")

    assert type(config.scenarios["inn"].settings).__name__ == "Inn"
    assert (config.scenarios["inn"].settings.beds, config.scenarios["inn"].settings.flow) == (7, 8.0)
    assert config.agents["slow_cmt"].settings == {"gain": 2.0}
    assert {cell.scenario_label: cell.scenario.name for cell in build_cells(config)} == {
        "inn": "Inn",
        "eran_heavy": "EranHeavy",
    }


def test_keys_and_types_of_a_joined_preset_are_checked(write_package):
    write_package(
        *package("hostel_line", "Hostel", **{"scenario/hostel.yaml": SCENARIO.format(label="hostel", name="Hostel")})
    )

    for override in ("scenarios.hostel.settings.bed=1", "scenarios.hostel.settings.beds=many"):
        with pytest.raises(ConfigCompositionException):
            composed("scenario=hostel", override)


@pytest.mark.parametrize(
    ("name", "files", "message"),
    [
        (
            "twin_line",
            {"scenario/eran_heavy.yaml": "traces: 3\n"},
            "'twin_line' has scenario/eran_heavy.yaml, which mhgym",
        ),
        ("bare_line", {}, "'bare_line' has no YAML file"),
    ],
)
def test_a_folder_that_is_wrong_is_told_with_its_package(write_package, name, files, message):
    write_package(*package(name, "Barn", **files))

    with pytest.raises(SearchPathException, match=message):
        composed("scenario=eran_heavy")


def test_a_folder_that_is_not_there_is_told_with_its_package(write_package):
    write_package("lost_line", {"mhgym.configs": {"lost": "lost_line.conf"}})

    with pytest.raises(SearchPathException, match=r"'lost_line.conf' of the package 'lost_line' cannot be read"):
        composed("scenario=eran_heavy")


def test_a_broken_preset_is_told_to_who_asks_for_it(write_package):
    name, groups, files = package(
        "torn_tent", "Tent", **{"scenario/tent.yaml": SCENARIO.format(label="tent", name="Tent")}
    )
    write_package(name, groups, files | {"torn_tent/own.py": "1 / 0\n"})

    assert composed("scenario=eran_heavy").scenarios.keys() == {"eran_heavy"}
    with pytest.raises(ConfigCompositionException, match=r"'Tent' of the package 'torn_tent' .* ZeroDivisionError"):
        composed("scenario=tent")


def test_settings_of_a_type_that_hydra_does_not_know_are_told(write_package):
    name, groups, files = package(
        "cave_line", "Cave", **{"scenario/cave.yaml": SCENARIO.format(label="cave", name="Cave")}
    )
    own = files["cave_line/own.py"].replace("beds: int = 2", "beds: frozenset[int] = frozenset()")
    write_package(name, groups, files | {"cave_line/own.py": own})

    with pytest.raises(ConfigCompositionException, match=r"cannot take the settings of scenario 'Cave': .*frozenset"):
        composed("scenario=cave")

"""Presets of other packages: found by name without import, and refused in words that name the package."""

import sys

import pytest

from mhgym.presets import PRESETS, find_preset, make_scenario, preset_names
from mhgym.testing import scenario_check

HUT = """
from dataclasses import dataclass
from mhgym.presets import EranHeavy

@dataclass(kw_only=True)
class {name}(EranHeavy):
    beds: int = 2
"""

IGNORES = """
from dataclasses import dataclass
from mhgym.presets import EranHeavy, make_scenario

@dataclass(kw_only=True)
class {name}(EranHeavy):
    refused = frozenset({refused})

    def _build(self):
        return make_scenario("EranHeavy", horizon=self.horizon, staffing=self.staffing)
"""


def points(**scenarios: str) -> dict[str, dict[str, str]]:
    return {"mhgym.scenarios": scenarios}


def test_a_joined_preset_is_known_and_imported_when_it_is_asked_for(write_package):
    write_package("hut-line", points(Hut="hut_line:Hut"), {"hut_line.py": HUT.format(name="Hut")})

    assert preset_names() == [*PRESETS, "Hut"]
    assert "hut_line" not in sys.modules
    assert make_scenario("Hut", flow="standard").name == "Hut"
    assert find_preset("Hut")(beds=5).beds == 5


def test_without_other_packages_there_are_ours(write_package):
    assert [name for name in preset_names() if name in PRESETS] == list(PRESETS)
    assert all(find_preset(name) is preset for name, preset in PRESETS.items())


@pytest.mark.parametrize(
    ("name", "value", "text", "message"),
    [
        ("Gone", "gone_line:Gone", "", r"'Gone' of the package 'gone-line' .* ModuleNotFoundError"),
        ("Torn", "torn_line:Torn", "1 / 0", r"'Torn' of the package 'torn-line' .* ZeroDivisionError"),
        ("Void", "void_line:Void", "", r"'Void' of the package 'void-line' .* AttributeError"),
        ("List", "list_line:List", "List = list", r"'list-line' .*must be a subclass of mhgym.presets.Preset"),
        ("Made", "made_line:Made", "Made = dict()", r"'made-line' .*must be a subclass of mhgym.presets.Preset"),
        ("Shed", "shed_line:Hut", HUT.format(name="Hut"), r"'shed-line' .*must be named as its class is, .*'Hut'"),
        ("EranDay", "day_line:EranDay", HUT.format(name="EranDay"), r"'day-line' names .*'EranDay', which mhgym has"),
    ],
)
def test_a_package_that_is_wrong_is_named(write_package, name, value, text, message):
    """And only who asks for its scenario hears of it."""
    module = value.split(":")[0]
    files = {} if name == "Gone" else {f"{module}.py": text}
    write_package(module.replace("_", "-"), points(**{name: value}), files)

    with pytest.raises(ValueError, match=message):
        make_scenario(name)
    assert make_scenario("EranHeavy").name == "EranHeavy"
    assert preset_names().count(name) == 1


def test_two_packages_of_one_name_are_both_told(write_package):
    write_package("one-line", points(Hut="one_line:Hut"), {"one_line.py": HUT.format(name="Hut")})
    write_package("two-line", points(Hut="two_line:Hut"), {"two_line.py": HUT.format(name="Hut")})

    with pytest.raises(ValueError, match=r"'one-line' and the package 'two-line' all name a scenario 'Hut'"):
        find_preset("Hut")


def test_an_unknown_name_is_answered_with_those_of_packages_too(write_package):
    write_package("hut-line", points(Hut="hut_line:Hut"))

    with pytest.raises(ValueError, match=r"unknown scenario 'Hat'; did you mean 'Hut'\? .*EranHeavy.*Hut"):
        make_scenario("Hat")


def test_what_is_neither_read_nor_refused_is_found(write_package):
    """An override that a preset ignores would be in a table's configuration, and not in its figures."""
    write_package("deaf-line", points(Deaf="deaf_line:Deaf"), {"deaf_line.py": IGNORES.format(name="Deaf", refused=[])})

    (found,) = scenario_check("Deaf")

    assert found.startswith("Deaf ignores flow, arrivals, newcomers; ")


def test_what_is_refused_is_refused_by_name_and_not_found(write_package):
    refused = ["flow", "arrivals", "newcomers"]
    text = IGNORES.format(name="Frank", refused=refused)
    write_package("frank-line", points(Frank="frank_line:Frank"), {"frank_line.py": text})

    assert scenario_check("Frank") == []
    for name, value in zip(refused, (3.0, "hawkes", 0), strict=True):
        with pytest.raises(ValueError, match=f"Frank takes no {name}, got {value!r}"):
            make_scenario("Frank", **{name: value})

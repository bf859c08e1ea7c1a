"""The documentation: it builds without a warning, nothing is missing or dead, and no page needs a network."""

import re
import shlex
import subprocess
import sys
from html import unescape
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from urllib.parse import unquote, urlsplit

import gymnasium
import pettingzoo
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

import mhgym.presets
from agents import AGENTS
from experiments.configs import CONF
from experiments.docs import scenarios
from experiments.docs.feature_notes import notes
from experiments.docs.fill import fill
from experiments.docs.sourced_numbers import NAMES_SOURCE, numbers_in, read_numbers
from mhgym.mdp.observation import INBOX_FEATURES
from mhgym.metrics import GLOSSARY
from mhgym.presets import PRESETS

REGISTRIES = (gymnasium.registry, pettingzoo.aec_registry, pettingzoo.parallel_registry)
ROOT = Path(__file__).resolve().parents[2]
MODULES = [f"mhgym.presets.{module.name}" for module in iter_modules(mhgym.presets.__path__)]
MODULES += [module for centre in scenarios.MODULES.values() for module in centre if module not in MODULES]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make docs` builds, by the command of the Makefile; a warning is an error there."""
    folder = tmp_path_factory.mktemp("docs")
    told = subprocess.run(
        ["make", "docs", "--dry-run", "BIN=."], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    line = next(line for line in told.splitlines() if "-m sphinx" in line)
    words = [{".cache/docs": f"{folder}/tree", "results/docs": f"{folder}/site"}.get(w, w) for w in shlex.split(line)]
    done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "-W" in words
    return folder / "site"


def words_of(page: Path) -> str:
    """The text of a page."""
    return unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


@pytest.mark.train
@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("scenarios", PRESETS),
        ("environments", [name for registry in REGISTRIES for name in registry if name.startswith("mhgym/")]),
        ("policies", AGENTS),
        ("policies", [f"agent={path.stem}" for path in (CONF / "agent").glob("*.yaml")]),
        ("metrics", GLOSSARY),
    ],
)
def test_everything_there_is_stands_on_its_page(site: Path, page: str, names: list[str]) -> None:
    said = set(re.findall(r"[\w/=-]+", words_of(site / f"{page}.html")))

    assert not set(names) - said


@pytest.mark.train
@pytest.mark.parametrize(("page", "names"), [("scenarios", PRESETS), ("environments", PRESETS), ("policies", AGENTS)])
def test_presets_and_policies_have_sections(site: Path, page: str, names: list[str]) -> None:
    headings = re.findall(r"<h3>(.*?)<a", (site / f"{page}.html").read_text(encoding="utf-8"))

    assert set(names) <= set(headings)


@pytest.mark.train
def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    """Links may lead away; scripts, styles, pictures and fonts are in the folder."""
    loads = re.compile(r"<(?:script|link|img|iframe|source|video|audio)\b[^>]*?\b(?:src|href)=\"([^\"]+)\"")
    for page in site.rglob("*.html"):
        for target in loads.findall(page.read_text(encoding="utf-8")):
            assert not urlsplit(target).netloc, f"{page.name} loads {target}"
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", style.read_text(encoding="utf-8")), style


@pytest.mark.train
@pytest.mark.parametrize("width", [375, 1280])
def test_pages_open_from_disk_without_a_network_and_fit(site: Path, browser: Chrome, width: int) -> None:
    """No error in the console, no sideways scrolling; tables and code scroll in boxes of their own."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for page in sorted(site.rglob("*.html")):
        browser.get(page.as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, page.name
        assert browser.get_log("browser") == [], page.name


@pytest.mark.train
def test_search_works_from_disk(site: Path, browser: Chrome) -> None:
    browser.get(f"{(site / 'search.html').as_uri()}?q=kleinerman")

    WebDriverWait(browser, 10).until(lambda page: page.find_elements(By.CSS_SELECTOR, "#search-results li a"))

    found = [link.text for link in browser.find_elements(By.CSS_SELECTOR, "#search-results li a")]
    assert {"Scenarios", "Policies"} & set(found)
    assert browser.get_log("browser") == []


@pytest.mark.train
def test_no_link_between_pages_is_dead(site: Path) -> None:
    pages = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    anchors = {page: set(re.findall(r"\bid=\"([^\"]+)\"", text)) for page, text in pages.items()}
    followed = 0
    for page, text in pages.items():
        for link in re.findall(r"<a\b[^>]*\bhref=\"([^\"]+)\"", text):
            place = urlsplit(unescape(link))
            target = (page.parent / unquote(place.path)).resolve() if place.path else page
            if place.scheme:
                continue
            assert target in pages, f"{page.name} links to {link}"
            assert not place.fragment or place.fragment in anchors[target], f"{page.name} links to {link}"
            followed += 1
    assert followed > 200


@pytest.mark.train
def test_every_number_of_a_centre_stands_on_the_page_of_scenarios(site: Path) -> None:
    text = words_of(site / "scenarios.html")
    for centre in scenarios.MODULES:
        for number in scenarios.numbers_of(centre):
            assert number.name in text
            assert number.value in text


@pytest.mark.parametrize("module", MODULES)
def test_every_number_of_a_preset_has_a_source_or_the_word_assumption(module: str) -> None:
    unsourced = [number for number in read_numbers(import_module(module)) if not NAMES_SOURCE.search(number.account)]

    assert not unsourced


@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_that_a_preset_has_by_default_has_a_source(preset: str) -> None:
    rows = [line.split(" | ") for line in scenarios.preset(preset).splitlines() if line.count("|") == 4]
    unsourced = [row for row in rows if re.search(r"\d", row[1]) and not NAMES_SOURCE.search(row[2])]

    assert len(rows) > 8
    assert not unsourced


def test_a_number_without_a_source_is_found() -> None:
    text = "BARE = 3.5\n\nTOLD = 4.0  # minutes\n\n\ndef f(x):\n    return Law(rate=0.5, size=x) if x else 7.25\n"

    found = {number.name: number for number in numbers_in(text)}

    assert {name: number.value for name, number in found.items()} == {
        "BARE": "3.5",
        "TOLD": "4.0",
        "f: rate": "0.5",
        "f": "7.25",
    }
    assert not any(NAMES_SOURCE.search(number.account) for number in found.values())


def test_the_account_of_a_number_is_what_stands_nearest() -> None:
    text = '''"""Laws. Figures are those of the paper unless said."""

#: Minutes; Table 3.
ABOVE = 2.0
SAME_BLOCK = 3.0
BEHIND = 4.0  # assumption

DERIVED = BEHIND / 2.0
AFTER = 5.0
"""Calibrated on FCFS."""


class Law:
    """A law.

    Attributes:
        rate: Per minute; derived from the month.
    """

    rate: float = 0.5
    size: int = 3
'''
    found = {number.name: number.account for number in numbers_in(text)}

    assert found == {
        "ABOVE": "Minutes; Table 3.",
        "SAME_BLOCK": "Minutes; Table 3.",
        "BEHIND": "assumption",
        "DERIVED": "Figures are those of the paper unless said.",
        "AFTER": "Calibrated on FCFS.",
        "Law.rate": "Per minute; derived from the month.",
        "Law.size": "Figures are those of the paper unless said.",
    }


FEATURES = [
    *(("mhgym.mdp.observation", f"{block}_FEATURES", None) for block in ("GLOBAL", "QUEUE", "COUNSELLOR", "PAIR")),
    *(("mhgym.mdp.observation", "INBOX_FEATURES", block) for block in INBOX_FEATURES),
    *(("mhgym.matching.layout", f"{block}_FEATURES", None) for block in ("GLOBAL", "PATIENT", "OPTION")),
    ("mhgym.envs.multi.layout", "OTHERS_FEATURES", None),
]


@pytest.mark.parametrize(("module", "constant", "block"), FEATURES)
def test_every_entry_of_an_observation_is_explained(module: str, constant: str, block: str | None) -> None:
    named = getattr(import_module(module), constant)

    told = notes(module, constant, block)

    assert [name for name, _ in told] == list(named[block] if block else named)
    assert all(words for _, words in told)


def test_parts_of_a_page_that_cannot_be_made_are_refused() -> None:
    with pytest.raises(ValueError, match="a generated part is named as"):
        fill("<!-- generated: kpis -->")
    with pytest.raises(AttributeError, match="no_such"):
        fill("<!-- generated: metrics.no_such -->")
    assert fill("words\n") == "words\n"

"""The page in a headless browser, opened from disk with the network off."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize
from omegaconf import OmegaConf
from rich.console import Console
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from agents import make_agent
from experiments.leaderboard import run
from experiments.page.write import fill
from mhgym.engines.protocol import EventKind
from mhgym.engines.reference import ReferenceEngine
from mhgym.evaluation.pareto import nondominated
from mhgym.policy import policy_rng
from mhgym.presets import make_scenario
from mhgym.trace import Trace
from mhgym.view import HOLD

PHONE, DESK = 375, 1280
SETTINGS = (
    "scenario=[eran_heavy,open_up_day]",
    "agent=[random,fcfs,cmt]",
    "evaluation.traces=2",
    "evaluation.resamples=100",
    "evaluation.workers=1",
    "evaluation.engine=simpy",
    "plots=false",
    "flow=20",
)


#: Policies of others: one that plays, and one whose failure speaks HTML.
THEIRS = """
import numpy as np
from mhgym.view import Pair

class First:
    name = "their_first_with_a_name_of_40_characters"
    def reset(self, scenario, rng): pass
    def act(self, view):
        row, counsellor = np.argwhere(view.legal)[0]
        return Pair(int(row), int(counsellor))

class Raises(First):
    name = "their_raiser"
    def act(self, view):
        raise KeyError("<img src=x onerror=alert(1)> " + "long" * 100)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a small comparison."""
    place = tmp_path_factory.mktemp("page")
    (place / "theirs.py").write_text(THEIRS, encoding="utf-8")
    with initialize(version_base="1.3", config_path="../../conf"):
        theirs = f"policy=[{place}/theirs.py:First,{place}/theirs.py:Raises]"
        raw = compose("leaderboard", [*SETTINGS, f"cache={place / 'cells'}", theirs])
    run(OmegaConf.to_object(raw), place / "out", Console(quiet=True))
    return place / "out"


@pytest.fixture
def page(browser: webdriver.Chrome, folder: Path) -> Iterator[webdriver.Chrome]:
    """The page, newly opened; nothing that a test does may leave an error in its console."""
    open_page(browser, folder, DESK)
    yield browser
    assert browser.get_log("browser") == []


def open_page(browser: webdriver.Chrome, folder: Path, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get((folder / "index.html").as_uri())


def results(folder: Path, scenario: str) -> list[dict[str, Any]]:
    rows = json.loads((folder / "summary.json").read_text())["results"]
    return [row for row in rows if row["scenario"] == scenario]


def cells(page: webdriver.Chrome, scenario: str, policy: str) -> dict[str, WebElement]:
    row = page.find_element(By.CSS_SELECTOR, f"#{scenario} tr[data-policy={policy}]")
    return {str(cell.get_attribute("data-title")): cell for cell in row.find_elements(By.TAG_NAME, "td")}


def policies(page: webdriver.Chrome, scenario: str) -> list[str]:
    rows = page.find_elements(By.CSS_SELECTOR, f"#{scenario} tbody tr")
    return [str(row.get_attribute("data-policy")) for row in rows]


def test_a_policy_of_others_has_a_row_or_says_why_not(page: webdriver.Chrome, folder: Path) -> None:
    for failed in json.loads((folder / "summary.json").read_text())["failures"]:
        assert failed["policy"] not in policies(page, failed["scenario"])
        assert "their_first_with_a_name_of_40_characters" in policies(page, failed["scenario"])
        told = page.find_element(By.CSS_SELECTOR, f"#{failed['scenario']} .failures li").text
        assert told == f"their_raiser has no row: {failed['words']}"
        assert "<img" in told


def test_figures_equal_the_summary_s(page: webdriver.Chrome, folder: Path) -> None:
    assert page.find_element(By.TAG_NAME, "body").get_attribute("data-ready") is not None
    timings = json.loads((folder / "timings.json").read_text())
    latency = {(entry["scenario"], entry["policy"]): entry["median_ms"] for entry in timings["decisions"]}
    for scenario in ("eran_heavy", "open_up_day"):
        rows = results(folder, scenario)
        assert policies(page, scenario) == [row["policy"] for row in rows]
        for row in rows:
            shown = cells(page, scenario, row["policy"])
            expected = {"objective": row["objective"]["estimate"], **row["means"], "p (Holm)": row["p_value"]}
            expected["minus fcfs"] = row["difference"] and row["difference"]["estimate"]
            expected["ms a decision"] = latency[scenario, row["policy"]]
            for name, value in expected.items():
                told = shown[name.replace("_", " ")].get_attribute("data-value")
                assert (told in (None, "null") and value is None) or float(str(told)) == value, name
            numbers = re.findall(r"-?\d+\.\d+", shown["objective"].text)
            assert list(map(float, numbers)) == pytest.approx(
                [row["objective"][name] for name in ("estimate", "low", "high")], abs=5.1e-5
            )


def test_every_column_sorts_by_keyboard(page: webdriver.Chrome, folder: Path) -> None:
    objective = {row["policy"]: row["objective"]["estimate"] for row in results(folder, "eran_heavy")}
    asa = {row["policy"]: row["means"]["asa"] for row in results(folder, "eran_heavy")}
    heads = page.find_elements(By.CSS_SELECTOR, "#eran_heavy th[scope=col]")
    button = {head.text.strip(" ▲▼"): head.find_element(By.TAG_NAME, "button") for head in heads}
    assert [head.get_attribute("aria-sort") for head in heads[:3]] == ["none", "descending", "none"]

    page.execute_script("arguments[0].focus()", button["policy"])
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert policies(page, "eran_heavy") == sorted(objective)
    assert heads[0].get_attribute("aria-sort") == "ascending"
    page.switch_to.active_element.send_keys(Keys.SPACE)
    assert policies(page, "eran_heavy") == sorted(objective, reverse=True)
    page.switch_to.active_element.send_keys(Keys.TAB)
    assert page.switch_to.active_element == button["objective"]
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert policies(page, "eran_heavy") == sorted(objective, key=lambda name: -objective[name])
    assert [head.get_attribute("aria-sort") for head in heads[:3]] == ["none", "descending", "none"]
    style = page.execute_script("return getComputedStyle(document.activeElement).outlineWidth")
    assert style == "3px", "the focus must be visible"
    button["asa"].click()  # and by mouse
    assert policies(page, "eran_heavy") == sorted(asa, key=lambda name: -asa[name])
    button["minus fcfs"].click()
    assert policies(page, "eran_heavy")[-1] == "fcfs", "what has no value stands last"


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_nothing_is_wider_than_the_screen(page: webdriver.Chrome, folder: Path, width: int) -> None:
    open_page(page, folder, width)
    for scenario in ("eran_heavy", "open_up_day"):
        Select(page.find_element(By.ID, "replay-scenario")).select_by_visible_text(scenario)
        for _ in range(30):
            page.find_element(By.ID, "scrub").send_keys(Keys.ARROW_RIGHT)
        wide, room = page.execute_script("const d = document.documentElement; return [d.scrollWidth, d.clientWidth]")
        assert wide <= room <= width
        beyond = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth)"
        assert not page.execute_script(f"return {beyond}.map(e => e.outerHTML.slice(0, 80))")


def test_controls_have_names_and_charts_have_words(page: webdriver.Chrome) -> None:
    controls = page.find_elements(By.CSS_SELECTOR, "button, select, input, svg[role=img]")
    assert len(controls) > 40
    assert all(control.accessible_name for control in controls)


def test_the_front_is_what_no_policy_dominates(page: webdriver.Chrome, folder: Path) -> None:
    rows = results(folder, "open_up_day")
    across, up = page.find_elements(By.CSS_SELECTOR, "#open_up_day .front select")
    for names in (("quantity", "burden"), ("burden", "fairness")):
        Select(across).select_by_visible_text(names[0])
        Select(up).select_by_visible_text(names[1])
        points = page.find_elements(By.CSS_SELECTOR, "#open_up_day .front circle")
        shown = {point.get_attribute("data-policy"): point.get_attribute("data-kept") == "true" for point in points}
        kept = nondominated([[row["means"][name] for name in names] for row in rows])
        assert shown == {row["policy"]: bool(is_kept) for row, is_kept in zip(rows, kept, strict=True)}


def played(scenario_name: str, policy_name: str, seed: int) -> ReferenceEngine:
    """The same episode, played for its record of events."""
    scenario, policy = make_scenario(scenario_name, flow=20), make_agent(policy_name)
    engine, trace = ReferenceEngine(scenario, record=True), Trace.sample(scenario, seed)
    engine.reset(trace)
    policy.reset(scenario, policy_rng(trace.hash, policy.name))
    while engine.advance():
        pair = policy.act(engine.view())
        if pair == HOLD or not engine.assign(*pair):
            engine.hold()
    return engine


def test_the_replay_shows_the_events_of_the_episode(page: webdriver.Chrome) -> None:
    """Scrubbed by keyboard from the first event to the last."""
    Select(page.find_element(By.CSS_SELECTOR, "#right select")).select_by_visible_text("cmt")
    seed = int(Select(page.find_element(By.ID, "replay-trace")).first_selected_option.text)
    scrub = page.find_element(By.ID, "scrub")
    last = int(str(scrub.get_attribute("max")))
    latest = (
        "return [...document.querySelectorAll('#right .events li')]"
        ".map(e => [e.dataset.what, Number(e.dataset.minute), Number(e.dataset.contact), e.dataset.counsellor ?? null])"
    )
    seen = set()
    for _ in range(last):
        scrub.send_keys(Keys.ARROW_RIGHT)
        seen |= {tuple(event) for event in page.execute_script(latest)}
    assert int(str(scrub.get_attribute("value"))) == last
    events = played("EranHeavy", "cmt", seed).events

    def engine_has(kind: EventKind) -> set[tuple[float, int]]:
        return {(round(time, 4), ident) for time, own, ident, _ in events if own == kind}

    def page_has(*what: str) -> set[tuple[float, int]]:
        return {(minute, contact) for name, minute, contact, _ in seen if name in what}

    assert len(engine_has(EventKind.ABANDONMENT)) > 1
    assert page_has("arrive", "reject") == engine_has(EventKind.ARRIVAL)
    assert page_has("abandon") == engine_has(EventKind.ABANDONMENT)
    assert page_has("answer") == engine_has(EventKind.ASSIGNMENT)
    servers = {(contact, int(who)) for name, _, contact, who in seen if name == "answer"}
    assert servers == {(ident, other) for _, kind, ident, other in events if kind == EventKind.ASSIGNMENT}


def test_the_replay_shows_the_queue_the_counsellors_and_why(page: webdriver.Chrome, folder: Path) -> None:
    """On a day with zombies and breaks, at moments all over it, against the data of the page."""
    text = (folder / "index.html").read_text()
    data = json.loads(re.findall(r'id="data">(.*?)</script>', text, re.DOTALL)[0])
    scenario = next(own for own in data["scenarios"] if own["label"] == "open_up_day")
    Select(page.find_element(By.ID, "replay-scenario")).select_by_visible_text("open_up_day")
    side = page.find_element(By.ID, "left")
    policy = Select(side.find_element(By.TAG_NAME, "select")).first_selected_option.text
    assert policy == "fcfs"
    record = next(own for own in scenario["replays"] if own["policy"] == policy)
    assert record["same"]
    last = int(str(page.find_element(By.ID, "scrub").get_attribute("max")))
    zombies, away = 0, 0
    go = "const s = document.getElementById('scrub'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))"
    for number in range(0, last, last // 25):
        page.execute_script(go, number)
        hours, minutes, seconds = map(int, page.find_element(By.ID, "scrub-time").text.split(":"))
        decided = side.find_elements(By.CLASS_NAME, "decision")
        chosen = side.find_elements(By.CSS_SELECTOR, ".why .chosen")
        assert len(chosen) == len(decided)
        now = latest_moment(record, hours * 60 + minutes + seconds / 60)
        queue = {span[0] for kind in ("waiting", "zombies") for span in record[kind] if span[1] <= now < span[2]}
        chips = side.find_elements(By.CSS_SELECTOR, ".queue li")
        assert {int(str(chip.get_attribute("data-contact"))) for chip in chips} == queue
        zombies += len(side.find_elements(By.CSS_SELECTOR, ".queue .zombie"))
        busy = {(leg[0], leg[1]) for leg in record["legs"] if leg[3] <= now < leg[4]}
        shown = set()
        for row in side.find_elements(By.CSS_SELECTOR, ".staff li[data-counsellor]"):
            who = int(str(row.get_attribute("data-counsellor")))
            shown |= {(int(contact), who) for contact in str(row.get_attribute("data-contacts")).split()}
            away += "break" in row.text
        assert shown == busy
    assert zombies
    assert away


def latest_moment(record: dict[str, Any], shown: float) -> float:
    """The minute of an event of the record that the clock, in whole seconds, shows; else that of the clock."""
    edges = [row[0] for row in record["contacts"]] + [row[0] for row in record["decisions"]]
    for kind, start in {"waiting": 1, "zombies": 1, "legs": 3, "duty": 1, "breaks": 1}.items():
        edges += [edge for row in record[kind] for edge in row[start : start + 2]]
    return max((edge for edge in edges if round(edge * 60) <= round(shown * 60)), default=0.0)


def test_both_sides_go_to_the_first_decision_that_differs(page: webdriver.Chrome) -> None:
    Select(page.find_element(By.CSS_SELECTOR, "#right select")).select_by_visible_text("random")
    page.find_element(By.ID, "scrub-differ").click()
    told = [own.text for own in page.find_elements(By.CLASS_NAME, "decision")]
    assert len(told) == 2
    assert told[0] != told[1]
    Select(page.find_element(By.CSS_SELECTOR, "#right select")).select_by_visible_text("fcfs")
    page.find_element(By.ID, "scrub-differ").click()
    assert page.find_element(By.ID, "replay-note").text == "They decide alike."


def test_data_cannot_end_the_script_that_holds_it() -> None:
    page = fill({"label": "</script><script>alert(1)</script>"})
    assert page.count("</script>") == fill({}).count("</script>")

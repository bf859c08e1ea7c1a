"""Policies of others in a comparison: who plays has a row, who fails has none, and the others notice nothing."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from rich.console import Console

from experiments.cells import told
from experiments.comparison import Row
from experiments.configs import CONF, LeaderboardConfig
from experiments.entrants import entrants, opened
from experiments.leaderboard import build_cells, run
from experiments.manifest import replay_row
from experiments.recording import record_episode
from experiments.source_code import digest_of_code, source_digest
from mhgym.envs import RoutingEnv
from mhgym.evaluation.isolation import PolicyError
from mhgym.evaluation.named_policies import load_policy
from mhgym.evaluation.rollout import run_episode
from mhgym.presets import make_scenario
from mhgym.presets.joined import joined_presets
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals, ReplayArrivals
from mhgym.trace import Trace
from mhgym.view import HOLD

PEEKING = Path(__file__).resolve().parents[1] / "evaluation/peeking.py"
POLICIES = '''
import time
import numpy as np
from mhgym.view import Pair

class First:
    """First come, first served; ties as the baseline breaks them."""
    name = "their_first"
    def __init__(self, name="their_first"):
        self.name = name
    def reset(self, scenario, rng):
        self.calls = 0
    def act(self, view):
        self.calls += 1
        row = np.nonzero(view.legal)[0][0]
        people = np.flatnonzero(view.legal[row])
        return Pair(int(row), int(people[np.argmin(view.staff.idle_since[people])]))

class Raises(First):
    def act(self, view):
        raise KeyError("<b>nothing</b>")

class Hangs(First):
    def act(self, view):
        time.sleep(60)

class Nonsense(First):
    def act(self, view):
        return "whoever"

class Eats(First):
    def act(self, view):
        return np.ones(2**31)  # 16 GiB

class Illegal(First):
    def act(self, view):
        return (99, 99)
'''


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("theirs") / "theirs.py"
    path.write_text(POLICIES, encoding="utf-8")
    return path


def configured(*overrides: str) -> LeaderboardConfig:
    base = ("scenario=eran_heavy", "evaluation.traces=2", "evaluation.resamples=50", "evaluation.workers=1")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        raw = compose("leaderboard", [*base, "agent=[fcfs,cmt]", "plots=false", "shifts=0", *overrides])
    config = OmegaConf.to_object(raw)
    assert isinstance(config, LeaderboardConfig)
    return config


def play(folder: Path, *overrides: str) -> list[Row]:
    return run(configured(f"cache={folder / 'cells'}", *overrides), folder / "out", Console(quiet=True))


def test_each_failure_is_told_by_name_and_the_rest_is_as_without_it(theirs: Path, tmp_path: Path) -> None:
    files = dict.fromkeys(("Raises", "Hangs", "Nonsense", "Eats", "Illegal"), theirs) | {"Peeks": PEEKING}
    labelled = [
        f"+agents={{{name}: {{source: {file}:{name}, settings: {{name: {name}}}}}}}" for name, file in files.items()
    ]
    limits = ("limits.decision=2", "limits.memory_gib=4")
    sources = f"policy=[{theirs}:First,{theirs}:Nobody]"
    rows = {row.policy: row for row in play(tmp_path / "all", *labelled, *limits, sources)}
    assert set(rows) == {"fcfs", "cmt", "their_first", "Illegal", "Peeks"}
    alone = {row.policy: row for row in play(tmp_path / "alone")}
    assert rows["fcfs"] == alone["fcfs"]
    for column in ("objective", "means", "difference"):
        assert getattr(rows["cmt"], column) == getattr(alone["cmt"], column)
    for name in ("their_first", "Peeks"):
        assert rows[name].means == rows["fcfs"].means, "the same decisions in a process of its own"
    assert rows["Illegal"].means["quantity"] == 0.0, "what is illegal counts as HOLD"
    text = (tmp_path / "all/out/leaderboard.md").read_text()
    told = {
        own["policy"]: own["words"] for own in json.loads((tmp_path / "all/out/summary.json").read_text())["failures"]
    }
    assert set(told) == {"Raises", "Hangs", "Nonsense", "Eats", f"{theirs}:Nobody"}
    for name, words in (
        ("Raises", "KeyError: '<b>nothing</b>' (line"),
        ("Hangs", "did not answer within 2 s"),
        ("Nonsense", "it answered 'whoever'"),
        ("Eats", "MemoryError"),
        (f"{theirs}:Nobody", "no class 'Nobody'"),
    ):
        assert words in told[name]
        assert f"- {name} has no row in eran_heavy: " in text


def test_an_edited_policy_is_played_again_and_a_known_one_is_not(theirs: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(theirs.read_text(), encoding="utf-8")
    override = f"policy={own}:First"
    before = [cell.key for cell in build_cells(configured(override))]
    assert [cell.key for cell in build_cells(configured(override, "limits.decision=3"))] == before
    own.write_text(theirs.read_text() + "\n", encoding="utf-8")
    after = [cell.key for cell in build_cells(configured(override))]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True] * 4 + [False] * 2


def test_a_package_is_known_by_all_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "their_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "rule.py").write_text(POLICIES)
    monkeypatch.syspath_prepend(tmp_path)
    before = digest_of_code("their_package.rule:First")
    policies = entrants(configured("policy=their_package.rule:First")).policies
    assert policies["their_package.rule:First"].name == "their_first"
    assert digest_of_code("their_package.rule:First") == before
    (folder / "weights.json").write_text("[1]")
    assert digest_of_code("their_package.rule:First") != before


def test_cells_know_the_code_of_joined_scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A law that is edited in another package must not find the results of the former one."""
    monkeypatch.syspath_prepend(tmp_path)
    before = source_digest.__wrapped__()
    (tmp_path / "village").mkdir()
    (tmp_path / "village/__init__.py").write_text("mean = 1.0")
    info = tmp_path / "village-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: village\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mhgym.scenarios]\nVillage = village:Village\n")
    digests = [before]
    for law in ("mean = 1.0", "mean = 2.0"):
        (tmp_path / "village/__init__.py").write_text(law)
        joined_presets.cache_clear()
        digests.append(source_digest.__wrapped__())
    joined_presets.cache_clear()
    assert len(set(digests)) == 3


def test_a_scenario_may_be_played_by_some_agents_only(theirs: Path) -> None:
    two = ("scenario=[eran_heavy,eran_standard]", "+players.eran_standard=[cmt,lcfs]", f"policy={theirs}:First")
    players = {(cell.scenario_label, cell.policy.name) for cell in build_cells(configured(*two))}
    heavy = {("eran_heavy", name) for name in ("fcfs", "cmt", "their_first")}
    assert players == heavy | {("eran_standard", "cmt"), ("eran_standard", "their_first")}
    with pytest.raises(ValueError, match=r"players.eran_heavy has fcsf \(known: cmt, fcfs\)"):
        build_cells(configured("+players.eran_heavy=[fcsf]"))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("+agents={x: {settings: {}}}",), "agent 'x' needs a name of this checkout, or the source"),
        (("policy=5",), "policy is file.py:Class or a list of such, got 5"),
        (("+players.eran_heavy=[lcfs]",), "nobody plays eran_heavy: players.eran_heavy has lcfs, agent fcfs, cmt"),
        (("+agents={x: {name: cmt}}",), "different names, got fcfs, cmt, cmt"),
        (("~agents.fcfs", "~agents.cmt"), "needs policies and scenarios, got 0 and 1"),
        (("~agents.fcfs", "~agents.cmt", "policy=nowhere.py:Nobody"), "no file 'nowhere.py'"),
    ],
)
def test_impossible_fields_are_refused(overrides: tuple[str, ...], words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        play(tmp_path, *overrides)
    assert not (tmp_path / "out").exists()


def test_no_field_left_is_an_error_that_says_why(theirs: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no policy has finished eran_heavy: .*Raises failed in act"):
        play(tmp_path, "~agents.fcfs", "~agents.cmt", f"policy={theirs}:Raises")


def test_a_policy_that_is_edited_while_it_plays_has_no_row(theirs: Path, tmp_path: Path) -> None:
    """Its cells would be kept under the name of the former code."""
    own = tmp_path / "own.py"
    own.write_text(theirs.read_text(), encoding="utf-8")
    policy = entrants(configured(f"policy={own}:First")).policies[f"{own}:First"]
    with pytest.raises(PolicyError, match="was edited while it played"), opened(policy):
        own.write_text(theirs.read_text() + "\n", encoding="utf-8")


def test_a_replayed_policy_that_was_edited_is_told_so(theirs: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(theirs.read_text(), encoding="utf-8")
    play(tmp_path, f"policy={own}:First", "~agents.cmt")
    assert replay_row("eran_heavy/their_first", tmp_path / "out", workers=1).differences == ()
    own.write_text(theirs.read_text() + "\n", encoding="utf-8")
    (difference,) = replay_row("eran_heavy/their_first", tmp_path / "out", workers=1).differences
    assert difference.figure == "code of the policy"
    own.unlink()
    with pytest.raises(ValueError, match=r"their_first cannot be made now: .*no file"):
        replay_row("eran_heavy/their_first", tmp_path / "out", workers=1)


def test_a_part_without_words_is_refused() -> None:
    """Two such scenarios would find each other's results."""
    scenario = make_scenario("EranHeavy")
    law = replace(scenario, arrivals=Nameless())
    with pytest.raises(ValueError, match=r"EranHeavy has a part that is no more than <.*Nameless object at 0x"):
        told(law)
    long = [told(replace(scenario, arrivals=Long(np.arange(2000.0) + np.eye(1, 2000, k)[0]))) for k in (900, 901)]
    assert long[0] != long[1]


class Nameless(PoissonArrivals):
    __repr__ = object.__repr__

    def __init__(self) -> None:
        super().__init__(HourlyRates((1.0,)))


@dataclass(frozen=True)
class Long(PoissonArrivals):
    gaps: Any = None

    def __init__(self, gaps: Any) -> None:
        object.__setattr__(self, "rate", HourlyRates((1.0,)))
        object.__setattr__(self, "gaps", gaps)


def test_nobody_is_told_a_recording(tmp_path: Path) -> None:
    """Of a replayed month a policy, ours or not, knows the law that was fitted to it."""
    scenario = make_scenario("EranHeavy")
    recorded = replace(scenario, arrivals=ReplayArrivals((1.0, 2.0, 3.0), scenario.arrivals))
    asked = []

    class Curious:
        name = "curious"

        def reset(self, scenario: Any, rng: Any) -> None:
            asked.append(scenario)

        def act(self, view: Any) -> Any:
            return HOLD

    run_episode(recorded, Curious(), Trace.sample(recorded, 0))
    record_episode(RoutingEnv(recorded), Curious(), 0)
    assert asked == [scenario, scenario]


@pytest.mark.parametrize("name", ["[/]", "../../out", "a|b", "", "x" * 81, "-x"])
def test_names_that_fit_no_table_are_refused(name: str, theirs: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(theirs.read_text() + f"\nFirst.__init__.__defaults__ = ({name!r},)\n", encoding="utf-8")
    with pytest.raises(ValueError, match="the label of a row has 1 to 80 letters, digits"):
        load_policy(f"{file}:First")


def test_results_keep_no_trace_of_a_failed_policy(theirs: Path, tmp_path: Path) -> None:
    play(tmp_path, f"policy={theirs}:Raises")
    assert set(pl.read_parquet(tmp_path / "out/episodes.parquet")["policy"]) == {"fcfs", "cmt"}

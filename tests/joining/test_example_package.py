"""The worked example, really installed: its policy, scenario and configuration are found by name wherever ours are."""

import json
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[2]

_SCRIPT = """
import sys
import gymnasium
import mhgym
from mhgym.presets import find_preset, make_scenario, preset_names
assert "Village" in preset_names()
assert "village_line" not in sys.modules, "imported before it was asked for"
assert len(make_scenario("Village", staffing=3).roster) == 3
for refused in ({"newcomers": 1}, {"staff": 3}):
    try:
        make_scenario("Village", **refused)
    except ValueError as error:
        print(error)
env = gymnasium.make("mhgym/Routing-v0", scenario="Village", flow=12.0)
observation, info = env.reset(seed=0)
assert env.observation_space.contains(observation)
envs = gymnasium.make_vec("mhgym/Routing-v0", num_envs=2, scenario="Village", staffing=3)
assert envs.single_action_space.n == 16 * 3 + 1
print("done")
"""

_HOUR = """# @package scenarios.hour
defaults:
  - /preset@settings: Village

traces: 100
settings:
  horizon: 60.0  # minutes
"""


def test_its_own_tests_pass(example, tmp_path):
    done = example.run("-m", "pytest", "-q", "-p", "no:cacheprovider", str(example.folder), cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_its_policy_is_scored_against_the_published_results(example, tmp_path):
    command = ("evaluate", "--policy", "least_patient", "--traces", "20", "--json", "--settings", '{"price": 0.5}')

    done = example.run("-m", "mhgym.cli", *command, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["policy"], told["traces"], told["illegal"]) == ("least_patient", 20, 0)
    assert 0.5 < told["objective"]["estimate"] < 1.0


def test_its_scenario_is_made_by_name(example, tmp_path):
    """As a scenario, as an environment and as a batch; what it does not take is refused."""
    done = example.run("-c", _SCRIPT, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Village takes no newcomers, got 1"
    assert lines[1].startswith("Village has no setting 'staff'; did you mean 'staffing'?")
    assert lines[2] == "done"


def test_scenario_and_agent_are_compared_on_the_leaderboard_and_replayed(example, tmp_path):
    """The files of its `conf/` and of a plain folder compose with ours; settings arrive; a row can be played again."""
    (tmp_path / "mine/scenario").mkdir(parents=True)
    (tmp_path / "mine/scenario/hour.yaml").write_text(_HOUR, encoding="utf-8")
    place = [f"output={tmp_path}/out", f"hydra.run.dir={tmp_path}/run", "evaluation.workers=1"]
    small = ["evaluation.traces=4", "plots=false", "shifts=0", f"cache={tmp_path}/cache"]
    chosen = ["scenario=[village,hour]", "agent=[fcfs,cmt,least_patient]", "staffing=3"]
    command = ("-m", "experiments.leaderboard", "--config-dir", f"{tmp_path}/mine")

    done = example.run(*command, *chosen, *small, *place, cwd=ROOT)

    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert summary["presets"] == {"village": "Village", "hour": "Village"}
    scenarios = summary["configuration"]["scenarios"]
    assert (scenarios["village"]["settings"]["coffee"], scenarios["hour"]["settings"]["horizon"]) == (20.0, 60.0)
    episodes = pl.read_parquet(tmp_path / "out/episodes.parquet")
    assert sorted(episodes["policy"].unique()) == ["cmt", "fcfs", "least_patient"]
    traces = episodes.group_by("scenario", "seed").agg(pl.col("trace_hash").n_unique())
    assert len(traces) == 8
    assert (traces["trace_hash"] == 1).all()
    again = example.run("-m", "experiments.leaderboard", "replay=village/cmt", *place, cwd=ROOT)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "every one the same" in again.stdout

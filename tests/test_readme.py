"""The README's Python blocks run, its commands exist, and what it says of ids and groups is true."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from experiments.docs.code_blocks import ENVIRONMENT, blocks_of, run_command, run_python
from mhgym.registration import ANY_ID, COUNSELLOR_IDS, DISPATCHER_IDS, IDS, MATCHING_IDS, MO_IDS, MO_MATCHING_IDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [block.text for block in blocks_of(README) if block.language == "python"]
COMMANDS = [command for block in blocks_of(README) for command in block.commands]
SMALL = ("evaluation.workers=1", "evaluation.traces=2", "agent=fcfs", "plots=false")
TOML = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.strip().splitlines()[0][:40])
def test_python_block_runs(block: str) -> None:
    done = run_python(block, ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make ")])
def test_make_target_exists(command: str) -> None:
    done = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith(f"{ENVIRONMENT}python")])
def test_experiment_command_runs(command: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(next(block for block in BLOCKS if "class ShortestFirst" in block))
    done = run_command(command, tmp_path, SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.rglob("summary.json"))


def test_ids_are_all_named() -> None:
    """Each centre and the week; of the forms that every centre has, at least one, and none that is not."""
    named = set(re.findall(r"[`\"](mhgym/[\w-]+-v\d+)[`\"]", README))
    assert {ANY_ID, *IDS, *MATCHING_IDS, *DISPATCHER_IDS} <= named
    assert named & set(COUNSELLOR_IDS)
    assert named & set(MO_IDS)
    assert named <= {ANY_ID, *IDS, *MATCHING_IDS, *DISPATCHER_IDS, *COUNSELLOR_IDS, *MO_IDS, *MO_MATCHING_IDS}


def test_entry_points_are_those_of_the_example_package() -> None:
    """Which `tests/joining` installs and runs."""
    (told,) = map(tomllib.loads, TOML)
    example = tomllib.loads((ROOT / "tests/joining/example_package/pyproject.toml").read_text(encoding="utf-8"))
    assert told["project"]["entry-points"] == example["project"]["entry-points"]

"""The README's Python blocks run, its commands exist, and what it says of ids and groups is true."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mhgym.registration import ANY_ID, COUNSELLOR_IDS, DISPATCHER_IDS, IDS, MATCHING_IDS, MO_IDS, MO_MATCHING_IDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
TOML = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.strip().splitlines()[0][:40])
def test_python_block_runs(block: str) -> None:
    command = [sys.executable, "-W", "error", "-c", block]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make ")])
def test_make_target_exists(command: str) -> None:
    done = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith(".venv/bin/python")])
def test_experiment_command_runs(command: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(next(block for block in BLOCKS if "class ShortestFirst" in block))
    small = [f"cache={tmp_path}/cache", "evaluation.workers=1", "evaluation.traces=2", "agent=fcfs", "plots=false"]
    words = [*shlex.split(command.replace("mine.py", f"{tmp_path}/mine.py"))[1:], *small, f"hydra.run.dir={tmp_path}/run", f"hydra.sweep.dir={tmp_path}/sweep"]
    if "-m" not in words[2:]:
        words.append(f"output={tmp_path}/out")
    else:
        words.append(f"output={tmp_path}/out-${{hydra:job.num}}")
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.glob("out*/summary.json"))


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

"""Computing in processes: a death costs no more than what was in hand, and who computes changes nothing."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from experiments.workers import ATTEMPTS, check_backend

ROOT = Path(__file__).resolve().parents[2]
NUM_CELLS = 400
#: A run of its own: cells of some hundredths of a second that note when they are computed, and as many as asked for
#: that end their worker, once or always.
SCRIPT = """
import os, signal, sys, time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from experiments.cells import digest_of
from experiments.workers import WorkersDiedError, compute_all

folder, workers, backend, numbers, deadly = sys.argv[1:]
folder = Path(folder)


@dataclass(frozen=True)
class Noted:
    number: int
    deadly: str = ""

    @property
    def key(self) -> str:
        return digest_of(repr(self))

    def tables(self) -> dict[str, pl.DataFrame]:
        died = folder / "died"
        if self.deadly == "always" or (self.deadly == "once" and not died.exists()):
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.02)
        with (folder / "notes").open("a") as file:
            file.write(self.key + "\\n")
        return {"number": pl.DataFrame({"number": [self.number]})}


cells = [Noted(number) for number in range(int(numbers))]
cells[:0] = [Noted(-1, deadly)] if deadly else []  # the first, so that all others come after it
try:
    told = sum(1 for _ in compute_all(cells, folder / "cells", int(workers), backend))
except WorkersDiedError as error:
    sys.exit(str(error))
print(told)
"""


def begin(folder: Path, *, backend: str = "loky", cells: int = NUM_CELLS, deadly: str = "") -> subprocess.Popen[str]:
    script = folder / "run.py"
    script.write_text(SCRIPT, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script), str(folder), "2", backend, str(cells), deadly],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def completed(folder: Path) -> dict[str, int]:
    """By key, when the cell was written."""
    own = [path for path in (folder / "cells").glob("*") if not path.name.startswith(".")]
    return {path.name: (path / "number.parquet").stat().st_mtime_ns for path in own}


def notes(folder: Path) -> Counter[str]:
    """How often each cell was computed."""
    file = folder / "notes"
    return Counter(file.read_text().split()) if file.exists() else Counter()


def workers_of(run: subprocess.Popen[str]) -> list[int]:
    """The processes in which loky computes for a run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        if parent == run.pid and b"popen_loky" in words:
            found.append(int(folder.name))
    return found


def wait_for(folder: Path, number: int, run: subprocess.Popen[str]) -> None:
    """Until so many cells are completed."""
    deadline = time.monotonic() + 60.0
    while len(completed(folder)) < number:
        assert run.poll() is None, f"the run ended by itself: {run.communicate()}"
        assert time.monotonic() < deadline, "the run does not go on"
        time.sleep(0.003)


@pytest.mark.verify
def test_twenty_kills_lose_no_completed_cell_and_repeat_none(tmp_path: Path) -> None:
    """The run with all its workers, or one worker alone, is killed in turn, each at a random moment."""
    kills, luck, run = 20, random.Random(0), begin(tmp_path)
    known: dict[str, int] = {}
    counted: Counter[str] = Counter()
    for kill in range(kills):
        wait_for(tmp_path, len(known) + luck.randint(1, NUM_CELLS // 40), run)
        time.sleep(luck.uniform(0.0, 0.03))
        workers = workers_of(run)
        if kill % 2:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            run = begin(tmp_path)
        else:
            os.kill(luck.choice(workers), signal.SIGKILL)
        now, computed = completed(tmp_path), notes(tmp_path)
        assert known.items() <= now.items(), "a completed cell was lost, or written again"
        assert all(computed[key] == counted[key] for key in known), "a completed cell was computed again"
        known, counted = now, Counter({key: computed[key] for key in now})
    told, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    assert int(told) == len(completed(tmp_path)) == NUM_CELLS
    assert all(notes(tmp_path)[key] == counted[key] for key in known)
    assert sum(notes(tmp_path).values()) <= NUM_CELLS + 2 * kills, "more was repeated than what was in hand"


def test_a_cell_that_always_kills_its_worker_ends_the_run_with_words(tmp_path: Path) -> None:
    run = begin(tmp_path, cells=10, deadly="always")
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 1
    assert f"Noted ended its worker {ATTEMPTS} times, often for want of memory" in errors
    assert len(completed(tmp_path)) == 10, "all others are computed"


@pytest.mark.verify
def test_ray_begins_again_what_a_dead_worker_had_in_hand(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    run = begin(tmp_path, backend="ray", cells=2, deadly="once")
    told, errors = run.communicate(timeout=180)
    assert run.returncode == 0, errors
    assert int(told.split()[-1]) == len(completed(tmp_path)) == 3  # after what Ray says of the death


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown evaluation.backend 'slurm' \(known: loky, ray\)"):
        check_backend("slurm")


def leaderboard(folder: Path, *overrides: str) -> None:
    base = ("scenario=[eran_heavy,eran_standard]", "agent=[fcfs,random]", "evaluation.traces=2")
    small = ("evaluation.engine=simpy", "evaluation.resamples=50", "plots=false", "shifts=0")
    done = subprocess.run(
        [sys.executable, "-m", "experiments.leaderboard", *overrides, *base, *small],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_backends_and_sweeps_write_the_same_results(tmp_path: Path) -> None:
    """One worker, two, two of Ray, a job of submitit: all is the same but timings and the page that shows them."""
    pytest.importorskip("ray")
    pytest.importorskip("submitit")
    ways = {
        "one": ("evaluation.workers=1",),
        "two": ("evaluation.workers=2",),
        "ray": ("evaluation.workers=2", "evaluation.backend=ray"),
        "submitit": (
            "-m",
            "hydra/launcher=submitit_local",
            f"hydra.sweep.dir={tmp_path}/sweep",
            "evaluation.workers=1",
        ),
    }
    for name, overrides in ways.items():
        place = tmp_path / name
        leaderboard(place, *overrides, f"output={place}/out", f"cache={place}/cells", f"hydra.run.dir={place}/hydra")
    for file in ("episodes.parquet", "bounds.parquet", "summary.json", "leaderboard.md"):
        assert len({(tmp_path / name / "out" / file).read_bytes() for name in ways}) == 1, file
    timings = json.loads((tmp_path / "ray/out/timings.json").read_text())
    assert (timings["backend"], timings["workers"]) == ("ray", 2)
    assert len({(tmp_path / name / "out/timings.json").read_bytes() for name in ways}) == len(ways)

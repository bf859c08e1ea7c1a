"""Policies of others: the same episodes in a process of their own, and every way to fail is told by name, alone."""

import os
import time
from pathlib import Path

import pytest

from agents.first_come import FirstCome
from mhgym.evaluation.isolation import IsolatedPolicy, Limits, PolicyError
from mhgym.evaluation.rollout import run_episodes
from mhgym.presets import make_scenario

PEEKING = Path(__file__).with_name("peeking.py")
POLICIES = '''
import os, sys, time
import numpy as np
from mhgym.view import HOLD, Pair

class Base:
    name = "theirs"
    def reset(self, scenario, rng):
        self.rng, self.calls = rng, 0
    def act(self, view):
        self.calls += 1
        rows, counsellors = np.nonzero(view.legal)
        idle = view.staff.idle_since[counsellors[rows == rows[0]]]
        return Pair(int(rows[0]), counsellors[rows == rows[0]][np.argmin(idle)])  # a NumPy integer is one, too

class Random(Base):
    def act(self, view):
        pairs = np.argwhere(view.legal)
        return tuple(pairs[self.rng.integers(len(pairs))])

class Raises(Base):
    def act(self, view):
        return {}["nothing"]

class Hangs(Base):
    def act(self, view):
        time.sleep(60)

class HangsDeaf(Base):
    def reset(self, scenario, rng):
        while True:
            pass

class Nonsense(Base):
    def act(self, view):
        return "the one who waits longest"

class Giant(Base):
    def act(self, view):
        return (10**40, 0)

class Illegal(Base):
    def act(self, view):
        return (10_000, -7)

class Eats(Base):
    def act(self, view):
        return np.ones(2**30)  # 8 GiB

class Exits(Base):
    def act(self, view):
        os._exit(3)

class Chatters(Base):
    def act(self, view):
        print("x" * 10_000)
        sys.stderr.write("y" * 10_000)
        return HOLD if self.calls % 2 else super().act(view)

class Nests(Base):
    """Answers past the protocol, with what no JSON reader can read."""
    def act(self, view):
        import socket, struct
        text = b"[" * 60_000
        for fd in range(3, 64):
            try:
                channel = socket.socket(fileno=os.dup(fd))
                channel.sendall(struct.pack("<Q", len(text)) + text)
            except OSError:
                pass
        time.sleep(60)

class Spawns(Base):
    def reset(self, scenario, rng):
        super().reset(scenario, rng)
        if (child := os.fork()) == 0:
            time.sleep(600)
            os._exit(0)
        self.name = str(child)
    def act(self, view):
        raise RuntimeError(f"child {self.name}")

class Nameless(Base):
    name = ""

class Inert:
    name = "inert"

class Picky(Base):
    def __init__(self, wait):
        self.wait = wait
'''


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("theirs") / "policies.py"
    path.write_text(POLICIES, encoding="utf-8")
    return path


def play(policy: IsolatedPolicy, traces: int = 2) -> list[dict[str, float]]:
    with policy:
        return [episode.kpis for episode in run_episodes(make_scenario("EranHeavy"), policy, range(traces), "compiled")]


def test_a_policy_plays_the_episodes_that_it_would_play_here(file: Path) -> None:
    own = [episode.kpis for episode in run_episodes(make_scenario("EranHeavy"), FirstCome(), range(3), "compiled")]
    assert play(IsolatedPolicy(f"{file}:Base"), 3) == own


def test_its_randomness_is_that_of_trace_and_name(file: Path) -> None:
    first, again = (play(IsolatedPolicy(f"{file}:Random")) for _ in range(2))
    assert first == again


FAILURES = {
    "Raises": r"in act at minute \d+\.\d: KeyError: 'nothing' \(line \d+ of policies\.py\)",
    "Hangs": r"in act at minute .*: it did not answer within 1 s",
    "HangsDeaf": r"in reset for EranHeavy: it did not answer within 1 s",
    "Nonsense": r"in act .*: it answered 'the one who waits longest'; a row of the queue and a counsellor",
    "Giant": r"in act .*: it answered \[1000+.*beyond any queue",
    "Eats": r"in act .*: .*MemoryError",
    "Nests": r"in act .*: its answer is no JSON",
    "Exits": r"in act .*: its process ended with exit code 3",
    "Nameless": r"whose name is ''; the label of a row has 1 to 80 letters",
    "Inert": r"makes a Inert without reset and act",
    "Picky": r"does not take these settings: missing a required argument: 'wait'",
    "Absent": r"has no class 'Absent' \(with an act: Base, Random, .*Picky\)",
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_is_told_by_name_and_place(kind: str, file: Path) -> None:
    limits = Limits(memory=4 * 2**30)
    if "Hangs" in kind:
        limits = Limits(reset=1.0 if kind == "HangsDeaf" else 60.0, decision=1.0)
    with pytest.raises(PolicyError, match=FAILURES[kind]) as caught:
        play(IsolatedPolicy(f"{file}:{kind}", limits=limits))
    assert str(caught.value).startswith(f"policy {file}:{kind} failed ")


def test_after_a_failure_it_stays_failed(file: Path) -> None:
    policy = IsolatedPolicy(f"{file}:Raises")
    for words in ("KeyError", "has failed before"):
        with pytest.raises(PolicyError, match=words):
            play(policy)


def test_what_is_illegal_is_a_hold_that_is_counted(file: Path) -> None:
    with IsolatedPolicy(f"{file}:Illegal") as policy:
        (episode,) = run_episodes(make_scenario("EranHeavy"), policy, range(1), "compiled")
    assert episode.illegal == episode.decisions > 0


def test_what_it_prints_disturbs_nobody(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert len(play(IsolatedPolicy(f"{file}:Chatters"))) == 2
    assert capfd.readouterr() == ("", "")


def test_its_children_end_with_it(file: Path) -> None:
    with pytest.raises(PolicyError, match=r"child \d+") as caught:
        play(IsolatedPolicy(f"{file}:Spawns"))
    child = int(str(caught.value).split("child ")[1].split(" ")[0])
    deadline = time.monotonic() + 10.0
    while time.monotonic() < deadline and _runs(child):
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_there_is_no_hidden_truth_to_be_found(file: Path) -> None:
    """Here, in the process that knows the trace, the same search finds it."""
    from mhgym.evaluation.named_policies import load_policy

    with pytest.raises(RuntimeError, match=r"found .*Trace"):
        run_episodes(make_scenario("EranHeavy"), load_policy(f"{PEEKING}:Peeks"), range(1), "compiled")
    assert len(play(IsolatedPolicy(f"{PEEKING}:Peeks"))) == 2


def test_limits_are_checked() -> None:
    with pytest.raises(ValueError, match="limit decision must be above 0 and finite, got 0"):
        Limits(decision=0.0)


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="counts open files by /proc")
def test_nothing_stays_open(file: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with IsolatedPolicy(f"{file}:Base"):
            pass
        with pytest.raises(PolicyError):
            IsolatedPolicy(f"{file}:Absent")
    assert len(os.listdir("/proc/self/fd")) == before

"""Policies of others, each in a process of its own that is told views, with limits of time and memory.

What a policy is not told it cannot find in its interpreter: there are no traces, engines or scores in its process, only
the public scenario, views, and a generator whose seed is derived from the trace. Its answers come back as text of two
numbers, never as objects, which could run code here. It is no jail: the process has the rights of its user, and who
knows the seeds of the traces can draw them.
"""

import json
import math
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from mhgym.evaluation.named_policies import NAME_RULE, fits_tables
from mhgym.scenario import Scenario
from mhgym.view import CentreView, Pair

#: Length of a message, before it.
HEADER = struct.Struct("<Q")
_LONGEST_ANSWER = 65_536  # bytes
_ROOT = str(Path(__file__).resolve().parents[2])  # where mhgym is imported from, installed or not


class PolicyError(RuntimeError):
    """A policy failed; the message says which, where and how."""


@dataclass(frozen=True)
class Limits:
    """What a policy may take.

    Attributes:
        start: Seconds to be imported and made.
        reset: Seconds for `reset`.
        decision: Seconds for `act`.
        memory: Bytes of address space; None for no limit.
    """

    start: float = 120.0
    reset: float = 60.0
    decision: float = 10.0
    memory: int | None = 16 * 2**30

    def __post_init__(self) -> None:
        for name in ("start", "reset", "decision", "memory"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"limit {name} must be above 0 and finite, got {value}")


class IsolatedPolicy:
    """A policy in a process of its own; where it fails, `PolicyError` is raised and the process is gone.

    Args:
        source: As `named_policies.load_policy`.
        settings: Of the policy.
        limits: What it may take.

    Raises:
        PolicyError: If it cannot be made.
    """

    def __init__(self, source: str, settings: Mapping[str, Any] | None = None, limits: Limits | None = None) -> None:
        self.source = source
        self.limits = limits or Limits()
        self._where = "while it was made"
        own, other = socket.socketpair()
        with other:
            # -P: not the folder of the moment first, whose files may bear names of the standard library.
            command = [sys.executable, "-P", "-m", "mhgym.evaluation.policy_process", str(other.fileno())]
            # What it prints is nobody's answer; its own group, so that its children end with it.
            self._process = subprocess.Popen(
                command,
                pass_fds=[other.fileno()],
                env=os.environ | {"PYTHONPATH": os.pathsep.join([_ROOT, os.environ.get("PYTHONPATH", "")])},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._socket = own
        made = {"source": source, "settings": dict(settings or {}), "memory": self.limits.memory, "path": sys.path}
        answer = self._ask("make", made, self.limits.start)
        if not fits_tables(answer):
            raise self._fail(f"its name is {str(answer)[:80]!r}; {NAME_RULE}")
        self.name = answer

    def reset(self, scenario: Scenario, rng: np.random.Generator) -> None:
        """Prepare for an episode."""
        self._where = f"in reset for {scenario.name}"
        self._ask("reset", (scenario, rng), self.limits.reset)

    def act(self, view: CentreView) -> Pair:
        """What the policy decides; a pair that is not legal is left to the engine, which counts it as HOLD."""
        self._where = f"in act at minute {view.now:.1f}"
        answer = self._ask("act", view, self.limits.decision)
        if not isinstance(answer, list) or len(answer) != 2 or any(type(number) is not int for number in answer):
            raise self._fail(f"it answered {str(answer)[:80]}; a row of the queue and a counsellor, or HOLD, is needed")
        if max(map(abs, answer)) > 2**31:
            raise self._fail(f"it answered {answer}; that is beyond any queue or roster")
        return Pair(*answer)

    def close(self) -> None:
        """End the process, and what it has begun in its own group."""
        self._socket.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, kind: str, content: Any, seconds: float) -> Any:
        """Send a request and wait for its answer."""
        if self._socket.fileno() < 0:
            raise PolicyError(f"policy {self.source} has failed before, or was closed; make it anew")
        message = pickle.dumps((kind, content))
        deadline = time.monotonic() + seconds
        try:
            self._socket.settimeout(seconds)
            self._socket.sendall(HEADER.pack(len(message)) + message)
            (size,) = HEADER.unpack(self._receive(HEADER.size, deadline))
            if size > _LONGEST_ANSWER:
                raise self._fail(f"its answer has {size} bytes")
            answer = json.loads(self._receive(size, deadline))
        except PolicyError:
            raise
        except TimeoutError:
            raise self._fail(f"it did not answer within {seconds:g} s") from None
        except (ConnectionError, EOFError):
            raise self._fail(f"its process ended{self._exit()}") from None
        except (ValueError, RecursionError):
            raise self._fail("its answer is no JSON") from None
        except BaseException:  # such as an interrupt: a late answer must not be taken for that of the next question
            self.close()
            raise
        if not isinstance(answer, dict) or len(answer) != 1 or not answer.keys() <= {"ok", "failed"}:
            raise self._fail("its answer has another form than asked for")
        if "failed" in answer:
            raise self._fail("".join(c if c.isprintable() else " " for c in str(answer["failed"])[:2000]))
        return answer["ok"]

    def _receive(self, size: int, deadline: float) -> bytes:
        parts = b""
        while len(parts) < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            part = self._socket.recv(size - len(parts))
            if not part:
                raise EOFError
            parts += part
        return parts

    def _exit(self) -> str:
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return ""
        return f" by signal {-code}" if code < 0 else f" with exit code {code}"

    def _fail(self, how: str) -> PolicyError:
        self.close()
        return PolicyError(f"policy {self.source} failed {self._where}: {how}")

"""The process of an isolated policy: `python -m mhgym.evaluation.policy_process <file descriptor>`."""

import json
import operator
import os
import pickle
import resource
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from mhgym.evaluation.isolation import HEADER
from mhgym.evaluation.named_policies import load_policy

_LONGEST_WORDS = 1000
_LOOK = 1.0  # seconds between two looks whether somebody still asks


def end_with(parent: int) -> None:
    """End this process when the one that began it has ended, even while a policy does not answer."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)


def serve(channel: socket.socket) -> None:
    """Answer requests until the other side is gone."""
    policy: Any = None
    while (size := channel.recv(HEADER.size, socket.MSG_WAITALL)) and len(size) == HEADER.size:
        (length,) = HEADER.unpack(size)
        kind, content = pickle.loads(channel.recv(length, socket.MSG_WAITALL))
        try:
            if kind == "make":
                policy = make(**content)
            answer: dict[str, Any] = {"ok": ask(policy, kind, content)}
        except BaseException as error:
            where = f" (line {_last_line(error)})" if error.__traceback__ else ""
            answer = {"failed": f"{type(error).__name__}: {str(error)[:_LONGEST_WORDS]}{where}"}
        text = json.dumps(answer).encode()
        channel.sendall(HEADER.pack(len(text)) + text)


def make(source: str, settings: dict[str, Any], memory: int | None, path: list[str]) -> Any:
    """The policy, made within its limit of memory."""
    if memory is not None:
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        memory = memory if most == resource.RLIM_INFINITY else min(memory, most)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    with suppress(OSError):  # if memory runs out all the same, it is this process that ends
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    sys.path[:] = path
    return load_policy(source, settings)


def ask(policy: Any, kind: str, content: Any) -> Any:
    """What the policy answers, as plain data."""
    if kind == "make":
        return policy.name
    if kind == "reset":
        policy.reset(*content)
        return None
    answer = policy.act(content)
    try:
        row, counsellor = answer
        return [operator.index(row), operator.index(counsellor)]
    except (TypeError, ValueError):
        return repr(answer)[:200]


def _last_line(error: BaseException) -> str:
    trace = error.__traceback__
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_lineno} of {trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}"


if __name__ == "__main__":
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    serve(socket.socket(fileno=int(sys.argv[1])))

"""The code that a document shows, and how it is run: by its tests, as a reader would.

Blocks of a page are run in order in one folder. A Python block whose first line is a file's name (`# mine.py`) is that
file; others are run as they stand, those that follow one another in one session, in which every warning is an error.
Each line of a block of `sh` is a command of the checkout's environment, `.venv/bin/python` or `.venv/bin/mhgym`; a line
that ends in a backslash goes on.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

ENVIRONMENT = ".venv/bin/"
_FENCE = re.compile(r"^```(python|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# (\w+\.py)\n")
_SECONDS = 300

Done = subprocess.CompletedProcess[str]


class Block(NamedTuple):
    """A block of `python` or `sh`."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that it is, if it is one."""
        named = _FILE.match(self.text) if self.language == "python" else None
        return named[1] if named else None

    @property
    def commands(self) -> list[str]:
        """Of a block of `sh`, without its comments."""
        lines = self.text.replace("\\\n", "").splitlines()
        return [words for line in lines if self.language == "sh" and (words := line.split("#")[0].strip())]


def blocks_of(page: str) -> list[Block]:
    """The blocks of a document, in order."""
    return [Block(*found) for found in _FENCE.findall(page)]


def run_python(text: str, folder: Path) -> Done:
    """Run Python as it stands, every warning an error."""
    return _run([sys.executable, "-W", "error", "-c", text], folder)


def run_command(command: str, folder: Path, more: Sequence[str] = ()) -> Done:
    """Run a command of the checkout's environment by the one that runs this.

    Args:
        command: As it is shown.
        folder: Where.
        more: Further arguments.

    Raises:
        ValueError: If it is none.
    """
    program, *words = shlex.split(command)
    if not program.startswith(ENVIRONMENT):
        raise ValueError(f"a command to run begins with {ENVIRONMENT}, got {command!r}")
    return _run([str(Path(sys.executable).with_name(program.removeprefix(ENVIRONMENT))), *words, *more], folder)


def run_page(page: str, folder: Path) -> list[Done]:
    """Run a page from top to bottom, until something fails."""
    blocks = blocks_of(page)
    for block in blocks:
        if block.file is not None:
            (folder / block.file).write_text(block.text, encoding="utf-8")
    done: list[Done] = []
    for step in _steps(block for block in blocks if block.file is None):
        done.append(step(folder))
        if done[-1].returncode:
            break
    return done


def _steps(blocks: Iterable[Block]) -> Iterator[Callable[[Path], Done]]:
    for language, group in groupby(blocks, key=lambda block: block.language):
        if language == "python":
            yield partial(run_python, "\n".join(block.text for block in group))
        else:
            yield from (partial(run_command, command) for block in group for command in block.commands)


def _run(command: list[str], folder: Path) -> Done:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False)

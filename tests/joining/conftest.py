"""Packages that join: one that is really installed, and names of others that are only written down."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mhgym.presets.joined import joined_presets

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = Path(__file__).with_name("example_package")
collect_ignore = ["example_package"]  # its own tests run where it is installed


@dataclass(frozen=True)
class Installed:
    """The example package after `pip install`.

    Attributes:
        folder: A copy of its source.
        site: What was installed.
    """

    folder: Path
    site: Path

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run Python with the package on its path."""
        environment = os.environ | {"PYTHONPATH": str(self.site), "COLUMNS": "120"}
        words = [sys.executable, *command]
        return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The example package, built and installed from a copy, without network."""
    pytest.importorskip("hatchling", reason="hatchling builds the example; it is in the extra 'test'")
    place = tmp_path_factory.mktemp("joining")
    folder = Path(shutil.copytree(EXAMPLE, place / "source"))
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet")
    words = [sys.executable, "-m", "pip", "install", *offline, "--target", str(place / "site"), str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Installed(folder, place / "site")


@pytest.fixture
def write_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Write packages that importlib takes for installed: a name, entry points by group, and files by path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, points: dict[str, dict[str, str]], files: dict[str, str] | None = None) -> Path:
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in own.items()) for group, own in points.items()]
        (info / "entry_points.txt").write_text("\n".join(lines))
        for path, text in (files or {}).items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        joined_presets.cache_clear()
        return tmp_path

    yield write
    monkeypatch.undo()
    joined_presets.cache_clear()

"""Policies by name: what a file may hold, and that files do not get into each other's way."""

import pickle
import random
import sys
from pathlib import Path

from mhgym.evaluation.named_policies import load_policy

POLICY = """
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar

@dataclass
class Mine:
    name: str = "{name}"
    kinds: ClassVar[list[str]] = []

    def reset(self, scenario, rng):
        pass

    def act(self, view):
        pass
"""


def test_a_file_may_hold_a_dataclass_with_annotations_as_text(tmp_path: Path) -> None:
    """For which `dataclasses` looks into the module of the class, and so does `pickle`."""
    (tmp_path / "mine.py").write_text(POLICY.format(name="mine"), encoding="utf-8")

    policy = load_policy(f"{tmp_path}/mine.py:Mine")

    assert policy.name == "mine"
    assert pickle.loads(pickle.dumps(policy)) == policy


def test_files_of_one_name_stay_apart_and_hide_no_module(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "random.py").write_text(POLICY.format(name=folder), encoding="utf-8")

    policies = [load_policy(f"{tmp_path}/{folder}/random.py:Mine") for folder in ("one", "two")]

    assert [pickle.loads(pickle.dumps(policy)).name for policy in policies] == ["one", "two"]
    assert sys.modules["random"] is random

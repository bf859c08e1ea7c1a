"""Everything that the pages show runs, from top to bottom in a folder of its own, as a reader would type it."""

from pathlib import Path

import pytest

from experiments.docs.code_blocks import Block, blocks_of, run_command, run_page

PAGES = Path(__file__).resolve().parents[2] / "experiments/docs/pages"
SHOWING = sorted(path for path in PAGES.rglob("*.md") if blocks_of(path.read_text(encoding="utf-8")))


@pytest.mark.train
@pytest.mark.parametrize("page", SHOWING, ids=lambda path: path.stem)
def test_what_a_page_shows_runs(page: Path, tmp_path: Path) -> None:
    done = run_page(page.read_text(encoding="utf-8"), tmp_path)

    assert done
    assert done[-1].returncode == 0, f"{done[-1].args}\n{done[-1].stdout}\n{done[-1].stderr}"


def test_every_howto_shows_something_that_runs() -> None:
    assert set(PAGES.rglob("howto/*.md")) <= set(SHOWING)


def test_a_page_that_is_wrong_fails_at_its_first_mistake(tmp_path: Path) -> None:
    page = "```python\n# mine.py\nNUMBER = 3\n```\n```python\nfrom mine import NUMBER\nassert NUMBER == 4\n```\n"
    page += "```python\nprint('not reached')\n```\n"

    done = run_page(page, tmp_path)

    assert [one.returncode for one in done] == [1]
    assert "AssertionError" in done[0].stderr


def test_a_warning_is_an_error(tmp_path: Path) -> None:
    page = "```python\nimport warnings\n\nwarnings.warn('old', stacklevel=1)\n```\n"

    assert run_page(page, tmp_path)[-1].returncode == 1


def test_commands_are_read_as_a_shell_would() -> None:
    block = Block("sh", ".venv/bin/mhgym kpis \\\n  log.csv  # of today\n\nmake test\n")

    assert [command.split() for command in block.commands] == [[".venv/bin/mhgym", "kpis", "log.csv"], ["make", "test"]]


def test_other_programs_are_not_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"begins with \.venv/bin/, got 'make test'"):
        run_command("make test", tmp_path)

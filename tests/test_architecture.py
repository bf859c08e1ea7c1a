"""The shape of the code: which way imports run, how large things are, what importing the library costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("mhgym", "agents", "experiments")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
EXAMPLE = ROOT / "tests/joining/example_package"  # a project of its own
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if EXAMPLE not in path.parents)

# STYLE.md, "Sizes".
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
LONGEST_KERNEL = 120  # of a compiled function, with the reason in a comment
# Numba's cache does not notice an edited helper in another file, so kernels that call one another share one module
# (DESIGN.md, "Known traps"); such a module may be longer than others, function by function it may not.
LONGEST_KERNEL_MODULE = 700


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def tool(name: str) -> str:
    """A program of the environment that runs the tests."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        pytest.skip(f"{name} is not installed; it is in the extra 'test'")
    return str(path)


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def is_compiled(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("njit" in ast.unparse(decorator) for decorator in function.decorator_list)


def test_there_is_something_to_check() -> None:
    assert len(SOURCES) > 40
    assert sum(len(functions(path)) for path in SOURCES) > 300


def test_imports_run_one_way() -> None:
    """The contracts of import-linter in pyproject.toml: layers, a light library, agents apart from experiments."""
    result = run(tool("lint-imports"), "--no-cache")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_are_small(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    large = {
        f"{function.name} at line {function.lineno}": length
        for function in functions(path)
        if (length := function.end_lineno - function.lineno + 1)  # type: ignore[operator]
        > (LONGEST_KERNEL if is_compiled(function) else LONGEST_FUNCTION)
    }

    most = LONGEST_KERNEL_MODULE if path.name == "kernels.py" else LONGEST_MODULE
    assert lines <= most, f"{path.name} has {lines} lines, at most {most}"
    assert not large, f"functions of {path.name} that are too long: {large}"


def test_no_module_is_a_drawer() -> None:
    """Names say what a module is for."""
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}

    assert not [path for path in SOURCES if path.stem in vague]


def test_test_modules_have_names_of_their_own_and_no_packages() -> None:
    """With `--import-mode=importlib`, as pyproject.toml has it."""
    names = [path.name for path in TESTS if path.name.startswith("test_")]

    assert not [path for path in TESTS if path.name == "__init__.py"]
    assert len(names) == len(set(names))


def test_ruff_finds_nothing() -> None:
    for command in (["check", "--quiet"], ["format", "--check", "--quiet"]):
        result = run(tool("ruff"), *command, "mhgym", "agents", "experiments", "tests")

        assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.verify
def test_mypy_finds_nothing() -> None:
    result = run(tool("mypy"))

    assert result.returncode == 0, result.stdout


def test_importing_the_library_is_light_and_registers_every_id() -> None:
    """No simulator, compiler, plotting, learning or configuration library comes in before it is needed."""
    script = """
import sys
import mhgym
heavy = ("torch", "simpy", "hydra", "omegaconf", "matplotlib", "numba", "scipy", "pygame", "PIL", "stable_baselines3")
print("loaded", *(name for name in heavy if name in sys.modules))
print("ours", *sorted(name for name in sys.modules if name.startswith("mhgym.") or name == "agents"))
import gymnasium
from mhgym.registration import IDS
print("missing", *(name for name in IDS if name not in gymnasium.registry))
"""
    result = run(sys.executable, "-c", script)

    assert result.returncode == 0, result.stderr
    loaded, ours, missing = result.stdout.splitlines()
    assert loaded.split() == ["loaded"]
    assert ours.split() == ["ours", "mhgym.registration"]
    assert missing.split() == ["missing"]
    assert not result.stderr

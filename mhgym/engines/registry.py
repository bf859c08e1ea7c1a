"""Engines by name."""

from collections.abc import Callable

from mhgym.engines.protocol import Engine
from mhgym.scenario import Scenario


def _simpy(scenario: Scenario) -> Engine:
    from mhgym.engines.reference import ReferenceEngine

    return ReferenceEngine(scenario)


def _compiled(scenario: Scenario) -> Engine:
    from mhgym.engines.compiled import CompiledEngine

    return CompiledEngine(scenario)


#: `simpy` is the definition and starts at once; `compiled` gives the same events faster and compiles on first use.
ENGINES: dict[str, Callable[[Scenario], Engine]] = {"simpy": _simpy, "compiled": _compiled}


def make_engine(name: str, scenario: Scenario) -> Engine:
    """An engine by name.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in ENGINES:
        raise ValueError(f"unknown engine {name!r} (known: {', '.join(ENGINES)})")
    return ENGINES[name](scenario)

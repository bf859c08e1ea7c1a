"""The page of metrics: every KPI with unit and meaning, the constants of the burden, the statistics of a comparison."""

from collections.abc import Iterator
from importlib import import_module
from inspect import getmembers, isfunction

from experiments.docs.docstrings import source_of, text_of
from experiments.docs.markdown import code, table
from experiments.docs.sourced_numbers import read_numbers
from mhgym.domain import CALLER_TYPES, RISKS, ROLES
from mhgym.metrics import GLOSSARY

_GROUPS = (*ROLES, *RISKS, *CALLER_TYPES)


def kpis(*names: str) -> str:
    """Some KPIs of the glossary."""
    return table(("KPI", "unit", "meaning"), ((code(name), *GLOSSARY[name]) for name in names))


def kpis_by(kind: str) -> str:
    """The KPIs that come once for each group of people."""
    return kpis(*(f"{kind}_{group}" for group in _GROUPS if f"{kind}_{group}" in GLOSSARY))


def constants(module: str, of: str) -> str:
    """The numbers of one class."""
    rows = [found for found in read_numbers(import_module(module)) if found.name.startswith(f"{of}.")]
    return table(
        ("constant", "value", "what it is; its source"), ((code(name), code(value), said) for name, value, said in rows)
    )


def functions(module: str) -> str:
    """What each public function of a module computes."""
    return table(("function", "what it gives", "source"), _functions(module))


def _functions(module: str) -> Iterator[tuple[str, str, str]]:
    for name, function in getmembers(import_module(module), isfunction):
        if function.__module__ == module and not name.startswith("_"):
            yield code(name), " ".join(text_of(function).split()), source_of(function)

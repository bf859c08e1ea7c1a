"""The page of policies: each agent with its words, parameters and source, and its settings in `conf/agent`."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from inspect import Parameter, getmodule, signature
from typing import Any

from agents import AGENTS, make_agent
from experiments.configs import CONF, agent_settings
from experiments.docs.docstrings import entries_of, source_of, text_of
from experiments.docs.markdown import code, paragraphs, table
from mhgym.engines.rules import Rule
from mhgym.policy import Explains, Policy

_NO_SOURCE = "none published that we know of: common practice, or a rule of this project"


@cache
def labels_of(name: str) -> tuple[str, ...]:
    """The files of `conf/agent` that use an agent."""
    known = sorted(path.stem for path in (CONF / "agent").glob("*.yaml"))
    return tuple(label for label in known if agent_settings(label)[0] == name)


@cache
def built(name: str) -> Policy:
    """An agent with the settings of its first file, or its defaults."""
    plain = [agent_settings(label)[1] for label in (*labels_of(name)[:1],)]
    return make_agent(name, **(plain[0] if plain else {}))


def overview() -> str:
    """All agents in a table."""
    rows = [
        (f"[`{name}`](#{name.replace('_', '-')})", _first_sentence(text_of(type(built(name)))), _compiled(built(name)))
        for name in AGENTS
    ]
    return table(("agent", "what it does", "compiled"), rows)


def every_agent() -> str:
    """A section for each agent."""
    return paragraphs(*(agent(name) for name in AGENTS))


def agent(name: str) -> str:
    """What there is to say of an agent."""
    policy = built(name)
    cls = type(policy)
    source = source_of(cls, getmodule(cls)) or _NO_SOURCE
    parameters = list(_parameters(cls))
    return paragraphs(
        f"### {name}",
        text_of(cls),
        text_of(getmodule(cls)) if _shares_no_module(cls) or "see the module" in text_of(cls) else "",
        f"`{cls.__module__}.{cls.__qualname__}`. Compiled: {_compiled(policy)}. Says why it decides: "
        + ("yes" if isinstance(policy, Explains) else "no")
        + f". Source: {source.rstrip('.')}.",
        table(("parameter", "default", "what it is"), parameters) if parameters else "",
        _files(name),
    )


def _shares_no_module(cls: type) -> bool:
    """Whether the words of its module are about this agent alone."""
    return [type(built(name)).__module__ for name in AGENTS].count(cls.__module__) == 1


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def _compiled(policy: Policy) -> str:
    """In which form decisions are compiled."""
    if (rule := getattr(policy, "compiled_rule", None)) is not None:
        return f"`Rule.{Rule(rule).name}`"
    return _COMPILED_PARTS.get(type(policy).__name__, "no")


_COMPILED_PARTS = {
    "MCTS": "its simulations",
    "GuidedSearch": "its simulations",
    "Learned": "the index-rule network",
}


def _parameters(cls: type) -> Iterator[tuple[str, str, str]]:
    """Name, default and meaning; the label in tables, which all have, is left out."""
    words = entries_of(cls)
    for name, default in _defaults(cls):
        if name != "name":
            yield code(name), "needed" if default is Parameter.empty else code(default), words.get(name, "")


def _defaults(cls: type | Callable[..., Any]) -> Iterator[tuple[str, object]]:
    if is_dataclass(cls):
        for item in fields(cls):
            if item.init:
                made = item.default_factory() if item.default_factory is not MISSING else Parameter.empty
                yield item.name, made if item.default is MISSING else item.default
        return
    for name, parameter in signature(cls).parameters.items():
        if parameter.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL):
            yield name, parameter.default


def _files(name: str) -> str:
    """The settings of `conf/agent`, with what their files say of them."""
    rows = []
    for label in labels_of(name):
        settings = {key: value for key, value in agent_settings(label)[1].items() if key != "name"}
        lines = (CONF / f"agent/{label}.yaml").read_text(encoding="utf-8").splitlines()
        said = [line[1:].strip() for line in lines if line.startswith("#") and "@package" not in line]
        said = [f"`{line}`:" if line.startswith("python") else line for line in said]
        told = "<br>".join(f"`{key}: {value}`" for key, value in settings.items()) or "defaults"
        rows.append((f"`agent={label}`", told, " ".join(said)))
    if [row[1:] for row in rows] == [("defaults", "")]:
        return f"Configuration: {rows[0][0]}, with the defaults."
    return table(("configuration", "settings", "its file says"), rows) if rows else ""

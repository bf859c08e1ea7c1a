"""The page of scenarios: what each preset is by default, and every number of its modules with its source."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from importlib import import_module

from experiments.docs.docstrings import entries_of, text_of
from experiments.docs.markdown import code, number, paragraphs, table
from experiments.docs.sourced_numbers import Number, read_numbers
from mhgym.domain import RISKS, ROLES, Counsellor
from mhgym.metrics import COMPONENTS
from mhgym.presets import PRESETS, Preset
from mhgym.processes.outcomes import OutcomeLaw, RemainingTimeModel
from mhgym.scenario import Rules, Scenario

#: Modules that hold the numbers of each centre.
MODULES = {
    "eran": ("mhgym.presets.eran", "mhgym.presets.eran_population"),
    "open_up": (
        *("mhgym.presets.open_up", "mhgym.presets.open_up_roster", "mhgym.presets.open_up_population"),
        "mhgym.processes.arrivals.open_up_rates",
    ),
    "therapists": ("mhgym.presets.therapists", "mhgym.presets.therapists_population"),
    "disaster_relief": ("mhgym.matching.week", "mhgym.matching.generator", "mhgym.matching.arrivals"),
}
#: Where the number behind a setting stands, if not as `preset_<setting>`, as an argument or as a field.
_STANDS_IN = {
    "weights": ("default_weights",),
    "newcomers": ("_roster", "_build"),
    "staffing": ("BASE_STAFFING",),
    "flow": ("FLOWS", "OPEN_UP_VISITORS_PER_HOUR"),
}
_ON_DEMAND = ("arrivals_path", "arrivals_column")  # settings that nothing stands behind by default
_DAY = 1440.0


@cache
def numbers_of(centre: str) -> list[Number]:
    """Every number of a centre's modules."""
    return [found for module in MODULES[centre] for found in read_numbers(import_module(module))]


def common_settings() -> str:
    """What every preset can be told."""
    words = entries_of(Preset) | {name: text for name, text in entries_of(Rules).items() if name in _names(Preset)}
    return table(("setting", "what it is"), ((code(name), words[name]) for name in _names(Preset)))


def preset(name: str) -> str:
    """What a preset is unless it is told otherwise."""
    cls = PRESETS[name]
    scenario = cls().build()
    return paragraphs(
        text_of(cls),
        f'`gymnasium.make("mhgym/{name}-v0")`, `make_scenario("{name}")`. By default:',
        table(("setting", "default", "source"), _defaults(cls, scenario)),
        "Who is there, in hours and minutes from the start (the first day, where there are more):",
        table(("counsellors", "role", "contacts at once", "risks", "inbox", "on duty"), _roster(scenario)),
    )


def numbers(centre: str) -> str:
    """Every number of a centre with its source, module by module."""
    meanings = entries_of(OutcomeLaw) | entries_of(RemainingTimeModel) | entries_of(Rules)
    parts = []
    for module in MODULES[centre]:
        rows = []
        for found in read_numbers(import_module(module)):
            meaning = meanings.get(found.name.replace(": ", ".").rpartition(".")[2], "")
            rows.append((code(found.name), code(found.value), f"{meaning} {found.account}".strip()))
        parts.append(f"From `{module}`:\n\n" + table(("number", "value", "what it is; its unit; its source"), rows))
    return paragraphs(*parts)


def _names(cls: type) -> list[str]:
    return [item.name for item in fields(cls)]


def _defaults(cls: type[Preset], scenario: Scenario) -> Iterator[tuple[str, str, str]]:
    """Setting, default and source, without rules that a preset leaves as they are for all."""
    plain, own = cls(), entries_of(cls)
    rate = scenario.arrivals.mean_rate(scenario.horizon)
    worked_out = {
        "flow": f"{getattr(cls, 'preset_flow', 'standard')}: {number(round(rate * 60, 2))} arrivals an hour",
        "staffing": _staffing(cls, scenario),
        "horizon": f"{number(scenario.horizon)} min",
        "arrivals": code(type(scenario.arrivals).__name__),
        "newcomers": number(scenario.roster.new().sum()),
        "weights": ", ".join(
            f"{name} {number(weight)}"
            for name, weight in zip(COMPONENTS, scenario.weights.as_tuple(), strict=True)
            if weight
        ),
    }
    for name in _names(cls):
        value = worked_out.get(name, getattr(scenario.rules, name, getattr(plain, name)))
        source = source_of_setting(cls, name) or (own[name] if name not in _names(Preset) else "")
        untouched = name in _names(Rules) and value == getattr(Rules(), name) and not source
        if name not in _ON_DEMAND and not untouched:
            yield code(name), number(value) if isinstance(value, float | int) else value, source
    level = number(scenario.service_level_minutes)
    yield "service level", f"within {level} min", source_of_setting(cls, "service_level_minutes")


def _staffing(cls: type[Preset], scenario: Scenario) -> str:
    given, people = getattr(cls, "preset_staffing", "the base case"), len(scenario.roster)
    return str(given) if given == people else f"{given}: {people} people in all"


def source_of_setting(cls: type[Preset], setting: str) -> str:
    """The account of the number behind a setting, in the preset's own class before those it is built on."""
    centre = next(name for name, modules in MODULES.items() if cls.__module__ in modules)
    places = [f"preset_{setting}", f": {setting}", f".{setting}", *_STANDS_IN.get(setting, ())]
    for base in (*(base.__name__ for base in cls.__mro__), ""):
        for place in places:
            for found in numbers_of(centre):
                if found.name.startswith(base) and (found.name.endswith(place) or f".{place}." in found.name):
                    return found.account
    return ""


def _roster(scenario: Scenario) -> Iterator[tuple[str, ...]]:
    """Counsellors who are alike in one row."""
    alike: dict[tuple[str, ...], list[Counsellor]] = {}
    for person in scenario.roster:
        alike.setdefault(_described(person), []).append(person)
    for what, people in alike.items():
        new = sum(person.new for person in people)
        yield (f"{len(people)}" + (f", {new} of them new" if new else ""), *what)


def _described(person: Counsellor) -> tuple[str, ...]:
    duty = [shift for shift in person.shifts if shift.start < _DAY]
    times = [f"{_clock(shift.start)} to {_clock(shift.end)}" for shift in duty]
    pauses = [f"{_clock(begin)} to {_clock(end)}" for shift in duty for begin, end in shift.breaks]
    return (
        ROLES[person.role].replace("_", " "),
        number(person.capacity),
        ", ".join(RISKS[risk] for risk in sorted(person.risks)),
        number(person.inbox) if person.inbox else "none",
        ", ".join(times) + (f"; breaks {', '.join(pauses)}" if pauses else ""),
    )


def _clock(minutes: float) -> str:
    return f"{int(minutes // 60)}:{minutes % 60:02.0f}"

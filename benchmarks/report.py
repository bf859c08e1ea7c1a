"""The report: JSON for machines, Markdown for people."""

from typing import Any

from benchmarks.timing import Result


def number(value: float) -> str:
    """Three digits or the whole number, whichever is longer."""
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def row(*cells: str) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def markdown(title: str, how: str, results: list[Result], bars: list[dict[str, Any]], machine: dict[str, Any]) -> str:
    """Bars first, then every measurement."""
    load = ", ".join(f"{value:.1f}" for value in (machine["load_before"], machine["load_after"]))
    lines = [
        f"# {title}",
        "",
        f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, "
        f"Numba {machine['packages']['numba']}; load average before and after: {load} (this run makes up 1).",
        "",
        how,
        "",
        row("bar", "to reach", "measured", "met"),
        row("---", "---:", "---:", "---"),
    ]
    lines += [
        row(bar["what"], bar["bar"], f"{number(bar['measured'])} {bar['unit']}", "yes" if bar["met"] else "**no**")
        for bar in bars
    ]
    lines += ["", row("measurement", "median", "range", "by the clock", "rounds"), row("---", *["---:"] * 4)]
    lines += [
        row(
            result.what,
            f"{number(result.value)} {result.unit}",
            f"{number(result.low)} to {number(result.high)}",
            number(result.wall),
            str(result.repeats),
        )
        for result in results
    ]
    return "\n".join([*lines, ""])

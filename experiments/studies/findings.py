"""Lines of a reproduction: our figure, theirs, the difference and whether it lies inside the margin; and remarks."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from mhgym.evaluation.statistics import Interval, equivalent, mean_difference_interval


@dataclass(frozen=True)
class Finding:
    """Ours beside theirs.

    Attributes:
        setting: What was simulated.
        measure: What is compared, with its unit.
        ours: Mean over our replications.
        theirs: Mean over theirs.
        difference: Ours minus theirs.
        margin: Largest difference that counts as equal; None where nothing is claimed.
        met: Whether the interval of the difference lies inside the margin.
        z: Difference over its standard error, the sampling error of theirs included even where the interval takes their
            figure as given; None where it is not asked for.
    """

    setting: str
    measure: str
    ours: float
    theirs: float
    difference: Interval
    margin: float | None
    met: bool | None
    z: float | None = None

    @classmethod
    def compare(
        cls,
        setting: str,
        measure: str,
        ours: tuple[float, float, int],
        theirs: tuple[float, float, int],
        margin: float | None,
        z: float | None = None,
    ) -> "Finding":
        """Compare two samples, each given as mean, standard deviation and size (Welch)."""
        difference = mean_difference_interval(*ours, *theirs)
        met = None if margin is None else equivalent(difference, margin)
        return cls(setting, measure, ours[0], theirs[0], difference, margin, met, z)

    def line(self) -> str:
        """The finding as a line of text."""
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        z = "" if self.z is None else f"  z {self.z:+.1f}"
        figures = f"{self.ours:9.4f} theirs {self.theirs:9.4f}  {self.difference.format(digits=4)}{z}  {verdict}"
        return f"{self.setting:28s} {self.measure:50s} {figures}"

    def as_json(self) -> dict[str, Any]:
        """The finding as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Remark:
    """What a reader of the findings must know, or a test of several of them at once.

    Attributes:
        text: A paragraph.
        figures: The numbers in it, by name.
    """

    text: str
    figures: dict[str, float] = field(default_factory=dict)

    def line(self) -> str:
        """The remark as a line of text."""
        return self.text

    def as_json(self) -> dict[str, Any]:
        """The remark as plain data."""
        return asdict(self)


def markdown(lines: Sequence[Finding | Remark]) -> str:
    """The findings as a Markdown table, and the remarks as paragraphs under it."""
    table = [
        "| setting | measure | ours | theirs | difference (95 % interval) | margin | met | z |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in lines:
        if isinstance(row, Finding):
            margin = "" if row.margin is None else f"±{row.margin:g}"
            met = "" if row.met is None else ("yes" if row.met else "**no**")
            z = "" if row.z is None else f"{row.z:+.1f}"
            figures = f"{row.ours:.4f} | {row.theirs:.4f} | {row.difference.format(digits=4)}"
            table.append(f"| {row.setting} | {row.measure} | {figures} | {margin} | {met} | {z} |")
    paragraphs = [f"\n{row.text}" for row in lines if isinstance(row, Remark)]
    note = ["", "Each interval is one of 95 % by itself, not adjusted for how many there are."]
    return "\n".join(table + note + paragraphs) + "\n"


def report(lines: Iterable[Finding | Remark], folder: Path, console: Console) -> dict[str, Any]:
    """Print each line as it comes, write all of them into a folder; the same as plain data."""
    done = []
    for line in lines:
        done.append(line)
        console.print(line.line(), soft_wrap=True, highlight=False, markup=False)
    (folder / "report.md").write_text(markdown(done), encoding="utf-8")
    return {
        "findings": [line.as_json() for line in done if isinstance(line, Finding)],
        "remarks": [line.as_json() for line in done if isinstance(line, Remark)],
    }

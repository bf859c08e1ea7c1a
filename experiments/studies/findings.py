"""One line of a reproduction: our figure, theirs, the difference and whether it lies inside the margin."""

from dataclasses import asdict, dataclass
from typing import Any

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
    """

    setting: str
    measure: str
    ours: float
    theirs: float
    difference: Interval
    margin: float | None
    met: bool | None

    @classmethod
    def compare(
        cls,
        setting: str,
        measure: str,
        ours: tuple[float, float, int],
        theirs: tuple[float, float, int],
        margin: float | None,
    ) -> "Finding":
        """Compare two samples, each given as mean, standard deviation and size (Welch)."""
        difference = mean_difference_interval(*ours, *theirs)
        met = None if margin is None else equivalent(difference, margin)
        return cls(setting, measure, ours[0], theirs[0], difference, margin, met)

    def as_json(self) -> dict[str, Any]:
        """The finding as plain data."""
        return asdict(self)


def markdown(findings: list[Finding]) -> str:
    """The findings as a Markdown table."""
    lines = [
        "| setting | measure | ours | theirs | difference (95 % interval) | margin | met |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in findings:
        margin = "" if row.margin is None else f"±{row.margin:g}"
        met = "" if row.met is None else ("yes" if row.met else "**no**")
        figures = f"{row.ours:.4f} | {row.theirs:.4f} | {row.difference.format(digits=4)}"
        lines.append(f"| {row.setting} | {row.measure} | {figures} | {margin} | {met} |")
    return "\n".join(lines) + "\n"

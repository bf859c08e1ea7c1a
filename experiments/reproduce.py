"""Ours beside theirs: `python -m experiments.reproduce study=open_up`."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf
from rich.console import Console

from experiments.report import machine, whole_folder, write_json
from experiments.studies import eran, open_up
from experiments.studies.findings import Finding, Remark, markdown


@dataclass
class StudyConfig:
    """A study.

    Attributes:
        name: `bound`, `budget`, `eran`, `kleinerman`, `open_up` or `wpi`.
        month: File of recorded gaps that Open Up's study replays.
        replications: Episodes of each setting, or weeks of each of WPI's tables.
    """

    name: str = MISSING
    month: str | None = None
    replications: int = 30


@dataclass
class ReproduceConfig:
    """A reproduction: the study, where its results go, and the number of processes."""

    study: StudyConfig = field(default_factory=StudyConfig)
    output: str | None = None
    workers: int = 2


ConfigStore.instance().store(name="reproduce_schema", node=ReproduceConfig)


def findings_of(config: ReproduceConfig) -> Iterator[Finding | Remark]:
    """Run the study that is named."""
    study = config.study
    if study.name == "open_up":
        return open_up.study(Path(str(study.month)), study.replications, config.workers)
    if study.name == "eran":
        return eran.study(study.replications, config.workers)
    raise ValueError(f"unknown study {study.name!r} (known: bound, budget, eran, kleinerman, open_up, wpi)")


def reproduce_planning(config: ReproduceConfig, draft: Path, console: Console) -> dict[str, Any]:
    """Run the study of planners, which shows the paper beside ours; what goes into the JSON."""
    from experiments.studies import kleinerman_report

    return kleinerman_report.reproduce(config.study.replications, config.workers, draft, console)


def reproduce_budget(config: ReproduceConfig, draft: Path, console: Console) -> dict[str, Any]:
    """Run the study of the budget of a decision; what goes into the JSON."""
    from experiments.studies import budget

    return budget.reproduce(config.study.replications, config.workers, draft, console)


def reproduce_bound(config: ReproduceConfig, draft: Path, console: Console) -> dict[str, Any]:
    """Run the study of the clairvoyant bound; what goes into the JSON."""
    from experiments.studies import bound

    return bound.reproduce(config.study.replications, config.workers, draft, console)


def reproduce_weeks(config: ReproduceConfig, draft: Path, console: Console) -> dict[str, Any]:
    """Run the study of the weekly matcher, whose figures are spreads over seeds; what goes into the JSON."""
    from experiments.studies import wpi_report  # needs the extra `opt`, which the other studies do not

    return wpi_report.reproduce(config.study.replications, config.workers, draft, console)


def reproduce_findings(config: ReproduceConfig, draft: Path, console: Console) -> dict[str, Any]:
    """Run a study of differences of means; what goes into the JSON."""
    lines = []
    for line in findings_of(config):
        lines.append(line)
        console.print(line.line(), soft_wrap=True, highlight=False, markup=False)
    (draft / "report.md").write_text(markdown(lines), encoding="utf-8")
    return {
        "findings": [line.as_json() for line in lines if isinstance(line, Finding)],
        "remarks": [line.as_json() for line in lines if isinstance(line, Remark)],
    }


@hydra.main(version_base="1.3", config_path="../conf", config_name="reproduce")
def main(raw: DictConfig) -> None:
    """Run a study and write its table."""
    console = Console()
    config = cast(ReproduceConfig, OmegaConf.to_object(raw))
    if config.study.name == "open_up" and not Path(str(config.study.month)).is_file():
        console.print(
            f"skipped: the recording of November 2020 is not at {config.study.month}; set study.month or "
            "MHGYM_OPEN_UP_MONTH to a file with one gap in minutes a line",
            soft_wrap=True,
        )
        return
    target = Path(config.output) if config.output else Path("results") / f"reproduce-{config.study.name}"
    try:
        if config.study.replications < 2:
            raise ValueError(f"study.replications must be at least 2 for an interval, got {config.study.replications}")
        with whole_folder(target) as draft:
            others = {"wpi": reproduce_weeks, "kleinerman": reproduce_planning}
            others |= {"bound": reproduce_bound, "budget": reproduce_budget}
            reproduce = others.get(config.study.name, reproduce_findings)
            data = reproduce(config, draft, console)
            study = OmegaConf.to_container(raw.study, resolve=True)
            write_json(draft / "report.json", {"study": study, "machine": machine()} | data)
    except ValueError as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True)
        sys.exit(2)
    console.print(f"results: {target}")


if __name__ == "__main__":
    main()

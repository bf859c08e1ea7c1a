"""Ours beside theirs, and studies of our own: `python -m experiments.reproduce study=open_up`."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf
from rich.console import Console

from experiments.configs import PledgeConfig, register_rosters
from experiments.report import machine, whole_folder, write_json
from mhgym.presets.open_up_roster import read_staffing

#: Where each study is, imported when it is asked for; those of the second kind read the recorded month.
STUDIES = {
    "bound": "bound",
    "budget": "budget",
    "eran": "eran",
    "fairness": "fairness",
    "kleinerman": "kleinerman_report",
    "learned": "learned",
    "pareto": "pareto",
    "wpi": "wpi_report",
    "scale": "scale",
    "staffing": "staffing",
    "transfer": "transfer",
    "zombies": "zombies",
}
MONTH_STUDIES = {
    "arrivals": "arrivals",
    "open_up": "open_up_report",
}


@dataclass
class StudyConfig:
    """A study.

    Attributes:
        name: One of `STUDIES` or `MONTH_STUDIES`.
        month: File of recorded gaps, in minutes, that studies of Open Up replay.
        replications: Episodes of each setting, or weeks of each of WPI's tables.
    """

    name: str = MISSING
    month: str | None = None
    replications: int = 30


@dataclass
class ReproduceConfig:
    """A reproduction.

    Attributes:
        study: What to run.
        staffing: Roster of Open Up, by shift and role, from which `staffing` searches.
        pledge: What it searches for.
        output: Results folder; null names one after the study, under `results/`.
        workers: Processes.
    """

    study: StudyConfig = field(default_factory=StudyConfig)
    staffing: Any = None
    pledge: PledgeConfig = field(default_factory=PledgeConfig)
    output: str | None = None
    workers: int = 2


ConfigStore.instance().store(name="reproduce_schema", node=ReproduceConfig)
register_rosters()


def reproduce(config: ReproduceConfig, draft: Path, console: Console) -> dict[str, Any]:
    """Run the study that is named, which writes its report into a folder; what goes into the JSON.

    Raises:
        ValueError: If there is none of that name, or it needs more replications.
    """
    study = config.study
    known = STUDIES | MONTH_STUDIES
    if study.name not in known:
        raise ValueError(f"unknown study {study.name!r} (known: {', '.join(sorted(known))})")
    if study.replications < 2:
        raise ValueError(f"study.replications must be at least 2 for an interval, got {study.replications}")
    run: Callable[..., dict[str, Any]] = import_module(f"experiments.studies.{known[study.name]}").reproduce
    common = study.replications, config.workers, draft, console
    if study.name == "staffing":
        return run(*common, start=read_staffing(config.staffing), pledge=config.pledge)
    return run(Path(str(study.month)), *common) if study.name in MONTH_STUDIES else run(*common)


@hydra.main(version_base="1.3", config_path="../conf", config_name="reproduce")
def main(raw: DictConfig) -> None:
    """Run a study and write its table."""
    console = Console()
    config = cast(ReproduceConfig, OmegaConf.to_object(raw))
    if config.study.name in MONTH_STUDIES and not Path(str(config.study.month)).is_file():
        console.print(
            f"skipped: the recording of November 2020 is not at {config.study.month}; set study.month or "
            "MHGYM_OPEN_UP_MONTH to a file with one gap in minutes a line",
            soft_wrap=True,
        )
        return
    target = Path(config.output) if config.output else Path("results") / f"reproduce-{config.study.name}"
    try:
        with whole_folder(target) as draft:
            data = reproduce(config, draft, console)
            study = OmegaConf.to_container(raw.study, resolve=True)
            write_json(draft / "report.json", {"study": study, "machine": machine()} | data)
    except ValueError as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True)
        sys.exit(2)
    console.print(f"results: {target}")


if __name__ == "__main__":
    main()

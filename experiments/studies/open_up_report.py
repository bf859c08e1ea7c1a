"""The report of Open Up's reproduction: the findings, and the paper's panels A to D as a picture."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from experiments.plots_open_up import plot_hours
from experiments.studies import open_up
from experiments.studies.findings import report
from experiments.studies.open_up_figures import DROPPED_BY_HOUR


def reproduce(month: Path, replications: int, workers: int, folder: Path, console: Console) -> dict[str, Any]:
    """Run the study, print it, write report and picture into a folder; the same as plain data.

    Args:
        month: File of recorded gaps, in minutes.
        replications: Of each setting.
        workers: Processes.
        folder: Of the results.
        console: Where to print.
    """
    played = open_up.replicate(month, replications, workers)
    hours = {"OpenUpPaper": played[open_up.BASE].hours, "OpenUp": played[open_up.STEPS[-1]].hours}
    dropped = {"the authors' simulator": np.array(DROPPED_BY_HOUR)}
    dropped |= {f"OpenUpPaper, {ahead}": played[ahead].hours.left for ahead in open_up.AHEAD}
    plot_hours(hours, folder / "hours.png", dropped=dropped)
    by_hour = {
        label: {
            name: [None if np.isnan(value) else float(value) for value in getattr(counts, name)]
            for name in ("long_wait", "crowded_share", "unused_share", "full_share", "left_share")
        }
        for label, counts in hours.items()
    }
    return report(open_up.study(month, played, workers), folder, console) | {"by_hour": by_hour}

"""Computing cells in processes, here or on a Ray cluster; one that dies costs no more than what it had in hand.

Who computes a cell, and where, changes nothing in it. On a cluster all machines need the folder of cells in common.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import BrokenProcessPool

from experiments.cells import Computed, Failure, compute, remove_drafts
from experiments.entrants import Outsider

#: What can run workers.
BACKENDS = ("loky", "ray")
#: How often a cell may end the worker that computes it.
ATTEMPTS = 3
_IN_HAND = 4  # cells for each worker that joblib may have handed out when one dies: it keeps two ahead
_WAVE = 20  # cells for each worker of a backend that tells nothing before all are done


class WorkersDiedError(RuntimeError):
    """Workers died again and again on the same cells."""


def compute_all(
    cells: Sequence[Computed], cache: Path, workers: int, backend: str = "loky"
) -> Iterator[Failure | None]:
    """Compute what is missing, in whatever order it finishes.

    Args:
        cells: To compute.
        cache: Their folder.
        workers: Processes.
        backend: Of joblib, one of `BACKENDS`. For `ray`, a cluster is found by `RAY_ADDRESS`; without it a local one is
            started.

    Yields:
        For each cell None, or why somebody's policy failed in it.

    Raises:
        ValueError: If the backend is unknown or not installed.
        WorkersDiedError: If a cell of ours ended its worker `ATTEMPTS` times; all others are completed by then.
    """
    check_backend(backend)
    cache = cache.resolve()
    remove_drafts(cache)
    missing = {cell.key: cell for cell in cells}
    ended: Counter[str] = Counter()  # how often a cell ended the worker that had nothing else in hand
    deadly: list[Computed] = []
    suspicious = False
    with _started(backend, workers) as (run, died):
        while True:
            for key in [key for key in missing if (cache / key).is_dir()]:
                del missing[key]
                yield None
            if not missing:
                break
            # After a death each that may have been in hand is computed alone, to find out whose fault it was.
            suspects = list(missing)[: _IN_HAND * workers]
            groups, suspicious = [[key] for key in suspects] if suspicious else [list(missing)], False
            for group in groups:
                try:
                    for key, failure in run(delayed(_keyed)(missing[key], key, cache) for key in group):
                        del missing[key]
                        yield failure
                except died:
                    suspicious = True
                    ended[group[0]] += len(group) == 1
                    if ended[group[0]] == ATTEMPTS:
                        cell = missing.pop(group[0])
                        if _is_theirs(cell):
                            yield Failure(group[0], f"{_words(cell)} ended its worker {ATTEMPTS} times")
                        else:
                            deadly.append(cell)
    if deadly:
        told = ", ".join(map(_words, deadly))
        raise WorkersDiedError(
            f"{told} ended {'its' if len(deadly) == 1 else 'their'} worker {ATTEMPTS} times, often for want of memory; "
            "everything else is completed and kept"
        )


def check_backend(backend: str) -> None:
    """Refuse one that is not known or not installed.

    Raises:
        ValueError: Then.
    """
    if backend not in BACKENDS:
        raise ValueError(f"unknown evaluation.backend {backend!r} (known: {', '.join(BACKENDS)})")
    if backend == "ray":
        try:
            import ray  # noqa: F401
        except ImportError as error:
            raise ValueError("evaluation.backend=ray needs Ray: pip install 'ray>=2.40'") from error


Tasks = Iterable[Any]
Run = Callable[[Tasks], Iterator[tuple[str, Failure | None]]]


@contextmanager
def _started(backend: str, workers: int) -> Iterator[tuple[Run, type[Exception]]]:
    """How a backend runs tasks, and the error by which it tells of a worker's death."""
    if backend == "loky":
        # A new one each time: one whose worker has died may still tell of its former tasks.
        yield (
            lambda tasks: Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(tasks),
            BrokenProcessPool,
        )
        return
    import ray
    from ray.util.joblib import register_ray

    def in_waves(tasks: Tasks) -> Iterator[tuple[str, Failure | None]]:
        tasks = iter(tasks)
        while wave := list(islice(tasks, _WAVE * workers)):
            with parallel_config(backend="ray", n_jobs=workers):
                done = Parallel()(wave)
            yield from done

    cluster = os.environ.get("RAY_ADDRESS")
    where = {"address": cluster} if cluster else {"num_cpus": workers, "include_dashboard": False}
    os.environ.setdefault("RAY_worker_niceness", "0")  # local workers would stand behind everything else
    ray.init(**where, log_to_driver=False, logging_level="ERROR")
    register_ray()
    try:
        yield in_waves, ray.exceptions.RayActorError
    finally:
        ray.shutdown()


def _keyed(cell: Computed, key: str, cache: Path) -> tuple[str, Failure | None]:
    return key, compute(cell, key, cache)


def _is_theirs(cell: Computed) -> bool:
    return isinstance(getattr(cell, "policy", None), Outsider)


def _words(cell: Computed) -> str:
    """Of what policy, scenario and traces a cell is."""
    policy, seeds = getattr(cell, "policy", None), getattr(cell, "seeds", getattr(cell, "seed", ""))
    parts = (type(cell).__name__, getattr(policy, "name", ""), getattr(cell, "scenario_label", ""), seeds)
    return " ".join(str(part) for part in parts if part != "")

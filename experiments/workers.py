"""Computing cells in processes, here or on a Ray cluster; one that dies costs no more than what it had in hand.

Who computes a cell, and where, changes nothing in it. On a cluster all machines need the folder of cells in common.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import BrokenProcessPool

from experiments.cells import Computed, Failure, compute, remove_drafts

#: What can run workers.
BACKENDS = ("loky", "ray")
#: How often workers may die in a row without having completed anything.
ATTEMPTS = 3
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
        WorkersDiedError: If workers die `ATTEMPTS` times in a row and complete nothing in between.
    """
    check_backend(backend)
    cache = cache.resolve()
    remove_drafts(cache)
    missing = {cell.key: cell for cell in cells}
    deaths = 0
    with _started(backend, workers) as (run, died):
        while True:
            there = [key for key in missing if (cache / key).is_dir()]
            for key in there:
                del missing[key]
                yield None
            deaths = 0 if there else deaths
            if not missing:
                return
            if deaths >= ATTEMPTS:
                raise WorkersDiedError(_words(missing))
            try:
                for key, failure in run(delayed(_keyed)(cell, key, cache) for key, cell in list(missing.items())):
                    del missing[key]
                    deaths = 0
                    yield failure
            except died:
                deaths += 1


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
        yield lambda tasks: Parallel(n_jobs=workers, return_as="generator_unordered")(tasks), BrokenProcessPool
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
    ray.init(**where, log_to_driver=False, logging_level="ERROR")
    register_ray()
    try:
        yield in_waves, ray.exceptions.RayActorError
    finally:
        ray.shutdown()


def _keyed(cell: Computed, key: str, cache: Path) -> tuple[str, Failure | None]:
    return key, compute(cell, key, cache)


def _words(missing: dict[str, Computed]) -> str:
    told = [f"{type(cell).__name__} {getattr(cell, 'scenario_label', '')}" for cell in missing.values()]
    return (
        f"workers died {ATTEMPTS} times in a row without completing any of {len(missing)} cells ({told[0]} ...); what "
        "was completed is kept. Often the memory is too small: try evaluation.workers=1"
    )

"""How much to measure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """How much each measurement does.

    Attributes:
        repeats: Rounds behind each median.
        decisions: Decisions of a round of stepping the kernels.
        python_decisions: Decisions of a round where every step is a call from Python.
        slow_decisions: Decisions of a round where the SimPy engine or a trivial Python environment does the work.
        batches: Centres of a batch.
        pool: Traces drawn before the clock starts.
        heavy_traces: Episodes of `EranHeavy` that both engines run.
        day_traces: Days of `OpenUp` that both engines run.
        month_minutes: Horizon of the month.
        textbook_minutes: Horizon of the M/M/n+M centre.
        callbacks: Events of the bare SimPy loop.
        training_batch: Centres and decisions in each between two improvements of PPO.
        trainings: PPO trainings until CMT is passed, about a minute each.
        latencies: Decisions of a round of deciding by a network.
        starts: Fresh processes that load kernels from the cache, after one that compiles them; 0 for no start at all.
    """

    repeats: int = 5
    decisions: int = 50_000
    python_decisions: int = 20_000
    slow_decisions: int = 6_400
    batches: tuple[int, ...] = (1, 64, 1024)
    pool: int = 1024
    heavy_traces: int = 100
    day_traces: int = 3
    month_minutes: float = 43_200.0
    textbook_minutes: float = 5_000.0
    callbacks: int = 100_000
    training_batch: tuple[int, int] = (512, 64)
    trainings: int = 3
    latencies: int = 200
    starts: int = 3


FULL = Sizes()
#: Enough to see that everything runs; the numbers mean nothing.
TINY = Sizes(
    repeats=1,
    decisions=200,
    python_decisions=100,
    slow_decisions=64,
    batches=(1, 2),
    pool=4,
    heavy_traces=2,
    day_traces=1,
    month_minutes=300.0,
    textbook_minutes=60.0,
    callbacks=100,
    training_batch=(8, 4),
    trainings=0,
    latencies=2,
    starts=0,  # compiling takes minutes
)

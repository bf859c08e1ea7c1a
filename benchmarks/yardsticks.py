"""What others reach on this machine: bare SimPy, Gymnasium's vector environments, Ciw."""

from collections.abc import Callable
from typing import Any

import ciw
import gymnasium
import numpy as np
import simpy
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv

from benchmarks.episodes import run_compiled, run_lean
from benchmarks.sizes import Sizes
from benchmarks.timing import Result, interleave, rate, speed_up
from mhgym.domain import Counsellor, Role, Roster, Shift
from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.reference import ReferenceEngine
from mhgym.envs.routing import RoutingEnv
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.processes.markovian import ExponentialPopulation
from mhgym.processes.outcomes import OutcomeLaw
from mhgym.scenario import Rules, Scenario
from mhgym.trace import Trace

# The textbook centre, minutes: 18 erlangs offered to 18 servers, critical load.
ARRIVALS_PER_MINUTE, MEAN_SERVICE, MEAN_PATIENCE, NUM_SERVERS = 1.0, 18.0, 10.0, 18
BATCH = 64


class TrivialEnv(gymnasium.Env[np.ndarray[Any, Any], np.int64]):
    """Does nothing, so that only Gymnasium's own cost is left. One space as small as can be."""

    observation_space = spaces.Box(0.0, 1.0, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Begin an episode."""
        super().reset(seed=seed)
        self._obs = np.zeros(1, dtype=np.float32)
        return self._obs, {}

    def step(self, action: np.int64) -> Any:
        """Do nothing."""
        return self._obs, 0.0, False, False, {}


def run_callbacks(number: int) -> int:
    """So many events of a loop of plain callbacks: arrivals, and an end of service for each."""
    env = simpy.Environment()
    rng = np.random.default_rng(0)
    gaps, services = rng.exponential(1.0, number).tolist(), rng.exponential(MEAN_SERVICE, number).tolist()
    fired = 0

    def after(delay: float, callback: Callable[[Any], None]) -> None:
        env.timeout(delay).callbacks.append(callback)

    def end(_: Any) -> None:
        nonlocal fired
        fired += 1

    def arrive(_: Any) -> None:
        nonlocal fired
        fired += 1
        after(services.pop(), end)
        if gaps:
            after(gaps.pop(), arrive)

    after(gaps.pop(), arrive)
    while fired < number:
        env.step()
    return fired


def _sync(make: Callable[[], gymnasium.Env[Any, Any]], sizes: Sizes) -> Callable[[], int]:
    """A task that steps Gymnasium's own vector of `BATCH` environments; resets do not count."""
    vector = SyncVectorEnv([make] * BATCH)
    _, infos = vector.reset(seed=0)
    masked = "action_mask" in infos

    def run() -> int:
        taken, mask = 0, np.ones((BATCH, 2), dtype=np.int8)
        _, infos = vector.reset()
        over = np.zeros(BATCH, dtype=np.bool_)
        while taken < sizes.slow_decisions:
            mask = infos["action_mask"] if masked else mask
            taken += int((~over).sum())
            _, _, terminated, truncated, infos = vector.step(mask.argmax(axis=1))
            over = terminated | truncated
        return taken

    return run


def measure_gymnasium(sizes: Sizes) -> list[Result]:
    """Bare SimPy callbacks, and steps behind Gymnasium's `SyncVectorEnv`."""
    series = interleave(
        {
            "callbacks": lambda: run_callbacks(sizes.callbacks),
            "trivial": _sync(TrivialEnv, sizes),
            "simpy": _sync(lambda: RoutingEnv("EranHeavy", engine="simpy"), sizes),
            "compiled": _sync(lambda: RoutingEnv("EranHeavy", engine="compiled"), sizes),
        },
        sizes.repeats,
    )
    sync = f"Gymnasium `SyncVectorEnv`, {BATCH} ×"
    return [
        rate("yardstick.simpy", "SimPy, bare callbacks of an M/M/∞ loop", "events", series["callbacks"]),
        rate("yardstick.sync.trivial", f"{sync} a trivial environment", "steps", series["trivial"]),
        rate("yardstick.sync.simpy", f"{sync} EranHeavy, SimPy engine", "decisions", series["simpy"]),
        rate("yardstick.sync.compiled", f"{sync} EranHeavy, compiled engine", "decisions", series["compiled"]),
    ]


def textbook(minutes: float) -> Scenario:
    """The textbook centre as a scenario."""
    people = tuple(Counsellor(Role.VOLUNTEER, (Shift(0.0, minutes),), 1) for _ in range(NUM_SERVERS))
    return Scenario(
        name="textbook",
        roster=Roster(people),
        arrivals=PoissonArrivals(HourlyRates((60.0 * ARRIVALS_PER_MINUTE,))),
        population=ExponentialPopulation(MEAN_SERVICE, MEAN_PATIENCE),
        outcomes=OutcomeLaw(),
        horizon=minutes,
        rules=Rules(closing="cut"),
    )


def run_ciw(minutes: float) -> int:
    """The textbook centre in Ciw; the number of contacts that are done."""
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(ARRIVALS_PER_MINUTE)],
        service_distributions=[ciw.dists.Exponential(1.0 / MEAN_SERVICE)],
        reneging_time_distributions=[ciw.dists.Exponential(1.0 / MEAN_PATIENCE)],
        number_of_servers=[NUM_SERVERS],
    )
    ciw.seed(0)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(minutes)
    return len(simulation.get_all_records())


def measure_ciw(sizes: Sizes) -> list[Result]:
    """Contacts per second of Ciw and of both engines on M/M/n+M, drawing included, since Ciw draws as it goes."""
    minutes = sizes.textbook_minutes
    scenario = textbook(minutes)
    fast, slow = CompiledEngine(scenario), ReferenceEngine(scenario)

    def ours(run: Callable[[Any, Trace], Any], engine: Any) -> int:
        trace = Trace.sample(scenario, 0)
        run(engine, trace)
        return len(trace)

    series = interleave(
        {
            "ciw": lambda: run_ciw(minutes),
            "simpy": lambda: ours(run_lean, slow),
            "compiled": lambda: ours(run_compiled, fast),
        },
        sizes.repeats,
    )
    centre = f"M/M/{NUM_SERVERS}+M at critical load, FCFS"
    words = {"ciw": "Ciw", "simpy": "our SimPy engine", "compiled": "our compiled engine"}
    results = [
        rate(f"yardstick.textbook.{name}", f"{centre}: {words[name]}", "contacts", series[name]) for name in words
    ]
    return [
        *results,
        speed_up("yardstick.over_ciw.simpy", f"{centre}: SimPy engine over Ciw", series["simpy"], series["ciw"]),
        speed_up(
            "yardstick.over_ciw.compiled", f"{centre}: compiled engine over Ciw", series["compiled"], series["ciw"]
        ),
    ]

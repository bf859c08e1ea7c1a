"""What drawing a trace costs."""

from collections.abc import Callable

from benchmarks.sizes import Sizes
from benchmarks.timing import Result, duration, interleave
from mhgym.presets import make_scenario
from mhgym.trace import Trace


def measure_traces(sizes: Sizes) -> list[Result]:
    """`Trace.sample` of each preset."""
    scenarios = {
        "EranHeavy": (make_scenario("EranHeavy"), sizes.heavy_traces),
        "EranDay": (make_scenario("EranDay"), sizes.heavy_traces),
        "OpenUp, a day": (make_scenario("OpenUp"), 10 * sizes.day_traces),
        "OpenUp, a month": (make_scenario("OpenUp", horizon=sizes.month_minutes), sizes.day_traces),
    }
    tasks: dict[str, Callable[[], int]] = {}
    for name, (scenario, number) in scenarios.items():

        def draw(scenario=scenario, number=number) -> int:  # type: ignore[no-untyped-def]
            for seed in range(number):
                Trace.sample(scenario, seed)
            return int(number)

        tasks[name] = draw
    series = interleave(tasks, sizes.repeats)
    return [
        duration(f"trace.{name.replace(', a ', '.')}", f"{name}: `Trace.sample`", "µs", series[name]) for name in tasks
    ]

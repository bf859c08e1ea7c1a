"""Whole episodes on the compiled engine, for evaluation."""

from mhgym.engines.columns import Floats
from mhgym.engines.compiled import CompiledEngine
from mhgym.engines.rules import NO_PARAMS, Rule, run
from mhgym.trace import Trace


def run_rule(engine: CompiledEngine, trace: Trace, rule: Rule, params: Floats = NO_PARAMS) -> int:
    """Let a rule route one trace on an engine, whose log and KPIs are then complete; the number of decisions."""
    engine.reset(trace)
    return int(run(engine.plan, engine.chance, engine.state, 0, int(rule), params))

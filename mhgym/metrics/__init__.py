"""Key performance indicators, burden, fairness and closed-form queues; all from records, none from an engine."""

from mhgym.metrics.burden import BurdenAccounts, BurdenMeter, BurdenRule
from mhgym.metrics.erlang import QueueMeasures, erlang_a, erlang_b, erlang_c
from mhgym.metrics.fairness import gini, jain_index, newcomer_gap
from mhgym.metrics.glossary import GLOSSARY, Entry
from mhgym.metrics.kpis import kpis
from mhgym.metrics.workload import occupancy_by_counsellor

COMPONENTS = ("quality", "quantity", "burden", "fairness")
"""The components of the reward vector, in order; each is also a key of `kpis`."""

__all__ = [
    "COMPONENTS",
    "GLOSSARY",
    "BurdenAccounts",
    "BurdenMeter",
    "BurdenRule",
    "Entry",
    "QueueMeasures",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "gini",
    "jain_index",
    "kpis",
    "newcomer_gap",
    "occupancy_by_counsellor",
]

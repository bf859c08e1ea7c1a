"""Faces of the centre: Gymnasium and what will follow, all over one step."""

from mhgym.envs.core import RoutingCore
from mhgym.envs.mixture import MixtureVectorEnv
from mhgym.envs.routing import RoutingEnv
from mhgym.envs.vector import RoutingBatch, RoutingVectorEnv
from mhgym.envs.wrappers import DictObservation

__all__ = ["DictObservation", "MixtureVectorEnv", "RoutingBatch", "RoutingCore", "RoutingEnv", "RoutingVectorEnv"]

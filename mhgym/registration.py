"""Gymnasium's and PettingZoo's ids. Ids carry versions: a change of behaviour that changes results gets a new one."""

from typing import Any

import gymnasium
import pettingzoo

#: Any preset, also one of another package: `gymnasium.make(ANY_ID, scenario="Village")`.
ANY_ID = "mhgym/Routing-v0"

#: Preset behind each id.
IDS = {
    "mhgym/EranStandard-v0": "EranStandard",
    "mhgym/EranHeavy-v0": "EranHeavy",
    "mhgym/EranDay-v0": "EranDay",
    "mhgym/OpenUp-v0": "OpenUp",
    "mhgym/OpenUpPaper-v0": "OpenUpPaper",
    "mhgym/Therapists-v0": "Therapists",
}

#: PettingZoo's ids, of the presets with one queue: the counsellors as agents. With `mo-` their rewards are vectors.
COUNSELLOR_IDS = {
    env_id.replace("-v0", "Counsellors-v0"): preset for env_id, preset in IDS.items() if preset != "Therapists"
}

#: And of those with inboxes: the dispatchers of therapists and of volunteers as agents.
DISPATCHER_IDS = {"mhgym/TherapistsDispatchers-v0": "Therapists"}

#: Environments of their own, by entry point.
MATCHING_IDS = {"mhgym/DisasterRelief-v0": "mhgym.matching.env:DisasterReliefEnv"}

#: MO-Gymnasium's convention: the same environments with their rewards as vectors.
MO_IDS = {env_id.replace("mhgym/", "mhgym/mo-"): preset for env_id, preset in IDS.items()}
MO_MATCHING_IDS = {"mhgym/mo-DisasterRelief-v0": "mhgym.matching.multi_objective:MODisasterReliefEnv"}


def register_envs() -> None:
    """Register every id; nothing is imported until one is made."""
    for env_id, kwargs in {ANY_ID: {}, **{env_id: {"scenario": preset} for env_id, preset in IDS.items()}}.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(
                env_id,
                entry_point="mhgym.envs.routing:RoutingEnv",
                vector_entry_point="mhgym.envs.vector:RoutingVectorEnv",
                kwargs=kwargs,
            )
    for env_id, entry_point in MATCHING_IDS.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(env_id, entry_point=entry_point)
    for env_id, preset in MO_IDS.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(
                env_id,
                entry_point="mhgym.envs.multi_objective:MORoutingEnv",
                vector_entry_point="mhgym.envs.multi_objective:MORoutingVectorEnv",
                disable_env_checker=True,  # it refuses rewards that are no float
                kwargs={"scenario": preset},
            )
    for env_id, entry_point in MO_MATCHING_IDS.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(env_id, entry_point=entry_point, disable_env_checker=True)
    for module, ids in (("counsellors_v0", COUNSELLOR_IDS), ("dispatchers_v0", DISPATCHER_IDS)):
        for env_id, preset in ids.items():
            _register_game(env_id, f"mhgym.envs.multi.{module}", scenario=preset)
            vector_id = env_id.replace("mhgym/", "mhgym/mo-")
            _register_game(vector_id, f"mhgym.envs.multi.{module}", scenario=preset, vector=True)


def _register_game(env_id: str, module: str, **kwargs: Any) -> None:
    """Both forms of a game."""
    if env_id not in pettingzoo.aec_registry:
        pettingzoo.register("aec", env_id, f"{module}:env", kwargs=kwargs)
        pettingzoo.register("parallel", env_id, f"{module}:parallel_env", kwargs=kwargs)

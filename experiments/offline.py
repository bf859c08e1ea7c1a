"""Datasets of episodes for offline learning, as Minari keeps them (https://minari.farama.org).

An episode has the flat observations of the environment, and in `infos` what comes with them: masks of legal actions,
the reward as a vector, minutes. Its metadata has the options to reset with, the trace's hash and the KPIs; that of the
dataset, under `mhgym`, all that its numbers depend on.
"""

import hashlib
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Space

from experiments.recording import Recorded
from experiments.report import whole_folder
from mhgym import __version__


def dataset_folder(name: str) -> Path:
    """Where a new dataset will lie.

    Raises:
        ValueError: If Minari is not installed, the name is not one of its own, or there is such a dataset already.
    """
    try:
        for needed in ("minari", "h5py", "PIL"):
            import_module(needed)
    except ImportError as error:
        raise ValueError(f"a dataset needs the extra 'minari' (pip install -e '.[minari]'): {error}") from error
    from minari.dataset.minari_dataset import parse_dataset_id
    from minari.storage import get_dataset_path

    try:
        parse_dataset_id(name)
    except (ValueError, TypeError):
        words = "letters, digits, - and _, folders before it and a version behind, such as mhgym/eran_heavy/cmt-v0"
        raise ValueError(f"dataset must be a name of {words}, got {name!r}") from None
    folder = Path(get_dataset_path(name))
    if folder.exists():
        raise ValueError(f"there is a dataset {name!r} already, in {folder}; raise its version, or remove it")
    return folder


def write_dataset(
    name: str, spec: EnvSpec, spaces: tuple[Space[Any], Space[Any]], episodes: Iterable[Recorded], told: dict[str, Any]
) -> None:
    """Write a dataset, whole or not at all.

    Args:
        name: Of the dataset.
        spec: Environment to be recovered from it.
        spaces: Of observations and actions.
        episodes: In their order; each is written as it comes.
        told: `algorithm_name`, `description`, and under `mhgym` what else the dataset depends on than its traces.
    """
    import minari
    from minari.dataset.minari_storage import MinariStorage
    from minari.namespace import create_namespace, list_local_namespaces

    folder = dataset_folder(name)
    with whole_folder(folder) as draft:
        storage = MinariStorage.new(draft / "data", *spaces, env_spec=spec)
        metadata, seeds, hashes = [], [], []
        for episode in episodes:
            storage.update_episodes([_buffer_of(episode)])
            kpis = {f"kpis/{key}": value for key, value in episode.kpis.items()}
            metadata.append({"trace_hash": episode.trace_hash, **kpis})
            seeds.append(episode.seed)
            hashes.append(episode.trace_hash)
        storage.update_episode_metadata(metadata)
        digest = hashlib.blake2b("".join(hashes).encode(), digest_size=8).hexdigest()  # as in a leaderboard's summary
        traces = {"first_seed": min(seeds), "last_seed": max(seeds), "traces": len(seeds), "digest": digest}
        own = {"dataset_id": name, "minari_version": minari.__version__, "eval_env_spec": spec.to_json()}
        provenance = {"version": __version__, **told["mhgym"], "traces": traces}
        storage.update_metadata({**own, **told, "requirements": [f"mhgym=={__version__}"], "mhgym": provenance})
    namespace = name.rpartition("/")[0]
    if namespace and namespace not in list_local_namespaces():
        create_namespace(namespace)


def _buffer_of(episode: Recorded) -> Any:
    from minari.data_collector import EpisodeBuffer

    over = np.zeros(len(episode.actions), dtype=np.bool_)
    over[-1] = True
    never = np.zeros_like(over)
    return EpisodeBuffer(
        options={"trace_seed": episode.seed},
        observations=episode.observations,
        actions=episode.actions,
        rewards=episode.rewards,
        terminations=never if episode.cut else over,
        truncations=over if episode.cut else never,
        infos=dict(episode.infos),
    )

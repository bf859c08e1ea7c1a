"""Datasets of episodes: what is loaded back is what was played, and can be played again in the environment it names."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from rich.console import Console

from agents import make_agent
from experiments.configs import CONF
from experiments.export import ExportConfig, export
from mhgym import __version__
from mhgym.evaluation.rollout import run_episodes
from mhgym.evaluation.splits import seeds_of
from mhgym.metrics import COMPONENTS
from mhgym.presets import make_scenario

minari = pytest.importorskip("minari", reason="it is in the extra 'minari'")

#: Scenario, policy, what is set, traces; a centre that drains, and one that cuts, with zombies and a longer queue.
CASES = {
    "test/heavy/cmt-v0": ("eran_heavy", "cmt", ["flow=9", "reward=balanced"], 6),
    "test/open-up/least-v3": ("open_up_day", "fcfs", ["staffing=3"], 2),
}
NAMES = pytest.mark.parametrize("name", CASES)


def composed(*overrides: str) -> ExportConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_object(compose("export", overrides=list(overrides)))
    assert isinstance(config, ExportConfig)
    return config


def words(name: str) -> list[str]:
    scenario, agent, settings, traces = CASES[name]
    return [f"dataset={name}", f"scenario={scenario}", f"agent={agent}", f"evaluation.traces={traces}", *settings]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where datasets lie: one written by the command, one by the function behind it."""
    folder = tmp_path_factory.mktemp("datasets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINARI_DATASETS_PATH", str(folder))
        first, second = CASES
        command = [sys.executable, "-m", "experiments.export", *words(first), f"hydra.run.dir={folder}/.run"]
        done = subprocess.run(command, cwd=CONF.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"dataset: {first}" in done.stdout
        assert export(composed(*words(second)), Console(file=StringIO())) == second
        yield folder


def played(name: str) -> tuple[Any, list[Any]]:
    """The scenario of a dataset, made from its metadata alone, and the episodes of its policy there."""
    told = minari.load_dataset(name).storage.metadata["mhgym"]
    scenario = make_scenario(told["preset"], **told["overrides"])
    policy = make_agent(told["policy"]["name"], **told["policy"]["settings"])
    traces = told["traces"]
    return scenario, run_episodes(scenario, policy, range(traces["first_seed"], traces["last_seed"] + 1))


@NAMES
def test_every_episode_is_the_same_in_the_recovered_environment(root: Path, name: str) -> None:
    """Observations, masks, rewards and ends, to the last bit."""
    dataset = minari.load_dataset(name)
    env = dataset.recover_environment()
    for episode, told in zip(dataset, dataset.storage.get_episode_metadata(range(len(dataset))), strict=True):
        observation, info = env.reset(options=told["options"])
        assert env.unwrapped.core.trace.hash == told["trace_hash"]
        for step, action in enumerate(episode.actions):
            np.testing.assert_array_equal(episode.observations[step], observation)
            np.testing.assert_array_equal(episode.infos["action_mask"][step], info["action_mask"])
            assert episode.infos["action_mask"][step, action]
            observation, reward, terminated, truncated, info = env.step(action)
            ends = episode.terminations[step], episode.truncations[step]
            assert (episode.rewards[step], *ends) == (reward, terminated, truncated)
            np.testing.assert_array_equal(episode.infos["reward_vector"][step + 1], info["reward_vector"])
        assert terminated or truncated
        np.testing.assert_array_equal(episode.observations[-1], observation)
        assert told["kpis"] == pytest.approx(info["kpis"], abs=0.0, nan_ok=True)
    assert {bool(episode.truncations[-1]) for episode in dataset} == {name.startswith("test/open-up")}


@NAMES
def test_episodes_are_those_of_the_policy_on_the_same_traces(root: Path, name: str) -> None:
    """As any comparison plays them: hashes, KPIs and numbers of decisions."""
    dataset = minari.load_dataset(name)
    _, episodes = played(name)
    assert len(dataset) == len(episodes) == CASES[name][3]
    for data, told, episode in zip(
        dataset, dataset.storage.get_episode_metadata(range(len(dataset))), episodes, strict=True
    ):
        assert (told["options"]["trace_seed"], told["trace_hash"]) == (episode.seed, episode.trace_hash)
        assert len(data) == episode.decisions
        assert told["kpis"] == pytest.approx(episode.kpis, abs=0.0, nan_ok=True)


def test_the_compiled_engine_gives_the_same_dataset(root: Path) -> None:
    """To the bit in all but rewards, where sums are taken in another order."""
    name = next(iter(CASES))
    other = export(
        composed(*words(name), "dataset=compiled-v0", "evaluation.engine=compiled"), Console(file=StringIO())
    )
    for one, two in zip(minari.load_dataset(name), minari.load_dataset(other), strict=True):
        for path in ("observations", "actions", "terminations", "truncations"):
            np.testing.assert_array_equal(getattr(one, path), getattr(two, path))
        np.testing.assert_array_equal(one.infos["action_mask"], two.infos["action_mask"])
        np.testing.assert_allclose(one.rewards, two.rewards, rtol=0.0, atol=1e-12)
    minari.delete_dataset(other)


@NAMES
def test_returns_are_kpis(root: Path, name: str) -> None:
    """Component by component, and weighed."""
    dataset = minari.load_dataset(name)
    weights = dataset.storage.metadata["mhgym"]["weights"]
    assert list(weights) == list(COMPONENTS)
    for data, told in zip(dataset, dataset.storage.get_episode_metadata(range(len(dataset))), strict=True):
        kpis = np.array([told["kpis"][component] for component in COMPONENTS])
        np.testing.assert_allclose(data.infos["reward_vector"].sum(axis=0), kpis, rtol=0.0, atol=1e-9)
        assert data.rewards.sum() == pytest.approx(kpis @ list(weights.values()), abs=1e-9)


@NAMES
def test_metadata_tells_what_the_numbers_depend_on(root: Path, name: str) -> None:
    scenario, agent, _, number = CASES[name]
    dataset = minari.load_dataset(name)
    metadata = dataset.storage.metadata
    told = metadata["mhgym"]
    rebuilt, episodes = played(name)
    assert (told["version"], metadata["requirements"]) == (__version__, [f"mhgym=={__version__}"])
    assert (told["scenario"], told["policy"]["name"], metadata["algorithm_name"]) == (scenario, agent, agent)
    assert repr(rebuilt) == repr(dataset.recover_environment(eval_env=True).unwrapped.core.scenario)
    seeds = seeds_of("train", number)
    assert [episode.seed for episode in episodes] == list(seeds)  # not those that policies are tested on
    digest = hashlib.blake2b("".join(episode.trace_hash for episode in episodes).encode(), digest_size=8).hexdigest()
    assert told["traces"] == {
        "first_seed": seeds[0],
        "last_seed": seeds[-1],
        "traces": number,
        "digest": digest,
    }


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["dataset=test/heavy/cmt-v0"], r"there is a dataset 'test/heavy/cmt-v0' already, .* raise its version"),
        (["dataset=heavy"], r"dataset must be a name .* and a version behind, .* got 'heavy'"),
        (["agent=[fcfs,cmt]"], "1 policy and 1 scenario, got fcfs, cmt in eran_heavy; .* ~agent"),
        (["scenario=[eran_heavy,eran_day]"], "1 policy and 1 scenario, got cmt in eran_heavy, eran_day"),
        (["evaluation.traces=1"], "needs 2 to 1,000,000 traces, got 1"),
        (["slots=1", "flow=30"], r"cmt serves number \d+ of \d+ in the queue, .* raise slots to at least \d+"),
    ],
)
def test_what_cannot_be_is_told_and_leaves_nothing_behind(root: Path, overrides: list[str], message: str) -> None:
    before = sorted(root.rglob("*"))
    with pytest.raises(ValueError, match=message):
        export(composed("dataset=test/heavy/other-v0", "evaluation.traces=4", *overrides), Console(file=StringIO()))
    assert sorted(root.rglob("*")) == before


def test_minari_lists_what_was_written(root: Path) -> None:
    assert set(minari.list_local_datasets()) == set(CASES)

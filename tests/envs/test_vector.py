"""The native vector environment gives the transitions of single environments on the same seeds."""

import re
from collections import Counter
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

import mhgym  # noqa: F401
from mhgym.envs import RoutingBatch, RoutingEnv, RoutingVectorEnv
from mhgym.metrics import COMPONENTS
from mhgym.trace import Trace

CASES = [
    ("mhgym/EranHeavy-v0", {}, 64, 40),
    ("mhgym/EranStandard-v0", {"num_slots": 2, "newcomers": 2}, 8, 60),
    ("mhgym/OpenUp-v0", {"horizon": 300.0, "staffing": 1, "flow": 30.0, "num_slots": 5}, 6, 120),
    (
        "mhgym/OpenUp-v0",
        {"horizon": 700.0, "zombies": "evicted", "on_sign_out": "finish", "on_break": "postpone"},
        4,
        150,
    ),
    ("mhgym/Therapists-v0", {"horizon": 800.0, "flow": 6.0, "num_slots": 6}, 4, 220),
]


def pick(rng: np.random.Generator, masks: NDArray[Any]) -> NDArray[np.int64]:
    """Mostly legal actions, now and then any action."""
    legal = [rng.choice(np.flatnonzero(mask)) for mask in masks]
    anything = rng.integers(masks.shape[1], size=len(masks))
    return np.where(rng.random(len(masks)) < 0.1, anything, legal)


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
@pytest.mark.parametrize(("env_id", "settings", "num_envs", "steps"), CASES)
def test_transitions_equal_those_of_single_environments(
    env_id: str, settings: dict[str, Any], num_envs: int, steps: int, engine: str
) -> None:
    vector = gymnasium.make_vec(env_id, num_envs, autoreset_mode=AutoresetMode.SAME_STEP, **settings)
    singles = [gymnasium.make(env_id, engine=engine, **settings).unwrapped for _ in range(num_envs)]
    obs, infos = vector.reset(seed=5)
    for i, single in enumerate(singles):
        own, info = single.reset(seed=5 + i)
        np.testing.assert_allclose(obs[i], own, rtol=0, atol=1e-6)
        assert infos["elapsed"][i] == info["elapsed"]
    rng = np.random.default_rng(0)
    finished = 0
    for _ in range(steps):
        actions = pick(rng, infos["action_mask"])
        obs, rewards, terminated, truncated, infos = vector.step(actions)
        for i, single in enumerate(singles):
            own, reward, over, cut, info = single.step(actions[i])
            assert (over, cut) == (terminated[i], truncated[i])
            assert reward == pytest.approx(rewards[i], abs=1e-12)
            shown = infos
            if over or cut:
                finished += 1
                np.testing.assert_allclose(infos["final_obs"][i], own, rtol=0, atol=1e-6)
                shown = infos["final_info"]
                for name, value in info["kpis"].items():
                    assert shown["kpis"][name][i] == value
            np.testing.assert_allclose(shown["reward_vector"][i], info["reward_vector"], rtol=0, atol=1e-12)
            for name in ("action_mask", "elapsed", "minute", "illegal_actions"):
                np.testing.assert_array_equal(shown[name][i], info[name])
            if over or cut:
                own, info = single.reset()
            np.testing.assert_allclose(obs[i], own, rtol=0, atol=1e-6)
    assert finished >= num_envs, "the test must see episodes end"


def test_next_step_resets_one_step_later_without_reward() -> None:
    vector = RoutingVectorEnv(3, "EranHeavy")
    assert vector.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    _, infos = vector.reset(seed=1)
    total = np.zeros((3, 4))
    resets = 0
    ended = np.zeros(3, dtype=bool)
    for _ in range(80):
        actions = infos["action_mask"].argmax(axis=1)
        obs, rewards, terminated, truncated, infos = vector.step(actions)
        assert not truncated.any()
        assert np.all(rewards[ended] == 0)
        assert not np.any(terminated & ended)
        resets += int(ended.sum())
        total = np.where(ended[:, None], 0.0, total + infos["reward_vector"])
        for row in np.flatnonzero(terminated):
            expected = [infos["kpis"][name][row] for name in COMPONENTS]
            np.testing.assert_allclose(total[row], expected, atol=1e-9)
            assert infos["action_mask"][row].sum() == 1
        ended = terminated
        assert vector.observation_space.contains(obs)
    assert resets > 5


def test_a_restored_batch_continues_identically() -> None:
    batch = RoutingBatch(4, "OpenUp", horizon=400.0)
    batch.begin(range(4), [Trace.sample(batch.scenario, seed) for seed in range(4)])
    rng = np.random.default_rng(0)
    everybody = np.ones(4, dtype=np.bool_)

    def run(steps: int) -> list[NDArray[Any]]:
        seen = []
        for _ in range(steps):
            batch.step(np.array([row.argmax() for row in batch.mask]), everybody & ~batch.over)
            seen += [batch.obs.copy(), batch.reward.copy()]
        return seen

    for _ in range(20):
        batch.step(pick(rng, batch.mask), everybody & ~batch.over)
    saved = batch.save()
    first = run(25)
    longer = Trace.sample(batch.scenario.replace(horizon=4000.0), 9)  # makes the batch grow before it is restored
    batch.begin([0], [longer])
    batch.restore(saved)
    for before, after in zip(first, run(25), strict=True):
        np.testing.assert_array_equal(before, after)


def test_episodes_from_a_bank_are_those_of_its_traces() -> None:
    """With a bank every centre plays a trace of it, as a single environment does; equal seeds give equal play."""
    vector = RoutingVectorEnv(8, "EranHeavy", bank=5, autoreset_mode=AutoresetMode.SAME_STEP)
    _, infos = vector.reset(seed=3)
    first = list(vector.batch.traces)
    seen: set[str] = set()
    for _ in range(60):
        started = list(vector.batch.traces)
        _, _, terminated, _, infos = vector.step(infos["action_mask"].argmax(axis=1))
        for row in np.flatnonzero(terminated):
            seen.add(started[row].hash)
            single = gymnasium.make("mhgym/EranHeavy-v0", engine="compiled").unwrapped
            _, info = single.reset(options={"trace": started[row]})
            over = False
            while not over:
                _, _, over, _, info = single.step(info["action_mask"].argmax())
            assert {name: infos["final_info"]["kpis"][name][row] for name in info["kpis"]} == info["kpis"]
    assert len(seen) == 5
    _, again = vector.reset(seed=3)
    assert [trace.hash for trace in vector.batch.traces] == [trace.hash for trace in first]
    other = RoutingVectorEnv(8, "EranHeavy", bank=5)
    np.testing.assert_array_equal(again["action_mask"], other.reset(seed=3)[1]["action_mask"])


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_a_bank_plays_the_steps_of_single_environments_on_its_traces(mode: AutoresetMode) -> None:
    """Observations, masks and rewards of days of Open Up, whose rosters sign in and out and whose end is a cut."""
    settings: dict[str, Any] = {"horizon": 700.0, "staffing": 1, "flow": 30.0, "num_slots": 5}
    num_envs, same_step = 4, mode == AutoresetMode.SAME_STEP
    vector = RoutingVectorEnv(num_envs, "OpenUp", bank=3, autoreset_mode=mode, with_kpis=False, **settings)
    singles = [RoutingEnv("OpenUp", engine="compiled", **settings) for _ in range(num_envs)]
    rng = np.random.default_rng(1)
    obs, infos = vector.reset(seed=8)
    played: Counter[str] = Counter()

    def assert_begins(row: int) -> None:
        """On whichever trace of the bank the centre has picked."""
        trace = vector.batch.traces[row]
        assert trace is not None
        played[trace.hash] += 1
        own, info = singles[row].reset(options={"trace": trace})
        np.testing.assert_array_equal(obs[row], own)
        np.testing.assert_array_equal(infos["action_mask"][row], info["action_mask"])

    for row in range(num_envs):
        assert_begins(row)
    ended = np.zeros(num_envs, dtype=np.bool_)
    for _ in range(800):
        actions = pick(rng, infos["action_mask"])
        again = ended
        obs, rewards, terminated, ended, infos = vector.step(actions)
        assert not terminated.any()
        for row in range(num_envs):
            if again[row] and not same_step:
                assert (rewards[row], ended[row]) == (0.0, False)
                assert_begins(row)
                continue
            own, reward, _, truncated, info = singles[row].step(actions[row])
            assert (reward, truncated) == (rewards[row], ended[row])
            final = same_step and truncated
            shown, told = (infos["final_obs"], infos["final_info"]) if final else (obs, infos)
            np.testing.assert_array_equal(shown[row], own)
            for name in ("action_mask", "reward_vector", "elapsed", "illegal_actions"):
                np.testing.assert_array_equal(told[name][row], info[name])
            if final:
                assert_begins(row)
    assert len(played) == 3
    assert played.total() >= 2 * num_envs, "the test must see episodes end"


def test_kpis_are_left_out_where_nobody_asks() -> None:
    vector = RoutingVectorEnv(4, "EranHeavy", with_kpis=False)
    _, infos = vector.reset(seed=0)
    ends = 0
    for _ in range(60):
        _, _, terminated, _, infos = vector.step(infos["action_mask"].argmax(axis=1))
        ends += int(terminated.sum())
        assert "kpis" not in infos
    assert ends > 4


def test_bad_batches_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="at least 1 centre, got 0"):
        RoutingVectorEnv(0, "EranHeavy")
    with pytest.raises(ValueError, match="Disabled"):
        RoutingVectorEnv(1, "EranHeavy", autoreset_mode=AutoresetMode.DISABLED)
    with pytest.raises(ValueError, match="traces to draw ahead, or 0 for none, got -1"):
        RoutingVectorEnv(1, "EranHeavy", bank=-1)
    with pytest.raises(ValueError, match="paper"):
        RoutingVectorEnv(1, "OpenUpPaper", queue_discipline="paper")
    vector = RoutingVectorEnv(2, "EranHeavy")
    with pytest.raises(gymnasium.error.ResetNeeded):
        vector.step(np.zeros(2, dtype=np.int64))
    with pytest.raises(ValueError, match="one seed for each of 2"):
        vector.reset(seed=[1])
    vector.reset(seed=1)
    for actions in (np.zeros(3), np.zeros(1), np.zeros((2, 1)), np.int64(0)):
        with pytest.raises(
            ValueError, match=rf"shape \(2,\), one for each centre, got {re.escape(str(actions.shape))}"
        ):
            vector.step(actions)
    vector.step(np.zeros(2, dtype=np.int64))


def test_a_renewed_bank_keeps_the_newest_and_lets_episodes_finish() -> None:
    """The oldest traces go, the others stay in their order; a longer newcomer fits; episodes under way keep theirs."""
    vector = RoutingVectorEnv(4, "EranHeavy", bank=6, with_kpis=False)
    vector.reset(seed=1)
    before, playing = vector._bank, list(vector.batch.traces)
    assert before is not None
    vector.renew_bank(2)
    after = vector._bank
    assert after is not None
    assert after.traces[:4] == before.traces[2:]
    assert not {trace.hash for trace in after.traces[4:]} & {trace.hash for trace in before.traces}
    assert vector.batch.traces == playing
    for row, trace in enumerate(after.traces):
        np.testing.assert_array_equal(after.packed.keys[row, : len(trace)], trace.keys)
    for _ in range(200):
        vector.renew_bank(6)
        if vector._bank.longest > before.longest:
            break
    assert vector._bank.longest > before.longest
    for _ in range(60):
        vector.step(vector.action_masks().argmax(axis=1))
    with pytest.raises(RuntimeError, match="no bank to renew: ask for one by bank=, and reset first"):
        RoutingVectorEnv(1, "EranHeavy", bank=3).renew_bank(1)

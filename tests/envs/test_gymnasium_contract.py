"""The contract that Gymnasium, Stable-Baselines3 and maskable learners rely on, over every registered id."""

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import mhgym  # noqa: F401  registers the ids
from mhgym.domain import Counsellor, Role, Roster, Shift
from mhgym.envs import DictObservation, RoutingEnv
from mhgym.mdp.slots import shown_rows
from mhgym.presets import PRESETS, ScenarioSampler, make_scenario
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.processes.markovian import ExponentialPopulation
from mhgym.processes.outcomes import OutcomeLaw
from mhgym.registration import IDS, MATCHING_IDS
from mhgym.scenario import Scenario
from mhgym.trace import Trace
from mhgym.view import HOLD, Pair

ALL_IDS = pytest.mark.parametrize("env_id", sorted([*IDS, *MATCHING_IDS]))


def small(**overrides: Any) -> RoutingEnv:
    return RoutingEnv("EranHeavy", **{"num_slots": 4, **overrides})


def random_walk(env: gymnasium.Env[Any, Any], seed: int, steps: int, nerve: float = 0.0):  # type: ignore[no-untyped-def]
    """Yield what reset and each of `steps` steps give; with chance `nerve` any action, else a legal one."""
    rng = np.random.default_rng(seed)
    observation, info = env.reset(seed=seed)
    yield observation, 0.0, False, False, info
    for _ in range(steps):
        legal = np.flatnonzero(info["action_mask"])
        action = rng.integers(env.action_space.n) if rng.random() < nerve else rng.choice(legal)
        observation, reward, terminated, truncated, info = env.step(np.int64(action))
        yield observation, reward, terminated, truncated, info
        if terminated or truncated:
            return


# ---------------------------------------------------------------------- the official checkers


def test_every_preset_has_an_id() -> None:
    assert set(IDS.values()) == set(PRESETS)


@ALL_IDS
def test_gymnasium_accepts_the_environment(env_id: str) -> None:
    env = gymnasium.make(env_id)

    check_env(env.unwrapped, skip_render_check=True)


@ALL_IDS
def test_stable_baselines_accepts_the_environment(env_id: str) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        # Third parties: what importing them warns of is not ours.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        checker.check_env(gymnasium.make(env_id).unwrapped, warn=True)


# ---------------------------------------------------------------------- observations and infos


@ALL_IDS
def test_types_spaces_and_masks(env_id: str) -> None:
    """Fresh observations in the space, Python flags, float rewards, int8 masks in which HOLD is always legal."""
    env = gymnasium.make(env_id, disable_env_checker=True)
    before: list[np.ndarray] = []
    for observation, reward, terminated, truncated, info in random_walk(env, 3, 60, nerve=0.3):
        assert observation.dtype == np.float32
        assert env.observation_space.contains(observation)
        assert type(reward) is float
        assert type(terminated) is bool
        assert type(truncated) is bool
        mask = info["action_mask"]
        assert mask.dtype == np.int8
        assert mask.shape == (env.action_space.n,)
        assert mask[-1] == 1
        bools = env.unwrapped.action_masks()
        assert bools.dtype == np.bool_
        np.testing.assert_array_equal(bools, mask.astype(bool))
        assert info["reward_vector"].shape == ((2,) if env_id in MATCHING_IDS else (4,))
        assert not any(np.shares_memory(array, old) for array in (observation, mask) for old in before)
        before += [observation, mask]
    assert len(before) > 20


@ALL_IDS
def test_elapsed_is_the_time_between_decisions(env_id: str) -> None:
    """`elapsed` is the difference of `minute`, so that discounting by time adds up over the episode."""
    env = gymnasium.make(env_id, disable_env_checker=True)
    minute = 0.0
    for _, _, _, _, info in random_walk(env, 4, 40):
        assert info["elapsed"] == pytest.approx(info["minute"] - minute, abs=1e-9)
        assert info["elapsed"] >= 0.0
        minute = info["minute"]


def test_infos_hold_no_wall_clock() -> None:
    """Two equal episodes give equal infos."""
    first, second = list(random_walk(small(), 5, 100)), list(random_walk(small(), 5, 100))
    assert len(first) == len(second) > 5
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1:4] == other[1:4]
        assert one[4].keys() == other[4].keys()
        for name, value in one[4].items():
            np.testing.assert_equal(other[4][name], value)


def test_kpis_come_with_the_last_step_only() -> None:
    *inner, last = list(random_walk(small(), 6, 200))
    assert last[2]
    assert not any("kpis" in step[4] for step in inner)
    assert last[4]["kpis"]["offered"] >= 10
    np.testing.assert_array_equal(np.flatnonzero(last[4]["action_mask"]), [len(last[4]["action_mask"]) - 1])


# ---------------------------------------------------------------------- masks against the engine


def prefix(env: RoutingEnv, trace_seed: int, decisions: int) -> dict[str, Any]:
    """Go to an epoch by holding at every second one, else taking the first legal action."""
    _, info = env.reset(options={"trace_seed": trace_seed})
    for number in range(decisions):
        action = env.action_space.n - 1 if number % 2 else np.flatnonzero(info["action_mask"])[0]
        *_, info = env.step(np.int64(action))
    return info


@pytest.mark.parametrize("decisions", [0, 3, 6])
@pytest.mark.parametrize(("preset", "seed"), [("EranHeavy", 1), ("EranHeavy", 2), ("OpenUp", 3)])
def test_masks_equal_legality(preset: str, seed: int, decisions: int) -> None:
    """Every action that is masked in is carried out; every other is a HOLD, is counted, and lets time pass."""
    env = RoutingEnv(preset, num_slots=3)
    kinds = set()
    for action in range(env.action_space.n):
        info = prefix(env, seed, decisions)
        minute, illegal, legal = info["minute"], info["illegal_actions"], bool(info["action_mask"][action])
        waiting = env.core.view.waiting.contact.tolist()
        pair = env.core.actions.decode(action, env.core.view)
        *_, terminated, truncated, after = env.step(np.int64(action))
        kinds.add(legal)
        if legal:
            assert after["illegal_actions"] == illegal
            if action != env.action_space.n - 1:
                assert waiting[pair.row] not in env.core.view.waiting.contact.tolist()
        else:
            assert after["illegal_actions"] == illegal + 1
            assert after["minute"] > minute or terminated or truncated
    assert kinds == {True, False}


def test_an_illegal_action_is_a_hold() -> None:
    """Two episodes that differ only in what stands for HOLD are the same, but for the count."""
    held, wrong = small(num_slots=32), small(num_slots=32)  # some slot is always empty, hence illegal
    _, info = held.reset(options={"trace_seed": 11})
    wrong.reset(options={"trace_seed": 11})
    over, number = False, 0
    while not over:
        illegal = np.flatnonzero(info["action_mask"] == 0)
        assert len(illegal)
        observation, reward, terminated, truncated, info = held.step(np.int64(held.action_space.n - 1))
        other = wrong.step(np.int64(illegal[number % len(illegal)]))
        np.testing.assert_array_equal(observation, other[0])
        assert (reward, terminated, truncated) == other[1:4]
        number += 1
        over = terminated or truncated
    assert info["illegal_actions"] == 0
    assert other[4]["illegal_actions"] == number > 5


def test_actions_outside_the_space_are_illegal_too() -> None:
    env = small()
    env.reset(options={"trace_seed": 1})
    for number, action in enumerate((-1, env.action_space.n, 10**6), start=1):
        *_, info = env.step(np.int64(action))
        assert info["illegal_actions"] == number


def test_step_before_reset_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
        small().step(np.int64(0))


# ---------------------------------------------------------------------- slots


@pytest.mark.parametrize(("num_waiting", "num_slots"), [(0, 4), (3, 4), (4, 4), (5, 4), (9, 4), (9, 5), (9, 1), (3, 1)])
def test_slots_show_both_ends_of_the_queue(num_waiting: int, num_slots: int) -> None:
    """All if they fit; else the longest-waiting half, the larger one, and the most recent half, in queue order."""
    rows = shown_rows(num_waiting, num_slots).tolist()

    assert len(rows) == min(num_waiting, num_slots)
    assert rows == sorted(set(rows))
    if num_waiting > num_slots:
        recent = num_slots // 2
        assert rows[: num_slots - recent] == list(range(num_slots - recent))
        assert rows[num_slots - recent :] == list(range(num_waiting - recent, num_waiting))


def test_overflow_is_counted_and_actions_reach_the_slots_shown() -> None:
    """In a long queue every shown slot stands for its own row, and pairs behind it go out and come back."""
    env = RoutingEnv("OpenUp", num_slots=3)
    _, info = env.reset(options={"trace_seed": 4})
    most = 0
    for _ in range(120):
        view, layout = env.core.view, env.core.actions
        waiting = len(view.waiting)
        blocks = env.layout.split(env.core.observation())
        overflow = max(0, waiting - 3)
        assert blocks["globals"][5] == pytest.approx(min(10.0, overflow / 3))
        np.testing.assert_array_equal(blocks["queue"][:, 0], np.arange(3) < waiting)
        for slot, row in enumerate(shown_rows(waiting, 3).tolist()):
            for counsellor in range(len(view.staff)):
                pair = Pair(row, counsellor)
                assert layout.decode(layout.encode(pair, view), view) == pair
                assert info["action_mask"][slot * len(view.staff) + counsellor] == view.legal[row, counsellor]
        hidden = set(range(waiting)) - set(shown_rows(waiting, 3).tolist())
        assert all(layout.encode(Pair(row, 0), view) == layout.hold for row in hidden)
        assert layout.decode(layout.hold, view) == HOLD
        most = max(most, waiting)
        *_, terminated, truncated, info = env.step(np.int64(env.action_space.n - 1))
        if terminated or truncated:
            break
    assert most >= 10


def test_the_dict_observation_equals_the_flat_one() -> None:
    flat, split = small(), DictObservation(small())
    observation, info = flat.reset(options={"trace_seed": 8})
    parts, _ = split.reset(options={"trace_seed": 8})
    for _ in range(12):
        assert split.observation_space.contains(parts)
        joined = np.concatenate([parts[name].ravel() for name in ("globals", "queue", "counsellors", "pairs")])
        np.testing.assert_array_equal(joined, observation)
        np.testing.assert_array_equal(parts["action_mask"], info["action_mask"])
        action = np.flatnonzero(info["action_mask"])[0]
        observation, _, terminated, _, info = flat.step(action)
        parts, *_ = split.step(action)
        if terminated:
            break


# ---------------------------------------------------------------------- reset options, samplers, refusals


def test_a_trace_and_its_seed_are_the_same_episode() -> None:
    env = small()
    by_seed, _ = env.reset(options={"trace_seed": 21})
    trace = Trace.sample(env.core.scenario, 21)
    by_trace, _ = small().reset(options={"trace": trace})
    again, _ = env.reset(seed=99, options={"trace_seed": 21})
    other, _ = env.reset(options={"trace_seed": 22})

    np.testing.assert_array_equal(by_seed, by_trace)
    np.testing.assert_array_equal(by_seed, again)
    assert not np.array_equal(by_seed, other)
    assert env.core.trace is not None
    assert trace.hash != env.core.trace.hash


def test_seeded_sequences_of_episodes_repeat_and_differ_within() -> None:
    env = small()
    hashes = []
    for seed in (7, None, None, 7, None, None):
        env.reset(seed=seed)
        assert env.core.trace is not None
        hashes.append(env.core.trace.hash)
    assert hashes[:3] == hashes[3:]
    assert len(set(hashes)) == 3


def test_a_sampler_pads_to_its_largest_scenario() -> None:
    """Rosters differ between episodes; shapes do not, absent counsellors are zeros and never legal."""
    env = RoutingEnv(ScenarioSampler("EranHeavy", flow=(6.0, 20.0), staffing=(2, 6)), num_slots=5)
    sizes = set()
    assert env.action_space.n == 5 * 6 + 1
    for seed in range(12):
        observation, info = env.reset(seed=seed)
        size = len(env.core.scenario.roster)
        sizes.add(size)
        over = False
        while not over:
            assert env.observation_space.contains(observation)
            blocks = env.layout.split(observation)
            assert not blocks["counsellors"][size:].any()
            assert not blocks["pairs"][:, size:].any()
            assert not info["action_mask"][:-1].reshape(5, 6)[:, size:].any()
            action = np.flatnonzero(info["action_mask"])[0]
            observation, _, terminated, truncated, info = env.step(action)
            over = terminated or truncated
    assert sizes == {2, 3, 4, 5, 6}


def test_gymnasium_accepts_a_sampler() -> None:
    check_env(RoutingEnv(ScenarioSampler("EranHeavy", (6.0, 12.0), (2, 4)), num_slots=4), skip_render_check=True)


def test_a_leaking_scenario_is_refused() -> None:
    with pytest.raises(ValueError, match="queue_discipline 'paper' shows which waiting contacts have left"):
        RoutingEnv("OpenUpPaper", queue_discipline="paper")
    with pytest.raises(ValueError, match="queue_discipline 'paper'"):
        gymnasium.make("mhgym/OpenUpPaper-v0", queue_discipline="paper")


def test_unknown_settings_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="unknown engine 'warp'"):
        small(engine="warp")
    with pytest.raises(ValueError, match="unknown render_mode 'ansy'; did you mean 'ansi'"):
        small(render_mode="ansy")
    with pytest.raises(ValueError, match="unknown reset option 'trace_sed'; did you mean 'trace_seed'"):
        small().reset(options={"trace_sed": 1})
    with pytest.raises(TypeError, match="'trace' must be a Trace, got int"):
        small().reset(options={"trace": 5})
    with pytest.raises(ValueError, match="a trace seed must be at least 0, got -1"):
        small().reset(options={"trace_seed": -1})
    with pytest.raises(ValueError, match="staffing can be set only where the scenario is named"):
        RoutingEnv(make_scenario("EranHeavy"), staffing=3)
    with pytest.raises(ValueError, match="at least 1 queue slot and 1 counsellor, got 0 and 4"):
        small(num_slots=0)
    with pytest.raises(ValueError, match="the trace has 4 counsellors and the roster 3"):
        small(staffing=3).reset(options={"trace": Trace.sample(make_scenario("EranHeavy"), 1)})


# ---------------------------------------------------------------------- episodes in which nothing happens


@pytest.mark.parametrize("closing", ["drain", "cut"])
def test_an_episode_without_arrivals(closing: str) -> None:
    """Nobody comes: the first step ends the episode with zero reward and finite KPIs."""
    scenario = Scenario(
        name="silence",
        roster=Roster((Counsellor(Role.VOLUNTEER, (Shift(0.0, 30.0),)),)),
        arrivals=PoissonArrivals(HourlyRates((0.0,))),
        population=ExponentialPopulation(5.0, 5.0),
        outcomes=OutcomeLaw(),
        horizon=30.0,
    ).replace(closing=closing)
    env = RoutingEnv(scenario, num_slots=2)
    observation, info = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    assert info["action_mask"].tolist() == [0, 0, 1]

    observation, reward, terminated, truncated, info = env.step(np.int64(0))

    assert env.observation_space.contains(observation)
    assert reward == 0.0
    assert (terminated, truncated) == (closing == "drain", closing == "cut")
    assert all(np.isfinite(value) for value in info["kpis"].values())
    assert info["kpis"]["offered"] == 0

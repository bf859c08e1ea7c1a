"""PettingZoo's own tests over both forms, and what they leave out: whole episodes, masks, breaks, sums of rewards.

The official tests are run as they are. Two of their warnings are no fault of an environment with masks: they would
rather have a Box than a Dict, which their own convention for masks asks for.
"""

import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pettingzoo
import pytest
from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    render_test,
    seed_test,
)

import mhgym  # noqa: F401  registers the ids
from mhgym.domain import Counsellor, Risk, Role, Roster, Shift
from mhgym.envs.multi import counsellors_v0
from mhgym.envs.multi.aec import CounsellorsAEC
from mhgym.envs.multi.batch import CounsellorsVectorEnv
from mhgym.envs.multi.parallel import CounsellorsParallel
from mhgym.metrics import COMPONENTS
from mhgym.presets import PRESETS, ScenarioSampler, make_scenario
from mhgym.presets.open_up_population import ROLE_OUTCOMES, OpenUpPopulation, RoleStaff
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.registration import COUNSELLOR_IDS
from mhgym.scenario import Rules, Scenario, Weights

pytestmark = [
    pytest.mark.filterwarnings("ignore:Observation space for each agent probably should be:UserWarning"),
    pytest.mark.filterwarnings("ignore:Observation is not a NumPy array:UserWarning"),
]
TOLERANCE = 1e-9  # DESIGN, idea 5
#: Every preset, cut to its first hours.
SMALL: dict[str, dict[str, Any]] = {
    "EranHeavy": {},
    "EranStandard": {},
    "EranDay": {"horizon": 240.0},
    "OpenUp": {"horizon": 240.0},
    "OpenUpPaper": {"horizon": 240.0},
}
EVERY = pytest.mark.parametrize("preset", sorted(SMALL))


def busy_centre() -> Scenario:
    """Breaks, sign-outs, transfers, zombies, newcomers and several contacts at once within three hours."""
    low = frozenset({Risk.LOW, Risk.MEDIUM})
    people = (
        Counsellor(Role.VOLUNTEER, (Shift(0.0, 60.0), Shift(90.0, 150.0)), 2, low, new=True),
        Counsellor(Role.FULL_TIME, (Shift(0.0, 100.0, breaks=((30.0, 45.0), (70.0, 80.0))),), 3),
        Counsellor(Role.DUTY_OFFICER, (Shift(20.0, 150.0, breaks=((110.0, 120.0),)),), 2),
    )
    return Scenario(
        name="busy centre",
        roster=Roster(people),
        arrivals=PoissonArrivals(HourlyRates((25.0, 25.0, 25.0))),
        population=OpenUpPopulation(feedback="by_role"),
        outcomes=ROLE_OUTCOMES,
        staff=RoleStaff(),
        horizon=180.0,
        rules=Rules(cutoff=5.0, wrap_up=4.0, zombie_wrap_up=1.0, zombies="kept", on_break="transfer"),
        weights=Weights(quality=0.5, quantity=0.3, burden=2.0, fairness=0.7),
    )


def parallel_walk(env: CounsellorsParallel, seed: int, nerve: float = 0.0) -> Iterator[tuple[Any, ...]]:
    """Yield what reset and each step of an episode give; with chance `nerve` any action, else a legal one."""
    rng = np.random.default_rng(seed)
    observations, infos = env.reset(seed=seed)
    yield observations, {}, {}, {}, infos
    while env.agents:
        actions = {}
        for agent in env.agents:
            mask = observations[agent]["action_mask"]
            pool = np.arange(len(mask)) if rng.random() < nerve else np.flatnonzero(mask)
            actions[agent] = rng.choice(pool)
        result = env.step(actions)
        observations = result[0]
        yield result


# ---------------------------------------------------------------------- the official tests


def test_every_preset_is_played() -> None:
    """Those with inboxes have a form of their own: there is no queue to pull from."""
    assert set(SMALL) == {name for name in PRESETS if not make_scenario(name).inboxes}
    with pytest.raises(ValueError, match=r"in Therapists contacts wait in inboxes; use .*dispatchers_v0"):
        counsellors_v0.env("Therapists")
    with pytest.raises(ValueError, match="contacts wait in inboxes"):
        CounsellorsVectorEnv(2, "Therapists")


@EVERY
def test_pettingzoo_accepts_the_agent_environment_cycle(preset: str) -> None:
    api_test(counsellors_v0.env(preset, **SMALL[preset]), num_cycles=200)
    api_test(counsellors_v0.raw_env(preset, reward="own", engine="compiled", **SMALL[preset]), num_cycles=50)


@EVERY
def test_pettingzoo_accepts_the_parallel_form(preset: str) -> None:
    parallel_api_test(counsellors_v0.parallel_env(preset, **SMALL[preset]), num_cycles=200)
    parallel_api_test(counsellors_v0.parallel_env(preset, reward="own", engine="compiled", **SMALL[preset]), 50)


@EVERY
def test_seeds_repeat_by_pettingzoos_tests(preset: str) -> None:
    seed_test(lambda: counsellors_v0.env(preset, **SMALL[preset]), num_cycles=30)
    parallel_seed_test(lambda: counsellors_v0.parallel_env(preset, **SMALL[preset]), num_cycles=30)


def test_max_cycles_ends_both_forms() -> None:
    """The official test: in the parallel form all agents at once, in the cycle each after its own turns.

    It wants no agent to have fewer turns than the limit, so there are callers enough for dozens of turns each.
    """
    busy = {"scenario": "EranHeavy", "flow": 60.0, "review_interval": 1.0}
    forms = {name: partial(getattr(counsellors_v0, name), **busy) for name in ("env", "parallel_env")}
    max_cycles_test(SimpleNamespace(**forms))


def test_rendering_passes_pettingzoos_test(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pygame", reason="needs the extra 'render'")
    pytest.importorskip("PIL", reason="needs the extra 'render'")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    render_test(lambda render_mode: counsellors_v0.env(render_mode=render_mode))


def test_the_parallel_form_renders() -> None:
    env = counsellors_v0.parallel_env(render_mode="ansi")
    env.reset(seed=1)
    before = env.render()
    env.step({})
    assert "waiting" in before
    assert env.render() != before


@pytest.mark.parametrize("name", sorted(COUNSELLOR_IDS))
def test_the_registry_makes_both_forms(name: str) -> None:
    cycle = pettingzoo.make("aec", name, num_slots=4)
    parallel = pettingzoo.make("parallel", name, num_slots=4, max_cycles=3)

    assert isinstance(cycle.unwrapped, CounsellorsAEC)
    assert isinstance(parallel, CounsellorsParallel)
    assert cycle.action_space("counsellor_0").n == parallel.action_space("counsellor_0").n == 5
    assert sum(1 for _ in parallel_walk(parallel, 0)) == 4
    assert set(COUNSELLOR_IDS.values()) == set(SMALL)


# ---------------------------------------------------------------------- whole episodes

EPISODE = """
import hashlib, sys
import numpy as np
from mhgym.envs.multi import counsellors_v0

digest, steps = hashlib.sha256(), 0
for form in ("env", "parallel_env"):
    env = getattr(counsellors_v0, form)(sys.argv[1], num_slots=6, reward="own", horizon=float(sys.argv[2]))
    for seed in range(3):
        rng = np.random.default_rng(seed)
        result = env.reset(seed=seed)
        while env.agents:
            steps += 1
            if form == "env":
                observation, reward, terminated, truncated, info = env.last()
                legal = np.flatnonzero(observation["action_mask"])
                env.step(None if terminated or truncated else rng.choice(legal))
                seen = env.agent_selection, observation["observation"].tobytes(), reward, terminated, truncated, info
            else:
                if steps == 0 or len(result) == 2:
                    observations = result[0]
                actions = {a: rng.choice(np.flatnonzero(observations[a]["action_mask"])) for a in env.agents}
                result = env.step(actions)
                observations = result[0]
                seen = [o["observation"].tobytes() for o in observations.values()], result[1:]
            digest.update(repr(seen).encode())
print(digest.hexdigest(), steps)
"""


@pytest.mark.parametrize(("preset", "horizon"), [("EranHeavy", 60.0), ("OpenUp", 180.0)])
def test_whole_episodes_do_not_depend_on_the_process(preset: str, horizon: float) -> None:
    """Every observation, reward, flag and info of both forms in two processes with different hash seeds."""
    prints = []
    for hash_seed in ("1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", EPISODE, preset, str(horizon)]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        prints.append(done.stdout.split())

    assert len(prints[0][0]) == len(hashlib.sha256().hexdigest())
    assert int(prints[0][1]) >= 50
    assert prints[0] == prints[1]


@pytest.mark.parametrize("reward", ["shared", "own"])
def test_the_engines_give_the_same_game(reward: str) -> None:
    """Observations, rewards and infos of whole parallel episodes, illegal actions among them."""
    scenario = busy_centre()
    walks = [
        list(parallel_walk(CounsellorsParallel(scenario, engine=engine, reward=reward, num_slots=5), 3, nerve=0.2))
        for engine in ("simpy", "compiled")
    ]
    assert len(walks[0]) == len(walks[1]) > 30
    for one, other in zip(*walks, strict=True):
        for agent, seen in one[0].items():
            np.testing.assert_array_equal(seen["observation"], other[0][agent]["observation"])
            np.testing.assert_array_equal(seen["action_mask"], other[0][agent]["action_mask"])
        assert one[1] == pytest.approx(other[1], abs=TOLERANCE)
        assert one[2:4] == other[2:4]
        for agent, info in one[4].items():
            assert info["elapsed"] == other[4][agent]["elapsed"]
            assert info["illegal_actions"] == other[4][agent]["illegal_actions"]


def test_a_pickled_environment_starts_alike() -> None:
    env = counsellors_v0.parallel_env(busy_centre(), num_slots=4, reward="own")
    copy = pickle.loads(pickle.dumps(env))
    for one, other in zip(parallel_walk(env, 5), parallel_walk(copy, 5), strict=True):
        assert one[1] == other[1]


# ---------------------------------------------------------------------- rewards


@pytest.mark.parametrize("seed", range(3))
def test_own_rewards_add_up_to_the_shared_one(seed: int) -> None:
    """In every step, by component and as scalars; over the episode to the KPIs. Transfers and zombies did occur."""
    shared = parallel_walk(CounsellorsParallel(busy_centre(), reward="shared", num_slots=8), seed)
    own = parallel_walk(CounsellorsParallel(busy_centre(), reward="own", num_slots=8), seed)
    total, earned = np.zeros(4), np.zeros((3, 4))
    for together, apart in zip(shared, own, strict=True):
        vectors = np.array([info["reward_vector"] for info in apart[4].values()])
        for agent, info in together[4].items():
            np.testing.assert_allclose(vectors.sum(axis=0), info["reward_vector"], rtol=0, atol=TOLERANCE)
            if together[1]:
                assert sum(apart[1].values()) == pytest.approx(together[1][agent], abs=TOLERANCE)
                assert together[1][agent] == pytest.approx(np.dot((0.5, 0.3, 2.0, 0.7), info["reward_vector"]))
        total, earned = total + info["reward_vector"], earned + vectors
    kpis = apart[4]["counsellor_0"]["kpis"]
    np.testing.assert_allclose(total, [kpis[name] for name in COMPONENTS], rtol=0, atol=TOLERANCE)
    assert kpis["transfers"] > 0
    assert kpis["zombies_opened"] > 0


def test_own_rewards_are_what_each_one_answered() -> None:
    """By the contact records: number and feedback of the contacts each counsellor finished, over the offered."""
    env = CounsellorsParallel(busy_centre(), reward="own", num_slots=8)
    earned = sum(np.array([info["reward_vector"] for info in step[4].values()]) for step in parallel_walk(env, 11))
    log, offered = env.game.core.centre.engine.log(), env.game.core.trace.offered
    assert len(set(log.counsellor[log.counsellor >= 0])) > 1
    for j, row in enumerate(earned):
        mine = log.counsellor == j
        np.testing.assert_allclose(row[:2] * offered, [log.feedback[mine].sum(), mine.sum()], rtol=0, atol=1e-7)


def test_rewards_of_the_cycle_add_up_too() -> None:
    """What `last` hands each agent over the episode; the shared reward pays every agent the KPIs."""
    env = counsellors_v0.env(busy_centre(), num_slots=8)
    env.reset(seed=2)
    rng = np.random.default_rng(2)
    total = dict.fromkeys(env.agents, 0.0)
    for agent in env.agent_iter():
        observation, reward, terminated, truncated, info = env.last()
        total[agent] += reward
        dead = terminated or truncated
        env.step(None if dead else rng.choice(np.flatnonzero(observation["action_mask"])))
    score = np.dot((0.5, 0.3, 2.0, 0.7), [info["kpis"][name] for name in COMPONENTS])
    assert set(total) == {"counsellor_0", "counsellor_1", "counsellor_2"}
    assert list(total.values()) == pytest.approx([score] * 3, abs=TOLERANCE)


# ---------------------------------------------------------------------- masks and turns


def test_breaks_and_sign_outs_mask_and_kill_nobody() -> None:
    """All agents live to the end; who is away can only decline, and pulling all the same changes nothing."""
    env = CounsellorsParallel(busy_centre(), num_slots=8)
    rng, away = np.random.default_rng(0), 0
    observations, _ = env.reset(seed=4)
    while env.agents:
        assert env.agents == env.possible_agents
        staff = env.game.core.view.staff
        masks = [observations[agent]["action_mask"] for agent in env.agents]
        gone = ~staff.on_duty | staff.on_break
        away += int((gone[0] and staff.on_break.any()) or gone.sum() > 1)
        assert all(mask[:-1].sum() == 0 for mask, is_gone in zip(masks, gone, strict=True) if is_gone)
        actions = {a: rng.choice(np.flatnonzero(mask)) for a, mask in zip(env.agents, masks, strict=True)}
        actions |= {agent: 0 for agent, is_gone in zip(env.agents, gone, strict=True) if is_gone}
        in_hand = staff.in_hand.copy()
        observations, _, terminations, truncations, infos = env.step(actions)
        if infos["counsellor_0"]["elapsed"] == 0.0:
            assert (env.game.core.view.staff.in_hand[gone] == in_hand[gone]).all()
    assert away >= 3
    assert len(set(terminations.values()) | set(truncations.values())) == 2
    assert sum(info["illegal_actions"] for info in infos.values()) > 0


def test_the_longest_idle_is_asked_first_and_a_decline_passes_on() -> None:
    """Turns within one minute go up in idle time; nobody is asked twice after declining; all declining is HOLD."""
    env = counsellors_v0.raw_env("EranHeavy")
    env.reset(seed=6)
    turns, rounds, heard, minute = env.game.turns, 0, [], 0.0
    while env.agents:
        if env.terminations[env.agent_selection]:
            env.step(None)
            continue
        if turns.minute != minute:
            rounds, heard, minute = rounds + (len(heard) > 1), [], turns.minute
        heard.append(env.agent_selection)
        idle = env.game.core.view.staff.idle_since
        assert len(set(heard)) == len(heard)
        times = [idle[env.game.index[agent]] for agent in heard]
        assert times == sorted(times)
        env.step(env.game.core.actions.num_slots)
    assert rounds >= 3


def test_an_illegal_action_is_to_decline_and_is_counted() -> None:
    legal, wrong = (counsellors_v0.raw_env("EranHeavy", num_slots=64) for _ in range(2))
    legal.reset(seed=8)
    wrong.reset(seed=8)
    turns = 0
    while not any(legal.terminations.values()):
        legal.step(64)
        wrong.step(63)  # no queue of this seed is so long
        turns += 1
        assert wrong.agent_selection == legal.agent_selection
        assert wrong.rewards == legal.rewards
    assert sum(info["illegal_actions"] for info in wrong.infos.values()) == turns
    assert sum(info["illegal_actions"] for info in legal.infos.values()) == 0


def test_what_a_counsellor_sees() -> None:
    """Every block of the observation against the view, with several callers waiting and others free."""
    env = CounsellorsParallel(busy_centre(), num_slots=6)
    checked = 0
    for observations, *_ in parallel_walk(env, 9):
        view = env.game.core.view
        whole = env.game.core.observations.split(env.game.core.observation())
        shown = min(6, len(view.waiting))
        for j, seen in enumerate(observations.values()):
            blocks = env.game.layout.split(seen["observation"])
            np.testing.assert_array_equal(blocks["globals"], whole["globals"])
            np.testing.assert_array_equal(blocks["queue"], whole["queue"])
            np.testing.assert_array_equal(blocks["own"], whole["counsellors"][j])
            np.testing.assert_array_equal(blocks["pairs"], whole["pairs"][:, j])
            others = [k for k in range(3) if k != j]
            np.testing.assert_allclose(blocks["colleagues"], whole["counsellors"][others].mean(axis=0), atol=1e-6)
            if len(view.waiting) > 6:
                continue
            for slot in range(shown):
                takers = [k for k in others if view.legal[slot, k]]
                best = max((view.quality[slot, k] for k in takers), default=0.0)
                least = min((min(10.0, view.service_time[slot, k] / 60.0) for k in takers), default=0.0)
                expected = [len(takers) / 2, best, least]
                np.testing.assert_allclose(blocks["others"][slot], expected, atol=1e-6)
                checked += len(takers) > 0
    assert checked > 20


def test_a_sampler_plays_with_the_counsellors_of_each_episode() -> None:
    env = counsellors_v0.parallel_env(ScenarioSampler("EranHeavy", flow=(6.0, 14.0), staffing=(2, 5)))
    sizes = set()
    for seed in range(8):
        env.reset(seed=seed)
        sizes.add(len(env.agents))
        assert env.agents == env.possible_agents[: len(env.agents)]
        for step in parallel_walk(env, seed):
            assert all(env.observation_space(agent).contains(seen) for agent, seen in step[0].items())
    assert len(env.possible_agents) == 5
    assert len(sizes) > 2


def test_an_hour_without_callers_has_one_turn() -> None:
    env = counsellors_v0.raw_env("EranHeavy", flow=0.0)
    env.reset(seed=0)
    assert env.agent_selection == "counsellor_0"
    assert env.observe("counsellor_0")["action_mask"].sum() == 1
    env.step(env.game.core.actions.num_slots)
    assert all(env.terminations.values())


def test_wrong_settings_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="unknown reward 'share'; did you mean 'shared'"):
        counsellors_v0.env(reward="share")
    with pytest.raises(ValueError, match="max_cycles must be at least 1 turn, got 0"):
        counsellors_v0.parallel_env(max_cycles=0)
    with pytest.raises(ValueError, match="unknown reset option 'trace_sed'; did you mean 'trace_seed'"):
        counsellors_v0.parallel_env().reset(options={"trace_sed": 1})
    with pytest.raises(TypeError, match="'trace' must be a Trace, got int"):
        counsellors_v0.env().reset(options={"trace": 5})
    with pytest.raises(ValueError, match="unknown render_mode 'ansy'; did you mean 'ansi'"):
        counsellors_v0.env(render_mode="ansy")

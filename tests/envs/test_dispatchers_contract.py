"""The game of two dispatchers: PettingZoo's tests, whole episodes, sums of rewards, the episode of one."""

import hashlib
import os
import subprocess
import sys
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
from agents import make_agent
from mhgym.envs.multi import dispatchers_v0
from mhgym.evaluation.rollout import run_episode
from mhgym.metrics import COMPONENTS
from mhgym.policy import policy_rng
from mhgym.presets import make_scenario
from mhgym.registration import DISPATCHER_IDS
from mhgym.trace import Trace
from mhgym.view import HOLD

pytestmark = [
    pytest.mark.filterwarnings("ignore:Observation space for each agent probably should be:UserWarning"),
    pytest.mark.filterwarnings("ignore:Observation is not a NumPy array:UserWarning"),
    pytest.mark.filterwarnings(
        "ignore:We recommend agents to be named:UserWarning"
    ),  # player_0 would tell nobody which
]
TOLERANCE = 1e-9  # DESIGN, idea 5
DAY = {"horizon": 900.0}
AGENTS = ["therapists", "volunteers"]


def test_pettingzoo_accepts_both_forms() -> None:
    api_test(dispatchers_v0.env(**DAY), num_cycles=200)
    api_test(dispatchers_v0.raw_env(engine="compiled", **DAY), num_cycles=50)
    parallel_api_test(dispatchers_v0.parallel_env(**DAY), num_cycles=200)
    parallel_api_test(dispatchers_v0.parallel_env(engine="compiled", **DAY), num_cycles=50)


def test_seeds_and_pictures_pass_pettingzoos_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    seed_test(lambda: dispatchers_v0.env(**DAY), num_cycles=30)
    parallel_seed_test(lambda: dispatchers_v0.parallel_env(**DAY), num_cycles=30)
    pytest.importorskip("pygame", reason="needs the extra 'render'")
    pytest.importorskip("PIL", reason="needs the extra 'render'")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    render_test(lambda render_mode: dispatchers_v0.env(render_mode=render_mode, **DAY))


def test_max_cycles_ends_both_forms() -> None:
    """PettingZoo's test samples without masks; here actions are legal, too."""
    max_cycles_test(dispatchers_v0)
    env = dispatchers_v0.raw_env(max_cycles=4, flow=30.0, **DAY)
    turns, rng = dict.fromkeys(AGENTS, 0), np.random.default_rng(0)
    env.reset(seed=1)
    while env.agents:
        observation, _, terminated, truncated, _ = env.last()
        over = terminated or truncated
        turns[env.agent_selection] += not over
        legal = np.flatnonzero(observation["action_mask"])
        env.step(None if over else rng.choice(legal[:-1] if len(legal) > 1 else legal))
    assert turns == dict.fromkeys(AGENTS, 4)
    parallel = dispatchers_v0.parallel_env(max_cycles=4, **DAY)
    parallel.reset(seed=1)
    truncations = [parallel.step({})[3] for _ in range(4)]
    assert [any(truncation.values()) for truncation in truncations] == [False, False, False, True]
    assert not parallel.agents


@pytest.mark.parametrize("name", sorted(DISPATCHER_IDS))
def test_the_registry_makes_both_forms_and_vectors(name: str) -> None:
    for env_id in (name, name.replace("mhgym/", "mhgym/mo-")):
        cycle, parallel = (pettingzoo.make(form, env_id, num_slots=4, **DAY) for form in ("aec", "parallel"))
        assert cycle.possible_agents == parallel.possible_agents == AGENTS
        assert cycle.action_space(AGENTS[0]).n == 4 * 16 + 1
        parallel.reset(seed=1)
        _, rewards, *_ = parallel.step({})
        assert np.shape(rewards["volunteers"]) == ((4,) if "mo-" in env_id else ())


def play(form: str, seed: int, nerve: float = 0.0, **settings: Any) -> tuple[Any, dict[str, float], Any]:
    """An episode of random actions: sum of reward vectors and of rewards of each agent, KPIs."""
    env = getattr(dispatchers_v0, form)(num_slots=8, **{**DAY, **settings})
    rng = np.random.default_rng(seed)
    begun = env.reset(options={"trace_seed": seed})
    vectors, scalars, kpis = {agent: np.zeros(4) for agent in AGENTS}, dict.fromkeys(AGENTS, 0.0), {}

    def choose(observation: Any) -> Any:
        mask = observation["action_mask"]
        return rng.choice(np.arange(len(mask)) if rng.random() < nerve else np.flatnonzero(mask))

    def book(agent: str, reward: Any, info: Any) -> None:
        vectors[agent] += info["reward_vector"]
        scalars[agent] += reward
        assert reward == pytest.approx(env.game.core.weights @ info["reward_vector"], abs=TOLERANCE)
        kpis.update(info.get("kpis", {}))

    if form == "raw_env":
        while env.agents:
            observation, _, terminated, truncated, _ = env.last()
            env.step(None if terminated or truncated else choose(observation))
            if not (terminated or truncated):
                for agent in env.agents:
                    book(agent, env.rewards[agent], env.infos[agent])
    else:
        seen = begun[0]
        while env.agents:
            seen, rewards, _, _, infos = env.step({agent: choose(seen[agent]) for agent in env.agents})
            for agent in rewards:
                book(agent, rewards[agent], infos[agent])
    return vectors, kpis, scalars


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
@pytest.mark.parametrize("form", ["raw_env", "parallel_env"])
def test_rewards_of_whole_episodes_add_up(form: str, engine: str) -> None:
    for nerve in (0.0, 0.4):
        vectors, kpis, _ = play(form, 3, nerve, engine=engine)
        for agent in AGENTS:
            np.testing.assert_allclose(vectors[agent], [kpis[name] for name in COMPONENTS], rtol=0, atol=TOLERANCE)
        assert kpis["answered"] > 5


@pytest.mark.parametrize("rule", ["best_match", "least_loaded"])
def test_both_playing_a_rule_is_the_episode_of_one_dispatcher_who_does(rule: str) -> None:
    """The agent environment cycle, each taking the pair of the rule if it is of its own kind."""
    scenario = make_scenario("Therapists", horizon=1440.0)
    for seed in range(3):
        trace, policy = Trace.sample(scenario, seed), make_agent("bridging", rule=rule, urgency=0.02)
        expected = run_episode(scenario, policy, trace).kpis
        env = dispatchers_v0.raw_env(scenario, num_slots=80)
        env.reset(options={"trace": trace})
        policy.reset(scenario, policy_rng(trace.hash, policy.name))
        kpis: dict[str, float] = {}
        core, asked = env.game.core, set()
        while env.agents:
            _, _, terminated, truncated, info = env.last()
            kpis.update(info.get("kpis", {}))
            if terminated or truncated:
                env.step(None)
                continue
            view = core.view
            pair = policy.act(view) if view.legal.any() else HOLD
            own = pair != HOLD and (scenario.roster.counsellors[pair.counsellor].inbox > 0) == (
                env.agent_selection == "therapists"
            )
            asked.add(env.agent_selection)
            env.step(core.actions.encode(pair, view) if own else core.actions.hold)
        assert kpis == expected
        assert asked == set(AGENTS)
        assert kpis["bridges"] > 0


def test_centres_with_one_queue_and_rewards_of_ones_own_are_refused() -> None:
    with pytest.raises(ValueError, match=r"nobody has an inbox in EranHeavy; use .*counsellors_v0"):
        dispatchers_v0.env("EranHeavy")
    with pytest.raises(ValueError, match="'shared' reward, got 'own'"):
        dispatchers_v0.env(reward="own")


EPISODE = """
import hashlib
import numpy as np
from mhgym.envs.multi import dispatchers_v0

digest, steps = hashlib.sha256(), 0
for seed in range(2):
    env = dispatchers_v0.env(num_slots=6, horizon=900.0)
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    while env.agents:
        observation, reward, terminated, truncated, info = env.last()
        legal = np.flatnonzero(observation["action_mask"])
        env.step(None if terminated or truncated else rng.choice(legal))
        steps += 1
        digest.update(repr((env.agents, observation["observation"].tobytes(), reward, terminated, info)).encode())
print(digest.hexdigest(), steps)
"""


def test_whole_episodes_do_not_depend_on_the_process() -> None:
    prints = []
    for hash_seed in ("1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", EPISODE]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        prints.append(done.stdout.split())
    assert prints[0] == prints[1]
    assert len(prints[0][0]) == len(hashlib.sha256().hexdigest())
    assert int(prints[0][1]) >= 50

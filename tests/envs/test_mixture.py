"""A mixture of batches steps like its parts, and draws a scenario for every episode."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from mhgym.envs import MixtureVectorEnv, RoutingBatch, RoutingEnv, RoutingVectorEnv
from mhgym.mdp.observation import GLOBAL_FEATURES
from mhgym.presets import ScenarioSampler, make_scenario
from mhgym.trace import Trace

SAMPLER = ScenarioSampler("EranHeavy", flow=(5.0, 30.0), staffing=(2, 4))
ON_DUTY = GLOBAL_FEATURES.index("on_duty")


def legal(rng: np.random.Generator, masks: np.ndarray) -> np.ndarray:
    return np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])


def rows_of(infos: dict[str, Any], rows: slice) -> dict[str, Any]:
    """The infos of some centres, nested ones too."""
    return {name: rows_of(own, rows) if isinstance(own, dict) else own[rows] for name, own in infos.items()}


def assert_same_infos(joined: dict[str, Any], own: dict[str, Any]) -> None:
    """What a part says stands in the mixture; what only other parts say stands there masked out."""
    for name, value in own.items():
        if isinstance(value, dict):
            assert_same_infos(joined[name], value)
        else:
            for left, right in zip(joined[name], value, strict=True):
                np.testing.assert_array_equal(left, right)
    for name in joined.keys() - own.keys():
        if not name.startswith("_"):
            assert not joined[f"_{name}"].any()


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("bank", [0, 31])
def test_a_mixture_steps_like_its_parts(mode: AutoresetMode, bank: int) -> None:
    """8 centres: 3 with 2 counsellors, 3 with 3, 2 with 4; all in the layout of 5."""
    mixture = MixtureVectorEnv(8, SAMPLER, num_counsellors=5, autoreset_mode=mode, bank=bank)
    sizes, banks = [3, 3, 2], [11, 10, 10] if bank else [0, 0, 0]
    parts = [
        RoutingVectorEnv(size, stratum, num_counsellors=5, autoreset_mode=mode, bank=own)
        for size, stratum, own in zip(sizes, SAMPLER.by_staffing(), banks, strict=True)
    ]
    starts = [slice(0, 3), slice(3, 6), slice(6, 8)]
    obs, infos = mixture.reset(seed=7)
    for part, rows in zip(parts, starts, strict=True):
        own, info = part.reset(seed=7 + rows.start)
        np.testing.assert_array_equal(obs[rows], own)
        assert_same_infos(rows_of(infos, rows), info)
    rng, ends = np.random.default_rng(0), 0
    for step in range(120):
        actions = legal(rng, mixture.action_masks())
        obs, rewards, terminated, truncated, infos = mixture.step(actions)
        ends += int(terminated.sum())
        for part, rows in zip(parts, starts, strict=True):
            own, own_rewards, own_terminated, own_truncated, info = part.step(actions[rows])
            np.testing.assert_array_equal(obs[rows], own)
            np.testing.assert_array_equal(rewards[rows], own_rewards)
            np.testing.assert_array_equal(terminated[rows], own_terminated)
            np.testing.assert_array_equal(truncated[rows], own_truncated)
            assert_same_infos(rows_of(infos, rows), info)
        if bank and step == 60:
            mixture.renew_bank(7)
            for part, own in zip(parts, (3, 2, 2), strict=True):
                part.renew_bank(own)
    assert ends > 16


def test_a_sampled_batch_is_many_single_environments() -> None:
    """With one number of counsellors: the transitions of `RoutingEnv` of the same sampler on the same seeds."""
    (sampler,) = ScenarioSampler("EranHeavy", flow=(5.0, 30.0), staffing=(3, 3)).by_staffing()
    vector = RoutingVectorEnv(4, sampler, autoreset_mode=AutoresetMode.SAME_STEP)
    singles = [RoutingEnv(sampler, engine="compiled") for _ in range(4)]
    obs, _ = vector.reset(seed=3)
    for i, single in enumerate(singles):
        np.testing.assert_array_equal(obs[i], single.reset(seed=3 + i)[0])
    rng, ends = np.random.default_rng(0), 0
    for _ in range(100):
        actions = legal(rng, vector.action_masks())
        obs, rewards, terminated, _, _ = vector.step(actions)
        for i, single in enumerate(singles):
            own, reward, over, _, _ = single.step(actions[i])
            assert over == terminated[i]
            assert reward == pytest.approx(rewards[i], abs=1e-12)
            if over:
                own, _ = single.reset()
                ends += 1
            np.testing.assert_array_equal(obs[i], own)
    assert ends > 4


def test_flows_and_rosters_of_the_sampler_are_played() -> None:
    """Contacts of a shift are Poisson given its flow, and over-dispersed over flows; rosters are 2 to 4 of 6 places."""

    def dispersion(sampler: ScenarioSampler) -> float:
        env = MixtureVectorEnv(300, sampler)
        env.reset(seed=0)
        contacts = np.array([len(trace) for part in env.parts for trace in part.batch.traces if trace is not None])
        assert len(contacts) == 300
        return float(contacts.var(ddof=1) / contacts.mean())

    hours = make_scenario("EranHeavy").horizon / 60.0
    expected = 1.0 + hours * (25.0**2 / 12.0) / 17.5  # variance of a mixed Poisson law over its mean
    # The variance of 300 counts has a relative standard error of at most sqrt(2 / 299) = .08, lighter tails aside.
    assert dispersion(SAMPLER) == pytest.approx(expected, rel=0.35)
    assert dispersion(ScenarioSampler("EranHeavy", (17.5, 17.5), (2, 4))) == pytest.approx(1.0, rel=0.35)
    env = MixtureVectorEnv(9, SAMPLER, num_counsellors=6)
    obs, infos = env.reset(seed=0)
    np.testing.assert_allclose(obs[:, ON_DUTY] * 6, [2, 2, 2, 3, 3, 3, 4, 4, 4], atol=1e-6)
    taken = infos["action_mask"][:, :-1].reshape(9, 16, 6).any(axis=1)
    assert not taken[:3, 2:].any()
    assert taken[6:, 3].any()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["deep", "pickle"])
def test_equal_seeds_and_copies_go_on_alike(copied: Any) -> None:
    env, twin = (MixtureVectorEnv(6, SAMPLER, bank=12, with_kpis=False) for _ in range(2))
    for own in (env, twin):
        own.reset(seed=11)
    again = copied(env)
    for _ in range(80):
        actions = env.action_masks().argmax(axis=1)
        expected = env.step(actions)
        for other in (twin, again):
            for left, right in zip(expected[:4], other.step(actions)[:4], strict=True):
                np.testing.assert_array_equal(left, right)


def test_padding_changes_shares_of_the_layout_alone() -> None:
    """The same centre in layouts of 3 and 8: the same rewards, and the same features but those that are shares of C."""
    plain, padded = (RoutingBatch(5, "EranHeavy", num_counsellors=size, staffing=3) for size in (None, 8))
    for batch in (plain, padded):
        batch.begin(range(5), [Trace.sample(batch.scenario, seed) for seed in range(5)])
    rng = np.random.default_rng(0)
    shares = [ON_DUTY, GLOBAL_FEATURES.index("can_take")]
    while not plain.over.any():
        own, other = (batch.layout.split(batch.obs) for batch in (plain, padded))
        np.testing.assert_allclose(own["globals"][:, shares] * 3, other["globals"][:, shares] * 8, atol=1e-6)
        np.testing.assert_array_equal(
            np.delete(own["globals"], shares, axis=1), np.delete(other["globals"], shares, axis=1)
        )
        np.testing.assert_array_equal(own["pairs"], other["pairs"][:, :, :3])
        assert not other["counsellors"][:, 3:].any()
        actions = legal(rng, plain.mask)
        slot, counsellor = np.divmod(actions, 3)
        held = actions == plain.actions.hold
        plain.step(actions, ~plain.over)
        padded.step(np.where(held, padded.actions.hold, slot * 8 + counsellor), ~padded.over)
        np.testing.assert_array_equal(plain.reward, padded.reward)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="num_counsellors must be at least the 4 of the roster, got 3"):
        MixtureVectorEnv(8, SAMPLER, num_counsellors=3)
    with pytest.raises(ValueError, match="num_counsellors must be at least the 3 of the roster, got 2"):
        RoutingVectorEnv(2, "EranHeavy", num_counsellors=2, staffing=3)
    with pytest.raises(ValueError, match="staffing 2 to 4 needs at least 3 centres, one for each number, got 2"):
        MixtureVectorEnv(2, SAMPLER)
    with pytest.raises(ValueError, match="have one roster, got staffing 2 to 4; use MixtureVectorEnv"):
        RoutingVectorEnv(8, SAMPLER)
    with pytest.raises(ValueError, match="flow can be set only where the scenario is named"):
        RoutingVectorEnv(2, make_scenario("EranHeavy"), flow=3.0)
    env = MixtureVectorEnv(3, SAMPLER)
    with pytest.raises(ValueError, match="one seed for each of 3 centres, got 2"):
        env.reset(seed=[1, 2])
    env.reset(seed=1)
    with pytest.raises(ValueError, match=r"actions must have shape \(3,\), one for each centre, got \(2,\)"):
        env.step(np.zeros(2, dtype=np.int64))
    with pytest.raises(RuntimeError, match="there is no bank to renew"):
        env.renew_bank(3)

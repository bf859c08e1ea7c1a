"""The reward vector, summed over an episode, equals the episode's KPIs; the scalar reward is its weighted sum."""

import itertools
from collections import Counter

import numpy as np
import pytest

from mhgym.domain import Counsellor, Risk, Role, Roster, Shift
from mhgym.envs import RoutingEnv
from mhgym.metrics import COMPONENTS
from mhgym.presets import make_scenario
from mhgym.presets.open_up_population import ROLE_OUTCOMES, OpenUpPopulation, RoleStaff
from mhgym.processes.arrivals import HourlyRates, PoissonArrivals
from mhgym.processes.markovian import ExponentialPopulation
from mhgym.processes.outcomes import OutcomeLaw
from mhgym.scenario import Rules, Scenario, Weights

TOLERANCE = 1e-9  # DESIGN, idea 5
WEIGHTS = Weights(quality=0.5, quantity=0.3, burden=2.0, fairness=0.7)
LOW = frozenset({Risk.LOW, Risk.MEDIUM})


def small_centre(rules: Rules, *, shift_end: float = 150.0) -> Scenario:
    """Three counsellors whose shifts and breaks fall into busy hours, so that everything happens within three hours."""
    people = (
        Counsellor(Role.VOLUNTEER, (Shift(0.0, 60.0), Shift(90.0, shift_end)), 2, LOW, new=True),
        Counsellor(Role.FULL_TIME, (Shift(0.0, 100.0, breaks=((30.0, 45.0), (70.0, 80.0))),), 3),
        Counsellor(Role.DUTY_OFFICER, (Shift(20.0, shift_end, breaks=((110.0, 120.0),)),), 2),
    )
    return Scenario(
        name="small centre",
        roster=Roster(people),
        arrivals=PoissonArrivals(HourlyRates((25.0, 25.0, 25.0))),
        population=OpenUpPopulation(feedback="by_role"),
        outcomes=ROLE_OUTCOMES,
        staff=RoleStaff(),
        horizon=180.0,
        rules=rules,
        weights=WEIGHTS,
    )


def play(scenario: Scenario, seed: int, *, share_random: float) -> tuple[np.ndarray, dict[str, float], int]:
    """One episode of random actions, `share_random` of them drawn from all actions, legal or not.

    Returns:
        The sum of the reward vectors, the KPIs, the count of illegal actions.
    """
    env = RoutingEnv(scenario, num_slots=6)
    rng = np.random.default_rng([seed, 7])
    _, info = env.reset(options={"trace_seed": seed})
    total, over = np.zeros(4), False
    while not over:
        legal = np.flatnonzero(info["action_mask"])
        pool = legal if rng.random() >= share_random else np.arange(env.action_space.n)
        _, reward, terminated, truncated, info = env.step(rng.choice(pool))
        assert reward == pytest.approx(np.dot(scenario.weights.as_tuple(), info["reward_vector"]), abs=TOLERANCE)
        total += info["reward_vector"]
        over = terminated or truncated
    return total, info["kpis"], info["illegal_actions"]


RULES = [
    Rules(
        cutoff=5.0,
        wrap_up=4.0,
        zombie_wrap_up=1.0,
        closing=closing,
        on_sign_out=on_sign_out,
        on_break=on_break,
        zombies=zombies,
    )
    for closing, on_sign_out, on_break, zombies in itertools.product(
        ("drain", "cut"), ("transfer", "finish"), ("transfer", "postpone"), ("kept", "evicted")
    )
]


@pytest.mark.parametrize("rules", RULES, ids=lambda r: f"{r.closing}-{r.on_sign_out}-{r.on_break}-{r.zombies}")
def test_rewards_add_up_to_the_kpis(rules: Rules) -> None:
    """On every combination of rules, with legal and with illegal actions; what makes it hard did occur."""
    occurred: Counter[str] = Counter()
    for seed in range(6):
        for share_random in (0.0, 0.5):
            total, kpis, illegal = play(small_centre(rules), seed, share_random=share_random)

            np.testing.assert_allclose(total, [kpis[name] for name in COMPONENTS], rtol=0, atol=TOLERANCE)
            for name in ("transfers", "zombies_opened", "overtime_minutes", "new_share_of_answered", "answered"):
                occurred[name] += kpis[name] > 0
            occurred["burden"] += kpis["burden"] < 0
            occurred["fairness"] += kpis["fairness"] < 0
            occurred["abandoned in transfer"] += kpis["abandonment_in_transfer"] > 0
            occurred["illegal"] += illegal > 0
    expected = {"answered", "burden", "fairness", "illegal", "new_share_of_answered"}
    if "transfer" in (rules.on_sign_out, rules.on_break):
        expected |= {"transfers", "abandoned in transfer"}
    if rules.zombies == "kept":
        expected |= {"zombies_opened"}
    if rules.on_sign_out == "finish":
        expected |= {"overtime_minutes"}
    assert not [name for name in expected if not occurred[name]]


@pytest.mark.parametrize("closing", ["drain", "cut"])
def test_rewards_add_up_when_a_shift_ends_after_the_horizon(closing: str) -> None:
    """Staffed minutes have one definition, for the reward and for the KPIs, also where a shift outlasts the episode."""
    rules = Rules(closing=closing, wrap_up=4.0, zombies="kept", zombie_wrap_up=1.0)  # type: ignore[arg-type]
    scenario = small_centre(rules, shift_end=300.0)
    for seed in range(4):
        total, kpis, _ = play(scenario, seed, share_random=0.0)

        assert kpis["answered"] > 0
        np.testing.assert_allclose(total, [kpis[name] for name in COMPONENTS], rtol=0, atol=TOLERANCE)


def test_rewards_add_up_with_many_newcomers_and_no_answer() -> None:
    """An episode in which every action is HOLD pays nothing but what the KPIs say."""
    scenario = small_centre(RULES[0])
    env = RoutingEnv(scenario, num_slots=6)
    env.reset(options={"trace_seed": 3})
    total, over = np.zeros(4), False
    while not over:
        _, _, terminated, truncated, info = env.step(np.int64(env.action_space.n - 1))
        total += info["reward_vector"]
        over = terminated or truncated

    assert info["kpis"]["offered"] > 20
    np.testing.assert_array_equal(total, np.zeros(4))
    np.testing.assert_array_equal([info["kpis"][name] for name in COMPONENTS], np.zeros(4))


@pytest.mark.parametrize(
    ("preset", "overrides"),
    [
        ("EranHeavy", {"weights": {"quality": 0.4, "quantity": 0.3, "burden": 0.2, "fairness": 0.1}, "newcomers": 2}),
        ("EranStandard", {"review_interval": 2.0}),
        ("OpenUp", {"feedback": "by_role", "newcomers": 4, "weights": {"quality": 1.0, "fairness": 1.0}}),
        ("OpenUpPaper", {"zombies": "evicted"}),
        ("Therapists", {"zombies": "kept", "new_for": 1000.0, "horizon": 2880.0}),
    ],
)
def test_rewards_of_presets_add_up(preset: str, overrides: dict[str, object]) -> None:
    scenario = make_scenario(preset, **overrides)
    for seed in range(2):
        total, kpis, _ = play(scenario, seed, share_random=0.3)

        np.testing.assert_allclose(total, [kpis[name] for name in COMPONENTS], rtol=0, atol=TOLERANCE)


def test_a_long_streak_and_high_risk_at_once_are_paid() -> None:
    """Burden's own parts: a streak beyond 90 minutes, and two high-risk contacts held at once."""

    class AllHigh(ExponentialPopulation):
        def sample(self, size: int, rng: np.random.Generator):  # type: ignore[no-untyped-def]
            callers = super().sample(size, rng)
            callers.risk[:] = Risk.HIGH
            return callers

    scenario = Scenario(
        name="streak",
        roster=Roster((Counsellor(Role.FULL_TIME, (Shift(0.0, 240.0),), 3),)),
        arrivals=PoissonArrivals(HourlyRates((20.0,))),
        population=AllHigh(15.0, 10.0),
        outcomes=OutcomeLaw(),
        horizon=240.0,
        rules=Rules(wrap_up=2.0),
        weights=WEIGHTS,
    )
    total, kpis, _ = play(scenario, 1, share_random=0.0)

    assert kpis["longest_streak_minutes"] > 90.0
    assert kpis["burden"] < -0.5
    np.testing.assert_allclose(total, [kpis[name] for name in COMPONENTS], rtol=0, atol=TOLERANCE)

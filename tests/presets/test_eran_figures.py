"""The ERAN presets reproduce the figures given with them, a second implementation and the paper's marginals."""

import ast
import importlib.util
import json
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numba import njit

from agents import make_agent
from experiments.studies import eran
from mhgym.engines.rules import Rule
from mhgym.evaluation.rollout import rule_shares, run_episode
from mhgym.evaluation.statistics import equivalent, mean_difference_interval
from mhgym.presets import make_scenario
from mhgym.presets.eran_population import (
    AGE_BANDS,
    DEVICES,
    ERAN_OUTCOMES,
    GENDERS,
    SURVEY_RESPONSE,
    EranPopulation,
    EranStaff,
)
from mhgym.processes import draws
from mhgym.trace import Trace

# An independent implementation of the same population, 1,000 shifts: mean and standard deviation per shift of
# quality_served and quantity. Source: check_your_implementation in the calibration's file eran-presets.json.
REFERENCE = json.loads("""{
    "EranStandard": {
        "fcfs": {"quality_served": [0.686, 0.113], "quantity": [0.829, 0.125]},
        "cmt": {"quality_served": [0.768, 0.095], "quantity": [0.841, 0.124]}
    },
    "EranHeavy": {
        "fcfs": {"quality_served": [0.689, 0.116], "quantity": [0.834, 0.143]},
        "cmt": {"quality_served": [0.802, 0.092], "quantity": [0.864, 0.136]}
    }
}""")
REFERENCE_SHIFTS = 1000
MARGIN = 0.010  # of the same source
CELLS = [
    (preset, agent, name)
    for preset in REFERENCE
    for agent in ("fcfs", "cmt")
    for name in ("quality_served", "quantity")
]


@lru_cache(maxsize=8)
def shifts(preset: str, agent: str, number: int) -> dict[str, np.ndarray]:
    """KPIs `[number]` of a policy on shifts with fixed seeds, the same for every policy."""
    scenario, policy = make_scenario(preset), make_agent(agent)
    rows = [run_episode(scenario, policy, Trace.sample(scenario, 50_000 + seed)).kpis for seed in range(number)]
    return {name: np.array([row[name] for row in rows]) for name in ("quality_served", "quantity", "objective_served")}


@pytest.mark.parametrize(("preset", "agent", "name"), CELLS)
def test_means_agree_with_an_independent_implementation(preset: str, agent: str, name: str) -> None:
    """300 shifts: the difference of the means is at most the margin plus its own sampling error at 99.9 %."""
    mean, sd = REFERENCE[preset][agent][name]
    ours = shifts(preset, agent, 300)[name]

    allowed = MARGIN + 3.29 * sd * np.sqrt(1 / len(ours) + 1 / REFERENCE_SHIFTS)

    assert abs(ours.mean() - mean) <= allowed
    # the standard error of a standard deviation over n shifts is sd / sqrt(2n) if they are nearly normal; 5 of them
    assert ours.std(ddof=1) == pytest.approx(sd, rel=5 / np.sqrt(2 * len(ours)))


@pytest.mark.parametrize("preset", REFERENCE)
def test_cmt_beats_first_come_on_the_same_shifts(preset: str) -> None:
    """A paired 95 % interval of the gain in the paper's objective lies above zero."""
    gain = shifts(preset, "cmt", 300)["objective_served"] - shifts(preset, "fcfs", 300)["objective_served"]

    assert gain.mean() - 1.96 * gain.std(ddof=1) / np.sqrt(len(gain)) > 0


# ---------------------------------------------------------------------- many shifts, by compiled rules

RULES = {"fcfs": Rule.FIRST_COME, "cmt": Rule.CMT}
FIRST_SEED = 1_000_000  # beyond those of the study
MANY = 200_000  # shifts, as many as the study's
SECOND = Path(__file__).with_name("second_eran.py")
SECOND_MANY = 400_000
SECOND_MARGIN = 0.002  # a fifth of the margin of the figures given

Cells = dict[tuple[str, str], np.ndarray]


def play(preset: str, number: int) -> Cells:
    """`[number]` values by (policy, KPI); both policies meet the same shifts."""
    shares = rule_shares(make_scenario(preset), list(RULES.values()), range(FIRST_SEED, FIRST_SEED + number))
    return {(agent, name): shares[name][:, column] for column, agent in enumerate(RULES) for name in shares}


@pytest.fixture(scope="module", params=list(REFERENCE))
def many(request: pytest.FixtureRequest) -> tuple[str, Cells]:
    """A preset and `MANY` of its shifts."""
    return request.param, play(request.param, MANY)


@lru_cache(maxsize=1)
def second() -> ModuleType:
    """The second implementation, which is no package's module."""
    spec = importlib.util.spec_from_file_location(SECOND.stem, SECOND)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where the compiler looks for the types that it has cached
    spec.loader.exec_module(module)
    return module


@lru_cache(maxsize=2)
def second_many(preset: str) -> Cells:
    """`SECOND_MANY` shifts of the second implementation."""
    return second().shifts(preset, SECOND_MANY)


def test_the_second_implementation_shares_nothing_with_the_library() -> None:
    nodes = list(ast.walk(ast.parse(SECOND.read_text(encoding="utf-8"))))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}

    assert imported == {"math", "numpy", "numba"}


@pytest.mark.parametrize("preset", REFERENCE)
def test_means_agree_with_the_second_implementation(preset: str) -> None:
    """3,000 shifts of each: the means differ by at most 4 standard errors, which is .009 to .015.

    A right pair fails one of the eight cells with a probability of .0005; the seeds are fixed.
    """
    ours, theirs = play(preset, 3000), second().shifts(preset, 3000)

    for cell, values in ours.items():
        error = np.sqrt((values.var(ddof=1) + theirs[cell].var(ddof=1)) / len(values))
        assert abs(values.mean() - theirs[cell].mean()) <= 4 * error, cell


@pytest.mark.verify
def test_means_are_equivalent_to_the_second_implementation(many: tuple[str, Cells]) -> None:
    """The 95 % interval of the difference of the means lies inside ±.002.

    Equivalence, since a bound of .002 and 3.3 standard errors would let a difference of twice the margin pass. It needs
    200,000 shifts of ours and 400,000 of theirs, which are cheaper: the standard error of a difference is then .0004 at
    most. Equal means fail a cell in at most 2 cases of 1,000; means that are .002 apart pass in 25. With 100,000 shifts
    of each the interval alone is up to ±.0012, and equal means would fail a cell in up to 1 case of 5.
    """
    preset, ours = many
    for cell, values in ours.items():
        theirs = second_many(preset)[cell]
        difference = mean_difference_interval(
            values.mean(), values.std(ddof=1), len(values), theirs.mean(), theirs.std(ddof=1), len(theirs)
        )
        assert equivalent(difference, SECOND_MARGIN), (cell, difference)


@pytest.mark.verify
@pytest.mark.parametrize("preset", REFERENCE)
def test_the_study_records_the_second_implementation(preset: str) -> None:
    """Means and standard deviations to the five digits recorded; its draws are the same wherever NumPy's stream is."""
    assert eran.SECOND_SHIFTS == SECOND_MANY
    for (agent, name), values in second_many(preset).items():
        assert eran.SECOND[preset, agent, name] == pytest.approx((values.mean(), values.std(ddof=1)), abs=1e-5)


@pytest.mark.verify
def test_means_are_equivalent_to_an_independent_implementation(many: tuple[str, Cells]) -> None:
    """The 95 % interval of our mean lies within ±.010 of theirs, which is taken as given.

    200,000 shifts, as in the study: with 4,000 the interval takes half of the margin, and a cell in which the means
    differ by .006 would fail every other time. Their figure has an error of its own, about .004, which more shifts of
    ours do not lessen: two cells differ by nearly .009, and the study says how likely that is.
    """
    preset, ours = many
    for (agent, name), values in ours.items():
        mean, _ = REFERENCE[preset][agent][name]
        half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
        assert mean - MARGIN <= values.mean() - half, (agent, name, values.mean())
        assert values.mean() + half <= mean + MARGIN, (agent, name, values.mean())


# ---------------------------------------------------------------------- marginals of the population

SIZE = 300_000  # pairs, so that the standard error of a correlation is .002
CHATS = 8  # chats so far are uniform over 0 to 7, as fatigue was calibrated


@njit
def _every_pair(law, values, keys, staff, known, chats):  # type: ignore[no-untyped-def]
    rows = np.empty((len(chats), 4))
    for i in range(len(chats)):
        predicted = draws.predict_pair(law, values, keys, staff, known, i, i, chats[i])
        realised = draws.realise_pair(law, values, keys, staff, known, i, i, chats[i])
        rows[i, 0], rows[i, 1] = predicted
        rows[i, 2], rows[i, 3] = realised
    return rows


@pytest.fixture(scope="module")
def pairs() -> dict[str, np.ndarray]:
    """A caller and a counsellor of their own for each of `SIZE` pairs."""
    rng = np.random.default_rng(20220)
    callers = EranPopulation().sample(SIZE, rng)
    staff = EranStaff().sample(range(SIZE), rng)  # type: ignore[arg-type]
    chats = rng.integers(0, CHATS, SIZE)
    rows = _every_pair(ERAN_OUTCOMES.packed(), callers.values, callers.keys, staff, np.empty((0, SIZE, 2)), chats)
    return {
        "predicted feedback": rows[:, 0],
        "predicted minutes": rows[:, 1],
        "feedback": rows[:, 2],
        "minutes": rows[:, 3],
        "chats": chats,
        "age": staff[:, draws.AGE],
        "message ratio": staff[:, draws.MESSAGE_RATIO],
        "counsellor's mean minutes": staff[:, draws.SERVICE_EFFECT],
        "caller's mean minutes": callers.values[:, draws.SERVICE_MEAN],
        "device": callers.attributes[:, 0],
        "gender": callers.attributes[:, 1],
        "age band": callers.attributes[:, 2],
        "patience": callers.values[:, draws.PATIENCE],
        "mean patience": callers.values[:, draws.PATIENCE_MEAN],
    }


@pytest.mark.parametrize(
    ("outcome", "feature", "published"),
    [
        ("feedback", "age", -0.18),  # Kleinerman et al. 2022, Table 1
        ("feedback", "message ratio", 0.16),
        ("feedback", "chats", -0.145),
        ("minutes", "counsellor's mean minutes", 0.178),  # Table 3
        ("minutes", "caller's mean minutes", 0.136),
        ("minutes", "chats", 0.10),
    ],
)
def test_correlations_are_those_of_the_paper(
    pairs: dict[str, np.ndarray], outcome: str, feature: str, published: float
) -> None:
    """Within ±.02, ten standard errors; the calibration itself misses some by up to .014."""
    found = np.corrcoef(pairs[outcome], pairs[feature])[0, 1]

    assert found == pytest.approx(published, abs=0.02)


def test_error_of_predicted_duration(pairs: dict[str, np.ndarray]) -> None:
    """The realised MSE is near the paper's 399.88 min²: within 2 %, the calibration having achieved 403."""
    error = np.mean((pairs["minutes"] - pairs["predicted minutes"]) ** 2)

    assert error == pytest.approx(399.88, rel=0.02)


def test_a_duration_model_beats_the_counsellors_mean(pairs: dict[str, np.ndarray]) -> None:
    """The paper: MSE 399.88 against 455.20; the calibration's achieved baseline is 419, which we hold to 2 %."""
    slope, base = np.polyfit(pairs["counsellor's mean minutes"], pairs["minutes"], 1)
    baseline = np.mean((pairs["minutes"] - base - slope * pairs["counsellor's mean minutes"]) ** 2)

    assert baseline == pytest.approx(419.0, rel=0.02)


def test_balanced_accuracy_of_predicted_feedback(pairs: dict[str, np.ndarray]) -> None:
    """Mean over the five true classes of the share predicted right: the paper's .758, within .01."""
    truth, predicted = pairs["feedback"], pairs["predicted feedback"]
    recalls = [(predicted[truth == score] == score).mean() for score in range(1, 6)]

    assert np.mean(recalls) == pytest.approx(0.758, abs=0.01)


def test_survey_mean(pairs: dict[str, np.ndarray]) -> None:
    """Happier callers answer surveys more often: 4.19 among them (paper), 3.53 among all; a quarter answers."""
    feedback = pairs["feedback"]
    response = np.array(SURVEY_RESPONSE)[feedback.astype(int) - 1]

    assert (feedback * response).sum() / response.sum() == pytest.approx(4.19, abs=0.02)
    assert feedback.mean() == pytest.approx(3.53, abs=0.03)
    assert response.mean() == pytest.approx(0.25, abs=0.01)


def test_counsellors_over_65(pairs: dict[str, np.ndarray]) -> None:
    """Survey means of counsellors over 65: 3.93 with all callers, 4.11 with callers over 65, within 4 standard errors.

    These are the figures that the calibration achieved; the paper has 3.96 and 4.15.
    """
    feedback = pairs["feedback"]
    weights = np.array(SURVEY_RESPONSE)[feedback.astype(int) - 1]
    senior = pairs["age"] > 65
    for group, achieved in ((senior, 3.93), (senior & (pairs["age band"] == AGE_BANDS.index("65+")), 4.11)):
        mean = np.average(feedback[group], weights=weights[group])
        error = np.sqrt(np.sum((weights[group] * (feedback[group] - mean)) ** 2)) / weights[group].sum()
        rounding = 0.005  # of the figures achieved
        assert mean == pytest.approx(achieved, abs=4 * error + rounding)


@pytest.mark.parametrize(
    ("column", "codes", "group", "seconds"),
    [
        ("device", DEVICES, "mobile", 266.0),  # Appendix B
        ("device", DEVICES, "desktop", 402.0),
        ("gender", GENDERS, "female", 344.1),
        ("gender", GENDERS, "male", 288.7),
        ("age band", AGE_BANDS, "36-49", 238.0),
        ("age band", AGE_BANDS, "50-64", 520.0),
    ],
)
def test_patience_of_groups(
    pairs: dict[str, np.ndarray], column: str, codes: tuple[str, ...], group: str, seconds: float
) -> None:
    """Predicted means within 1 %, true patience within four standard errors of an exponential mean more."""
    member = pairs[column] == codes.index(group)

    assert 60.0 * pairs["mean patience"][member].mean() == pytest.approx(seconds, rel=0.01)
    noise = 4.5 / np.sqrt(member.sum())  # a mixture of exponentials has a coefficient of variation of about 1.1
    assert 60.0 * pairs["patience"][member].mean() == pytest.approx(seconds, rel=0.01 + noise)

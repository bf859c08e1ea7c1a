"""What a package that joins mhgym tests of itself."""

from village_line.policy import LeastPatient

from mhgym.evaluation.rollout import run_episodes
from mhgym.presets import make_scenario
from mhgym.testing import policy_check, scenario_check


def test_the_policy_keeps_to_the_protocol():
    assert policy_check(LeastPatient(), "Village") == []


def test_the_scenario_is_sound():
    assert scenario_check("Village") == []


def test_more_volunteers_answer_more():
    answered = {}
    for volunteers in (1, 4):
        episodes = run_episodes(make_scenario("Village", staffing=volunteers), LeastPatient(), seeds=range(20))
        answered[volunteers] = sum(episode.kpis["quantity"] for episode in episodes) / len(episodes)
    assert answered[4] > answered[1] + 0.2

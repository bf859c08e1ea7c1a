"""Pictures are written, show what they are given, and cope with nothing to show."""

import math

import numpy as np
import pytest

from mhgym.domain import ContactLog, Counsellor, LegKind, Outcome, Role, Roster, Shift
from mhgym.metrics.profile import occupancy_by_hour

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")

from experiments.plots import plot_gantt, plot_objective, plot_occupancy, plot_waits  # noqa: E402 - needs matplotlib

NAN = math.nan
HORIZON = 60.0
ROSTER = Roster(
    (
        Counsellor(Role.VOLUNTEER, (Shift(0, 60, breaks=((30, 40),)),), capacity=2),
        Counsellor(Role.FULL_TIME, (Shift(10, 50),)),
    )
)
CONTACTS = [  # arrived, outcome, answered, ended, counsellor, transfers
    (1.0, Outcome.ANSWERED, 1.0, 20.0, 0, 0),
    (2.0, Outcome.REJECTED, NAN, 2.0, -1, 0),
    (5.0, Outcome.ABANDONED, NAN, 11.0, -1, 0),
    (6.0, Outcome.ANSWERED, 10.0, 45.0, 0, 1),
    (55.0, Outcome.UNANSWERED, NAN, 60.0, -1, 0),
]
LEGS = [  # contact, counsellor, kind, start, end
    (0, 0, LegKind.SERVICE, 1.0, 20.0),
    (0, 0, LegKind.WRAP_UP, 20.0, 25.0),
    (2, 0, LegKind.ZOMBIE, 12.0, 17.0),
    (3, 1, LegKind.SERVICE, 10.0, 30.0),
    (3, 0, LegKind.SERVICE, 40.0, 45.0),
]


def log_of(contacts, legs):
    arrived, outcome, answered, ended, counsellor, transfers = ([row[k] for row in contacts] for k in range(6))
    leg = [[row[k] for row in legs] for k in range(5)]
    floats = {"arrived_at": arrived, "answered_at": answered, "ended_at": ended}
    floats |= {"feedback": [NAN] * len(contacts), "leg_start": leg[3], "leg_end": leg[4]}
    whole = {"outcome": outcome, "counsellor": counsellor, "transfers": transfers}
    whole |= {name: [0] * len(contacts) for name in ("caller_type", "risk")}
    whole |= {"leg_contact": leg[0], "leg_counsellor": leg[1], "leg_kind": leg[2]}
    columns = {name: np.array(values, dtype=np.float64) for name, values in floats.items()}
    return ContactLog(**columns, **{name: np.array(values, dtype=np.int64) for name, values in whole.items()})


LOG, EMPTY = log_of(CONTACTS, LEGS), log_of([], [])


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def where(frame, colour):
    """`[H, W]` which pixels have exactly one colour."""
    return np.all(frame == [int(colour[k : k + 2], 16) for k in (1, 3, 5)], axis=2)


def share_of(path, colour):
    return float(where(pixels(path), colour).mean())


def rows(scenarios=("EranHeavy", "OpenUp")):
    return [
        {"scenario": scenario, "policy": policy, "estimate": mid, "low": mid - 0.01, "high": mid + 0.01}
        for scenario in scenarios
        for policy, mid in (("MCTS", 0.80), ("FCFS", 0.76))
    ]


def test_gantt_shows_service_zombies_breaks_and_time_off_duty(tmp_path):
    path = tmp_path / "gantt.png"
    plot_gantt(LOG, ROSTER, HORIZON, path, "a small day")

    for colour in ("#56B4E9", "#D3EBF8", "#F3DDB0", "#D9D9D9"):  # service, wrap-up, break, off duty
        assert share_of(path, colour) > 1e-3, colour
    for colour in ("#0072B2", "#009E73", "#D55E00", "#000000"):  # the four ends of a wait
        assert share_of(path, colour) > 0, colour


def test_gantt_leaves_out_counsellors_who_are_away_in_the_window(tmp_path):
    plot_gantt(LOG, ROSTER, HORIZON, tmp_path / "day.png", "the day")
    plot_gantt(LOG, ROSTER, HORIZON, tmp_path / "start.png", "before the second counsellor", window=(0.0, 9.0))

    assert pixels(tmp_path / "start.png").shape[0] < pixels(tmp_path / "day.png").shape[0]
    assert share_of(tmp_path / "start.png", "#56B4E9") > 1e-2


def test_waits_count_callers_who_were_never_answered(tmp_path):
    """The curve of a policy that answers half of all callers lies below one that answers all."""
    highest = {}
    for name, waited in (("all", [0.0, 1.0, 2.0, 3.0]), ("half", [0.0, 1.0, NAN, NAN])):
        path = tmp_path / f"{name}.png"
        plot_waits({"FCFS": np.array(waited)}, path)
        frame = pixels(path)
        inside = frame[:, : frame.shape[1] // 2]  # without the legend
        highest[name] = int(np.flatnonzero(where(inside, "#0072B2").any(axis=1))[0])

    assert highest["half"] > highest["all"] + 50  # rows of pixels count from the top


def test_scales_of_waits_differ(tmp_path):
    waited = {"FCFS": np.array([0.0, 0.5, 20.0]), "CMT": np.array([0.0, 2.0, NAN])}
    plot_waits(waited, tmp_path / "linear.png")
    plot_waits(waited, tmp_path / "log.png", log=True)

    assert not np.array_equal(pixels(tmp_path / "linear.png"), pixels(tmp_path / "log.png"))


def test_every_scenario_is_a_panel(tmp_path):
    plot_objective(rows(["EranHeavy"]), tmp_path / "one.png")
    plot_objective(rows(["EranHeavy", "OpenUp", "EranDay"]), tmp_path / "three.png")

    assert pixels(tmp_path / "three.png").shape[1] > 2 * pixels(tmp_path / "one.png").shape[1]
    assert share_of(tmp_path / "one.png", "#0072B2") > 0


def test_occupancy_of_two_policies_has_two_colours(tmp_path):
    curve = np.array([0.2, NAN, 0.9])
    plot_occupancy({"FCFS": curve, "CMT": curve / 2}, tmp_path / "occupancy.png")

    assert min(share_of(tmp_path / "occupancy.png", colour) for colour in ("#0072B2", "#D55E00")) > 0


NOTHING = {
    "gantt": lambda path: plot_gantt(EMPTY, ROSTER, HORIZON, path, "nobody came"),
    "gantt_window": lambda path: plot_gantt(EMPTY, ROSTER, HORIZON, path, "nobody there", window=(100.0, 120.0)),
    "objective": lambda path: plot_objective([], path),
    "waits": lambda path: plot_waits({}, path),
    "waits_of_nobody": lambda path: plot_waits({"FCFS": np.array([])}, path, log=True),
    "waits_unanswered": lambda path: plot_waits({"FCFS": np.array([NAN, NAN])}, path),
    "occupancy": lambda path: plot_occupancy({}, path),
    "occupancy_idle": lambda path: plot_occupancy({"FCFS": occupancy_by_hour(EMPTY, ROSTER, HORIZON)}, path),
}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_to_show_is_still_a_picture(name, tmp_path):
    path = tmp_path / "new_folder" / f"{name}.png"
    NOTHING[name](path)

    frame = pixels(path)
    assert frame.min() < 128 < frame.max()

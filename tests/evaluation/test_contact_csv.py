"""Recorded logs: the schema, its errors, and the round trip of simulated ones."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhgym.domain import ContactLog, Counsellor, LegKind, Outcome, Risk, Role, Roster, Shift
from mhgym.evaluation.contact_csv import LOG_COLUMNS, read_contact_csv, write_contact_csv
from mhgym.metrics import kpis

HEADER = (
    "contact_id,arrived_at,terms_accepted,caller_type,risk,outcome,answered_at,ended_at,released_at,counsellor,feedback"
)
ROSTER_HEADER = "counsellor,role,capacity,new,start,end"
NAN = math.nan


def write(folder, *lines, header=HEADER, name="log.csv"):
    path = folder / name
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return path


def random_log(seed, contacts=40, counsellors=3):
    """A log with every outcome, transfers, wrap-ups at once and later, zombies, bridges; times of full precision."""
    rng = np.random.default_rng(seed)
    rows, legs = [], []
    for row, arrived in enumerate(np.sort(rng.uniform(0, 500, contacts)).tolist()):
        outcome, now = Outcome(int(rng.integers(5))), arrived
        visits = {Outcome.ANSWERED: int(rng.integers(1, 4)), Outcome.ABANDONED_IN_TRANSFER: int(rng.integers(1, 3))}
        answered, who, done = NAN, -1, outcome == Outcome.ANSWERED
        for visit in range(visits.get(outcome, 0)):
            who, start = int(rng.integers(counsellors)), now + (rng.exponential(5) if rng.random() < 0.7 else 0.0)
            now = start + rng.exponential(20)
            answered = start if visit == 0 else answered
            legs.append((row, who, LegKind.SERVICE, start, now))
            if rng.random() < 0.7:
                late = float(rng.integers(2)) * rng.exponential(3)
                legs.append((row, who, LegKind.WRAP_UP, now + late, now + late + rng.exponential(4)))
        if (outcome not in visits and outcome != Outcome.REJECTED) or outcome == Outcome.ABANDONED_IN_TRANSFER:
            now += rng.exponential(10)
        if outcome in {Outcome.ABANDONED, Outcome.ABANDONED_IN_TRANSFER} and rng.random() < 0.5:
            legs.append((row, int(rng.integers(counsellors)), LegKind.ZOMBIE, now + 1.1, now + 3.3))
        if outcome != Outcome.REJECTED and rng.random() < 0.3:
            legs.append((row, int(rng.integers(counsellors)), LegKind.BRIDGE, arrived, arrived + rng.exponential(5)))
        feedback = rng.random() if done and rng.random() < 0.8 else NAN
        transfers = visits.get(outcome, 0) - done
        kinds = (int(rng.integers(2)), int(rng.integers(3)))
        rows.append((arrived, outcome, *kinds, answered, now, who if done else -1, feedback, transfers))
    legs.sort(key=lambda leg: leg[3])
    columns = [np.array(column) for column in [*zip(*rows, strict=True), *zip(*legs, strict=True)]]
    return ContactLog(*columns)


ROSTER = Roster((
    Counsellor(Role.THERAPIST, (Shift(0.0, 250.1, breaks=((60.3, 75.7),)),), capacity=2, name="Ada, née Byron"),
    Counsellor(
        Role.VOLUNTEER, (Shift(10.0, 100.0), Shift(200.0, 600.0)), new=True, name='Bo "B"', new_until=80.5, inbox=3
    ),
    Counsellor(Role.DUTY_OFFICER, (), capacity=5),
))  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_written_log_reads_back_to_the_last_bit_with_the_same_kpis(tmp_path_factory, seed):
    log, path = random_log(seed), tmp_path_factory.mktemp("csv") / "log.csv"
    roster_path = write_contact_csv(path, log, ROSTER)

    recorded = read_contact_csv(path, roster_path)

    assert recorded.contact_ids == tuple(str(row) for row in range(len(log)))
    for name in ("arrived_at", "outcome", "caller_type", "risk", "answered_at", "ended_at", "counsellor", "feedback"):
        np.testing.assert_array_equal(getattr(recorded.log, name), getattr(log, name), err_msg=name)
    np.testing.assert_array_equal(recorded.log.transfers, log.transfers)
    options = {"horizon": 500.0, "until": 550.0}
    assert kpis(recorded.log, recorded.roster, **options) == pytest.approx(kpis(log, ROSTER, **options), abs=1e-9)
    assert not recorded.roster_derived


def test_the_optional_columns_may_be_absent(tmp_path):
    path = write(
        tmp_path, "a,5,answered,6,20,Kim", header="contact_id,arrived_at,outcome,answered_at,ended_at,counsellor"
    )

    log = read_contact_csv(path).log

    assert (log.risk[0], log.caller_type[0], log.outcome[0]) == (Risk.LOW, 0, Outcome.ANSWERED)
    assert np.isnan(log.feedback[0])
    assert log.leg_kind.tolist() == [LegKind.SERVICE]


def test_rows_of_one_contact_are_its_visits(tmp_path):
    path = write(
        tmp_path,
        "x,10,yes,repeat,high,transferred,12,30,31,Kim,",
        "y,0,no,,,rejected,,,,,",
        "x,10,yes,repeat,high,transferred,35,50,,Lee,",
        "x,,,,,abandoned,,55,,,",
        "x,,,,,zombie,60,62,,Kim,",
    )

    recorded = read_contact_csv(path)
    log = recorded.log

    assert recorded.contact_ids == ("y", "x")
    assert log.outcome.tolist() == [Outcome.REJECTED, Outcome.ABANDONED_IN_TRANSFER]
    assert (log.transfers[1], log.answered_at[1], log.ended_at[1], log.counsellor[1]) == (2, 12, 55, -1)
    legs = list(zip(log.leg_kind.tolist(), log.leg_counsellor.tolist(), log.leg_start, log.leg_end, strict=True))
    assert legs == [(0, 0, 12, 30), (1, 0, 30, 31), (0, 1, 35, 50), (2, 0, 60, 62)]


def test_timestamps_become_minutes_from_the_earliest_midnight(tmp_path):
    path = write(tmp_path, "a,2024-03-02T00:30,yes,,,answered,2024-03-02T00:31:30,2024-03-02 01:00,,Kim,0.5")
    duty = write(
        tmp_path, "Kim,volunteer,1,no,2024-03-01T22:00,2024-03-02T06:00", header=ROSTER_HEADER, name="roster.csv"
    )

    recorded = read_contact_csv(path, duty)

    assert recorded.origin.isoformat() == "2024-03-01T00:00:00"
    assert (recorded.log.arrived_at[0], recorded.log.answered_at[0]) == (1470.0, 1471.5)
    assert recorded.roster.staffed_intervals() == (((1320.0, 1800.0),),)


def test_offsets_from_utc_are_respected(tmp_path):
    path = write(tmp_path, "a,2024-03-02T00:30+02:00,,,,answered,2024-03-01T22:40Z,2024-03-01T23:00+00:00,,Kim,")

    log = read_contact_csv(path).log

    assert log.answered_at[0] - log.arrived_at[0] == 10


def test_a_roster_is_derived_from_first_answer_to_last_release_of_each_day(tmp_path):
    path = write(
        tmp_path,
        "a,0,,,,answered,10,100,110,Kim,",
        "b,5,,,,answered,50,120,125,Kim,",
        "c,0,,,,answered,1430,1450,1460,Lee,",
        "d,0,,,,answered,1455,1470,,Lee,",
        "e,0,,,,answered,2000,2010,,Kim,",
        "f,0,,,,answered,3000,3000,,Max,",
    )

    recorded = read_contact_csv(path)

    assert recorded.roster_derived
    assert recorded.roster.names() == ("Kim", "Lee", "Max")
    assert recorded.roster.staffed_intervals() == (((10, 125), (2000, 2010)), ((1430, 1470),), ())
    assert [person.capacity for person in recorded.roster] == [2, 2, 1]
    assert {person.role for person in recorded.roster} == {Role.VOLUNTEER}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a,x,,,,abandoned,,5,,,"], r"row 2, column arrived_at: must be an ISO 8601 .*got 'x'"),
        (["a,1,,,,abandoned,,5,,,", "b,2024-01-01,,,,abandoned,,5,,,"], "row 3, column arrived_at: must be minutes"),
        (["a,-1,,,,abandoned,,5,,,"], "column arrived_at: must be minutes .*at least 0.*got '-1'"),
        (["a,nan,,,,abandoned,,5,,,"], "column arrived_at: must be minutes .*got 'nan'"),
        (["a,,,,,abandoned,,5,,,"], "column arrived_at: must not be empty"),
        ([",1,,,,abandoned,,5,,,"], "column contact_id: must not be empty"),
        (["a,1,,,,dropped,,5,,,"], "column outcome: must be one of rejected, answered.*got 'dropped'"),
        (["a,1,,,severe,abandoned,,5,,,"], "column risk: must be one of low, medium, high, got 'severe'"),
        (["a,1,,,,answered,,5,,Kim,"], "column answered_at: must be filled where outcome is answered"),
        (["a,1,,,,answered,2,5,,,"], "column counsellor: must be filled where outcome is answered"),
        (["a,1,,,,abandoned,2,5,,Kim,"], "column answered_at: must be empty where outcome is abandoned, got '2'"),
        (["a,1,,,,transferred,2,5,,Kim,0.5"], "column feedback: must be empty where outcome is transferred"),
        (["a,1,,,,answered,2,5,,Kim,1.5"], "column feedback: must be a number from 0 to 1, got '1.5'"),
        (["a,9,,,,answered,2,5,,Kim,"], "column answered_at: time must not run back, here before minute 9.0, got '2'"),
        (["a,1,,,,answered,6,5,,Kim,"], "column ended_at: time must not run back"),
        (["a,1,,,,answered,2,5,4,Kim,"], "column released_at: time must not run back"),
        (["a,1,yes,,,rejected,,,,,"], "column terms_accepted: must be no if and only if rejected"),
        (["a,1,no,,,abandoned,,5,,,"], "column terms_accepted: must be no if and only if rejected"),
        (["a,1,,,,transferred,2,5,,Kim,"], "column outcome: the last visit of contact a must end it"),
        (["a,1,,,,abandoned,,5,,,"] * 2, "row 3, column outcome: the contact has ended as abandoned"),
        (["a,1,,,,answered,2,5,,Kim,", "a,,,,,zombie,6,7,,Kim,"], "column outcome: a zombie must follow"),
        (["a,1,,,,wrap_up,2,5,,Kim,"], "column outcome: a wrap_up must follow"),
        (["a,1,,,low,transferred,2,5,,Kim,", "a,,,,high,abandoned,,9,,,"], "column risk: must be low in all rows"),
        (["a,1,,,,transferred,2,5,,Kim,", "a,3,,,,abandoned,,9,,,"], "arrived_at: must be minute 1.0 in all rows"),
        (["a,1,,,,abandoned,,5,,,,7"], "row 2: must have at most 11 cells, got 12"),
        (["a,1,,,,abandoned,,5,,,"], "names nobody to derive a roster from"),
        (["a,2024-01-01,,,,abandoned,,2024-01-02T01:00Z,,,"], "column ended_at: timestamps must carry a UTC offset"),
    ],
)
def test_errors_name_file_row_column_value_and_rule(tmp_path, lines, message):
    path = write(tmp_path, *lines)

    with pytest.raises(ValueError, match=message) as caught:
        read_contact_csv(path)

    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "a roster needs at least one counsellor, got 0"),
        (["Kim,boss,1,no,0,9"], "row 2, column role: must be one of volunteer.*got 'boss'"),
        (["Kim,volunteer,0,no,0,9"], "column capacity: must be a number from 1 to 1000, got '0'"),
        (["Kim,volunteer,1.5,no,0,9"], "column capacity: must be a whole number of contacts, got '1.5'"),
        (["Kim,volunteer,1,maybe,0,9"], "column new: must be one of no, yes, got 'maybe'"),
        (["Kim,volunteer,1,no,9,9"], "column end: duty must end after it starts at 9, got '9'"),
        (["Kim,volunteer,1,no,0,"], "column end: must be filled where start is"),
        (["Kim,volunteer,1,no,0,9", "Kim,volunteer,1,no,8,12"], "row 3, column start: .*before minute 9.0.*got '8'"),
        (["Kim,volunteer,1,no,0,9", "Kim,therapist,1,no,10,12"], "row 3, column role: must be 'volunteer' in all rows"),
        (["Lee,volunteer,1,no,0,9"], "log.csv, row 2, column counsellor: must be on the roster, got 'Kim'"),
    ],
)
def test_errors_of_the_roster(tmp_path, lines, message):
    path = write(tmp_path, "a,1,,,,answered,2,5,,Kim,")
    duty = write(tmp_path, *lines, header=ROSTER_HEADER, name="roster.csv")

    with pytest.raises(ValueError, match=message):
        read_contact_csv(path, duty)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("no,5,", "column new_until: must be empty for somebody who is not new, got '5'"),
        ("yes,0,", "column new_until: must come after the first midnight, got '0'"),
        ("no,,-1", "column inbox: must be a number from 0 to 1000, got '-1'"),
        ("no,,2.5", "column inbox: must be a whole number of contacts, got '2.5'"),
    ],
)
def test_errors_of_newcomers_and_inboxes(tmp_path, cells, message):
    path = write(tmp_path, "a,1,,,,answered,2,5,,Kim,")
    header = "counsellor,role,start,end,new,new_until,inbox"
    duty = write(tmp_path, f"Kim,therapist,0,9,{cells}", header=header, name="roster.csv")

    with pytest.raises(ValueError, match=message):
        read_contact_csv(path, duty)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "row 1: the header must have column contact_id, got nothing"),
        (HEADER.replace("risk", "rsk"), "row 1, column rsk: must be one of .*got 'rsk'"),
        (HEADER + ",risk", "row 1, column risk: a column must appear once"),
    ],
)
def test_errors_of_the_header(tmp_path, header, message):
    with pytest.raises(ValueError, match=message):
        read_contact_csv(write(tmp_path, header=header))


def test_a_file_that_is_not_text_is_refused_by_name(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(HEADER.encode() + b"\n\xff\xfe,1\n")

    with pytest.raises(ValueError, match=r"log.csv: must be UTF-8 text"):
        read_contact_csv(path)


def test_the_header_is_what_the_writer_writes(tmp_path):
    write_contact_csv(tmp_path / "log.csv", random_log(0), ROSTER)

    assert (tmp_path / "log.csv").read_text(encoding="utf-8").splitlines()[0] == HEADER == ",".join(LOG_COLUMNS)


def test_a_log_that_contradicts_itself_is_not_written(tmp_path):
    log = random_log(1)
    answered = int(np.flatnonzero(log.outcome == Outcome.ANSWERED)[0])
    log.transfers[answered] += 1

    with pytest.raises(ValueError, match=f"contact {answered} must agree with its legs, got legs of service"):
        write_contact_csv(tmp_path / "log.csv", log, ROSTER)


def test_counsellors_of_one_name_are_not_written(tmp_path):
    twins = Roster((Counsellor(Role.VOLUNTEER, (), name="Kim"),) * 3)

    with pytest.raises(ValueError, match="names that differ to be written, got Kim, Kim, Kim"):
        write_contact_csv(tmp_path / "log.csv", random_log(0), twins)

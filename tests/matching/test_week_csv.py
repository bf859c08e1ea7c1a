"""One's own week: the round trip, and errors that name file, row, column, value and rule."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhgym.matching import Offers, fifths
from mhgym.matching.toy import crowded_week, fractional_week
from mhgym.matching.week_csv import read_week, write_offers, write_week

PATIENTS = "id,languages,slots,severity,age,zone,guardian_consent,prefers_gender,prefers_age"
VOLUNTEERS = "id,languages,slots,gender,ethnicity,religion,orientation,age"
ANN = "ann,english,Mon 08:00;Tue 09:00,3,36_to_55,,,woman;man,older"
BEN = "ben,English; french,Mon 08:00,man,white,other,queer,over_55"


def files(folder, patients=(ANN,), volunteers=(BEN,), patient_header=PATIENTS, volunteer_header=VOLUNTEERS):
    paths = folder / "patients.csv", folder / "volunteers.csv"
    for path, lines in zip(paths, ((patient_header, *patients), (volunteer_header, *volunteers)), strict=True):
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paths


def spoken(people, languages):
    return [{languages[index] for index in np.flatnonzero(row)} for row in people.languages]


@given(st.integers(0, 12), st.integers(0, 8), st.integers(0, 2**32 - 1))
def test_a_written_week_reads_back_the_same(tmp_path_factory, num_patients, num_volunteers, seed):
    week = crowded_week(num_patients, num_volunteers, 9, np.random.default_rng(seed))
    paths = [tmp_path_factory.mktemp("csv") / name for name in ("patients.csv", "volunteers.csv")]

    write_week(week, *paths)
    back = read_week(*paths)

    for own, other in ((week.patients, back.patients), (week.volunteers, back.volunteers)):
        assert own.ids == other.ids
        assert spoken(own, week.languages) == spoken(other, back.languages)
    for name in ("free", "zone", "severity", "age", "consent", "preferences"):
        np.testing.assert_array_equal(getattr(back.patients, name), getattr(week.patients, name), err_msg=name)
    for name in ("free", "zone", "traits"):
        np.testing.assert_array_equal(getattr(back.volunteers, name), getattr(week.volunteers, name), err_msg=name)


def test_cells_mean_what_the_schema_says(tmp_path):
    week = read_week(*files(tmp_path))

    assert week.languages == ("english", "french")
    assert week.patients.languages.tolist() == [[True, False]]
    assert week.volunteers.languages.tolist() == [[True, True]]
    assert np.flatnonzero(week.patients.free[0]).tolist() == [0, 15]
    assert fifths(week.patients, week.volunteers).tolist() == [[5]]  # a man will do, 55 is older, no other preference
    assert not week.patients.consent[0]


def test_a_header_alone_is_a_week_without_people(tmp_path):
    week = read_week(*files(tmp_path, patients=()))

    assert (len(week.patients), len(week.volunteers)) == (0, 1)
    assert week.patients.preferences.shape == (0, 5)


@pytest.mark.parametrize(
    ("line", "column", "rule"),
    [
        (ANN.replace("ann", ""), "id", "must not be empty, got ''"),
        (ANN.replace("Tue 09:00", "Tue 22:00"), "slots", "a slot must be a day and a full hour within the week"),
        (ANN.replace("Tue 09:00", "Tue 9"), "slots", "from 'Mon 08:00' to 'Sun 21:00', got 'Tue 9'"),
        (ANN.replace(",3,", ",7,"), "severity", "must be a number from 0 to 6, got '7'"),
        (ANN.replace(",3,", ",2.5,"), "severity", "must be a whole number from 0 to 6, got '2.5'"),
        (ANN.replace(",3,", ",,"), "severity", "must not be empty, got ''"),
        (ANN.replace(",3,", ",high,"), "severity", "must be a number from 0 to 6, got 'high'"),
        (ANN.replace("36_to_55", "40"), "age", "must be one of under_18, 18_to_35, 36_to_55, over_55, got '40'"),
        (ANN.replace("55,,,", "55,27,,"), "zone", "must be a number from -26 to 26, got '27'"),
        (ANN.replace("55,,,", "55,,maybe,"), "guardian_consent", "must be one of no, yes, got 'maybe'"),
        (ANN.replace("woman;man", "woman;other"), "prefers_gender", "must name agender, man, woman, non_binary"),
        (ANN.replace("older", "40"), "prefers_age", "must name same, older, younger, or nothing for no preference"),
    ],
)
def test_a_wrong_cell_of_a_patient_is_named(tmp_path, line, column, rule):
    paths = files(tmp_path, patients=(ANN.replace("ann", "eve"), line))

    with pytest.raises(ValueError, match=re.escape(f"patients.csv, row 3, column {column}: ")) as caught:
        read_week(*paths)
    assert rule in str(caught.value)


@pytest.mark.parametrize(
    ("line", "column", "rule"),
    [
        (BEN, "id", "must be used once, and row 2 has it; rename one of them, got 'ben'"),
        (BEN.replace("ben", "bob").replace("over_55", "under_18"), "age", "a volunteer must be an adult"),
        (BEN.replace("ben", "bob").replace("white", ""), "ethnicity", "must be one of hispanic_or_latino"),
        (BEN.replace("ben", "bob").replace(",man,", ",Mr,"), "gender", "must be one of agender, man, woman"),
    ],
)
def test_a_wrong_cell_of_a_volunteer_is_named(tmp_path, line, column, rule):
    paths = files(tmp_path, volunteers=(BEN, line))

    with pytest.raises(ValueError, match=re.escape(f"volunteers.csv, row 3, column {column}: ")) as caught:
        read_week(*paths)
    assert rule in str(caught.value)


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ("", "patients.csv, row 1: the header must have column id"),
        (PATIENTS.replace("severity", "risk"), "patients.csv, row 1: the header must have column severity"),
        (PATIENTS + ",gender", "patients.csv, row 1, column gender: must be one of id, languages"),
        (PATIENTS + ",id", "patients.csv, row 1, column id: a column must appear once"),
    ],
)
def test_a_wrong_header_is_named(tmp_path, header, rule):
    with pytest.raises(ValueError, match=re.escape(rule)):
        read_week(*files(tmp_path, patient_header=header))


def test_an_empty_file_is_named(tmp_path):
    paths = files(tmp_path)
    paths[1].write_text("")

    with pytest.raises(
        ValueError, match=re.escape("volunteers.csv, row 1: the header must have column id, got nothing")
    ):
        read_week(*paths)


def test_offers_are_written_with_names_hours_and_scores(tmp_path):
    offers = Offers(np.array([0, 2]), np.array([1, 0]), np.array([0, 1]))

    write_offers(fractional_week(), offers, tmp_path / "offers.csv")

    assert (tmp_path / "offers.csv").read_text() == (
        "patient,volunteer,slot,severity,compatibility\np0,v1,Mon 08:00,0,0.4\np2,v0,Mon 09:00,0,0.8\n"
    )

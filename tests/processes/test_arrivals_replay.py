"""Replay of recorded gaps, and every way in which a file of gaps can be wrong."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from mhgym.processes.arrivals import HourlyRates, PoissonArrivals, ReplayArrivals, read_gaps

GAPS = (16.5, 0.0, 2.25, 30.0)
PLANNING = PoissonArrivals(HourlyRates((6.0, 12.0)))
RNG_SEED = 3


def test_a_replay_is_the_cumulative_sum_before_the_horizon() -> None:
    law = ReplayArrivals(GAPS, PLANNING)

    for seed in range(3):
        np.testing.assert_array_equal(law.sample(100.0, np.random.default_rng(seed)), [16.5, 16.5, 18.75, 48.75])
    np.testing.assert_array_equal(law.sample(48.75, np.random.default_rng(0)), [16.5, 16.5, 18.75])
    assert len(law.sample(16.5, np.random.default_rng(0))) == 0


def test_planners_see_the_planning_law_and_not_the_recording() -> None:
    seen = np.array([16.5, 16.5])

    futures = [
        law.resample(seen, 17.0, 200.0, np.random.default_rng(RNG_SEED))
        for law in (ReplayArrivals(GAPS, PLANNING), ReplayArrivals((16.5, 0.0, 99.0), PLANNING), PLANNING)
    ]

    np.testing.assert_array_equal(futures[0], futures[2])
    np.testing.assert_array_equal(futures[1], futures[2])
    assert ReplayArrivals(GAPS, PLANNING).mean_rate(60.0) == PLANNING.mean_rate(60.0)


def test_the_name_of_a_replay_tells_recordings_apart_without_printing_them() -> None:
    law, same, other = (
        ReplayArrivals(gaps, PLANNING) for gaps in (GAPS, tuple(np.array(GAPS)), (*GAPS[:-1], 30.000001))
    )

    assert repr(law) == repr(same)
    assert law == same
    assert hash(law) == hash(same)
    assert repr(law) != repr(other)
    assert "2.25" not in repr(law)
    assert repr(PLANNING) in repr(law)


@pytest.mark.parametrize(
    ("gaps", "message"),
    [
        ((), r"at least one gap, got shape \(0,\)"),
        (((1.0, 2.0),), r"one row of at least one gap, got shape \(1, 2\)"),
        ((1.0, -0.5), "at least 0 minutes, got -0.5 at index 1"),
        ((math.nan,), "must be finite .* got nan at index 0"),
        ((1.0, 2.0, math.inf), "must be finite .* got inf at index 2"),
    ],
)
def test_impossible_gaps_are_refused_by_name(gaps: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReplayArrivals(gaps, PLANNING)


@pytest.mark.parametrize(
    ("content", "column"),
    [
        (b"16.5\n0\n2.25\n30\n", None),
        (b"16.5\r\n 0\r\n2.25 \r\n3e1", None),
        (b"\xef\xbb\xbf16.5\n0\n2.25\n30\n", None),
        (b"id,gap\na,16.5\nb,0\nc,2.25\nd,30\n", "gap"),
        (b'\xef\xbb\xbfgap, note\r\n16.5,"two\nlines"\r\n0,x\r\n2.25,\r\n"30",y\r\n', "gap"),
    ],
)
def test_gaps_are_read_as_they_stand(tmp_path: Path, content: bytes, column: str | None) -> None:
    path = tmp_path / "gaps.csv"
    path.write_bytes(content)

    assert read_gaps(path, column) == GAPS
    assert read_gaps(str(path), column) == GAPS


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        (b"", None, ": recorded gaps need at least one line of data, got 0"),
        (b"gap\n", "gap", ": recorded gaps need at least one line of data, got 0"),
        (b"", "gap", ", line 1: the header must name the column 'gap' once, got 0 of it in []"),
        (b"1\n2\n-3\n", None, ", line 3: a gap must be finite and at least 0 minutes, got '-3'"),
        (b"1\nnan\n", None, ", line 2: a gap must be finite and at least 0 minutes, got 'nan'"),
        (b"inf\n", None, ", line 1: a gap must be finite and at least 0 minutes, got 'inf'"),
        (b"1e999\n", None, ", line 1: a gap must be finite and at least 0 minutes, got '1e999'"),
        (b"gap\n1\n", None, ", line 1: a gap must be a number of minutes, got 'gap'"),
        (b"1\n\n2\n", None, ", line 2: a gap must be a number of minutes, got ''"),
        (b"1\n1,5\n", None, ", line 2: a gap must be a number of minutes, got '1,5'"),
        (b"1\n1_0\n", None, ", line 2: a gap must be a number of minutes, got '1_0'"),
        (b"1\n\xff\n", None, ": recorded gaps must be UTF-8 text, got byte 0xff"),
        (b'gap\n"' + b"1" * 140_000, "gap", ": recorded gaps must be a well-formed CSV file, got: field larger than"),
        (b"a,b\n1,2\n", "gap", ", line 1: the header must name the column 'gap' once, got 0 of it in ['a', 'b']"),
        (b"gap,gap\n1,2\n", "gap", ", line 1: the header must name the column 'gap' once, got 2 of it"),
        (b"id,gap\na,1\nb\n", "gap", ", line 3: a row must have the 2 cells of the header, got 1"),
        (b"id,gap\na,1\nb,1,5\n", "gap", ", line 3: a row must have the 2 cells of the header, got 3"),
        (b"id,gap\na,1\nb,\n", "gap", ", line 3: a gap must be a number of minutes, got ''"),
        (b"id,gap\na,1\nb,-2\n", "gap", ", line 3: a gap must be finite and at least 0 minutes, got '-2'"),
    ],
)
def test_malformed_files_are_refused_by_file_line_value_and_rule(
    tmp_path: Path, content: bytes, column: str | None, message: str
) -> None:
    path = tmp_path / "gaps.csv"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=re.escape(f"{path}{message}")):
        read_gaps(path, column)


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(f"{tmp_path / name}: recorded gaps need a file")):
        read_gaps(tmp_path / name)

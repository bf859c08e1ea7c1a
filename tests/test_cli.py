"""The command line: what it prints, and what it does with bad input."""

import json
import subprocess
import sys

import pytest

from mhgym.cli import main
from mhgym.evaluation.contact_csv import read_contact_csv
from mhgym.metrics import GLOSSARY, kpis

LOG = """contact_id,arrived_at,outcome,answered_at,ended_at,counsellor
a,5,answered,6,20,Kim
b,10,abandoned,,30,
"""
ROSTER = """counsellor,role,start,end
Kim,therapist,0,60
"""


@pytest.fixture
def files(tmp_path):
    log, roster = tmp_path / "log.csv", tmp_path / "roster.csv"
    log.write_text(LOG, encoding="utf-8")
    roster.write_text(ROSTER, encoding="utf-8")
    return str(log), str(roster)


def test_json_holds_the_kpis(files, capsys):
    log, roster = files

    code = main(["kpis", log, "--roster", roster, "--horizon", "30", "--service-level", "0.5", "--json"])

    recorded = read_contact_csv(log, roster)
    expected = kpis(recorded.log, recorded.roster, horizon=30.0, service_level_minutes=0.5)
    printed = capsys.readouterr()
    assert code == 0
    assert json.loads(printed.out) == expected
    assert expected["service_level"] == 0
    assert printed.err == ""


def test_the_table_has_a_line_for_each_kpi_with_its_unit(files, capsys):
    log, roster = files

    assert main(["kpis", log, "--roster", roster]) == 0

    printed = capsys.readouterr()
    lines = {line.split()[0]: line for line in printed.out.splitlines()}
    elsewhere = {"bridges", *(name for name in GLOSSARY if name.startswith("occupancy_"))}  # with inboxes, other roles
    assert set(lines) == set(GLOSSARY) - elsewhere | {"occupancy_therapist"}
    assert lines["visitors"].split()[1:3] == ["2", "contacts"]
    assert lines["quantity"].split()[1:3] == ["0.5000", "share"]
    assert lines["asa"].split()[1:3] == ["1.00", "minutes"]
    assert len({line.index(GLOSSARY[name].meaning) for name, line in lines.items()}) == 1
    assert "hourly rates are over 60 minutes" in printed.err


def test_a_derived_roster_is_announced(files, capsys):
    assert main(["kpis", files[0]]) == 0
    assert "no roster given" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (LOG.replace("20", "2"), [], "row 2, column ended_at"),
        (LOG, ["--horizon", "-3"], "horizon must be positive"),
        (LOG, ["--roster", "nowhere.csv"], "nowhere.csv"),
        ("", [], "the header must have column contact_id"),
    ],
)
def test_bad_input_gives_one_line_and_exit_code_2(tmp_path, capsys, text, options, message):
    log = tmp_path / "log.csv"
    log.write_text(text, encoding="utf-8")

    code = main(["kpis", str(log), *options])

    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert message in printed.err


def test_a_bad_command_line_exits_with_2():
    with pytest.raises(SystemExit, match="2"):
        main(["kpis"])


def test_kpis_import_neither_scipy_nor_an_engine():
    script = (
        "import sys, mhgym.evaluation.contact_csv, mhgym.metrics;"
        "sys.exit(any(name.split('.')[0] in {'scipy', 'numba', 'simpy'} for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

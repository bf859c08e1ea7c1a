"""The command `mhgym`: KPIs of a recorded log, and the score of a policy, on the terminal or as JSON."""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mhgym.evaluation.contact_csv import RecordedLog

BAD_INPUT = 2  # exit code, as argparse uses for a bad command line
DIGITS = {"contacts": 0, "transfers": 0, "minutes": 2, "per hour": 2}  # decimals by unit; others get 4


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments without the program's name; those of the process if None.

    Returns:
        Exit code: 0, or 2 where the input is bad.

    Raises:
        SystemExit: If the command line is bad (2) or asks for help (0).
    """
    arguments = _parser().parse_args(argv)
    try:
        sys.stdout.write(_evaluate(arguments) if arguments.command == "evaluate" else _kpis(arguments))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"mhgym {arguments.command}: {error}\n")
        return BAD_INPUT
    return 0


def _parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="mhgym", description="A gym for routing people in distress to counsellors.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("kpis", help="KPIs of a recorded log (CSV)")
    command.add_argument("log", metavar="LOG.csv", help="contacts; schema: mhgym.evaluation.contact_csv")
    command.add_argument(
        "--roster", metavar="ROSTER.csv", help="duty of the counsellors; derived from the log if absent"
    )
    command.add_argument(
        "--horizon", type=float, metavar="MIN", help="minutes in which contacts could arrive; default: the last event"
    )
    command.add_argument(
        "--service-level", type=float, default=10.0, metavar="MIN", help="longest wait that meets it (%(default)s)"
    )
    command.add_argument("--json", action="store_true", help="print JSON, without units")
    command = commands.add_parser("evaluate", help="score a policy against the published results, trace by trace")
    command.add_argument(
        "--policy",
        required=True,
        metavar="NAME",
        help="file.py:Class, package.module:Class, or an entry point of the group mhgym.policies",
    )
    command.add_argument("--settings", default="{}", metavar="JSON", help="keyword arguments of the class")
    command.add_argument("--scenario", default="eran_heavy", metavar="NAME", help="default: %(default)s")
    command.add_argument("--traces", type=int, metavar="N", help="only the first N of the published traces")
    command.add_argument("--seconds", type=float, default=10.0, metavar="S", help="most for a decision (%(default)s)")
    command.add_argument("--memory", type=float, default=16.0, metavar="GIB", help="most for the policy (%(default)s)")
    command.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _evaluate(arguments: argparse.Namespace) -> str:
    """The score of `mhgym evaluate`; the policy runs in a process of its own."""
    from mhgym.evaluation.isolation import IsolatedPolicy, Limits, PolicyError
    from mhgym.evaluation.published import read_published
    from mhgym.evaluation.score import score

    try:
        settings = json.loads(arguments.settings)
    except ValueError as error:
        words = f"--settings must be JSON, such as '{{\"longest\": 5}}', got {arguments.settings!r}"
        raise ValueError(words) from error
    if not isinstance(settings, dict):
        raise ValueError(f"--settings must be a JSON object, got {arguments.settings!r}")
    published = read_published(arguments.scenario)
    limits = Limits(decision=arguments.seconds, memory=int(arguments.memory * 2**30))
    try:
        with IsolatedPolicy(arguments.policy, settings, limits) as policy:
            result = score(policy, published, arguments.traces)
    except PolicyError as error:
        raise ValueError(str(error)) from error
    return json.dumps(result.as_json(), indent=2) + "\n" if arguments.json else result.text()


def _kpis(arguments: argparse.Namespace) -> str:
    """The table or JSON of `mhgym kpis`; remarks about the data go to standard error."""
    from mhgym.evaluation.contact_csv import read_contact_csv  # numpy is imported only once it is needed
    from mhgym.metrics import kpis

    recorded = read_contact_csv(arguments.log, arguments.roster)
    horizon = arguments.horizon if arguments.horizon is not None else _last_event(recorded)
    values = kpis(recorded.log, recorded.roster, horizon=horizon, service_level_minutes=arguments.service_level)
    if recorded.roster_derived:
        sys.stderr.write(
            "note: no roster given; each counsellor counts as a volunteer on duty from the first answer to the last "
            "release of each day, so occupancy comes out too high\n"
        )
    if arguments.horizon is None:
        start = f" after {recorded.origin.isoformat(sep=' ')}" if recorded.origin else ""
        sys.stderr.write(f"note: no horizon given; hourly rates are over {horizon:g} minutes{start}\n")
    return json.dumps(values, indent=2) + "\n" if arguments.json else _table(values)


def _last_event(recorded: "RecordedLog") -> float:
    """The last minute of the log or the roster; 1 if there is none, for a horizon must be positive."""
    log = recorded.log
    signed_out = [shift.end for person in recorded.roster for shift in person.shifts]
    times = [*log.arrived_at.tolist(), *log.ended_at.tolist(), *log.leg_end.tolist(), *signed_out]
    return max((time for time in times if 0 < time < math.inf), default=1.0)


def _table(values: dict[str, float]) -> str:
    """One line a KPI: name, value, unit and meaning, in columns."""
    from mhgym.metrics import GLOSSARY

    cells = [(name, f"{value:.{DIGITS.get(GLOSSARY[name].unit, 4)}f}") for name, value in values.items()]
    wide, long = (max(len(cell) for cell in column) for column in zip(*cells, strict=True))
    lines = [
        f"{name:<{wide}}  {text:>{long}}  {GLOSSARY[name].unit:<9}  {GLOSSARY[name].meaning}" for name, text in cells
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())

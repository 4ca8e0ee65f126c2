"""The emulator's options: the arguments of its command line, and the value that they become.

Each part of the emulator has a group of its own: a function that adds its arguments, and fields of
`Options`. It must not know what the options do.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from runner.emulator.batch.core.limits import Quotas
from runner.emulator.batch.isolation.choice import CHOICES, LIMITS
from runner.emulator.server.accounts import BatchPlan
from runner.emulator.storage.record import record

_EXAMPLES = """examples:
  %(prog)s --port 8080 > emulator.env        serve; variables for a shell go to a file
  %(prog)s --json --until-stdin-closes       for a test that starts it
  %(prog)s --data state                      keep everything for the next start
  %(prog)s --tls                             serve https, and take access tokens
  %(prog)s --fault '503 rate=0.1'            answer one request in ten with 503
  %(prog)s --fault 'preempt at=30s'          take a spot node away after 30 seconds
  %(prog)s --model 5m..20m --time virtual    let tasks take minutes that pass at once
  %(prog)s --isolation none                  run tasks as plain processes

In the repository, docs/emulator.md is the guide; docs/emulator-reference.md has every operation.
"""


@record(frozen=True, slots=True, kw_only=True)
class Options:
    """What the emulator was asked for; `read_options` makes it."""

    host: str
    port: int
    dashboard: bool
    dashboard_port: int
    json: bool
    until_stdin_closes: bool
    until_jobs_end: bool
    tls: bool
    certificate: Path | None
    private_key: Path | None
    record: Path | None
    batch_accounts: tuple[BatchPlan, ...]
    storage_accounts: tuple[str, ...]
    keys: Path | None
    data: Path | None
    fault: tuple[str, ...]
    faults: Path | None
    seed: int | None
    model: tuple[str, ...]
    time: str
    allow_admin: bool
    isolation: str
    limits: str
    applications: Path | None
    quotas: Quotas


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the emulator to a parser."""
    # All of them in one line of usage would hide what an error says below it.
    parser.usage = "%(prog)s [OPTION ...]"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EXAMPLES
    _add_serving(parser.add_argument_group("where it listens and what it prints"))
    _add_tls(parser.add_argument_group("https"))
    _add_accounts(parser.add_argument_group("accounts"))
    _add_state(parser.add_argument_group("state"))
    _add_faults(parser.add_argument_group("faults"))
    _add_models(parser.add_argument_group("tasks without processes"))
    _add_nodes(parser.add_argument_group("nodes"))


def build_parser() -> argparse.ArgumentParser:
    """The parser of `python -m runner.emulator`."""
    parser = argparse.ArgumentParser(
        prog="python -m runner.emulator",
        description="Emulate Azure Batch and Blob Storage on this machine until SIGINT or SIGTERM.",
        # For `--help`, which is added at once and looked at as it would be shown; the one that is
        # used is of `add_arguments`. Without a width, this one would load what asks the terminal.
        formatter_class=partial(argparse.HelpFormatter, width=100),
    )
    add_arguments(parser)
    return parser


def read_options(arguments: argparse.Namespace) -> Options:
    """The options that were parsed with the arguments of `add_arguments`."""
    return Options(
        host=arguments.host,
        port=arguments.port,
        dashboard=not arguments.no_dashboard,
        dashboard_port=arguments.dashboard_port,
        json=arguments.json,
        until_stdin_closes=arguments.until_stdin_closes,
        until_jobs_end=arguments.until_jobs_end,
        tls=arguments.tls or arguments.cert is not None or arguments.key is not None,
        certificate=arguments.cert,
        private_key=arguments.key,
        record=arguments.record,
        batch_accounts=tuple(arguments.batch_account),
        storage_accounts=tuple(arguments.storage_account),
        keys=arguments.keys,
        data=arguments.data,
        fault=tuple(arguments.fault),
        faults=arguments.faults,
        seed=arguments.seed,
        model=tuple(arguments.model),
        time=arguments.time,
        allow_admin=arguments.allow_admin,
        isolation=arguments.isolation,
        limits=arguments.limits,
        applications=arguments.applications,
        quotas=Quotas(**dict(arguments.quota)),
    )


def _add_serving(group: argparse._ArgumentGroup) -> None:
    """Where it listens, what it prints, when it ends."""
    group.add_argument(
        "--host", default="127.0.0.1", help="loopback address to listen on (default: %(default)s)"
    )
    group.add_argument(
        "--port", type=int, default=0, help="port to listen on (default: any free one)"
    )
    group.add_argument(
        "--dashboard-port",
        type=int,
        default=0,
        metavar="PORT",
        help="port of the page that shows what there is and what is asked (default: any free one)",
    )
    group.add_argument("--no-dashboard", action="store_true", help="serve no such page")
    group.add_argument(
        "--json", action="store_true", help="print one line of JSON in place of export lines"
    )
    group.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="append every request and its answer, without secrets, as a line of JSON",
    )
    group.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end when standard input ends, and so with the program that holds its other end",
    )
    group.add_argument(
        "--until-jobs-end",
        action="store_true",
        help="end once no job has anything left to run, and nobody holds a shared lock on the file"
        " `clients` of --data",
    )


def _add_tls(group: argparse._ArgumentGroup) -> None:
    """Whether it is served over TLS, and with which certificate."""
    group.add_argument(
        "--tls",
        action="store_true",
        help="serve https, with a certificate made for it; tokens of Entra ID are taken then,"
        " without a look at their signatures",
    )
    group.add_argument(
        "--cert",
        type=Path,
        metavar="FILE",
        help="serve https with this certificate (PEM, with those that it needs); needs --key",
    )
    group.add_argument(
        "--key", type=Path, metavar="FILE", help="the certificate's private key (PEM)"
    )


def _add_accounts(group: argparse._ArgumentGroup) -> None:
    """Which accounts there are beside `localbatch` and `localstorage`, and what they have."""
    group.add_argument(
        "--batch-account",
        type=_parse_batch_account,
        action="append",
        default=[],
        metavar="NAME[:STORAGE]",
        help="another Batch account, whose nodes fetch files from that storage account; repeatable",
    )
    group.add_argument(
        "--storage-account",
        action="append",
        default=[],
        metavar="NAME",
        help="another storage account; repeatable",
    )
    group.add_argument(
        "--keys",
        type=Path,
        metavar="FILE",
        help="JSON object of account names and keys in base64 (default: kept in --data, or random)",
    )
    group.add_argument(
        "--applications",
        type=_parse_folder,
        metavar="DIR",
        help="application packages of all Batch accounts, as ID/VERSION.zip (default: the folder"
        " `applications` of --data)",
    )
    group.add_argument(
        "--quota",
        type=_parse_quota,
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="what each Batch account may have at most: dedicated-cores, spot-cores, pools or"
        " active-jobs; repeatable (default: no bounds)",
    )


def _parse_path(text: str) -> Path:
    # An unset variable is no wish for the current folder.
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def _parse_folder(text: str) -> Path:
    path = _parse_path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"`{text}` is no folder")
    return path


def _parse_batch_account(text: str) -> BatchPlan:
    name, colon, storage = text.partition(":")
    return BatchPlan(name=name, storage=storage) if colon else BatchPlan(name=name)


def _add_state(group: argparse._ArgumentGroup) -> None:
    """What it keeps, and where."""
    group.add_argument(
        "--data",
        type=_parse_path,
        metavar="DIR",
        help="directory that keeps keys, files, log and all state, so that a later start goes on"
        " from there (default: a temporary one, removed at end)",
    )


def _add_faults(group: argparse._ArgumentGroup) -> None:
    """What goes wrong on purpose."""
    group.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="RULE",
        help="have something fail, such as `503 operation=create_task* rate=0.1`; repeatable",
    )
    group.add_argument(
        "--faults", type=Path, metavar="FILE", help="the same, from a file: a JSON list of rules"
    )
    group.add_argument(
        "--seed",
        type=int,
        metavar="NUMBER",
        help="repeat what was drawn for faults and models (default: another for every start)",
    )


def _add_models(group: argparse._ArgumentGroup) -> None:
    """Whether tasks and time are real."""
    group.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="RULE",
        help="run no processes: tasks take their time and end, such as `10s..60s exit=1 rate=0.02`;"
        " repeatable, the first that fits a task counts",
    )
    group.add_argument(
        "--time",
        choices=("real", "virtual", "manual"),
        default="real",
        help="how time passes for modelled tasks: as it does, at once, or when told to"
        " (default: %(default)s)",
    )


def _add_nodes(group: argparse._ArgumentGroup) -> None:
    """How tasks run on this machine."""
    group.add_argument(
        "--allow-admin",
        action="store_true",
        help="where nodes are plain processes: run start tasks that ask for admin, on this"
        " machine and as the user you are; and take options that let containers leave their node",
    )
    group.add_argument(
        "--isolation",
        choices=CHOICES,
        default="auto",
        help="what a node is: a copy-on-write view of this machine (Linux, as root), a container of"
        " podman or docker, or nothing but a folder (default: a view if that works, else a folder)",
    )
    group.add_argument(
        "--limits",
        choices=LIMITS,
        default="auto",
        help="what of its VM size a copy-on-write node is held to: the memory, memory and cores, or"
        " nothing (default: the memory, where control groups can be made)",
    )


_QUOTAS = ("dedicated-cores", "spot-cores", "pools", "active-jobs")


def _parse_quota(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in _QUOTAS:
        raise argparse.ArgumentTypeError(f"`{name}` is not one of: {', '.join(_QUOTAS)}")
    if not number.isascii() or not number.isdigit():
        raise argparse.ArgumentTypeError(f"`{number}` is not a number; write `{name}=20`")
    return name.replace("-", "_"), int(number)

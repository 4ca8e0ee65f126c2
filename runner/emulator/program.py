"""The emulator as a program: its options, its life from start to stop, and what it prints.

It must not know how the services work, nor anything of the runner that may have started it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shlex
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

from runner.emulator.server.accounts import Account
from runner.emulator.server.data import DataError, load_accounts, open_data
from runner.emulator.server.listener import ListenError, format_authority, open_listener
from runner.emulator.server.record.recording import RecordError, Recording

EXIT_SUCCESS = 0
EXIT_USAGE = 2
# How long a node may take to begin with what it downloads from the auto-storage account.
_AUTO_STORAGE_LIFETIME = timedelta(days=7)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the emulator to a parser."""
    parser.add_argument(
        "--host", default="127.0.0.1", help="loopback address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=0, help="port to listen on (default: any free one)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="directory that keeps keys, files and log (default: a temporary one, removed at end)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one line of JSON in place of export lines"
    )
    parser.add_argument(
        "--allow-admin",
        action="store_true",
        help="run start tasks that ask for admin, on this machine and as the user you are",
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="append every request and its answer, without secrets, as a line of JSON",
    )
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end when standard input ends, and so with the program that holds its other end",
    )


def build_parser() -> argparse.ArgumentParser:
    """The parser of `python -m runner.emulator`."""
    parser = argparse.ArgumentParser(
        prog="python -m runner.emulator",
        description="Emulate Azure Batch and Blob Storage on this machine until SIGINT or SIGTERM.",
    )
    add_arguments(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Runs the emulator until it is told to stop; returns the exit code."""
    try:
        with (
            open_listener(arguments.host, arguments.port) as listener,
            open_data(arguments.data) as directory,
        ):
            _log_faults(directory / "emulator.log" if arguments.data else None)
            batch, storage = load_accounts(directory)
            with _open_recording(arguments.record, (batch, storage)) as recording:
                asyncio.run(_serve(arguments, listener, directory, batch, storage, recording))
    except (ListenError, DataError, RecordError) as error:
        sys.stderr.write(f"emulator: {error}\n")
        return EXIT_USAGE
    except KeyboardInterrupt:
        # Before the program has its own handlers; what was opened is closed by now.
        return EXIT_SUCCESS
    return EXIT_SUCCESS


@contextmanager
def _open_recording(path: Path | None, accounts: tuple[Account, ...]) -> Iterator[Recording | None]:
    if path is None:
        yield None
        return
    recording = Recording(path, accounts=accounts, clock=_now)
    try:
        yield recording
    finally:
        recording.close()


async def _serve(
    arguments: argparse.Namespace,
    listener: socket.socket,
    directory: Path,
    batch: Account,
    storage: Account,
    recording: Recording | None,
) -> None:
    stop = _stop_event(until_stdin_closes=arguments.until_stdin_closes)
    # Imported here, so that a refused port or directory is said without loading the services,
    # and a signal meanwhile ends the program in order.
    from runner.emulator.batch.service import BatchService
    from runner.emulator.blob.access.issue import container_url
    from runner.emulator.blob.service import BlobService
    from runner.emulator.server.asgi import answer_with
    from runner.emulator.server.routing import AccountRouter
    from runner.emulator.server.serving import serve

    authority = format_authority(listener)
    storage_endpoint = f"http://{authority}/{storage.name}"

    def sign_container(container: str) -> str:
        until = _now() + _AUTO_STORAGE_LIFETIME
        return container_url(storage, storage_endpoint, container, until=until)

    batch_service = BatchService(
        account=batch,
        endpoint=f"http://{authority}/{batch.name}",
        directory=directory / "batch",
        clock=_now,
        run_admin=arguments.allow_admin,
        auto_storage=sign_container,
        environ=os.environ,  # noqa: TID251 - the edge; tasks see a few of its variables
    )
    blob_service = BlobService(
        account=storage,
        endpoint=storage_endpoint,
        directory=directory / "blob",
        clock=_now,
    )
    write = write_json if arguments.json else write_exports

    def announce() -> None:
        try:
            write(sys.stdout.write, authority, batch, storage)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever started it has gone, and nobody else knows the port.
            stop.set()

    await batch_service.start()
    try:
        router = AccountRouter(
            {batch.name: batch_service, storage.name: blob_service}, recording=recording
        )
        await serve(answer_with(router), listener, on_ready=announce, stop=stop)
    finally:
        await batch_service.close()


def write_json(
    write: Callable[[str], object], authority: str, batch: Account, storage: Account
) -> None:
    """Writes where the services are as one line of JSON."""
    document = {
        "batch": {
            "endpoint": f"http://{authority}/{batch.name}",
            "account": batch.name,
            "key": batch.encoded_key(),
        },
        "storage": {
            "blob_endpoint": f"http://{authority}/{storage.name}",
            "account": storage.name,
            "key": storage.encoded_key(),
            "connection_string": format_connection_string(authority, storage),
        },
    }
    write(json.dumps(document) + "\n")


def write_exports(
    write: Callable[[str], object], authority: str, batch: Account, storage: Account
) -> None:
    """Writes where the services are as lines that a shell takes with `eval`."""
    variables = {
        "AZURE_BATCH_ENDPOINT": f"http://{authority}/{batch.name}",
        "AZURE_BATCH_ACCOUNT": batch.name,
        "AZURE_BATCH_ACCESS_KEY": batch.encoded_key(),
        "AZURE_STORAGE_CONNECTION_STRING": format_connection_string(authority, storage),
    }
    for name, value in variables.items():
        write(f"export {name}={shlex.quote(value)}\n")


def format_connection_string(authority: str, storage: Account) -> str:
    """The storage account as `azure-storage-blob` and other clients are given it."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={storage.name};"
        f"AccountKey={storage.encoded_key()};"
        f"BlobEndpoint=http://{authority}/{storage.name};"
    )


def _stop_event(*, until_stdin_closes: bool) -> asyncio.Event:
    """Set by SIGINT, SIGTERM, SIGHUP or, where asked for, by the end of standard input."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)

    def watch_stdin() -> None:
        # Standard input that was closed from the start is at its end too.
        with suppress(OSError):
            while os.read(0, 65536):
                pass
        # The loop may have ended meanwhile; then there is nothing left to stop.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)

    if until_stdin_closes:
        threading.Thread(target=watch_stdin, daemon=True).start()
    return stop


class _FaultFile(logging.FileHandler):
    """A log that may fail without whoever logs failing: its folder may be deleted meanwhile."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record, or says on stderr that it could not."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)


def _log_faults(path: Path | None) -> None:
    """Sends what the services log as warnings and faults to stderr, and to `path` if given."""
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if path is not None:
        handlers.append(_FaultFile(path, encoding="utf-8", delay=True))
    form = logging.Formatter("emulator: %(levelname)s: %(message)s")
    logger = logging.getLogger("runner.emulator")
    for handler in handlers:
        handler.setFormatter(form)
        logger.addHandler(handler)


def _now() -> datetime:
    return datetime.now(timezone.utc)  # noqa: TID251 - the edge, where the clock is made

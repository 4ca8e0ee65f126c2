"""The emulator as a program: its life from start to stop.

Options are in `options`, what is printed in `announcement`, what the options make of the services
in `assembly`. It must not know how the services work, nor anything of the runner that may have
started it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager, nullcontext
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from runner.emulator.announcement import (
    Announcement,
    AnnouncementError,
    print_whole,
    write_exports,
    write_json,
)
from runner.emulator.batch.isolation.choice import Choice, IsolationError, choosing
from runner.emulator.conditions import Conditions, ConditionsError, read_conditions
from runner.emulator.faultlog import log_faults
from runner.emulator.options import Options, add_arguments, build_parser, read_options
from runner.emulator.server.accounts import (
    Account,
    AccountError,
    Accounts,
    make_accounts,
    plan_accounts,
)
from runner.emulator.server.data import open_data
from runner.emulator.server.keys import KeyFileError, load_keys, read_given_keys
from runner.emulator.server.listener import (
    ListenError,
    format_origin,
    open_listener,
    open_listener_again,
)
from runner.emulator.server.ports import note_port, read_ports
from runner.emulator.server.record.recording import RecordError, Recording
from runner.emulator.server.tls import Tls, TlsError, load_tls, make_tls
from runner.emulator.server.tokens import TOKENS_TAKEN
from runner.emulator.stopping import stop_event
from runner.emulator.storage.error import DataError

__all__ = ["EXIT_OUTPUT", "EXIT_SUCCESS", "EXIT_USAGE", "add_arguments", "build_parser", "run"]

EXIT_SUCCESS = 0
EXIT_USAGE = 2
EXIT_OUTPUT = 3
"""Nobody could be told where the services are."""

# So many more objects than before are there when garbage is looked for. Python begins at 700.
_GARBAGE_THRESHOLD = 100_000

# Each says in one line what cannot be.
_REFUSALS = (
    AccountError,
    ConditionsError,
    DataError,
    IsolationError,
    KeyFileError,
    ListenError,
    RecordError,
    TlsError,
)


def run(arguments: argparse.Namespace, tell_refusal: Callable[[str], object] | None = None) -> int:
    """Runs the emulator until it is told to stop; returns the exit code.

    `tell_refusal` is told as well why it cannot start, where it cannot.
    """
    options = read_options(arguments)
    try:
        conditions = read_conditions(options, _now)
        plan = plan_accounts(options.batch_accounts, options.storage_accounts)
        given = read_given_keys(options.keys, plan.names()) if options.keys else {}
        isolation = options.isolation if conditions.modelling is None else "none"
        with (
            open_data(options.data) as directory,
            open_listener_again(
                options.host, options.port, former := read_ports(directory)
            ) as listener,
            _open_page_listener(options) as page,
        ):
            note_port(directory, listener.getsockname()[1])
            log_faults(directory / "emulator.log" if options.data else None)
            tls = _open_tls(options, directory / "tls", listener.getsockname()[0])
            accounts = make_accounts(plan, load_keys(directory, plan.names(), given))
            with (
                _open_recording(options.record, accounts.all()) as recording,
                # After all else that may be refused: it starts a process.
                choosing(
                    isolation,
                    layers=directory / "layers",
                    hidden=directory,
                    environ=os.environ,  # noqa: TID251 - the edge
                    limits=options.limits if conditions.modelling is None else "none",
                ) as choose,
            ):
                asyncio.run(
                    _serve(
                        options,
                        conditions,
                        listener,
                        page,
                        tls,
                        directory,
                        accounts,
                        recording,
                        choose,
                        former,
                    )
                )
    except _REFUSALS as error:
        sys.stderr.write(f"emulator: {error}\n")
        if tell_refusal is not None:
            tell_refusal(str(error))
        return EXIT_USAGE
    except AnnouncementError as error:
        sys.stderr.write(f"emulator: {error}\n")
        return EXIT_OUTPUT
    except KeyboardInterrupt:
        # Before the program has its own handlers; what was opened is closed by now.
        return EXIT_SUCCESS
    return EXIT_SUCCESS


def _open_page_listener(options: Options) -> AbstractContextManager[socket.socket | None]:
    if not options.dashboard:
        return nullcontext()
    return open_listener(options.host, options.dashboard_port)


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


def _open_tls(options: Options, directory: Path, address: str) -> Tls | None:
    if not options.tls:
        return None
    if options.certificate is None and options.private_key is None:
        return make_tls(directory, address, _now())
    if options.certificate is None or options.private_key is None:
        raise TlsError("`--cert` and `--key` need each other")
    return load_tls(directory, options.certificate, options.private_key, address)


async def _serve(
    options: Options,
    conditions: Conditions,
    listener: socket.socket,
    page: socket.socket | None,
    tls: Tls | None,
    directory: Path,
    accounts: Accounts,
    recording: Recording | None,
    choose: Callable[[], Choice],
    former: tuple[int, ...],
) -> None:
    stop = stop_event(until_stdin_closes=options.until_stdin_closes)
    # Imported here, so that a refused port or directory is said without loading the services,
    # and a signal meanwhile ends the program in order.
    from runner.emulator.assembly import Surroundings, foresee, open_services
    from runner.emulator.dashboard.address import PageAddress, make_token, page_address
    from runner.emulator.dashboard.serving import Watched, noting_address, serving_page
    from runner.emulator.lingering import Attendance, Lingering, watching
    from runner.emulator.server.routing import AccountRouter
    from runner.emulator.server.serving import serve

    choice = choose()
    surroundings = Surroundings(
        origin=format_origin(listener, None if tls is None else tls.host),
        former_ports=frozenset(former),
        tls=tls,
        directory=directory,
        conditions=conditions,
        environ=os.environ,  # noqa: TID251 - the edge; tasks see a few of its variables
        isolation=choice.isolation,
    )
    sys.stderr.write(conditions.describe())
    if tls is not None:
        sys.stderr.write(f"emulator: {TOKENS_TAKEN}\n")
    token = make_token(accounts.batch[0].account)
    address = None if page is None else page_address(format_origin(page), token)
    announcement = Announcement(
        origin=surroundings.origin,
        accounts=accounts,
        trust=None if tls is None else tls.trust,
        dashboard=address,
    )
    write = write_json if options.json else write_exports

    def announce() -> None:
        try:
            if conditions.modelling is None:
                sys.stderr.write(f"emulator: {choice.describe()}\n")
            if address is not None and not options.json:
                sys.stderr.write(f"emulator: the dashboard is at {address}\n")
            lines: list[str] = []
            write(lines.append, announcement)
            print_whole("".join(lines))
        except BrokenPipeError:
            # Whoever started it has gone, and nobody else knows the port.
            stop.set()

    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(open_services(options, accounts, surroundings))
        router = AccountRouter(conditions.strike(services), recording=recording)
        told = {} if page is None else {"dashboard": PageAddress(format_origin(page))}
        attendance = Attendance(conditions.admit(router, told), asyncio.get_running_loop().time)
        if options.until_jobs_end:
            lingering = Lingering(
                directory, outlook=partial(foresee, services), attendance=attendance, stop=stop
            )
            await stack.enter_async_context(watching(lingering))
        if options.data is not None:
            stack.enter_context(noting_address(directory, address))
        if page is not None:
            watched = Watched(
                origin=surroundings.origin,
                accounts=accounts,
                services=services,
                attendance=attendance,
                faults=conditions.faults,
                resources=conditions.resources(),
                now=conditions.now,
                clock=conditions.clock,
            )
            await stack.enter_async_context(serving_page(page, token, watched, stop))
        _keep_what_is_loaded()
        await serve(
            attendance,
            listener,
            on_ready=announce,
            stop=stop,
            tls=None if tls is None else tls.server,
        )


def _keep_what_is_loaded() -> None:
    """Has the search for garbage leave out what stays, and begin seldom.

    It would look through all modules and all records again and again, since records are made by
    the thousand and stay; what is garbage is nearly always gone without it.
    """
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD)
    gc.enable()


def _now() -> datetime:
    return datetime.now(timezone.utc)  # noqa: TID251 - the edge, where the clock is made

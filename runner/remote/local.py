"""The local emulator's process: how it is started, when it is ready, and how it is ended.

It must not know what the emulator does, nor what it is asked.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import runner
from runner.errors import ServiceError
from runner.remote.local_state import Hold, Place, forget_place, take_hold, write_place
from runner.remote.settings import BATCH_KEY, STORAGE_KEY, Account, AzureSettings

READY_SECONDS = 30.0
"""How long it may take until it listens; it needs about the time of its imports."""
STOP_SECONDS = 15.0
"""How long it may take to end its tasks and itself, before it is killed."""
_SECRETS = ("AZURE_", "BATCH_RUN_SECRET_", "IDENTITY_", "MSI_")
MESSAGES = "emulator.err"
"""What it writes to stderr, in the directory of its state."""


class LocalEmulator:
    """An emulator that lives until it is stopped, or until this process ends in whatever way.

    With a `hold` it outlives this process: it ends by itself once its jobs have and the hold is
    gone.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        messages: Path,
        hold: Hold | None = None,
        said: IO[bytes] | None = None,
    ) -> None:
        """`messages` is the file that it writes to, `said` what it wrote before it had that: it is
        closed with the emulator.
        """
        self._process = process
        self._messages = messages
        self._hold = hold
        self._said = said
        self._left = False

    def wait_until_ready(self, limit_seconds: float = READY_SECONDS) -> AzureSettings:
        """Its accounts, which are written down for other programs; `ServiceError` where it ends,
        or is silent for too long.
        """
        settings = self._read_settings(limit_seconds)
        outlives = self._hold is not None
        place = Place(settings=settings, pid=self._process.pid, outlives=outlives)
        write_place(self._messages.parent, place)
        return settings

    def _read_settings(self, limit_seconds: float) -> AzureSettings:
        line = self._read_line(time.monotonic() + limit_seconds)
        try:
            announcement = json.loads(line)
            batch, storage = announcement["batch"], announcement["storage"]
            return AzureSettings(
                batch=Account(
                    endpoint=batch["endpoint"],
                    name=batch["account"],
                    key=batch["key"],
                    key_variable=BATCH_KEY,
                ),
                storage=Account(
                    endpoint=storage["blob_endpoint"],
                    name=storage["account"],
                    key=storage["key"],
                    key_variable=STORAGE_KEY,
                ),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ServiceError("the local emulator did not say where it listens") from error

    def ended(self) -> str | None:
        """How it has ended by itself, in words; None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"the local emulator has ended ({how}); see {self._messages}"

    def leave(self) -> None:
        """It goes on without us, where it outlives us, for as long as its jobs need it."""
        if self._hold is not None:
            self._left = True

    def stop(self, limit_seconds: float = STOP_SECONDS) -> None:
        """Asks it to end and waits until it has; kills it, and what it runs, as a last resort.

        One that was left is let go.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._hold is not None:
            self._hold.release()
        if self._said is not None:
            self._said.close()
        if self._left:
            for pipe in (self._process.stdin, self._process.stdout):
                pipe.close()
            return
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        if self._hold is not None:
            self._process.terminate()
        deadline = time.monotonic() + limit_seconds
        try:
            _await_end(self._process.pid, limit_seconds)
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        finally:
            self._process.stdout.close()

    def _read_line(self, deadline: float) -> bytes:
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise ServiceError(
                    "the local emulator was not ready in time", hint=f"see {self._messages}"
                )
            piece = os.read(output, 4096)
            if not piece:
                raise self._early_end()
            line += piece
        return line

    def _early_end(self) -> ServiceError:
        """It closed its output: it has ended, or is about to."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self._keep_what_it_said()
        said = self._messages.read_text("utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "it said nothing")
        return ServiceError(
            f"the local emulator ended before it was ready: {last}", hint=f"see {self._messages}"
        )

    def _keep_what_it_said(self) -> None:
        """What it wrote before it knew the file for its messages."""
        if self._said is None or self._said.closed:
            return
        self._said.seek(0)
        before = self._said.read()
        if before:
            self._messages.write_bytes(before + self._messages.read_bytes())


class PreparedEmulator:
    """A process that imports what an emulator needs, and waits to be told what to do.

    It has no directory and leaves nothing: so it can be started before anything is known of a run.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Starts it, with the environment that the emulator is to have."""
        self._process: subprocess.Popen[bytes] | None = None
        self._problem: OSError | None = None
        self._said: IO[bytes] | None = None
        try:
            # What it says before it has a file for that.
            self._said = TemporaryFile()  # noqa: SIM115  # it lives as long as the process
            self._process = subprocess.Popen(
                (sys.executable, "-m", "runner.emulator", "--prepared"),
                cwd="/",
                env=_environment(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                start_new_session=True,
            )
        except OSError as error:
            self._problem = error

    def begin(
        self,
        state: Path,
        *,
        allow_admin: bool,
        isolation: str = "auto",
        limits: str = "auto",
        outlives: bool = False,
    ) -> LocalEmulator:
        """Has it work on a state, and does not wait until it is ready; once only.

        `isolation` and `limits` are its own options. It ends with this process, or where it
        `outlives` us, once its jobs have. Raises `ServiceError` where it could not be started or
        the directory cannot be used; then it is gone.
        """
        options = [
            *("--json", "--until-jobs-end" if outlives else "--until-stdin-closes"),
            *("--data", str(state), "--isolation", isolation, "--limits", limits),
            *(["--allow-admin"] if allow_admin else []),
        ]
        hold, messages = None, state / MESSAGES
        process, self._process = self._process, None
        try:
            if process is None:
                raise self._problem or OSError("it was begun or discarded before")
            state.mkdir(parents=True, exist_ok=True)
            forget_place(state)
            hold = take_hold(state) if outlives else None
            with messages.open("wb"):
                pass
            told = {"options": options, "directory": str(state), "messages": MESSAGES}
            _tell(process, {**told, "outlives": outlives})
        except OSError as error:
            if hold is not None:
                hold.release()
            self._process = process
            self.discard()
            raise ServiceError(
                f"cannot start the local emulator in `{state}`: {error.strerror or error}"
            ) from error
        return LocalEmulator(process, messages, hold, said=self._said)

    def discard(self) -> None:
        """Ends it where it has not begun; otherwise nothing."""
        process, self._process = self._process, None
        if process is not None:
            _end(process)
            if self._said is not None:
                self._said.close()


def _await_end(process: int, limit_seconds: float) -> None:
    """Returns as soon as a process has ended, where the system tells: `Popen.wait` looks for it.

    It is over where the limit has passed as well.
    """
    # A Python that was built on an older Linux has no call for it.
    if sys.platform == "linux" and hasattr(os, "pidfd_open"):
        with suppress(OSError):  # it has ended, and was waited for
            handle = os.pidfd_open(process)
            try:
                select.select([handle], [], [], limit_seconds)
            finally:
                os.close(handle)


def _tell(process: subprocess.Popen[bytes], what: Mapping[str, object]) -> None:
    """One that has ended already is heard of when its answer is waited for."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(json.dumps(what).encode() + b"\n")
        process.stdin.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    """It has done nothing yet that would have to be undone."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with suppress(BrokenPipeError):
            pipe.close()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Ours without the secrets of Azure and of specs, which no task may see; finds this package."""
    environment = {
        name: value for name, value in environ.items() if not name.upper().startswith(_SECRETS)
    }
    root = Path(runner.__file__).resolve().parent.parent
    if not {"site-packages", "dist-packages"} & set(root.parts):
        # Run from a source tree that only the current directory may have made importable.
        paths = [str(root), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment

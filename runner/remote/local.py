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
        self, process: subprocess.Popen[bytes], messages: Path, hold: Hold | None = None
    ) -> None:
        self._process = process
        self._messages = messages
        self._hold = hold
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
        assert self._process.stdout is not None
        if self._hold is not None:
            self._hold.release()
        if self._left:
            self._process.stdout.close()
            return
        if self._process.stdin is None:
            self._process.terminate()
        else:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(limit_seconds)
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
        said = self._messages.read_text("utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "it said nothing")
        return ServiceError(
            f"the local emulator ended before it was ready: {last}", hint=f"see {self._messages}"
        )


def start_emulator(
    state: Path,
    *,
    allow_admin: bool,
    isolation: str = "auto",
    limits: str = "auto",
    outlives: bool = False,
    environ: Mapping[str, str],
) -> LocalEmulator:
    """Starts it, and does not wait until it is ready; `isolation` and `limits` are its own options.

    It works in its own directory, so that no file of the user's stands for one of its modules, and
    in a session of its own, so that Ctrl-C reaches us alone: we ask it to clean up and then to end.
    It ends with this process, or where it `outlives` us, once its jobs have.
    Raises `ServiceError` where the directory cannot be used.
    """
    command = [
        *(sys.executable, "-m", "runner.emulator", "--json"),
        "--until-jobs-end" if outlives else "--until-stdin-closes",
        *("--data", str(state), "--isolation", isolation, "--limits", limits),
        *(["--allow-admin"] if allow_admin else []),
    ]
    messages = state / MESSAGES
    hold = None
    try:
        state.mkdir(parents=True, exist_ok=True)
        forget_place(state)
        hold = take_hold(state) if outlives else None
        with messages.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                cwd=state,
                env=_environment(environ),
                stdin=subprocess.DEVNULL if outlives else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
    except OSError as error:
        if hold is not None:
            hold.release()
        raise ServiceError(
            f"cannot start the local emulator in `{state}`: {error.strerror or error}"
        ) from error
    return LocalEmulator(process, messages, hold)


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

"""What the view of a run on a terminal takes of the client's processor time.

It must not know what is shown there.
"""

from __future__ import annotations

import os
import pty
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from tests.benchmarks.contest import OURS, TIMES, Contest, Contestant, Target
from tests.benchmarks.data import make_texts
from tests.benchmarks.emulators import start_emulator
from tests.benchmarks.measuring import FailedError
from tests.benchmarks.rows.cat import SPEC, TASKS
from tests.benchmarks.samples import CLIENT, Cost, Sample
from tests.benchmarks.setting import COMMAND, Setting

_LINES = "plain lines"
_SECONDS = "client_seconds"
_SHARE = 1.03
"""So much of the time without a view may a run with one take."""


@contextmanager
def open_display(setting: Setting) -> Iterator[Contest]:
    """One run on a terminal with a view, and on one where colours are not wanted, with lines."""
    count = setting.size(TASKS, least=10)
    folder = setting.place("display")
    make_texts(folder / "data", count, seed=setting.seed)
    spec = folder / "speed.yaml"
    spec.write_text(SPEC)

    def contestant(name: str, **environ: str) -> Contestant:
        once: Callable[[Path], Sample] = partial(_run_once, setting, spec, environ)
        return Contestant(name=name, command="batch-run run speed.yaml", once=once)

    yield Contest(
        title=f"the view of a run of {count:,} {TIMES} `cat`",
        contestants=(
            contestant(OURS, TERM="xterm-256color"),
            contestant(_LINES, TERM="xterm-256color", NO_COLOR="1"),
        ),
        targets=(
            Target(
                what="the client's processor time with a view",
                figure=_SECONDS,
                beside=_LINES,
                factor=_SHARE,
            ),
        ),
    )


def _run_once(setting: Setting, spec: Path, environ: dict[str, str], place: Path) -> Sample:
    """A run against an emulator that is not its child: so its own time is the client's alone."""
    with start_emulator(setting.environ, "--data", place / "state") as running:
        master, slave = pty.openpty()
        kept = {name: value for name, value in setting.environ.items() if name != "NO_COLOR"}
        begun = time.perf_counter()
        process = subprocess.Popen(
            [COMMAND, "run", spec, "--target", "azure"],
            cwd=place,
            env={**running.environ(kept), **environ},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        reader = threading.Thread(target=_read, args=(master,))
        reader.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        reader.join()
        os.close(master)
    if process.returncode:
        raise FailedError(f"the run ended with {process.returncode}")
    cost = Cost(
        role=CLIENT,
        user_seconds=usage.ru_utime,
        system_seconds=usage.ru_stime,
        peak_bytes=usage.ru_maxrss * 1024,
    )
    return Sample(wall_seconds=wall, costs=(cost,), figures={_SECONDS: cost.seconds})


def _read(master: int) -> None:
    """Takes what is shown; there is nothing more once nobody has the terminal open."""
    with suppress(OSError):
        while os.read(master, 65_536):
            pass

"""Prints how the emulator compares with the recordings: `python -m tests.conformance.recordings`.

It must not know how anything is compared.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.conformance.recordings.exceptions import judge
from tests.conformance.recordings.reading import PATH, read_recordings
from tests.conformance.recordings.replaying import replay
from tests.conformance.recordings.report import report
from tests.conformance.recordings.scenarios import NOT_SENT


def main() -> None:
    """The report."""
    if not PATH.is_file():
        print(f"{PATH} is not there")
        return
    with tempfile.TemporaryDirectory() as directory:
        replays = [
            asyncio.run(replay(recording, Path(directory) / str(number)))
            for number, recording in enumerate(read_recordings())
        ]
    verdict = judge(d for replayed in replays for d in replayed.differences)
    print(report(sum(replayed.compared for replayed in replays), verdict, NOT_SENT))


if __name__ == "__main__":
    main()

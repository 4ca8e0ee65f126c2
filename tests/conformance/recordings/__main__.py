"""Prints what differs between the emulator and the recordings: `python -m` this package.

It must not know how anything is compared.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.conformance.recordings.reading import read_recordings
from tests.conformance.recordings.replaying import replay


def main() -> None:
    """The report."""
    with tempfile.TemporaryDirectory() as directory:
        for number, recording in enumerate(read_recordings()):
            outcome = asyncio.run(replay(recording, Path(directory) / str(number)))
            bad = {d.number for d in outcome.differences}
            print(f"== {outcome.source}: {outcome.compared} compared, {len(bad)} differ")
            if "-v" in sys.argv:
                for difference in outcome.differences:
                    print("  ", str(difference)[:400])


if __name__ == "__main__":
    main()

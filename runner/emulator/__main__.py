"""`python -m runner.emulator`: the emulator alone; it only hands over to `program`."""

from __future__ import annotations

import sys

from runner.emulator.program import build_parser, run

if __name__ == "__main__":
    sys.exit(run(build_parser().parse_args()))

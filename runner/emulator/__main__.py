"""`python -m runner.emulator`: the emulator alone; it only hands over.

`--prepared`, on its own, is for who starts it before it knows the options.
"""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """The exit code."""
    # What is imported stays; there is nothing to find for who looks through it for garbage.
    gc.disable()
    from runner.emulator.prepared import run_prepared
    from runner.emulator.program import build_parser, run

    if sys.argv[1:] == ["--prepared"]:
        return run_prepared()
    return run(build_parser().parse_args())


if __name__ == "__main__":
    code = main()
    # What is left goes with the process; to look through it for garbage first takes long.
    gc.freeze()
    sys.exit(code)

"""`python -m runner.emulator`: the emulator alone; it only hands over.

`--prepared`, on its own, is for who starts it before it knows the options.
"""

from __future__ import annotations

import gc
import sys

from runner.emulator.prepared import run_prepared
from runner.emulator.program import build_parser, run

if __name__ == "__main__":
    is_prepared = sys.argv[1:] == ["--prepared"]
    code = run_prepared() if is_prepared else run(build_parser().parse_args())
    # What is left goes with the process; to look through it for garbage first takes long.
    gc.freeze()
    sys.exit(code)

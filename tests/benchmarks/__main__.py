"""`python -m tests.benchmarks`."""

from __future__ import annotations

import sys

from tests.benchmarks.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m runner`: the same as `batch-run`."""

from __future__ import annotations

import sys

from runner.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

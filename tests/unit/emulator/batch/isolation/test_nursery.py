"""The process that makes nodes starts with little: each run on such nodes waits for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("dataclasses", "inspect", "platform", "secrets", "shutil", "subprocess")
IMPORT = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    "import runner.emulator.batch.isolation.nursery;"
    "print(' '.join(sorted(sys.modules)))"
)


def test_what_takes_long_to_import_is_not() -> None:
    packages = Path(__file__).resolve().parents[5]
    words = [sys.executable, "-I", "-S", "-c", IMPORT, str(packages)]
    found = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert "runner.emulator.batch.isolation.first_process" in found
    assert [name for name in HEAVY if name in found] == []

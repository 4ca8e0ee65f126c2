"""What one task costs the emulator in calls of the system: more would be felt with thousands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="Python makes other calls elsewhere")
def test_a_task_with_files_takes_few_calls(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.unit.emulator.batch.node.counting", str(tmp_path)]
    root = Path(__file__).parents[5]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True)
    calls = json.loads(done.stdout)
    # Its folder, `wd`, stdout, stderr, the resource file and two logs of uploads are made; three
    # outputs are read, one of them in `wd`; and there is /dev/null.
    assert calls["open"] <= 12
    assert calls["os.mkdir"] == 2
    assert calls["os.listdir"] + calls["os.scandir"] == 0
    assert calls["os.rename"] + calls["os.remove"] == 0
    assert calls["socket.connect"] == 0
    # Each hand-over to a thread would take as long as most of these.
    assert calls["threads"] == 0

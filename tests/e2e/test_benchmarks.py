"""The benchmarks as one command: a few rows at the smallest sizes. Their times are not judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.tables import BEGIN, END
from tests.e2e.conftest import LIMIT_SECONDS, ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs it as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def test_rows_are_measured_shown_and_put_into_a_page(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    once = ("--scale", "0.002", "--rounds", "1", "--warm-ups", "0")
    done = run("version", "requests", "overhead", *once, "--folder", tmp_path, "--json", figures)
    assert done.returncode == 0, done.stderr
    written = json.loads(figures.read_text())
    assert [row["name"] for row in written["rows"]] == ["version", "requests", "overhead"]
    assert all(row["failure"] is None for row in written["rows"])
    samples = {row["name"]: row["contestants"][0]["samples"][0] for row in written["rows"]}
    roles = [cost["role"] for cost in samples["requests"]["costs"]]
    assert roles == ["client", "tasks", "emulator"]
    assert samples["requests"]["figures"]["requests"] > 0
    # Each of ten files goes up and its copy comes home; nodes may take and bring them unseen.
    assert samples["requests"]["figures"]["transfers"] >= 20
    assert samples["overhead"]["figures"]["tasks_per_second"] > 0
    assert {line.split()[0] for line in done.stdout.splitlines() if line} >= {
        "row",
        "version",
        "requests",
        "overhead",
    }
    assert list(tmp_path.iterdir()) == [figures]

    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    assert run("--write", page, figures).returncode == 0
    assert f"| wall | {samples['version']['wall_seconds'] * 1000:.2f} ms |" in page.read_text() or (
        f"| wall | {samples['version']['wall_seconds']:.2f} s |" in page.read_text()
    )


def test_a_row_that_is_none_is_refused() -> None:
    done = run("cats")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "python -m tests.benchmarks: error: no row `cats`; --list names them"
    )

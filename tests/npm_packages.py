"""Packages of npm that tests use, at the versions that a folder of tests pins.

It knows nothing of what the packages are for. The lock files name no registry: npm's own
configuration says where packages come from, and their digests what they must be.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_PINS = ("package.json", "package-lock.json")
_LIMIT_SECONDS = 120


def install_pinned(pins: Path, cache: Path) -> Path | str:
    """The folder with the packages that `pins` locks, installed into `cache` once for all runs.

    Where they cannot be had: why, in one line.
    """
    pinned = b"".join((pins / name).read_bytes() for name in _PINS)
    folder = cache / hashlib.sha256(pinned).hexdigest()[:16]
    if folder.is_dir():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed"
    return _install(npm, pins, folder) or folder


def cache_folder(
    config: pytest.Config, tmp_path_factory: pytest.TempPathFactory, name: str
) -> Path:
    """A folder that outlasts the test run, or where pytest keeps none, one of this run."""
    cache: pytest.Cache | None = getattr(config, "cache", None)  # -p no:cacheprovider
    return tmp_path_factory.mktemp(name) if cache is None else Path(cache.mkdir(name))


def _install(npm: str, pins: Path, folder: Path) -> str:
    """Makes `folder` with the packages in it, whole or not at all; returns what went wrong."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        fresh = Path(name, "fresh")
        fresh.mkdir()
        for each in _PINS:
            shutil.copy(pins / each, fresh)
        try:
            subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=fresh,
                capture_output=True,
                text=True,
                timeout=_LIMIT_SECONDS,
                check=True,
            )
        except subprocess.TimeoutExpired:
            return f"npm took more than {_LIMIT_SECONDS} s"
        except subprocess.CalledProcessError as error:
            return f"npm: {error.stderr.strip()[-300:]}"
        with contextlib.suppress(OSError):  # another worker of the test run was faster
            fresh.rename(folder)
    return ""

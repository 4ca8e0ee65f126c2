"""Clients of other releases and languages, installed into folders that are kept for later runs.

It must not know what is asked of them.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

OLDER_RELEASE = "azure-batch==14.2.0"
JAVASCRIPT = Path(__file__).parent / "javascript"
_PACKAGE_FILES = ("package.json", "package-lock.json")
_SECONDS = 120


def install_older(config: pytest.Config) -> Path:
    """The folder of `OLDER_RELEASE`, for `PYTHONPATH`; skips the test where pip cannot fill it."""
    place = _make_place(config, "older-azure-batch")
    final = place / f"{OLDER_RELEASE}-python{sys.version_info.major}.{sys.version_info.minor}"
    if final.is_dir():
        return final
    # Several processes may install it at once: the first to be done is the one.
    made = place / uuid.uuid4().hex
    target = ["--target", str(made), OLDER_RELEASE]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *target]
    _install(command, place, OLDER_RELEASE)
    return _settle(made, final)


def install_javascript(config: pytest.Config) -> Path:
    """The folder of `node_modules` with the pinned packages; skips the test without npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node.js and npm are not installed")
    place = _make_place(config, "azure-batch-javascript")
    pinned = b"".join((JAVASCRIPT / name).read_bytes() for name in _PACKAGE_FILES)
    final = place / hashlib.sha256(pinned).hexdigest()[:16]
    if final.is_dir():
        return final
    with tempfile.TemporaryDirectory(dir=place) as name:
        made = Path(name, "made")
        made.mkdir()
        for each in _PACKAGE_FILES:
            shutil.copy(JAVASCRIPT / each, made)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        _install(command, made, "@azure/batch")
        return _settle(made, final)


def _make_place(config: pytest.Config, name: str) -> Path:
    if config.cache is None:
        pytest.skip("there is no cache to install clients to")
    return config.cache.mkdir(name)


def _install(command: list[str], folder: Path, what: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{what} was not installed within {_SECONDS} seconds")
    if done.returncode:
        pytest.skip(f"{what} cannot be installed: {done.stderr.strip()[-300:]}")


def _settle(made: Path, final: Path) -> Path:
    """Gives a folder its name; of several that were made at once, the first one stays."""
    try:
        made.rename(final)
    except OSError:
        assert final.is_dir()
    return final

"""The real yaml-language-server, one for all tests that ask for it."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editor.language_server import LanguageServer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGE_FILES = ("package.json", "package-lock.json")
PROGRAM = Path("node_modules", "yaml-language-server", "bin", "yaml-language-server")
INSTALL_LIMIT_SECONDS = 120


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LanguageServer]:
    """The server, started in the repository; skips where it cannot be had."""
    cache: pytest.Cache | None = getattr(request.config, "cache", None)  # -p no:cacheprovider
    name = "yaml-language-server"
    folder = tmp_path_factory.mktemp(name) if cache is None else Path(cache.mkdir(name))
    command = _find_command(folder)
    server = LanguageServer([*command, "--stdio"], ROOT)
    try:
        yield server
    finally:
        server.close()


def _find_command(cache: Path) -> list[str]:
    """The pinned version, installed once into the cache; else what is on the PATH."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        pytest.skip("Node.js is not installed")
    pinned = b"".join((HERE / name).read_bytes() for name in PACKAGE_FILES)
    folder = cache / hashlib.sha256(pinned).hexdigest()[:16]
    reason = "npm is not installed"
    if not folder.is_dir() and npm is not None:
        reason = _install(npm, folder)
    if folder.is_dir():
        return [node, str(folder / PROGRAM)]
    found = shutil.which("yaml-language-server")
    if found is None:
        pytest.skip(f"yaml-language-server cannot be had: {reason}")
    return [found]


def _install(npm: str, folder: Path) -> str:
    """Makes `folder` with the packages in it, whole or not at all; returns what went wrong."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        fresh = Path(name, "fresh")
        fresh.mkdir()
        for each in PACKAGE_FILES:
            shutil.copy(HERE / each, fresh)
        try:
            subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=fresh,
                capture_output=True,
                text=True,
                timeout=INSTALL_LIMIT_SECONDS,
                check=True,
            )
        except subprocess.TimeoutExpired:
            return f"npm took more than {INSTALL_LIMIT_SECONDS} s"
        except subprocess.CalledProcessError as error:
            return f"npm: {error.stderr.strip()[-300:]}"
        with contextlib.suppress(OSError):  # another worker of the test run was faster
            fresh.rename(folder)
    return ""

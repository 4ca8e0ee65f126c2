"""The real yaml-language-server, one for all tests that ask for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editor.language_server import LanguageServer
from tests.npm_packages import cache_folder, install_pinned

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROGRAM = Path("node_modules", "yaml-language-server", "bin", "yaml-language-server")


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LanguageServer]:
    """The server, started in the repository; skips where it cannot be had."""
    folder = cache_folder(request.config, tmp_path_factory, "yaml-language-server")
    command = _find_command(folder)
    server = LanguageServer([*command, "--stdio"], ROOT)
    try:
        yield server
    finally:
        server.close()


def _find_command(cache: Path) -> list[str]:
    """The pinned version, installed once into the cache; else what is on the PATH."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    installed = install_pinned(HERE, cache)
    if isinstance(installed, Path):
        return [node, str(installed / PROGRAM)]
    found = shutil.which("yaml-language-server")
    if found is None:
        pytest.skip(f"yaml-language-server cannot be had: {installed}")
    return [found]

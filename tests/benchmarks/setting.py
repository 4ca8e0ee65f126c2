"""What every row needs to know: where to work, how large, and with which programs.

It must not know what a row measures.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.machine import ROOT
from tests.benchmarks.measuring import Finished, measure
from tests.benchmarks.peers import Peers
from tests.benchmarks.places import give_back_room, new_place, spread_folders

JOBS = 2
"""How many commands run at once, with us and with every peer."""
COMMAND = Path(sys.executable).parent / "batch-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One run of the benchmarks."""

    folder: Path
    """Temporary; a row makes a folder of its own in it."""
    scale: float
    seed: int
    peers: Peers
    environ: Mapping[str, str]
    """Without an account, with our programs and `ffmpeg` in front."""

    def size(self, number: int, least: int = 1) -> int:
        """A size of the table, scaled."""
        return max(least, round(number * self.scale))

    def place(self, name: str) -> Path:
        """A new folder for a row."""
        folder = self.folder / name
        folder.mkdir()
        return folder

    def run(
        self,
        *arguments: str | Path,
        folder: Path,
        environ: Mapping[str, str] | None = None,
    ) -> Finished:
        """Measures our command in a folder, its processes apart."""
        return measure(
            [COMMAND, *arguments], folder=folder, environ=environ or self.environ, apart=True
        )

    def run_peer(self, command: Sequence[str | Path], folder: Path) -> Finished:
        """Measures another command in a folder."""
        return measure(command, folder=folder, environ=self.environ)

    def with_modules(self, environ: Mapping[str, str] | None = None) -> dict[str, str]:
        """An environment in which Python finds the modules of this repository."""
        chosen = self.environ if environ is None else environ
        paths = [os.fspath(ROOT), *filter(None, [chosen.get("PYTHONPATH")])]
        return {**chosen, "PYTHONPATH": os.pathsep.join(paths)}

    @contextmanager
    def temporary(self) -> Iterator[Path]:
        """A new folder, whose large files are emptied with the block."""
        place = new_place(self.folder)
        spread_folders(place)
        try:
            yield place
        finally:
            give_back_room(place)


@contextmanager
def open_setting(
    *, scale: float, seed: int, peers: Sequence[Path] = (), below: Path | None = None
) -> Iterator[Setting]:
    """A setting with a temporary folder (`below` another one), which is gone with the block."""
    search = os.environ.get("PATH", os.defpath)
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=below) as name:
        folder = Path(name).resolve()
        spread_folders(folder)
        yield Setting(
            folder=folder,
            scale=scale,
            seed=seed,
            peers=Peers([each.resolve() for each in peers], search),
            environ=_bare_environ(os.environ, _programs(folder)),
        )


def _programs(folder: Path) -> Path:
    """A folder with `ffmpeg` in it, from the wheel that carries one, where that is installed."""
    programs = folder / "programs"
    programs.mkdir()
    try:
        import imageio_ffmpeg
    except ImportError:
        return programs
    (programs / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    return programs


def _bare_environ(environ: Mapping[str, str], programs: Path) -> dict[str, str]:
    """The environment of somebody without an account, whose shell is bash."""
    bare = {
        name: value
        for name, value in environ.items()
        if not name.startswith(("AZURE_", "BATCH_RUN_", "AZCOPY_"))
        and name != "PYTHONDONTWRITEBYTECODE"
    }
    own = os.fspath(Path(sys.executable).parent)
    bare["PATH"] = os.pathsep.join([os.fspath(programs), own, environ.get("PATH", os.defpath)])
    # GNU parallel runs each command by it, as we run each by bash.
    bare["SHELL"] = "/bin/bash"
    return bare

"""Files to a service and home again, beside azcopy: many small ones, and a few large ones.

Both move the same files to and from one emulator. Ours moves them as a run does: with an MD5 that
is checked on both sides, and at home each file is on the disk before it has its name. It must not
know how the transfers are measured.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from azure.storage.blob import (
    ContainerClient,
    ContainerSasPermissions,
    generate_container_sas,
)

from tests.benchmarks.contest import OURS, TIMES, Absent, Contest, Contestant, Target
from tests.benchmarks.data import digests, make_large_files, make_texts
from tests.benchmarks.emulators import Running, start_emulator
from tests.benchmarks.measuring import FailedError, Finished, measure
from tests.benchmarks.peers import AZCOPY, Peer
from tests.benchmarks.samples import ALL, CLIENT, Cost, Sample
from tests.benchmarks.setting import Setting

_WITH_MD5 = "azcopy --put-md5"
_CONTAINER = "files"
_SOURCE = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    """What is moved."""

    name: str
    words: str
    make: Callable[[Path], None]


def open_small(setting: Setting, direction: str) -> AbstractContextManager[Contest]:
    """10,000 files of 10 KB."""
    count = setting.size(10_000, least=20)
    load = _Load(
        name=f"{direction}-small",
        words=f"{count:,} {TIMES} 10 KB",
        make=lambda folder: make_texts(folder, count, seed=setting.seed),
    )
    return _open(setting, load, direction)


def open_large(setting: Setting, direction: str) -> AbstractContextManager[Contest]:
    """10 files of 500 MB; scaled in their size alone."""
    megabytes = setting.size(500, least=10)
    load = _Load(
        name=f"{direction}-large",
        words=f"10 {TIMES} {megabytes} MB",
        make=lambda folder: make_large_files(folder, 10, megabytes=megabytes, seed=setting.seed),
    )
    return _open(setting, load, direction)


@contextmanager
def _open(setting: Setting, load: _Load, direction: str) -> Iterator[Contest]:
    folder = setting.place(load.name)
    data = folder / "data"
    load.make(data)
    wanted = digests(data)
    with start_emulator(setting.environ, "--data", folder / "state") as running:
        site = _Site(setting=setting, running=running, data=data, wanted=wanted)
        site.container(_SOURCE).create_container()
        if direction == "down":
            site.run_ours("up", data, _SOURCE, folder)
        azcopy = setting.peers.find(AZCOPY)
        contestants: list[Contestant | Absent] = [_ours(site, direction)]
        if direction == "up":
            contestants += [_azcopy_up(site, azcopy, AZCOPY), _azcopy_up(site, azcopy, _WITH_MD5)]
        else:
            contestants += [_azcopy_down(site, azcopy)]
        yield Contest(
            title=f"{'upload' if direction == 'up' else 'download'} of {load.words}",
            contestants=contestants,
            targets=(
                Target(what="wall", beside=AZCOPY, factor=1.0),
                *([Target(what="wall", beside=_WITH_MD5)] if direction == "up" else []),
                Target(what="processor time of the client", figure="cpu_seconds", beside=AZCOPY),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """The files, and the service that they are moved to and from."""

    setting: Setting
    running: Running
    data: Path
    wanted: dict[str, str]

    def container(self, name: str = _CONTAINER) -> ContainerClient:
        """A container, by the SDK."""
        text = self.running.environ({})["AZURE_STORAGE_CONNECTION_STRING"]
        return ContainerClient.from_connection_string(text, name)

    def url(self, name: str) -> str:
        """Its URL with a SAS for all that azcopy does."""
        storage = self.running.emulator.announcement["storage"]
        signature = generate_container_sas(
            storage["account"],
            name,
            account_key=storage["key"],
            permission=ContainerSasPermissions(
                read=True, add=True, create=True, write=True, delete=True, list=True
            ),
            expiry=datetime.now(timezone.utc) + timedelta(days=1),
        )
        return f"{storage['blob_endpoint'].rstrip('/')}/{name}?{signature}"

    def run_ours(self, direction: str, files: Path, container: str, place: Path) -> Finished:
        """Measures our transfers."""
        environ = self.setting.with_modules(self.running.environ(self.setting.environ))
        program = [sys.executable, "-m", "tests.benchmarks.inner.moving"]
        return measure([*program, direction, files, container], folder=place, environ=environ)

    def run_azcopy(self, azcopy: Peer, arguments: list[str], place: Path) -> Finished:
        """Measures azcopy, which keeps plans and logs in the folder, and looks for no update."""
        environ = {
            **self.setting.environ,
            "AZCOPY_LOG_LOCATION": str(place / "azcopy-log"),
            "AZCOPY_JOB_PLAN_LOCATION": str(place / "azcopy-plan"),
            "AZCOPY_DISABLE_SYSLOG": "true",
        }
        options = ["--log-level=NONE", "--output-level=quiet", "--skip-version-check"]
        return measure(
            [azcopy.program, "copy", *arguments, *options], folder=place, environ=environ
        )

    def sampled(self, run: Callable[[], Finished]) -> Sample:
        """What a client uses, and the emulator meanwhile as a figure: it is the same for both."""
        before = self.running.used()
        finished = run()
        emulator = self.running.cost_since(before)
        (cost,) = finished.sample.costs
        assert cost.role == ALL
        client = Cost(
            role=CLIENT,
            user_seconds=cost.user_seconds,
            system_seconds=cost.system_seconds,
            peak_bytes=cost.peak_bytes,
        )
        return Sample(
            wall_seconds=finished.sample.wall_seconds,
            costs=(client,),
            figures={"emulator_cpu_seconds": emulator.seconds},
        )

    def check_container(self) -> None:
        """Reads every blob again, whoever wrote it: `FailedError` where one is not the file."""
        container = self.container()
        found = {}
        for name in container.list_blob_names():
            md5 = hashlib.md5(usedforsecurity=False)
            for piece in container.download_blob(name).chunks():
                md5.update(piece)
            found[name] = md5.hexdigest()
        self._compare(found)

    def check_folder(self, folder: Path) -> None:
        """The same for files that came home."""
        self._compare(digests(folder))

    def _compare(self, found: dict[str, str]) -> None:
        if found != self.wanted:
            same = len(found.items() & self.wanted.items())
            raise FailedError(f"{same} of {len(self.wanted)} files arrived as they were")


def _ours(site: _Site, direction: str) -> Contestant:
    def up(place: Path) -> Sample:
        with _emptied(site):
            return site.sampled(lambda: site.run_ours("up", site.data, _CONTAINER, place))

    def down(place: Path) -> Sample:
        home = place / "home"
        home.mkdir()
        sample = site.sampled(lambda: site.run_ours("down", home, _SOURCE, place))
        site.check_folder(home)
        return sample

    return Contestant(
        name=OURS,
        command=f"python -m tests.benchmarks.inner.moving {direction} FOLDER CONTAINER",
        once=up if direction == "up" else down,
    )


def _azcopy_up(site: _Site, azcopy: Peer | Absent, name: str) -> Contestant | Absent:
    if isinstance(azcopy, Absent):
        return Absent(name=name, why=azcopy.why)
    more = ["--put-md5"] if name == _WITH_MD5 else []

    def once(place: Path) -> Sample:
        with _emptied(site):
            arguments = [f"{site.data}/*", site.url(_CONTAINER), "--from-to=LocalBlob", *more]
            return site.sampled(lambda: site.run_azcopy(azcopy, arguments, place))

    command = " ".join(["azcopy copy 'FOLDER/*' CONTAINER?SAS --from-to=LocalBlob", *more])
    return Contestant(name=name, command=command, once=once)


def _azcopy_down(site: _Site, azcopy: Peer | Absent) -> Contestant | Absent:
    if isinstance(azcopy, Absent):
        return azcopy

    def once(place: Path) -> Sample:
        home = place / "home"
        home.mkdir()
        url, _, signature = site.url(_SOURCE).partition("?")
        arguments = [f"{url}/*?{signature}", str(home), "--from-to=BlobLocal"]
        sample = site.sampled(lambda: site.run_azcopy(azcopy, arguments, place))
        site.check_folder(home)
        return sample

    command = "azcopy copy 'CONTAINER/*?SAS' FOLDER --from-to=BlobLocal"
    return Contestant(name=AZCOPY, command=command, once=once)


@contextmanager
def _emptied(site: _Site) -> Iterator[None]:
    """A container without blobs for an upload, looked at and gone at the end."""
    container = site.container()
    container.create_container()
    try:
        yield
        site.check_container()
    finally:
        container.delete_container()

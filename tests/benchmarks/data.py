"""Makes the data that is worked on, from a seed, and checks what was made of it.

It must not know who works on it.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.benchmarks.measuring import FailedError

MEGABYTE = 1_000_000
_FILES_IN_A_FOLDER = 1_000


def make_texts(folder: Path, count: int, *, size: int = 10 * 1024, seed: int) -> None:
    """Files of chance: `f00000.txt` and so on."""
    folder.mkdir(parents=True)
    random = Random(seed)
    for number in range(count):
        (folder / f"f{number:05}.txt").write_bytes(random.randbytes(size))


def make_large_files(folder: Path, count: int, *, megabytes: int, seed: int) -> None:
    """Files of which no two megabytes are alike."""
    folder.mkdir(parents=True)
    random = Random(seed)
    block = random.randbytes(MEGABYTE - 16)
    for number in range(count):
        with (folder / f"large{number:02}.bin").open("wb") as stream:
            for _ in range(megabytes):
                stream.write(random.randbytes(16))
                stream.write(block)


def make_empty_files(folder: Path, count: int) -> None:
    """In folders of a thousand."""
    for start in range(0, count, _FILES_IN_A_FOLDER):
        below = folder / f"folder-{start // _FILES_IN_A_FOLDER:05}"
        below.mkdir(parents=True)
        for number in range(start, min(start + _FILES_IN_A_FOLDER, count)):
            (below / f"file-{number:07}.mp4").touch()


def make_videos(folder: Path, count: int, *, seconds: int, ffmpeg: str, seed: int) -> None:
    """MP4s with a test picture, and a noise that differs from one to the next."""
    folder.mkdir(parents=True)
    random = Random(seed)
    for number in range(count):
        noise = f"anoisesrc=seed={random.randrange(2**31)}:duration={seconds}:color=pink"
        picture = f"testsrc=size=128x72:rate=10:duration={seconds}"
        inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", noise]
        kinds = ["-c:v", "mpeg4", "-c:a", "aac", "-shortest"]
        subprocess.run(
            [
                *(ffmpeg, "-nostdin", "-loglevel", "error", *inputs, *kinds),
                *("-bitexact", folder / f"v{number:02}.mp4"),
            ],
            check=True,
        )


def check_copies(originals: Path, copies: Path, *, suffix: str = ".out") -> None:
    """Every file has one copy, byte for byte, named by its stem; `FailedError` if not."""
    wanted = {f"{path.stem}{suffix}": path for path in originals.iterdir()}
    found = {path.name: path for path in copies.iterdir() if path.suffix == suffix}
    if found.keys() != wanted.keys():
        raise FailedError(f"{len(found)} outputs, {len(wanted)} were to be made")
    wrong = [name for name, path in found.items() if path.read_bytes() != wanted[name].read_bytes()]
    if wrong:
        raise FailedError(f"{len(wrong)} outputs are not what was to be made, `{wrong[0]}` first")


def check_sounds(videos: Path, sounds: Path, *, ffmpeg: str) -> None:
    """Every video has an MP3 that can be decoded and lasts as long; `FailedError` if not."""
    wanted = {f"{path.stem}.mp3": path for path in videos.iterdir()}
    found = {path.name: path for path in sounds.iterdir() if path.suffix == ".mp3"}
    if found.keys() != wanted.keys():
        raise FailedError(f"{len(found)} MP3s, {len(wanted)} were to be made")
    for name, path in found.items():
        codec, seconds = _decode(ffmpeg, path)
        _, whole = _decode(ffmpeg, wanted[name])
        if codec != "mp3" or abs(seconds - whole) > 0.2:
            raise FailedError(f"`{name}` is {codec} of {seconds} s, where {whole} s were to be")


def _decode(ffmpeg: str, path: Path) -> tuple[str, float]:
    """Codec, and duration in seconds; the whole file is decoded."""
    done = subprocess.run(
        [ffmpeg, "-nostdin", "-hide_banner", "-i", path, "-vn", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    codec = re.search(r"Stream.*Audio: (\w+)", done.stderr)
    times = re.findall(r"time=(\d+):(\d+):([\d.]+)", done.stderr)
    if done.returncode != 0 or codec is None or not times:
        raise FailedError(f"`{path.name}` cannot be decoded: {done.stderr[-500:]}")
    hours, minutes, seconds = times[-1]
    return codec[1], int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def digests(folder: Path) -> dict[str, str]:
    """MD5 by name of the files of a folder."""
    return {path.name: file_digest(path) for path in folder.iterdir()}


def file_digest(path: Path) -> str:
    """The MD5 of a file, read piece by piece."""
    md5 = hashlib.md5(usedforsecurity=False)
    for piece in _pieces(path):
        md5.update(piece)
    return md5.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(MEGABYTE):
            yield piece

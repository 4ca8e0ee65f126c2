"""The sound of videos on this machine: the whole command, beside `make`.

It must not know how they are measured.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.contest import OURS, TIMES, Absent, Contest, Contestant, Target
from tests.benchmarks.data import check_sounds, make_videos
from tests.benchmarks.peers import MAKE, PARALLEL, Peer
from tests.benchmarks.samples import Sample
from tests.benchmarks.setting import JOBS, Setting

_VIDEOS = 20
_VIDEO_SECONDS = 6
_OPTIONS = "-nostdin -y -loglevel error"
_SPEC = f"""\
version: 1
name: mp3
containers:
  input: {{upload: [{{from: data}}]}}
  output: {{download: true}}
pool:
  image: {{publisher: canonical, offer: ubuntu-24_04-lts, sku: server, version: latest}}
  vm_size: Standard_D2s_v5
  nodes: {{dedicated: 1}}
  task_slots_per_node: 2
task:
  for_each: input
  command: ffmpeg {_OPTIONS} -i file:{{{{ file.path }}}} -vn -b:a 192k file:{{{{ file.stem }}}}.mp3
  outputs: [{{pattern: "{{{{ file.stem }}}}.mp3", to: output}}]
"""
_MAKEFILE = f"""\
all: $(patsubst DATA/%.mp4,%.mp3,$(wildcard DATA/*.mp4))
%.mp3: DATA/%.mp4
	ffmpeg {_OPTIONS} -i file:$< -vn -b:a 192k file:$@
"""


@contextmanager
def open_mp3(setting: Setting) -> Iterator[Contest]:
    """Everybody runs the same ffmpeg, two at a time."""
    # In the wheel of a development environment; most of the benchmarks do without.
    import imageio_ffmpeg

    ffmpeg: str = imageio_ffmpeg.get_ffmpeg_exe()
    count = setting.size(_VIDEOS, least=2)
    folder = setting.place("mp3")
    data = folder / "data"
    make_videos(data, count, seconds=_VIDEO_SECONDS, ffmpeg=ffmpeg, seed=setting.seed)
    (folder / "mp3.yaml").write_text(_SPEC)
    (folder / "Makefile").write_text(_MAKEFILE.replace("DATA", str(data)))

    def once(place: Path) -> Sample:
        finished = setting.run(folder / "mp3.yaml", folder=place)
        check_sounds(data, place / "results" / "mp3" / "output", ffmpeg=ffmpeg)
        return finished.sample

    def of_peer(peer: Peer | Absent, command: str) -> Contestant | Absent:
        if isinstance(peer, Absent):
            return peer

        def once(place: Path) -> Sample:
            line = f"{shlex.quote(str(peer.program))} {command}"
            finished = setting.run_peer(["bash", "-c", line], place)
            check_sounds(data, place, ffmpeg=ffmpeg)
            return finished.sample

        shown = command.replace(f"{folder}/", "")
        return Contestant(name=peer.name, command=f"{peer.program.name} {shown}", once=once)

    each = f"ffmpeg {_OPTIONS} -i file:{{}} -vn -b:a 192k file:{{/.}}.mp3"
    yield Contest(
        title=f"{count} {TIMES} MP4 to MP3, whole command",
        contestants=(
            Contestant(name=OURS, command="batch-run mp3.yaml", once=once),
            of_peer(setting.peers.find(MAKE), f"-s -j{JOBS} -f {folder}/Makefile"),
            of_peer(setting.peers.find(PARALLEL), f"-j{JOBS} '{each}' ::: {data}/*.mp4"),
        ),
        targets=(
            Target(what="wall", beside=MAKE, factor=1.25, plus=1.0),
            Target(what="wall", beside=PARALLEL),
        ),
    )

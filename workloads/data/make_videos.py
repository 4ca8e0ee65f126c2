"""Make the example videos: a test pattern and a tone each, a few seconds long.

Usage: python make_videos.py [FFMPEG]    (needs ffmpeg with libx264 and aac)
"""

import subprocess
import sys
from pathlib import Path

VIDEOS = (
    ("alarm", 2.0, 880),
    ("dial-tone", 3.0, 350),
    ("hum", 4.0, 110),
    ("test tone", 2.5, 1000),  # a space, as real file names have
    ("whistle", 1.5, 2400),
)


def make_video(ffmpeg: str, target: Path, seconds: float, hertz: int) -> None:
    """One MP4 of the test pattern with a sine tone, without dates so that it is reproducible."""
    subprocess.run(
        [
            *(ffmpeg, "-hide_banner", "-loglevel", "error", "-nostdin", "-y"),
            *("-f", "lavfi", "-i", f"testsrc=size=160x120:rate=10:duration={seconds}"),
            *("-f", "lavfi", "-i", f"sine=frequency={hertz}:sample_rate=44100:duration={seconds}"),
            *("-c:v", "libx264", "-preset", "veryslow", "-crf", "36", "-pix_fmt", "yuv420p"),
            *("-c:a", "aac", "-b:a", "48k", "-map_metadata", "-1", "-fflags", "+bitexact"),
            *("-flags:v", "+bitexact", "-flags:a", "+bitexact", str(target)),
        ],
        check=True,
    )


def main() -> None:
    """Writes all of them into `videos` beside this script."""
    ffmpeg = sys.argv[1] if len(sys.argv) > 1 else "ffmpeg"
    folder = Path(__file__).parent / "videos"
    folder.mkdir(exist_ok=True)
    for name, seconds, hertz in VIDEOS:
        make_video(ffmpeg, folder / f"{name}.mp4", seconds, hertz)


if __name__ == "__main__":
    main()

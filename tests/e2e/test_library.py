"""Every other workload of the library, run as it stands, its results checked by other means."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, User, copy_examples

DATA = ROOT / "workloads" / "data"
CHECKED_ELSEWHERE = {"cat", "topwords", "ffmpeg"}


def run(user: User, name: str, *arguments: str, needs: str | None = None) -> Path:
    """Runs a workload of the library; gives the folder of its results."""
    if needs is not None and shutil.which(needs, path=user.environ["PATH"]) is None:
        pytest.skip(f"{needs} is not installed")
    copy_examples(user.folder)
    # With the programs of this machine: nodes of their own would install them first.
    done = user.run(f"workloads/{name}.yaml", "--isolation", "none", *arguments)
    assert done.returncode == 0, done.stderr
    assert "nothing left in the services" in done.stderr
    assert user.processes() == []
    return user.folder / "results" / name


def names_below(folder: Path) -> list[str]:
    """All files below a folder, relative to it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files)


def test_each_workload_has_a_test() -> None:
    names = {path.stem for path in (ROOT / "workloads").glob("*.yaml")} - CHECKED_ELSEWHERE
    tested = set(re.findall(r'run\(\s*user, "([a-z-]+)"', Path(__file__).read_text()))
    assert names == tested
    assert len(names) >= 10


def test_checksums(user: User) -> None:
    results = run(user, "checksums")
    books = sorted((DATA / "books").iterdir())
    wanted = [f"{hashlib.sha256(book.read_bytes()).hexdigest()}  {book.name}" for book in books]
    assert (results / "output" / "SHA256SUMS").read_text().splitlines() == wanted
    assert names_below(results) == ["output/SHA256SUMS"]


def test_wordcount(user: User) -> None:
    results = run(user, "wordcount", "-p", "least=1")
    texts = (path.read_text() for path in (DATA / "books").iterdir())
    words = Counter(word for text in texts for word in re.findall(r"[a-z]+", text.lower()))
    lines = (results / "output" / "words.txt").read_text().splitlines()
    found = {word: int(count) for count, word in (line.split(" ") for line in lines)}
    assert found == words
    assert list(found.values()) == sorted(words.values(), reverse=True)


@pytest.mark.parametrize("method", ["gzip", "zstd"])
def test_compress(user: User, method: str) -> None:
    results = run(user, "compress", "-p", f"method={method}", needs=method)
    for book in (DATA / "books").iterdir():
        ending = {"gzip": ".gz", "zstd": ".zst"}[method]
        packed = (results / "output" / f"{book.name}{ending}").read_bytes()
        plain = (
            gzip.decompress(packed)
            if method == "gzip"
            else subprocess.run(
                ["zstd", "-dc"], input=packed, capture_output=True, check=True
            ).stdout
        )
        assert plain == book.read_bytes()


def test_thumbnails(user: User) -> None:
    if "ImageMagick" not in version_of("convert", user):
        pytest.skip("ImageMagick is not installed")
    results = run(user, "thumbnails")
    pictures = [path.stem for path in (DATA / "pictures").iterdir()]
    assert names_below(results / "output") == sorted(f"{name}.jpg" for name in pictures)
    for name in pictures:
        assert (results / "output" / f"{name}.jpg").read_bytes().startswith(b"\xff\xd8\xff")


def version_of(program: str, user: User) -> str:
    """What a program says of itself; nothing where there is none."""
    found = shutil.which(program, path=user.environ["PATH"])
    if found is None:
        return ""
    done = subprocess.run(
        [found, "-version"], capture_output=True, text=True, env=user.environ, check=False
    )
    return done.stdout


def test_pdf_text(user: User) -> None:
    results = run(user, "pdf-text", needs="pdftotext")
    text = (results / "output" / "recipe.pdf.txt").read_text()
    assert text.splitlines()[:3] == [
        "Barley soup",
        "Soak the barley overnight.",
        "Cook it slowly with leeks.",
    ]
    assert len(names_below(results / "output")) == 3


def test_ocr(user: User) -> None:
    results = run(user, "ocr", needs="tesseract")
    text = (results / "output" / "all.txt").read_text()
    assert "== invoice.png.txt\nINVOICE 1042\n" in text
    assert "== label.png.txt\nHANDLE WITH CARE\n" in text
    assert names_below(results / "texts") == ["invoice.png.txt", "label.png.txt"]


def test_markdown(user: User) -> None:
    results = run(user, "markdown", needs="pandoc")
    assert names_below(results / "output") == ["bicycle.html", "garden.html"]
    page = (results / "output" / "garden.html").read_text()
    assert "<title>garden</title>" in page
    assert "<td>onions</td>" in re.sub(r' style="[^"]*"', "", page)


def test_stills(user: User) -> None:
    results = run(user, "stills")
    videos = sorted(path.stem for path in (DATA / "videos").glob("*.mp4"))
    seconds = ["0", "0.5", "1"]
    assert names_below(results / "output") == sorted(
        f"{video}/{second}s.png" for video in videos for second in seconds
    )
    for name in names_below(results / "output"):
        content = (results / "output" / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert int.from_bytes(content[16:20], "big") == 120


def test_loudness(user: User, program_folder: Path) -> None:
    results = run(user, "loudness")
    levels = {
        name: measure_loudness(program_folder / "ffmpeg", results / "output" / name)
        for name in ("quiet.wav", "loud.wav")
    }
    assert levels["quiet.wav"] == pytest.approx(-16, abs=2)
    assert levels["loud.wav"] == pytest.approx(-16, abs=2)


def measure_loudness(ffmpeg: Path, sound: Path) -> float:
    """Integrated loudness in LUFS, by ffmpeg's meter."""
    done = subprocess.run(
        [ffmpeg, "-hide_banner", "-nostats", "-i", sound, "-af", "ebur128", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", done.stderr)[-1])


def test_csv_sql(user: User) -> None:
    results = run(user, "csv-sql", needs="sqlite3")
    with (results / "output" / "table.csv").open(newline="") as stream:
        found = {
            (row["file"], row["station"]): int(row["rain_mm"]) for row in csv.DictReader(stream)
        }
    wanted: Counter[tuple[str, str]] = Counter()
    for table in (DATA / "rain").iterdir():
        with table.open(newline="") as stream:
            for row in csv.DictReader(stream):
                wanted[table.name, row["station"]] += int(row["rain_mm"])
    assert found == wanted


def test_sweep(user: User) -> None:
    results = run(user, "sweep")
    with (results / "output" / "table.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(float(row["length_m"]), float(row["damping"])) for row in rows] == [
        (length, damping) for length in (0.5, 1.0, 1.5) for damping in (0, 0.1, 0.4)
    ]
    # A pendulum of one metre takes two seconds, a little more at 30 degrees.
    assert float(rows[3]["period_s"]) == pytest.approx(2.04, abs=0.01)


def test_letters(user: User) -> None:
    results = run(user, "letters")
    with (DATA / "members.csv").open(newline="") as stream:
        members = list(csv.DictReader(stream))
    assert names_below(results / "output") == sorted(f"{row['number']}.txt" for row in members)
    for row in members:
        letter = (results / "output" / f"{row['number']}.txt").read_text()
        assert letter == f"Dear {row['name']},\n\nseat {row['seat']} is yours.\n"


def test_dice(user: User) -> None:
    results = run(user, "dice", "-p", "seeds=3")
    found = re.fullmatch(r"3 tasks, mean ([\d.]+)\n", (results / "output" / "mean.txt").read_text())
    assert found is not None
    assert float(found[1]) == pytest.approx(3.5, abs=0.2)

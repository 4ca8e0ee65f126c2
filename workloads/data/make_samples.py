"""Make the example pictures, scans, PDFs, sounds and tables: small, and the same every time.

Usage: python make_samples.py    (the scans need ImageMagick's `convert` and the DejaVu fonts)
"""

import math
import struct
import subprocess
import wave
import zlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PAGES = {
    "timetable.pdf": ["Ferry timetable", "Harbour 08:10", "Island 08:55", "Harbour 09:40"],
    "recipe.pdf": ["Barley soup", "Soak the barley overnight.", "Cook it slowly with leeks."],
    "notice.pdf": ["Notice", "The reading room is closed on Monday."],
}
SCANS = {
    "invoice.png": ["INVOICE 1042", "Two lamps and one shade", "Total 86.50"],
    "label.png": ["HANDLE WITH CARE", "Glass jars", "12 pieces"],
}


def make_picture(target: Path, width: int, height: int, shift: int) -> None:
    """A PNG of soft waves of colour."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            wavy = math.sin((x + shift) / 17) + math.cos((y - shift) / 23)
            level = round(127 + 60 * wavy) // 8 * 8
            rows += bytes((level, (level + x * 128 // width) % 256, 255 - level))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b"")):
        crc = zlib.crc32(kind + data)
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)
    target.write_bytes(content)


def make_pdf(target: Path, lines: list[str]) -> None:
    """A PDF of one page, its text in Helvetica, with a table of where its objects start."""
    text = "BT /F1 18 Tf 72 760 Td 26 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    resources = "/Resources << /Font << /F1 5 0 R >> >>"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {resources} /Contents 4 0 R >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    content = "%PDF-1.4\n"
    starts = []
    for number, body in enumerate(objects, 1):
        starts.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{start:010d} 00000 n \n" for start in starts)
    content += (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF\n"
    )
    target.write_text(content, encoding="ascii")


def make_scan(target: Path, lines: list[str]) -> None:
    """A page of large print, as a scanner gives it: grey levels, no text in it."""
    subprocess.run(
        [
            *("convert", "-background", "white", "-fill", "black", "-font", "DejaVu-Sans"),
            *("-pointsize", "28", "label:" + "\n".join(lines), "-bordercolor", "white"),
            *("-border", "20", "-colorspace", "Gray", "-depth", "4", "-strip", str(target)),
        ],
        check=True,
    )


def make_sound(target: Path, hertz: float, loudness: float) -> None:
    """Two seconds of a tone at a loudness between 0 and 1."""
    rate = 8000
    with wave.open(str(target), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        for index in range(2 * rate):
            level = round(32767 * loudness * math.sin(2 * math.pi * hertz * index / rate))
            sound.writeframesraw(struct.pack("<h", level))


def make_table(target: Path, year: int) -> None:
    """Measurements of three stations, made up by a rule."""
    lines = ["station,month,rain_mm"]
    for number, station in enumerate(("harbour", "hill", "mill")):
        for month in range(1, 13):
            rain = 40 + 13 * ((number + 2) * month * (year % 7 + 3) % 11)
            lines.append(f"{station},{year}-{month:02d},{rain}")
    target.write_text("\n".join(lines) + "\n")


def main() -> None:
    """Make them all, each kind in its folder."""
    for name in ("pictures", "scans", "papers", "sounds", "rain"):
        (FOLDER / name).mkdir(exist_ok=True)
    for number, name in enumerate(("dunes", "tide", "orchard")):
        make_picture(FOLDER / "pictures" / f"{name}.png", 240 + 40 * number, 160, 31 * number)
    for name, lines in PAGES.items():
        make_pdf(FOLDER / "papers" / name, lines)
    for name, lines in SCANS.items():
        make_scan(FOLDER / "scans" / name, lines)
    make_sound(FOLDER / "sounds" / "quiet.wav", 440, 0.05)
    make_sound(FOLDER / "sounds" / "loud.wav", 330, 0.9)
    for year in (2023, 2024, 2025):
        make_table(FOLDER / "rain" / f"{year}.csv", year)


if __name__ == "__main__":
    main()

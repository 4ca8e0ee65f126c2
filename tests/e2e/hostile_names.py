"""File names that no one should give a file, as they come off a seeded die.

It knows nothing of batch-run but the words that would be code if a name became any: the program
`intruder`, which no task asks for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

LONGEST_BYTES = 200

_INJECTIONS = (
    "$(intruder)",
    "`intruder`",
    ";intruder;",
    "&intruder&",
    "|intruder",
    "\nintruder\n",
    "'$(intruder)'",
    '"$(intruder)"',
    "'; intruder; '",
    '"; intruder; "',
    "${IFS}intruder",
    "$'\\x24(intruder)'",
    "{{ intruder }}",
    "{% intruder %}",
    "x[$(intruder)]",
    "-exec intruder {} ;",
    "--help",
    "-rf",
    "-",
    "~root",
    "*",
    "?",
    "[a-z]",
    "!intruder",
    "#intruder",
    "a=$(intruder)",
    "%PATH%",
    "<(intruder)",
    ">intruder",
    "\\$(intruder)",
    "EOF\nintruder\nEOF",
)
_PIECES = (
    *(" ", "  ", "\t", "'", '"', "`", "$", "\\", ";", "&", "|", "<", ">", "(", ")", "{", "}"),
    *("[", "]", "*", "?", "!", "#", "~", "%", "^", "=", ",", "@", "+", ":", "-", "_", "."),
    *(
        "a",
        "Z",
        "0",
        "é",
        "ß",
        "ñ",
        "Ω",
        "中",
        "ん",
        "ע",
        "👩‍🚀",
        "🎉",
        "\u200b",
        "\u202e",
        "e\u0301",
    ),
)
_BAD_BYTES = (b"\xff", b"\xfe\x80", b"caf\xe9", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88")
_CONTROLS = (*map(chr, (1, 7, 8, 11, 12, 13, 27, 31, 127)), "\ufffe", "\uffff")


def hostile_names(count: int, seed: int) -> list[bytes]:
    """So many different names, each a valid one for a file of Linux."""
    dice = random.Random(seed)
    makers = _makers(dice)
    names: dict[bytes, None] = {}
    while len(names) < count:
        name = next(makers)
        if name not in {b"", b".", b".."} and b"/" not in name and b"\0" not in name:
            names[name[:LONGEST_BYTES]] = None
    return list(names)


def _makers(dice: random.Random) -> Iterator[bytes]:
    kinds: tuple[Callable[[random.Random], bytes], ...] = (
        *(_injection, _injection, _mixture, _mixture, _mixture),
        *(_long, _dots, _not_utf_8, _control, _almost_alike),
    )
    while True:
        for kind in kinds:
            yield kind(dice)


def _mixture(dice: random.Random) -> bytes:
    return "".join(dice.choices(_PIECES, k=dice.randint(1, 12))).encode()


def _injection(dice: random.Random) -> bytes:
    before, after = _mixture(dice).decode()[:3], _mixture(dice).decode()[:3]
    core = dice.choice(_INJECTIONS)
    return dice.choice((core, before + core, core + after, f"{before}{core}{after}.txt")).encode()


def _long(dice: random.Random) -> bytes:
    text = ""
    while len(text.encode()) < LONGEST_BYTES - 16:
        text += dice.choice(_PIECES)
    return text.encode()


def _dots(dice: random.Random) -> bytes:
    return (_mixture(dice).decode() + dice.choice((".", "..", ". ", " .", "...", ".x."))).encode()


def _not_utf_8(dice: random.Random) -> bytes:
    return _mixture(dice) + dice.choice(_BAD_BYTES)


def _control(dice: random.Random) -> bytes:
    return _mixture(dice) + dice.choice(_CONTROLS).encode() + _mixture(dice)


def _almost_alike(dice: random.Random) -> bytes:
    """Names that differ in a dot or in case, from a few letters so that they meet."""
    stem = dice.choice(("ab", "a.b", "aB", "A.b", "Ab", "a..b"))
    ending = dice.choice((".mp4", ".MP4", "..mp4"))
    return f"{stem}{dice.randint(0, 30)}{ending}".encode()

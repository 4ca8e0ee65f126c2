"""Secrets are found in every form that they travel in, and across any two reads."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from math import ceil
from urllib.parse import quote, quote_plus

import pytest

from runner.run.events import (
    CleanupFinished,
    LeftBehind,
    RunFinished,
    TaskAdded,
    UploadFinished,
)
from runner.run.records.redaction import Redaction, redacted

VALUE = 'p/ss+w"ord é=='
LINES = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nok\n-----END KEY-----\n"
MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE, ensure_ascii=False)[1:-1],
        quote(VALUE, safe=""),
        quote(VALUE),
        quote(VALUE, safe="").lower(),
        quote_plus(VALUE),
        base64.b64encode(VALUE.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(VALUE.encode()).decode().rstrip("="),
        VALUE.encode().hex(),
        VALUE.encode().hex().upper(),
    ],
)
def test_every_form_of_a_value(form: str) -> None:
    redaction = Redaction([VALUE])
    assert redaction.text(f"before {form} behind") == "before REDACTED behind"
    assert redaction.content(f"{form}{form}".encode()) == b"REDACTEDREDACTED"


@pytest.mark.parametrize("before", ["", "a", "ab", "me:"])
@pytest.mark.parametrize("behind", ["", "y", "yz", "xyz"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_value_within_what_is_encoded(
    before: str, behind: str, encode: Callable[[bytes], bytes]
) -> None:
    """At most the digits at its ends are left, which have bits of what is beside it."""
    text = encode(f"{before}{VALUE}{behind}".encode()).decode()
    clean = Redaction([VALUE]).text(text)
    left, mark, right = clean.partition("REDACTED")
    assert mark
    assert text.startswith(left)
    assert text.endswith(right)
    assert len(left) <= ceil(len(before) * 8 / 6) + 1
    assert len(right.rstrip("=")) <= ceil(len(behind) * 8 / 6) + 1


def test_a_value_that_a_program_of_windows_writes() -> None:
    redaction = Redaction(["hunter2hunter2"])
    content = "key: hunter2hunter2, é".encode("utf-16-le")
    assert redaction.content(content).decode("utf-16-le") == "key: REDACTED, é"
    target = io.BytesIO()
    with redaction.cleaning(target) as stream:
        stream.write(content)
    assert target.getvalue().decode("utf-16-le") == "key: REDACTED, é"


def test_every_line_of_a_value() -> None:
    redaction = Redaction([LINES])
    assert redaction.text(LINES) == "REDACTED"
    assert redaction.text("x MIIEpAIBAAKCAQEA ok") == "x REDACTED ok"


@pytest.mark.parametrize("value", ["", "short", "1234567"])
def test_what_is_too_short_would_ruin_other_texts(value: str) -> None:
    assert Redaction([value]).text("a short text, 12345678") == "a short text, 12345678"


def test_the_longer_of_two_that_begin_alike() -> None:
    redaction = Redaction(["password", "password-of-me"])
    assert redaction.text("password-of-me password") == "REDACTED REDACTED"


def test_what_is_learned_later() -> None:
    redaction = Redaction()
    assert redaction.text("hunter2hunter2") == "hunter2hunter2"
    redaction.learn("hunter2hunter2")
    assert redaction.text("hunter2hunter2") == "REDACTED"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://a/b?sv=1&sig=abc%2Bdef%3D&se=2", "https://a/b?sv=1&sig=REDACTED&se=2"),
        ("SharedKey me:c2lnbmF0dXJlMTIz=", "SharedKey me:REDACTED"),
        ("authorization: Bearer eyJ0.eyJh.abc-_d", "authorization: Bearer REDACTED"),
        ("AccountName=a;AccountKey=c2VjcmV0a2V5;X=1", "AccountName=a;AccountKey=REDACTED;X=1"),
        ("sign=abcdefghij config=abcdefghij", "sign=abcdefghij config=abcdefghij"),
        ("bearer of news", "bearer of news"),
        ("Authorization: Basic bWU6aHVudGVyMg==", "Authorization: Basic REDACTED"),
        ("authorization=basic bWU6aHVudGVyMg", "authorization=basic REDACTED"),
        ("basic authentication, BASIC training", "basic authentication, BASIC training"),
    ],
)
def test_keys_and_signatures_that_nobody_told_us_of(text: str, clean: str) -> None:
    assert Redaction().text(text) == clean
    assert Redaction().content(text.encode()) == clean.encode()


def test_characters_that_are_no_text() -> None:
    assert Redaction(["hunter2hunter2"]).text("\udcff=hunter2hunter2") == "\udcff=REDACTED"


@pytest.mark.parametrize("kept", range(1, 15))
def test_the_rest_of_a_value_that_a_tail_begins_with(kept: int) -> None:
    redaction = Redaction(["hunter2hunter2"])
    rest = b"hunter2hunter2"[-kept:]
    assert redaction.tail(rest + b" said hunter2hunter2", cut=True) in (
        b" said REDACTED",
        b"REDACTED said REDACTED",
    )
    assert redaction.tail(b"", cut=True) == b""
    assert redaction.tail(b"2 is plain", cut=False) == b"2 is plain"


@pytest.mark.parametrize("shift", [-28, -14, -13, -7, -1, 0, 1])
@pytest.mark.parametrize("size", [1000, MEBIBYTE, 3 * MEBIBYTE])
def test_a_value_across_two_pieces(shift: int, size: int) -> None:
    redaction = Redaction(["hunter2hunter2", "hunter2hunter2-and-much-more"])
    before, behind = b"x" * (MEBIBYTE + shift), b"y" * MEBIBYTE
    content = before + b"hunter2hunter2" + behind + b"hunter2hunter2-and-much-more"
    target = io.BytesIO()
    seen = 0
    with redaction.cleaning(target) as stream:
        for start in range(0, len(content), size):
            piece = content[start : start + size]
            assert stream.write(piece) == len(piece)
            assert b"hunter" not in bytes(target.getbuffer()[max(seen - len(b"hunter"), 0) :])
            seen = target.tell()
    assert target.getvalue() == before + b"REDACTED" + behind + b"REDACTED"


@pytest.mark.parametrize("values", [["hunter2hunter2"], []])
def test_a_second_try_begins_anew(values: list[str]) -> None:
    target = io.BytesIO()
    with Redaction(values).cleaning(target) as stream:
        stream.write(b"a" * MEBIBYTE + b"half of hunter2")
        stream.seek(0)
        stream.truncate()
        stream.write(b"whole")
    assert target.getvalue() == b"whole"


def test_events_keep_the_names_of_things() -> None:
    redaction = Redaction(["hunter2hunter2"])
    finished = RunFinished(
        exit_code=3, succeeded=0, failed=0, unfinished=1, error="no hunter2hunter2"
    )
    assert redacted(finished, redaction).error == "no REDACTED"
    left = LeftBehind(kind="pool", name="hunter2hunter2", why="hunter2hunter2", kept=False)
    cleaned = redacted(CleanupFinished(deleted=("hunter2hunter2",), left=(left,)), redaction)
    assert cleaned.deleted == ("REDACTED",)
    assert [(each.name, each.why) for each in cleaned.left] == [("hunter2hunter2", "REDACTED")]
    upload = UploadFinished(role="input", blob="hunter2hunter2", bytes=1)
    assert redacted(upload, redaction) is upload


def test_what_is_only_shown_keeps_no_name_with_a_secret() -> None:
    redaction = Redaction(["hunter2hunter2"])
    uploads = [UploadFinished(role="input", blob="a/hunter2hunter2.mp4", bytes=1)]
    (clean,) = redacted(uploads, redaction, also_names=True)
    assert clean == UploadFinished(role="input", blob="a/REDACTED.mp4", bytes=1)
    assert redacted(clean, redaction, also_names=True) is clean
    numbered = TaskAdded(task="00000042", item="00000042")
    shown = redacted(numbered, Redaction(["00000042"]), also_names=True)
    assert shown == TaskAdded(task="00000042", item="REDACTED")

"""Rules of faults as options and as JSON: what they mean, and what is said of what they cannot."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from runner.emulator.faults.parse import FaultError, load_rules, parse_option, parse_rules
from runner.emulator.faults.rules import (
    Effect,
    ErrorAnswer,
    Latency,
    Loss,
    NodeLoss,
    Occasion,
    Reset,
    ResizeError,
    Silence,
    Skew,
    Stage,
    StartTaskFailure,
    TaskError,
    Transfer,
    TransferFailure,
)

SECOND = timedelta(seconds=1)
FAULTS = (
    "`latency`, `reset`, `timeout`, `task-error`, `download-error`, `upload-error`,"
    " `start-task-failure`, `resize-error`, `preempt`, `unusable`, `clock`"
)
UPLOADS = "`FileUploadMiscError`, `FileUploadContainerNotFound` and `FileUploadAccessDenied`"
KEYS = "`service`, `account`, `operation`, `rate`, `every`, `after`, `first`, `code`, `retry-after`"
DURATION = "duration such as `40ms`, `1.5s`, `10m`, `2h` or `7d`"
SIGNS = "`+20m` is ahead of the time, `-20m` behind it"
ONE_NODE = NodeLoss(
    loss=Loss.PREEMPTED, nodes=1, share=None, delay=timedelta(), tasks=0, interval=None
)


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("latency=40ms", Latency(shortest=40 * SECOND / 1000, longest=40 * SECOND / 1000)),
        ("latency=0.5s..2m", Latency(shortest=SECOND / 2, longest=120 * SECOND)),
        ("503", ErrorAnswer(status=503, code=None, retry_after=SECOND, stage=Stage.BEFORE)),
        ("500", ErrorAnswer(status=500, code=None, retry_after=None, stage=Stage.BEFORE)),
        (
            "429=after retry-after=3s code=Slow",
            ErrorAnswer(status=429, code="Slow", retry_after=3 * SECOND, stage=Stage.AFTER),
        ),
        (
            "503 retry-after=none",
            ErrorAnswer(status=503, code=None, retry_after=None, stage=Stage.BEFORE),
        ),
        ("reset", Reset(stage=Stage.BEFORE)),
        ("reset=body", Reset(stage=Stage.BODY)),
        ("timeout", Silence(stage=Stage.BEFORE, length=None)),
        ("timeout=after for=2s", Silence(stage=Stage.AFTER, length=2 * SECOND)),
        ("task-error", TaskError(blame="ServerError", code=None)),
        ("task-error=ClientError code=Odd", TaskError(blame="ClientError", code="Odd")),
        (
            "download-error task=0001",
            TransferFailure(transfer=Transfer.DOWNLOAD, code="BlobDownloadMiscError"),
        ),
        (
            "upload-error=FileUploadAccessDenied",
            TransferFailure(transfer=Transfer.UPLOAD, code="FileUploadAccessDenied"),
        ),
        ("start-task-failure exit=7", StartTaskFailure(exit_code=7)),
        ("resize-error", ResizeError(code="AllocationFailed")),
        ("resize-error=AccountCoreQuotaReached", ResizeError(code="AccountCoreQuotaReached")),
        ("preempt", ONE_NODE),
        (
            "unusable share=0.5 at=10s tasks=20 each=1h",
            NodeLoss(
                loss=Loss.UNUSABLE,
                nodes=None,
                share=0.5,
                delay=10 * SECOND,
                tasks=20,
                interval=3600 * SECOND,
            ),
        ),
        ("clock=+20m", Skew(offset=1200 * SECOND)),
        ("clock=-1d", Skew(offset=-86400 * SECOND)),
    ],
)
def test_a_fault(text: str, effect: Effect) -> None:
    assert parse_option(text).effect == effect


def test_what_a_rule_strikes_and_how_often() -> None:
    rule = parse_option(
        "503  service=batch operation=create_*,GET_job account=One rate=0.25 every=3 after=7"
        " first=2"
    )
    assert rule.scope.patterns == (
        ("service", ("batch",)),
        ("account", ("one",)),
        ("operation", ("create_*", "get_job")),
    )
    assert rule.occasion == Occasion(rate=0.25, every=3, after=7, first=2)


def test_json_says_the_same_as_options() -> None:
    text = json.dumps(
        [
            {"fault": "503", "operation": ["create_*", "get_job"], "rate": 0.25, "first": 2},
            {"fault": "preempt", "nodes": 3},
        ]
    )
    assert parse_rules(text, "content") == (
        parse_option("503 operation=create_*,get_job rate=0.25 first=2"),
        parse_option("preempt nodes=3"),
    )
    assert parse_rules('{"fault": "reset"}', "content") == (parse_option("reset"),)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("slow", 1, f"`slow` is no fault; there are {FAULTS} and statuses such as `503`"),
        ("200", 1, "`200` is no status of an error, from 400 to 599"),
        ("503 opration=x", 5, f"`opration` is no key of `503`; its keys are {KEYS}"),
        ("503 rate=2", 5, "`rate`: `2` is not a number from 0 to 1"),
        ("503 rate=0.1 rate=0.2", 14, "`rate` is there a second time"),
        ("503 reset", 5, "`reset` is no `key=value`; a second fault is an option of its own"),
        (
            "upload-error=BlobNotFound",
            1,
            f"`upload-error`: `BlobNotFound` is none of {UPLOADS}",
        ),
        ("reset=later", 1, "`reset`: `later` is none of `before`, `after` and `body`"),
        ("latency=40", 1, f"`latency`: `40` is no {DURATION}"),
        ("latency=2s..1s", 1, "`latency`: `2s..1s` ends before it begins"),
        ("clock=20m", 1, f"`clock`: `20m` has no sign: {SIGNS}"),
        ("preempt nodes=2 share=0.5", 17, "`share` and `nodes` exclude each other"),
        ("latency=1s service=disk", 12, "`service`: `disk` is none of `batch` and `blob`"),
        (
            "503 operation=create_*,create_taks",
            5,
            "`create_taks` is no operation; did you mean `create_task`?",
        ),
        ("503 service=blob operation=*_pool", 18, "`*_pool` is no operation of `blob`"),
    ],
)
def test_an_option_that_cannot_be_read(text: str, position: int, message: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse_option(text)
    assert str(caught.value) == f"`--fault '{text}'`, character {position}: {message}"


def test_an_option_without_anything() -> None:
    with pytest.raises(FaultError) as caught:
        parse_option(" ")
    message = "`--fault` is empty; it takes a fault such as `latency=40ms` or `503`"
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{]", "f.json:1:3: expecting property name enclosed in double quotes"),
        ("[1]", 'f.json: rule 1 is no object such as `{"fault": "503", "rate": 0.1}`'),
        ("[{}]", "f.json: rule 1: `fault` is missing"),
        (
            '[{"fault": "reset"}, {"fault": "503", "rate": {}}]',
            "f.json: rule 2: `rate` is neither a text nor a number",
        ),
        (
            '[{"fault": "503", "every": 0}]',
            "f.json: rule 1: `every`: `0` is not an integer from 1",
        ),
    ],
)
def test_json_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse_rules(text, "f.json")
    assert str(caught.value) == message


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    with pytest.raises(FaultError) as caught:
        load_rules(path)
    assert str(caught.value) == f"`{path}` cannot be read: No such file or directory"
    path.write_bytes(b"[\xff]")
    with pytest.raises(FaultError) as caught:
        load_rules(path)
    assert str(caught.value) == f"`{path}` is not UTF-8: byte 2"

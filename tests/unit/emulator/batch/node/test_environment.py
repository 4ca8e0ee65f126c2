"""What reaches a task of the emulator's own environment."""

from __future__ import annotations

from runner.emulator.batch.node.environment import base_environment


def test_keeps_what_programs_need_and_nothing_else() -> None:
    needed = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "LANG": "C.UTF-8",
        "LC_ALL": "C",
        "LC_TIME": "de_DE",
        "TZ": "UTC",
        "USER": "me",
        "LOGNAME": "me",
        "TMPDIR": "/tmp",
        "SHELL": "/bin/sh",
    }
    secrets = {
        "AZURE_BATCH_ACCESS_KEY": "key",
        "AZURE_STORAGE_CONNECTION_STRING": "AccountKey=key",
        "AWS_SECRET_ACCESS_KEY": "key",
        "path": "lower",
        "PATHEXT": "",
        "XLC_ALL": "",
        "LD_PRELOAD": "evil.so",
    }
    assert base_environment({**secrets, **needed}) == needed


def test_is_a_copy() -> None:
    environ = {"PATH": "/bin"}
    base_environment(environ)["PATH"] = "changed"
    assert environ == {"PATH": "/bin"}

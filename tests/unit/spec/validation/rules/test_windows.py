"""What is on Windows nodes in particular."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

WINDOWS = """\
version: 1
name: topics
pool:
  image: windows 2022
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
  users: [{name: Worker, password_secret: WORKER}]
tasks:
  one: {command: echo}
  two: {command: echo, shell: powershell}
  three: {command: echo, environment: {PATH_A: x}}
"""


def test_windows() -> None:
    assert facts_of(WINDOWS) == []


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        (
            "name: Worker,",
            "name: ADMINISTRATOR,",
            "`ADMINISTRATOR` is a user of the system itself",
            "give the user another name",
        ),
        (
            "name: Worker,",
            "name: a/b,",
            "`a/b` cannot be the name of a user on Windows",
            'leave out `" / \\ [ ] : ; | = , + * ? < > @`, and do not end it with a dot',
        ),
        (
            "[{name: Worker, password_secret: WORKER}]",
            "[{name: a, password_secret: W}, {name: A, password_secret: W}]",
            "the user `A` is there twice",
            "give each user a name of its own",
        ),
        (
            "shell: powershell",
            "shell: bash",
            "`bash` is not on Windows nodes",
            "write the command for Windows: `shell: cmd` or `shell: powershell`",
        ),
        (
            "users: [{name: Worker, password_secret: WORKER}]",
            "packages: {apt: [jq]}",
            "`apt` installs nothing on Windows",
            "install what the tasks need in `start_task`, or bring it as an application",
        ),
        (
            "{PATH_A: x}",
            "{PATH_A: x, path_a: y}",
            "`path_a` is there twice: Windows knows no case of letters in names",
            "give the variable another name",
        ),
        (
            (
                "one: {command: echo}\n  two: {command: echo, shell: powershell}\n"
                "  three: {command: echo, environment: {PATH_A: x}}"
            ),
            "one: {command: echo, container: {image: x}}",
            "the image `windows 2022` runs no containers",
            "for example `image: windows 2022 containers`",
        ),
    ],
)
def test_windows_in_particular(old: str, new: str, message: str, hint: str) -> None:
    assert [fact[1:] for fact in facts_of(edited(WINDOWS, old, new))] == [(message, hint)]

"""How scripts of cmd and PowerShell travel: in the command line, or as files."""

from __future__ import annotations

from base64 import b64decode

import pytest

from runner.plan.command import command_line
from runner.plan.command_windows import CMD_FILE, POWERSHELL_FILE
from runner.spec.shells.shell import Shell


@pytest.mark.parametrize(
    ("script", "inside"),
    [
        ('prog "a b" & echo c', 'prog "a b" & echo c'),
        ("prog %AZ_BATCH_TASK_ID% %PATH%\n", "prog %AZ_BATCH_TASK_ID% %PATH%"),
        ('if exist a (b) else (c "d")', 'if exist a (b) else (c "d")'),
        ("prog a ^\n    b ^^^\n  c", "prog a  b ^^ c"),
        ("a\nb || c\n\nrem note\n:: more\nd > e\n", "(a)&&(b || c)&&(d > e)"),
        ('a "(x)" ^( \ncall b %AZ_BATCH_NODE_ID%', '(a "(x)" ^()&&(call b %AZ_BATCH_NODE_ID%)'),
    ],
)
def test_a_script_of_cmd_in_the_line(script: str, inside: str) -> None:
    command = command_line(script, Shell.CMD, {"A": "1"}, task="0001")
    assert command.line == f'cmd /d /s /c "{inside}"'
    assert (command.script, command.environment) == (script, {"A": "1"})
    assert (command.script_file, command.script_name) == (None, None)


CHECK = 'if not "%errorlevel%"=="0" exit /b %errorlevel%'


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        ("for %%i in (a b) do prog %%i", ["for %%i in (a b) do prog %%i", CHECK]),
        ("echo 5%%", ["echo 5%%", CHECK]),
        ("echo %1", ["echo %1", CHECK]),
        ("set A=1\necho %A%", ["set A=1", CHECK, "echo %A%", CHECK]),
        ("a %B%\nc", ["a %B%", CHECK, "c", CHECK]),
        (
            "if exist a (\n  b\n  c (d)\n) else (\n  e\n)\nf",
            ["if exist a (", "  b", "  c (d)", ") else (", "  e", ")", CHECK, "f", CHECK],
        ),
        (
            "goto x\nrem a\n:x\n:: b\n\na ^\nb\nexit /b 3",
            [
                *("goto x", CHECK, "rem a", ":x", ":: b", "", "a ^", "b", CHECK),
                *("exit /b 3", CHECK),
            ],
        ),
        ("echo (a)\necho :(\nb", ["echo (a)", CHECK, "echo :(", CHECK, "b", CHECK]),
    ],
)
def test_a_script_of_cmd_as_a_file(script: str, lines: list[str]) -> None:
    command = command_line(script, Shell.CMD, {}, task="0001")
    assert command.line == f'cmd /d /s /c ".\\{CMD_FILE}"'
    assert command.script_name == CMD_FILE
    assert command.script == "\r\n".join(["@echo off", "chcp 65001 > nul", *lines, ""])
    assert command.script_file is not None
    assert command.script_file.startswith("0001/script-")
    assert command.script_file.endswith(".cmd")


def test_a_long_script_of_cmd_is_a_file() -> None:
    assert command_line("a" * 7_900, Shell.CMD, {}, task="0001").script_name is None
    assert command_line("a" * 8_000, Shell.CMD, {}, task="0001").script_name == CMD_FILE


def test_a_script_of_powershell_in_the_line() -> None:
    command = command_line("prog 'é'; 'x' # end", Shell.POWERSHELL, {"A": "1"}, task="0001")
    before, _, encoded = command.line.rpartition(" ")
    assert before == (
        "powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand"
    )
    assert b64decode(encoded).decode("utf-16-le") == (
        "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; "
        "$global:LASTEXITCODE = 0; $PSNativeCommandUseErrorActionPreference = $true\n"
        "prog 'é'; 'x' # end\n"
        "exit $LASTEXITCODE\n"
    )
    assert (command.script, command.script_name) == ("prog 'é'; 'x' # end", None)
    assert command.environment == {"A": "1"}


def test_a_long_script_of_powershell_is_a_file() -> None:
    script = "prog 'a'\n" * 1_000
    command = command_line(script, Shell.POWERSHELL, {}, task="0001")
    assert command.line == (
        f"powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass -File .\\{POWERSHELL_FILE}"
    )
    assert command.script_name == POWERSHELL_FILE
    assert command.script_file is not None
    assert command.script_file.endswith(".ps1")
    assert command.script.startswith("\ufeff$ErrorActionPreference = 'Stop'; ")
    assert command.script.endswith("prog 'a'\r\n\r\nexit $LASTEXITCODE\r\n")


@pytest.mark.parametrize("shell", list(Shell))
def test_every_line_is_short(shell: Shell) -> None:
    script = "prog a\n" * 30_000 if shell is not Shell.NONE else "prog a"
    assert len(command_line(script, shell, {}, task="0001").line) <= 8_000

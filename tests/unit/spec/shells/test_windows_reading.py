"""Reading scripts of cmd and PowerShell takes time in proportion to their length."""

from __future__ import annotations

import time

import pytest

from runner.plan.command_windows import wrap_cmd
from runner.spec.shells.cmd_lexer import read_cmd_script
from runner.spec.shells.powershell_lexer import read_powershell_script

PIECES = [
    *("\0", "a\0", "\0 ", "%", "%A", "^", "^\n ", '"', '"\0" ', '"\0', "\\", "(", "[", "{", "$("),
    *("${", "$a", "@{", "@'\n", '@"\n', "'", "`", "#", "<#", "if (\n", "for ", "=", "==", "1>"),
    *("set \0 ", "cmd \0 | ", "iex \0 ", "python -c \0 ", "rem \0\n", ":\n", "-a:\0 ", "a%b%\n"),
]


@pytest.mark.parametrize("piece", PIECES)
def test_reading_takes_linear_time(piece: str) -> None:
    script = piece * (40_000 // len(piece))
    start = time.process_time()
    read_cmd_script(script)
    read_powershell_script(script)
    wrap_cmd(script)
    assert time.process_time() - start < 5  # it takes about a quarter of a second

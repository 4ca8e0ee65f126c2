"""Reading scripts of cmd and PowerShell takes time in proportion to their length."""

from __future__ import annotations

from functools import partial

import pytest

from runner.plan.command_windows import wrap_cmd
from runner.spec.shells.cmd_lexer import read_cmd_script
from runner.spec.shells.powershell_lexer import read_powershell_script
from tests.effort import assert_linear

PIECES = [
    *("\0", "a\0", "\0 ", "%", "%A", "^", "^\n ", '"', '"\0" ', '"\0', "\\", "(", "[", "{", "$("),
    *("${", "$a", "@{", "@'\n", '@"\n', "'", "`", "#", "<#", "if (\n", "for ", "=", "==", "1>"),
    *("set \0 ", "cmd \0 | ", "iex \0 ", "python -c \0 ", "rem \0\n", ":\n", "-a:\0 ", "a%b%\n"),
]


@pytest.mark.parametrize("piece", PIECES)
def test_reading_takes_linear_time(piece: str) -> None:
    assert_linear(lambda count: partial(read_cmd_script, piece * count), 100)
    assert_linear(lambda count: partial(read_powershell_script, piece * count), 100)
    assert_linear(lambda count: partial(wrap_cmd, piece * count), 100)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["%", "%A", '"', "$(", "${", "<#", "[", "$a"])
def test_no_pattern_goes_back_and_forth(piece: str) -> None:
    """Read in less than a second; where all of it is looked through for each piece, in minutes."""
    for read in (read_cmd_script, read_powershell_script, wrap_cmd):
        read(piece * (400_000 // len(piece)))

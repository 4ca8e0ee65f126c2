"""Reads a PowerShell script in one pass and says how the value of each expression can be passed.

It follows PowerShell's two modes, of commands and of expressions. A mistake costs a wrong word
rather than a command: values are passed in variables, which PowerShell does not read as code. It
knows nothing of values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto

from runner.spec.shell_cursor import HOLE, Fault
from runner.spec.shell_powershell_words import (
    check_statement,
    evaluates_arguments,
    runs_elsewhere,
)
from runner.spec.shell_words import Word

SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
DOUBLE_QUOTES = '"\u201c\u201d\u201e'
_VARIABLE = re.compile(r"\$(?:\{[^}\0]*\}|[A-Za-z0-9_]+(?::[A-Za-z0-9_]+)*|[$?^])")
_OPEN_VARIABLE = re.compile(r"\$[A-Za-z0-9_]*:?$|\$\{[^}]*$")
_NAME_BEFORE = re.compile(r"\$[A-Za-z0-9_:]+$")
_HERE_STRING = re.compile(rf"@([{SINGLE_QUOTES}{DOUBLE_QUOTES}])[ \t]*\n")
_HERE_END = re.compile(rf"\n[{DOUBLE_QUOTES}]@")
_SINGLE_HERE_END = re.compile(rf"\n[{SINGLE_QUOTES}]@")
_SINGLE_TEXT = re.compile(rf"[^{SINGLE_QUOTES}]*(?:[{SINGLE_QUOTES}]{{2}}[^{SINGLE_QUOTES}]*)*")
_PARAMETER = re.compile(r"-[A-Za-z_][A-Za-z0-9_]*:", re.ASCII)
_BARE = re.compile(rf"[^\s`$(){{}}\[\];|&,<>=\0{SINGLE_QUOTES}{DOUBLE_QUOTES}]+")
_KEYWORDS = frozenset(
    {"begin", "break", "catch", "class", "continue", "data", "do", "dynamicparam", "else"}
    | {"elseif", "end", "enum", "exit", "filter", "finally", "for", "foreach", "function", "if"}
    | {"param", "process", "return", "switch", "throw", "trap", "try", "until", "using", "while"}
)
_VALUE_KEYWORDS = frozenset({"return", "throw", "exit"})
_FIRST_KEYWORDS = frozenset({"param", "using"})
_VALUE_BEFORE = frozenset(" \t\n(,;=[{!+*/%|<>")
_VALUE_BEHIND = frozenset(" \t\n),;]}|+-*/%")
_DEEPEST = 100


class PowerShellPlace(Enum):
    """A place whose text PowerShell reads as something other than a value, and the way out."""

    SINGLE_QUOTES = ("in single quotes", 'write double quotes: `"...{{ ... }}"`')
    COMMENT = ("in a comment", "take it out; literal braces are `{{ '{{' }}`")
    BACKTICK = ("directly behind a backtick", "take it away: values need no escaping")
    VARIABLE = ("as the name of a variable", "write a name of your own; behind one: `${name}`")
    TYPE = ("in a type's name", "write a name of your own")
    COMMAND = (
        "where a command starts",
        "write `& {{ ... }}` to run what it names, `Write-Output {{ ... }}` to print it",
    )
    MIXED = ("beside quotes, variables or brackets", 'write the whole as `"...{{ ... }}..."`')
    PARAMETER = ("directly behind a parameter's `:`", "write a space instead of the `:`")
    MEMBER = ("beside other characters of a calculation", 'as text: `"...{{ ... }}..."`')
    METHOD = ("in arguments that are run as code", "write what is meant without it")
    ELSEWHERE = (
        "in a block that runs elsewhere",
        "put it into a variable before, `$x = {{ ... }}`, and write `$using:x` here",
    )

    @property
    def message(self) -> str:
        """What is wrong."""
        return f"an expression cannot stand {self.value[0]}"

    @property
    def hint(self) -> str:
        """What to do instead."""
        return self.value[1]


class Passing(Enum):
    """What stands in an expression's place."""

    WORD = auto()  # an argument of its own
    PART = auto()  # of an argument that is written as an expandable string
    TEXT = auto()  # in an expandable string of the author
    VALUE = auto()  # in a calculation: numbers stay numbers


@dataclass(slots=True)
class PowerShellPlacement:
    """How one expression's value is passed.

    `is_argument`: it may go to a program, for which Windows PowerShell escapes nothing. `is_last`:
    nothing follows it in its text. `may_be_bare`: a plain value may stand without a variable.
    """

    passing: Passing = Passing.WORD
    is_argument: bool = False
    is_last: bool = True
    may_be_bare: bool = True
    starts_word: bool = False
    follows_expressions: bool = False
    is_command: bool = False


@dataclass(frozen=True, slots=True)
class PowerShellReading:
    """How to pass each expression, what is wrong, and where words need double quotes."""

    placements: tuple[PowerShellPlacement, ...]
    faults: tuple[Fault, ...]
    quotes: tuple[int, ...]


class _Mode(Enum):
    START = auto()
    COMMAND = auto()
    EXPRESSION = auto()


class _Kind(Enum):
    STATEMENTS = auto()
    STRING = auto()
    HERE_STRING = auto()


@dataclass(slots=True)
class _Frame:
    kind: _Kind
    start: int
    opener: str = ""
    closer: str = ""
    mode: _Mode = _Mode.START
    takes_value: bool = False  # where a command could start, a value may stand
    is_called: bool = False  # behind `&` or `.`: the next word is a command's name
    is_table: bool = False
    is_compound: bool = False  # an `if`, a loop or the like: behind a block more can follow
    place: PowerShellPlace | None = None  # why no expression may stand here at all
    word: Word | None = None
    words: list[Word] = field(default_factory=list)
    commands: list[list[Word]] = field(default_factory=list)
    holes: list[int] = field(default_factory=list)  # of the statement, nested ones included


def read_powershell_script(
    script: str, raw_holes: frozenset[int] = frozenset()
) -> PowerShellReading:
    """Reads a script with a NUL for each expression; those in `raw_holes` may stand anywhere."""
    reader = _Reader(script, raw_holes)
    reader.read()
    reader.faults.sort(key=lambda fault: fault.position)
    return PowerShellReading(
        tuple(reader.placements), tuple(reader.faults), tuple(sorted(reader.quotes))
    )


class _Reader:
    def __init__(self, script: str, raw_holes: frozenset[int]) -> None:
        self.text = script
        self.raw_holes = raw_holes
        self.position = 0
        self.frames = [_Frame(_Kind.STATEMENTS, 0)]
        self.placements: list[PowerShellPlacement] = []
        self.positions: list[int] = []
        self.faults: list[Fault] = []
        self.refused: set[int] = set()
        self.quotes: list[int] = []

    def read(self) -> None:
        while self.position < len(self.text):
            frame = self.frames[-1]
            if len(self.frames) > _DEEPEST:
                message = f"the script is nested more than {_DEEPEST} deep"
                self.faults.append(Fault(frame.start, len(frame.opener), "too-deep", message, None))
                return
            if frame.kind is _Kind.STATEMENTS:
                self._step(frame)
            else:
                self._step_in_string(frame)
        frame = self.frames[-1]
        if frame.kind is _Kind.STATEMENTS:
            self._end_statement(frame)
        if frame.closer:
            is_quote = frame.kind is not _Kind.STATEMENTS
            self._unclosed(frame.start, frame.opener, is_quote=is_quote)

    def _step_in_string(self, frame: _Frame) -> None:
        character = self.text[self.position]
        if frame.kind is _Kind.HERE_STRING:
            if _HERE_END.match(self.text, self.position):
                self.position += len(frame.closer)
                self.frames.pop()
                return
        elif character in DOUBLE_QUOTES:
            is_double = self.text[self.position + 1 : self.position + 2] in tuple(DOUBLE_QUOTES)
            self.position += 2 if is_double else 1
            if not is_double:
                self.frames.pop()
            return
        match character:
            case "\0":
                self._hole_in_string(frame)
            case "`":
                self._backtick()
            case "$" if self.text.startswith("$(", self.position):
                self._push("$(", ")")
            case "$":
                self._variable()
            case _:
                self._outer_word().add_quoted(character)
                self.position += 1

    def _step(self, frame: _Frame) -> None:
        character = self.text[self.position]
        here = _HERE_STRING.match(self.text, self.position)
        if character in " \t":
            self._end_word(frame)
            self.position += 1
        elif character in "\n;":
            self._end_statement(frame)
            self.position += 1
        elif self.text.startswith("<#", self.position):
            self._end_word(frame)
            end = self.text.find("#>", self.position)
            self._skip(len(self.text) if end < 0 else end + 2, PowerShellPlace.COMMENT)
        elif character == "#" and frame.word is None:
            end = self.text.find("\n", self.position)
            self._skip(len(self.text) if end < 0 else end, PowerShellPlace.COMMENT)
        elif here is not None:
            self._here_string(frame, here)
        elif character in SINGLE_QUOTES:
            self._single_quotes(frame)
        elif character in DOUBLE_QUOTES:
            self._begin(frame)
            self._word(frame).add_expansion()
            string = _Frame(_Kind.STRING, self.position, character, '"', place=frame.place)
            self.frames.append(string)
            self.position += 1
        elif character == HOLE:
            self._hole(frame)
        elif character == "`":
            self._begin(frame)
            self._backtick()
        elif character == "$" and not self.text.startswith("$(", self.position):
            self._begin(frame)
            self._variable()
        elif character in "|&":
            self._pipe(frame, character)
        elif character in "({[" or self.text.startswith(("$(", "@(", "@{"), self.position):
            self._open(frame, character)
        elif character in ")}]":
            self._close(frame, character)
        elif character in "=,<>":
            self._operator(frame, character)
        else:
            self._bare(frame)

    def _bare(self, frame: _Frame) -> None:
        found = _BARE.match(self.text, self.position)
        text = found.group() if found else self.text[self.position]
        if text == "--%":
            message = "`--%` turns off the reading of the script"
            hint = "write the arguments as they are, in quotes where they need them"
            self.faults.append(Fault(self.position, 3, "bad-script", message, hint))
        if frame.mode is _Mode.START and frame.word is None and not frame.is_called:
            if text == "." and self.text[self.position + 1 : self.position + 2] in {" ", "\t"}:
                frame.is_called = True
                self.position += 1
                return
            if text[0] in "+-!0123456789@" or frame.is_table:
                frame.mode = _Mode.COMMAND if frame.is_table else _Mode.EXPRESSION
        if frame.mode is not _Mode.EXPRESSION:
            self._word(frame).add_bare(text)
        self.position += len(text)

    def _begin(self, frame: _Frame) -> None:
        """Something that is no bare word: where a statement starts, it starts a calculation."""
        if frame.mode is _Mode.START and frame.word is None:
            frame.mode = _Mode.COMMAND if frame.is_called else _Mode.EXPRESSION

    def _operator(self, frame: _Frame, character: str) -> None:
        if character == "=" and (frame.mode is _Mode.EXPRESSION or frame.is_table):
            self._end_word(frame)
            frame.words = []
            if self.text[self.position - 1 : self.position] not in {"=", "!", "<", ">"}:
                frame.mode = _Mode.START
                frame.takes_value = True
        elif character == "=":
            self._word(frame).add_bare("=")
        else:
            self._end_word(frame)
        self.position += 1

    def _pipe(self, frame: _Frame, character: str) -> None:
        is_call = character == "&" and frame.mode is _Mode.START and frame.word is None
        if is_call and not self.text.startswith("&&", self.position):
            frame.is_called = True
            self.position += 1
            return
        if self.text[self.position - 1 : self.position] in {"<", ">"}:  # 2>&1
            self.position += 1
            return
        self._end_command(frame)
        self.position += 1

    def _open(self, frame: _Frame, character: str) -> None:
        opener = self.text[self.position : self.position + 1 + (character in "$@")]
        if opener == "[":
            self._open_bracket(frame)
            return
        if frame.mode is _Mode.START and frame.word is not None and _is_keyword(frame.word):
            self._end_word(frame)  # `if(`, `else{`
        is_method = frame.mode is _Mode.EXPRESSION and evaluates_arguments(
            self.text[max(self.position - 60, 0) : self.position]
        )
        is_remote = opener == "{" and runs_elsewhere(frame.words)
        keeps_start = opener == "{" and frame.mode is _Mode.START
        if not keeps_start:
            self._begin(frame)
        if frame.mode is not _Mode.EXPRESSION and not keeps_start:
            self._word(frame).add_expansion()
        place = PowerShellPlace.METHOD if is_method else None
        if is_remote:
            place = PowerShellPlace.ELSEWHERE
        self._push(opener, "}" if opener[-1] == "{" else ")", place)

    def _open_bracket(self, frame: _Frame) -> None:
        before = self.text[self.position - 1 : self.position]
        self._begin(frame)
        if frame.mode is not _Mode.EXPRESSION:
            self._word(frame).add_bare("[")
            self.position += 1
        elif before and (before.isalnum() or before in "_)]}\"'"):
            self._push("[", "]", mode=_Mode.EXPRESSION)
        else:
            self._push("[", "]", PowerShellPlace.TYPE, mode=_Mode.EXPRESSION)

    def _push(
        self,
        opener: str,
        closer: str,
        place: PowerShellPlace | None = None,
        mode: _Mode = _Mode.START,
    ) -> None:
        outer = self.frames[-1]
        frame = _Frame(_Kind.STATEMENTS, self.position, opener, closer, mode)
        frame.takes_value = opener[-1] == "("
        frame.is_table = opener == "@{"
        frame.place = place or outer.place
        self.frames.append(frame)
        self.position += len(opener)

    def _close(self, frame: _Frame, character: str) -> None:
        if character != frame.closer:
            self._begin(frame)
            if frame.mode is not _Mode.EXPRESSION:
                self._word(frame).add_bare(character)
            self.position += 1
            return
        self._end_statement(frame)
        self.frames.pop()
        self.position += 1
        outer = self.frames[-1]
        if frame.opener == "{" and outer.is_compound:
            outer.word, outer.words, outer.mode = None, [], _Mode.START
            outer.takes_value = outer.is_called = False

    def _hole(self, frame: _Frame) -> None:
        index, placement = self._add_hole()
        at = self.position
        before, behind = self.text[max(at - 1, 0) : at], self.text[at + 1 : at + 2]
        self.position += 1
        if index in self.raw_holes:
            if frame.mode is not _Mode.EXPRESSION:
                self._word(frame, at).add_expansion()
            return
        if frame.place is not None:
            self._misplace(index, frame.place)
        if frame.mode is _Mode.START and frame.word is None and not frame.is_called:
            if not frame.takes_value:
                self._misplace(index, PowerShellPlace.COMMAND)
            frame.mode = _Mode.EXPRESSION
        if frame.mode is _Mode.EXPRESSION:
            placement.passing = Passing.VALUE
            is_alone = (not before or before in _VALUE_BEFORE) and (
                not behind or behind in _VALUE_BEHIND
            )
            if not is_alone:
                self._misplace(index, PowerShellPlace.MEMBER)
            return
        word = self._word(frame, at)
        placement.is_argument = True
        placement.may_be_bare = behind not in {"<", ">"}
        placement.is_last = not behind or behind in " \t\n;|,)}"
        placement.starts_word = at == word.start + len(word.own_holes)
        placement.follows_expressions = placement.starts_word and bool(word.own_holes)
        for each in self.frames:
            if each.word is not None:
                each.word.add_hole(index, is_own=each is frame)

    def _hole_in_string(self, frame: _Frame) -> None:
        index, placement = self._add_hole()
        at = self.position
        self.position += 1
        if index in self.raw_holes:
            return
        outer = next(each for each in reversed(self.frames) if each.kind is _Kind.STATEMENTS)
        if outer.place is not None:
            self._misplace(index, outer.place)
        if _OPEN_VARIABLE.search(self.text, max(at - 80, frame.start), at) is not None:
            match = _NAME_BEFORE.search(self.text, max(at - 80, frame.start), at)
            if match is None or match.group().endswith(":"):
                self._misplace(index, PowerShellPlace.VARIABLE)
        placement.passing = Passing.TEXT
        placement.is_argument = outer.mode is _Mode.COMMAND
        placement.may_be_bare = _NAME_BEFORE.search(self.text, max(at - 80, 0), at) is None
        placement.is_last = self.text[at + 1 : at + 2] in tuple(DOUBLE_QUOTES)
        first = frame.start + len(frame.opener)
        is_first = self.text[first:at].strip(HOLE) == ""
        placement.starts_word = is_first and placement.is_argument
        placement.follows_expressions = placement.starts_word and at > first
        for each in self.frames:
            if each.word is not None:
                each.word.add_hole(index, is_own=False)

    def _add_hole(self) -> tuple[int, PowerShellPlacement]:
        placement = PowerShellPlacement()
        self.placements.append(placement)
        self.positions.append(self.position)
        for frame in self.frames:
            frame.holes.append(len(self.placements) - 1)
        return len(self.placements) - 1, placement

    def _variable(self) -> None:
        found = _VARIABLE.match(self.text, self.position)
        self._outer_word().add_quoted(found.group() if found else "$")
        self._outer_word().add_expansion()
        if found is not None:
            self.position = found.end()
            return
        following = self.text[self.position + 1 : self.position + 2]
        end = self.position + 1
        if following == "{":
            closed = self.text.find("}", self.position)
            end = len(self.text) if closed < 0 else closed + 1
        elif following == HOLE:
            end += 1
        self._skip(end, PowerShellPlace.VARIABLE)

    def _backtick(self) -> None:
        following = self.text[self.position + 1 : self.position + 2]
        if following == HOLE:
            self.position += 1
            self._skip(self.position + 1, PowerShellPlace.BACKTICK)
            return
        if following != "\n":
            self._outer_word().add_quoted(following)
        elif self.frames[-1].kind is _Kind.STATEMENTS:
            self._end_word(self.frames[-1])
        self.position += 2

    def _single_quotes(self, frame: _Frame) -> None:
        self._begin(frame)
        start = self.position
        found = _SINGLE_TEXT.match(self.text, start + 1)
        end = found.end() if found else start + 1
        if end >= len(self.text):
            self._unclosed(start, self.text[start], is_quote=True)
        word = self._word(frame)
        word.add_quoted(self.text[start + 1 : end].replace(HOLE, ""))
        self._skip(min(end + 1, len(self.text)), PowerShellPlace.SINGLE_QUOTES)

    def _here_string(self, frame: _Frame, opening: re.Match[str]) -> None:
        self._begin(frame)
        start, quote = self.position, opening.group(1)
        if quote in DOUBLE_QUOTES:
            self._word(frame).add_expansion()
            string = _Frame(_Kind.HERE_STRING, start, opening.group(), '\n"@', place=frame.place)
            self.frames.append(string)
            self.position = opening.end() - 1  # the newline may be that of the closer
            return
        self._word(frame).add_quoted("")
        closed = _SINGLE_HERE_END.search(self.text, opening.end() - 1)
        if closed is None:
            self._unclosed(start, "@'", is_quote=True)
        end = len(self.text) if closed is None else closed.end()
        self._skip(end, PowerShellPlace.SINGLE_QUOTES)

    def _skip(self, end: int, place: PowerShellPlace) -> None:
        """Goes to `end` over text in which an expression has no business."""
        while self.position < end:
            if self.text[self.position] == HOLE:
                index, _ = self._add_hole()
                self._misplace(index, place)
            self.position += 1

    def _word(self, frame: _Frame, start: int | None = None) -> Word:
        if frame.word is None:
            frame.word = Word(self.position if start is None else start)
        return frame.word

    def _outer_word(self) -> Word:
        frame = next(each for each in reversed(self.frames) if each.kind is _Kind.STATEMENTS)
        return self._word(frame)

    def _end_word(self, frame: _Frame) -> None:
        word, frame.word = frame.word, None
        if word is None or frame.mode is _Mode.EXPRESSION:
            return
        text = "".join(word.cooked)
        if frame.mode is _Mode.START and not frame.is_called:
            keyword = text.lower()
            if _is_keyword(word):
                if keyword in _FIRST_KEYWORDS and not frame.closer:
                    message = f"`{keyword}` must stand first in a script, where other lines come"
                    self.faults.append(
                        Fault(word.start, len(keyword), "bad-script", message, "leave it away")
                    )
                frame.takes_value = keyword in _VALUE_KEYWORDS
                frame.is_compound = not frame.takes_value
                return
        is_name = not frame.words
        frame.words.append(word)
        frame.mode = _Mode.COMMAND
        frame.is_called = False
        self._place_word(word, is_name=is_name)

    def _place_word(self, word: Word, *, is_name: bool) -> None:
        """A word with expressions and other text is written as an expandable string."""
        if not word.own_holes:
            return
        if word.is_hole:
            self.placements[word.holes[0]].is_command = is_name
            return
        if word.is_dynamic or len(word.own_holes) != len(word.holes) or _is_mixed(self.text, word):
            for hole in word.own_holes:
                self._misplace(hole, PowerShellPlace.MIXED)
            return
        if _PARAMETER.fullmatch(word.before_hole or ""):
            self._misplace(word.own_holes[0], PowerShellPlace.PARAMETER)
        for hole in word.own_holes:
            self.placements[hole].passing = Passing.PART
        self.quotes.extend((word.start, _end_of(self.text, word)))

    def _end_command(self, frame: _Frame) -> None:
        self._end_word(frame)
        frame.commands.append(frame.words)
        frame.words = []
        frame.mode = _Mode.START
        frame.takes_value = frame.is_called = False

    def _end_statement(self, frame: _Frame) -> None:
        self._end_command(frame)
        frame.is_compound = False
        commands, holes = frame.commands, frame.holes
        frame.commands, frame.holes = [], []
        for hole, message, hint in check_statement(commands, holes):
            self._refuse(hole, message, hint)

    def _unclosed(self, start: int, opener: str, *, is_quote: bool) -> None:
        shown = opener.strip()
        message = f"{'the quote ' if is_quote else ''}`{shown}` is never closed"
        code = "unclosed-quote" if is_quote else "unclosed"
        self.faults = [fault for fault in self.faults if fault.position < start]
        self.faults.append(Fault(start, len(shown), code, message, None))

    def _misplace(self, hole: int, place: PowerShellPlace) -> None:
        self._refuse(hole, place.message, place.hint)

    def _refuse(self, hole: int, message: str, hint: str) -> None:
        if hole not in self.raw_holes and hole not in self.refused:
            self.refused.add(hole)
            fault = Fault(self.positions[hole], 1, "misplaced-expression", message, hint)
            self.faults.append(fault)


def _is_keyword(word: Word) -> bool:
    is_bare = word.is_bare and not word.is_dynamic and not word.holes
    return is_bare and "".join(word.cooked).lower() in _KEYWORDS


def _end_of(script: str, word: Word) -> int:
    """Where a word of bare text and expressions ends."""
    at = word.start
    while at < len(script):
        found = _BARE.match(script, at)
        if found is not None:
            at = found.end()
        elif script[at] in {HOLE, "=", "[", "]"}:
            at += 1
        else:
            break
    return at


def _is_mixed(script: str, word: Word) -> bool:
    """Whether there is more in it than bare text and expressions, such as an escape."""
    end = _end_of(script, word)
    behind = script[end : end + 1]
    return bool(behind) and behind not in " \t\n;|&,)}<>"

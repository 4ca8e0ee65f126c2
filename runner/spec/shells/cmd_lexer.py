"""Reads a script of cmd in one pass and says where in it expressions stand.

It reads as cmd reads a batch file: `%` first, then quotes and carets, then words. Values stand in
the script itself, so whether a place is in quotes must be right: where another reading is possible,
an expression is refused. It knows nothing of values.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import field

from runner.frozen import dataclass
from runner.spec.shells.cmd_words import check_cmd_command, names_of
from runner.spec.shells.cursor import HOLE, Fault
from runner.spec.shells.place import Place
from runner.spec.shells.words import Word

# `%%`, `%NAME%`, `%NAME:a=b%`, `%1`, `%*`, `%~dp0`; a quote in one is read before any other.
_PERCENT = re.compile(
    r"%%|%[A-Za-z_][A-Za-z0-9_().-]*(?::[^%\"\n\0]*)?%|%[0-9*]|%~[A-Za-z]*[0-9]", re.ASCII
)
_QUOTED_PERCENT = re.compile(_PERCENT.pattern.replace(r"\"", ""), re.ASCII)
_LOOP_VARIABLE = re.compile(r"%%[~A-Za-z$:]{0,20}$", re.ASCII)
_RELATION = r"(?:==|\b(?:equ|neq|lss|leq|gtr|geq)\b)"
_COMPARED_BEFORE = re.compile(rf'{_RELATION}[ \t]*"?$', re.IGNORECASE)
_COMPARED_BEHIND = re.compile(rf'"?[ \t]*{_RELATION}', re.IGNORECASE)
_BREAKS = frozenset('&|()<> \t\n^"\0%')


class CmdPlace(Place):
    """A place whose text cmd reads as something other than one word, and what to do instead."""

    COMMENT = ("in a comment", "take it out; literal braces are `{{ '{{' }}`")
    LABEL = ("in a label", "write a label of your own")
    CARET = ("directly behind `^`", "take it away: values need no escaping")
    PERCENT = (
        "in a line with a `%` that could start a variable's name",
        "the value is no variable: write no `%` around it; a literal percent sign is `%%`",
    )
    LOOP_VARIABLE = ("directly behind a loop variable", "write a character between them")
    QUOTE = ("directly beside a quote", 'write it inside: `"...{{ ... }}"`')
    BACKSLASH_QUOTE = (
        'in a command with `\\"`',
        "cmd and programs read that as different quotes: write `shell: powershell`",
    )
    DESCRIPTOR = ("as a file descriptor", "write `> {{ ... }}` for a file")


@dataclasses.dataclass(slots=True)
class CmdPlacement:
    """How one expression's value is written.

    `in_quotes`: of the author; `ends_quotes`: with nothing behind it there. `may_be_bare`: a plain
    value needs no quotes of its own. `joins_next`: another expression follows at once.
    The others as in a POSIX shell's `Placement`.
    """

    in_quotes: bool = False
    ends_quotes: bool = False
    may_be_bare: bool = True
    joins_next: bool = False
    starts_word: bool = False
    follows_expressions: bool = False
    is_word: bool = False
    is_command: bool = False


@dataclass(frozen=True, slots=True)
class CmdReading:
    """How to write each expression, in order, and what is wrong."""

    placements: tuple[CmdPlacement, ...]
    faults: tuple[Fault, ...]


def read_cmd_script(script: str, raw_holes: frozenset[int] = frozenset()) -> CmdReading:
    """Reads a script with a NUL for each expression; those in `raw_holes` may stand anywhere."""
    reader = _Reader(script, raw_holes)
    reader.read()
    reader.faults.sort(key=lambda fault: fault.position)
    return CmdReading(tuple(reader.placements), tuple(reader.faults))


@dataclasses.dataclass(slots=True)
class _Reader:
    text: str
    raw_holes: frozenset[int]
    position: int = 0
    placements: list[CmdPlacement] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    words: list[Word] = field(default_factory=list)
    word: Word | None = None
    quote_start: int | None = None
    depth: int = 0
    is_target: bool = False
    has_backslash_quote: bool = False
    unclear: frozenset[int] = frozenset()  # places of expressions

    def read(self) -> None:
        self.unclear = frozenset(_behind_percents(self.text))
        while self.position < len(self.text):
            if self.quote_start is None:
                self._step()
            else:
                self._step_in_quotes()
        self._end_line()

    def _step_in_quotes(self) -> None:
        character = self.text[self.position]
        if character == HOLE:
            self._hole()
        elif character == "\n":
            self._end_line()
            self.position += 1
        elif not self._skip_percent():
            self._current().add_quoted("" if character == '"' else character)
            if character == '"':
                self._note_quote()
                self.quote_start = None
            self.position += 1

    def _step(self) -> None:
        character = self.text[self.position]
        match character:
            case "\0":
                self._hole()
            case '"':
                self._note_quote()
                self._current().add_quoted("")
                self.quote_start = self.position
                self.position += 1
            case "^":
                self._caret()
            case "\n":
                self._end_line()
                self.position += 1
            case " " | "\t":
                self._end_word()
                self.position += 1
            case "&" | "|":
                self._end_command()
                self.position += 1
            case "<" | ">":
                self._redirection()
            case "(" | ")":
                self._parenthesis(character)
            case _:
                self._bare(character)

    def _bare(self, character: str) -> None:
        if character == ":" and not self.words and self.word is None and not self.is_target:
            is_label = not self.text.startswith("::", self.position)
            self._skip_line(CmdPlace.LABEL if is_label else CmdPlace.COMMENT)
            return
        if self._skip_percent():
            return
        word, start = self._current(), self.position
        self.position += 1
        while self.position < len(self.text) and self.text[self.position] not in _BREAKS:
            self.position += 1
        word.add_bare(self.text[start : self.position])

    def _skip_percent(self) -> bool:
        """Goes behind what is replaced before anything else is read."""
        percent = _QUOTED_PERCENT.match(self.text, self.position)
        if percent is None:
            return False
        self._current().add_bare(percent.group())
        self.position = percent.end()
        return True

    def _caret(self) -> None:
        following = self.text[self.position + 1 : self.position + 2]
        if following == HOLE:
            self.position += 1
            self._hole(CmdPlace.CARET)
        elif following == "\n":
            behind = self.text[self.position + 2 : self.position + 3]
            if behind not in {" ", "\t", ""}:
                message = "the line behind `^` does not start with a space"
                hint = "cmd takes the first character of a continued line as text: indent the line"
                self.faults.append(Fault(self.position, 1, "bad-continuation", message, hint))
            self.position += 2
        else:
            self._current().add_quoted(following)
            self.position += 2

    def _redirection(self) -> None:
        word = self.word
        if word is not None and word.is_bare and "".join(word.cooked).isdigit():
            self.word = None
        self._end_word()
        while self.text[self.position : self.position + 1] in {"<", ">"}:
            self.position += 1
        if self.text.startswith("&", self.position):
            self.position += 1
            if self.text.startswith(HOLE, self.position):
                self._hole(CmdPlace.DESCRIPTOR)
        self.is_target = True

    def _parenthesis(self, character: str) -> None:
        is_open = character == "("
        first = names_of("".join(self.words[0].cooked)) if self.words else frozenset()
        is_compound = not self.words or bool(first & {"if", "for", "else"})
        if is_open and self.word is None and is_compound:
            self.depth += 1
            if "for" not in first:  # the list of a loop belongs to its command
                self._end_command()
        elif not is_open and self.depth:
            self.depth -= 1
            if "for" in first:
                self._end_word()
            else:
                self._end_command()
        else:
            self._current().add_bare(character)
        self.position += 1

    def _hole(self, place: CmdPlace | None = None) -> None:
        index = len(self.placements)
        at = self.position
        placement = CmdPlacement(in_quotes=self.quote_start is not None)
        self.placements.append(placement)
        self.positions.append(at)
        word = self._current()
        self.position += 1
        if index in self.raw_holes:
            word.add_expansion()
            return
        before, behind = self.text[at - 1 : at], self.text[at + 1 : at + 2]
        placement.ends_quotes = placement.in_quotes and behind == '"'
        placement.joins_next = behind == HOLE and index + 1 not in self.raw_holes
        # Nothing but expressions before it, and the quote that opens the word.
        is_first = at == word.start + placement.in_quotes + len(word.holes)
        is_compared = _COMPARED_BEFORE.search(self.text, max(at - 25, 0), at)
        is_compared = is_compared or _COMPARED_BEHIND.match(self.text, at + 1)
        placement.starts_word = is_first and not is_compared
        placement.follows_expressions = placement.starts_word and bool(word.holes)
        is_argument = bool(self.words) or self.is_target
        placement.may_be_bare = is_argument and behind not in {"<", ">"}
        if place is None and at in self.unclear:
            place = CmdPlace.PERCENT
        if place is None and not placement.in_quotes:
            if '"' in {before, behind}:
                place = CmdPlace.QUOTE
            elif _LOOP_VARIABLE.search(self.text, max(at - 25, 0), at):
                place = CmdPlace.LOOP_VARIABLE
        word.add_hole(index, is_own=True)
        if place is not None:
            self._misplace(index, place.message, place.hint)

    def _note_quote(self) -> None:
        if self.text[self.position - 1 : self.position] == "\\":
            self.has_backslash_quote = True

    def _current(self) -> Word:
        if self.word is None:
            self.word = Word(self.position)
        return self.word

    def _end_word(self) -> None:
        word, self.word = self.word, None
        if word is None:
            return
        is_target, self.is_target = self.is_target, False
        if word.is_hole and not is_target:
            placement = self.placements[word.holes[0]]
            placement.is_command = not self.words
            placement.is_word = bool(self.words)
        if not is_target or self.words:
            self.words.append(word)
        if len(self.words) == 1 and "rem" in names_of("".join(word.cooked)):
            self._skip_line(CmdPlace.COMMENT)

    def _end_command(self) -> None:
        self._end_word()
        self.is_target = False
        words, self.words = self.words, []
        for hole, message, hint in check_cmd_command(words):
            self._misplace(hole, message, hint)
        if self.has_backslash_quote:
            place = CmdPlace.BACKSLASH_QUOTE
            for hole in (hole for word in words for hole in word.holes):
                self._misplace(hole, place.message, place.hint)
        self.has_backslash_quote = False

    def _end_line(self) -> None:
        if self.quote_start is not None:
            message = 'the quote `"` is never closed on its line'
            self.faults.append(Fault(self.quote_start, 1, "unclosed-quote", message, None))
            self.quote_start = None
        self._end_command()

    def _skip_line(self, place: CmdPlace) -> None:
        end = self.text.find("\n", self.position)
        end = len(self.text) if end < 0 else end
        while self.position < end:
            if self.text[self.position] == HOLE:
                index = len(self.placements)
                self.placements.append(CmdPlacement())
                self.positions.append(self.position)
                self._misplace(index, place.message, place.hint)
            self.position += 1
        self.word = None
        self.words = []

    def _misplace(self, hole: int, message: str, hint: str) -> None:
        if hole not in self.raw_holes and hole not in self.refused:
            self.refused.add(hole)
            fault = Fault(self.positions[hole], 1, "misplaced-expression", message, hint)
            self.faults.append(fault)


def _behind_percents(script: str) -> Iterator[int]:
    """The expressions on lines where a `%` may take a quote or an expression into a name."""
    start = 0
    for line in script.split("\n"):
        # A caret escapes what the variable's text starts with, or where it has none what follows.
        if HOLE in line and ("^%" in line or "%" in _PERCENT.sub("", line)):
            yield from (start + at for at, each in enumerate(line) if each == HOLE)
        start += len(line) + 1

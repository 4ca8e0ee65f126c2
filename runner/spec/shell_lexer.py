"""Reads a bash script in one pass and says how the value of each expression in it can be passed.

It knows nothing of expressions or values: where one stands, the script has a NUL character.

Reading is linear, and a mistake in it is harmless: values are passed in variables, so that a place
taken for another may get a wrong word, but not run one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from runner.spec.shell_code import Misplaced, check_condition
from runner.spec.shell_grammar import end_command, take_separator, take_word
from runner.spec.shell_places import Place
from runner.spec.shell_words import Expect, Frame, Inline, Kind, Placement, Word

HOLE = "\0"
_DEEPEST = 100

_BARE = re.compile(r"""[^\s;&|()<>"'`$\\#\[\0]+|\s""")
_QUIET = re.compile(r"""[^"'`$\\()\[\]{}\0]+""")  # where only quotes and brackets matter
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_NAME_START = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*)?", re.ASCII)
_DESCRIPTOR = re.compile(r"[0-9]+|\{[A-Za-z_][A-Za-z0-9_]*\}", re.ASCII)
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9*@#?$!_-]", re.ASCII)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=", re.ASCII)
_ASSIGNS_BEHIND = re.compile(r"[A-Za-z0-9_]*(?:\[[^\]\n]{0,200}\])?\+?=", re.ASCII)
_REDIRECTION = re.compile(r"&>>|&>|<<<|<<-|<<|<&|<>|>>|>&|>\||<|>")
_SEPARATOR = re.compile(r";;&|;;|;&|;|&&|\|\||\|&|&|\||\n")
_LINE = re.compile(r"[^\n]*")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at characters of the script."""

    position: int
    length: int
    code: str
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """How to pass each expression, in order, and what is wrong."""

    placements: tuple[Placement, ...]
    faults: tuple[Fault, ...]


def read_script(script: str, raw_holes: frozenset[int] = frozenset()) -> Reading:
    """Reads a script with a NUL for each expression; those in `raw_holes` may stand anywhere."""
    lexer = _Lexer(script, raw_holes)
    lexer.run()
    return Reading(tuple(lexer.placements), tuple(lexer.faults))


class _TooDeepError(Exception):
    pass


_TOKENS = frozenset({Kind.COMMANDS, Kind.ITEMS, Kind.CONDITION})
_REFUSING = {
    Kind.DOUBLE_QUOTES: Place.DOUBLE_QUOTES,
    Kind.PARAMETER: Place.PARAMETER,
    Kind.ARITHMETIC: Place.ARITHMETIC,
    Kind.SUBSCRIPT: Place.SUBSCRIPT,
}
_CALCULATED = frozenset({Kind.ARITHMETIC, Kind.SUBSCRIPT})
_OPTION_PLACES = frozenset({Expect.COMMAND, Expect.ARGUMENT, Expect.LOOP_ITEM})


class _Lexer:
    """The state of one reading: a position, and the frames that are open there."""

    def __init__(self, script: str, raw_holes: frozenset[int]) -> None:
        self.text = script
        self.raw_holes = raw_holes
        self.position = 0
        self.frames = [Frame(Kind.COMMANDS, 0)]
        self.placements: list[Placement] = []
        self.hole_positions: list[int] = []
        self.refused: set[int] = set()
        self.faults: list[Fault] = []
        self.is_cut = False  # by a quote that is never closed
        self.documents: list[tuple[str, bool, bool]] = []  # delimiter, strips tabs, is quoted

    def run(self) -> None:
        """Reads to the end; never raises."""
        try:
            while self.position < len(self.text):
                frame = self.frames[-1]
                if frame.kind in _TOKENS:
                    self._read_token(frame)
                else:
                    self._read_nested(frame)
        except _TooDeepError:
            return
        if self.frames[-1].kind in _TOKENS:
            self._end_word(self.frames[-1])
        innermost = self.frames[-1]
        if innermost.opener and not self.is_cut:
            self._unclosed(innermost.start, innermost.opener)
        elif innermost.kind is Kind.COMMANDS:
            self._misplace_all(end_command(innermost))

    def _read_token(self, frame: Frame) -> None:
        """One step where words and operators are read."""
        character = self.text[self.position]
        if character in " \t":
            self._end_word(frame)
            self.position += 1
        elif character == "\n":
            self._read_newline(frame)
        elif character in ";&|()<>":
            self._read_operator(frame, character)
        elif character == "#" and frame.word is None:
            self._read_comment()
        elif character == "[":
            self._read_bracket(frame)
        elif not self._read_special(frame, character):
            bare = _BARE.match(self.text, self.position)
            found = bare.group() if bare else character
            self._word(frame).add_bare(found)
            self.position += len(found)

    def _read_nested(self, frame: Frame) -> None:
        """One step in quotes, `${...}`, arithmetic or a subscript."""
        quiet = _QUIET.match(self.text, self.position)
        if quiet is not None:
            if frame.kind is Kind.DOUBLE_QUOTES:
                self._quote(quiet.group())
            self.position = quiet.end()
            return
        character = self.text[self.position]
        if self._read_special(frame, character):
            return
        self.position += 1
        match frame.kind:
            case Kind.DOUBLE_QUOTES:
                self._quote(character)
            case Kind.PARAMETER:
                if character == "}":
                    self.frames.pop()
            case Kind.ARITHMETIC if frame.closer == "))":
                self._balance(frame, character, "(", ")")
            case _:
                self._balance(frame, character, "[", "]")

    def _balance(self, frame: Frame, character: str, opener: str, closer: str) -> None:
        if character == opener:
            frame.depth += 1
        elif character == closer and frame.depth:
            frame.depth -= 1
        elif character == closer:
            self._close_calculation(frame)

    def _close_calculation(self, frame: Frame) -> None:
        self.frames.pop()
        if frame.closer == "))":
            if self.text.startswith(")", self.position):
                self.position += 1
            else:
                shown = frame.opener
                hint = f"two levels of commands are written `{shown[:-1]} (`, with a space"
                message = f"`{shown}` has no `))`"
                self._fault(frame.start, len(shown), "unclosed", message, hint)
        elif frame.kind is Kind.SUBSCRIPT:
            sign = re.compile(r"\+?=").match(self.text, self.position)
            if sign is not None and self.frames[-1].word is not None:
                self.frames[-1].word.assigns = True
                self.position = sign.end()

    def _read_special(self, frame: Frame, character: str) -> bool:
        """An expression, an escape, a quote or a `$`; False where it is an ordinary character."""
        match character:
            case "\0":
                self._read_hole(None)
            case "\\":
                self._read_escape(frame)
            case "'":
                if frame.kind is Kind.DOUBLE_QUOTES:
                    return False
                self._read_single_quotes(self.position, self.position + 1)
            case '"':
                if frame.kind is Kind.DOUBLE_QUOTES:
                    self.frames.pop()
                    self.position += 1
                else:
                    self._quote("")
                    self._push(Kind.DOUBLE_QUOTES, '"')
            case "`":
                self._read_backticks()
            case "$":
                self._read_dollar(frame)
            case _:
                return False
        return True

    def _read_escape(self, frame: Frame) -> None:
        following = self.text[self.position + 1 : self.position + 2]
        if following == HOLE:
            self.position += 1
            is_quoted = frame.kind is Kind.DOUBLE_QUOTES
            self._read_hole(None if is_quoted else Place.BACKSLASH)
            return
        if following != "\n":
            self._quote(following)
        self.position += 2

    def _read_single_quotes(self, start: int, content: int) -> None:
        end = self.text.find("'", content)
        if end < 0:
            self._unclosed(start, self.text[start:content])
            self._skip(content, len(self.text), None)
            return
        self._quote(self.text[content:end])
        self._skip(content, end, Place.SINGLE_QUOTES)
        self.position = end + 1

    def _read_ansi_quotes(self) -> None:
        """`$'...'`, where a backslash escapes."""
        start = self.position
        found = re.compile(r"(?:[^'\\]|\\.)*", re.DOTALL).match(self.text, start + 2)
        end = found.end() if found else start + 2
        if not self.text.startswith("'", end):
            self._unclosed(start, "$'")
            self._skip(start + 2, len(self.text), None)
            return
        self._outer_word().add_expansion()
        self._skip(start + 2, end, Place.SINGLE_QUOTES)
        self.position = end + 1

    def _read_backticks(self) -> None:
        start = self.position
        found = re.compile(r"(?:[^`\\]|\\.)*", re.DOTALL).match(self.text, start + 1)
        end = found.end() if found else start + 1
        if not self.text.startswith("`", end):
            self._unclosed(start, "`")
            self._skip(start + 1, len(self.text), None)
            return
        self._outer_word().add_expansion()
        self._skip(start + 1, end, Place.BACKTICKS)
        self.position = end + 1

    def _read_dollar(self, frame: Frame) -> None:
        text, at = self.text, self.position
        is_quoted = frame.kind is Kind.DOUBLE_QUOTES
        following = text[at + 1 : at + 2]
        word = self._outer_word()
        if following == HOLE:
            self.position += 1
            self._read_hole(None if is_quoted else Place.DOLLAR)
        elif text.startswith("$((", at):
            word.add_expansion()
            self._push(Kind.ARITHMETIC, "$((", closer="))")
        elif following == "(":
            word.add_expansion()
            self._push(Kind.COMMANDS, "$(", closer=")")
        elif following == "{":
            word.add_expansion()
            self._push(Kind.PARAMETER, "${")
        elif following == "[":
            word.add_expansion()
            self._push(Kind.ARITHMETIC, "$[")
        elif following == "'" and not is_quoted:
            self._read_ansi_quotes()
        elif following == '"' and not is_quoted:
            word.add_expansion()
            self._push(Kind.DOUBLE_QUOTES, '$"')
        else:
            name = _PARAMETER.match(text, at + 1)
            self.position = name.end() if name else at + 1
            if name is None:
                word.add_bare("$")
            else:
                ends_in_name = not is_quoted and _NAME.fullmatch(name.group()) is not None
                word.add_expansion(ends_in_name=ends_in_name)

    def _read_comment(self) -> None:
        end = self.text.find("\n", self.position)
        end = len(self.text) if end < 0 else end
        self._skip(self.position, end, Place.COMMENT)
        self.position = end

    def _read_bracket(self, frame: Frame) -> None:
        word = frame.word
        is_item = frame.kind is Kind.ITEMS and word is None
        is_variable = (
            frame.kind is Kind.COMMANDS
            and frame.expect is Expect.COMMAND
            and word is not None
            and word.is_bare
            and _NAME.fullmatch(word.text or "") is not None
        )
        if is_item or is_variable:
            self._word(frame).add_expansion()
            self._push(Kind.SUBSCRIPT, "[")
        else:
            self._word(frame).add_bare("[")
            self.position += 1

    def _read_newline(self, frame: Frame) -> None:
        self._end_word(frame)
        frame = self.frames[-1]
        frame.redirection = None
        if frame.kind is Kind.COMMANDS:
            self._misplace_all(take_separator(frame, "\n"))
        self.position += 1
        documents, self.documents = self.documents, []
        for delimiter, strips, is_quoted in documents:
            self._read_document(delimiter, strips=strips, is_quoted=is_quoted)

    def _read_document(self, delimiter: str, *, strips: bool, is_quoted: bool) -> None:
        """The body of a here-document; in `$(...)` the `)` may follow its delimiter."""
        start = self.position
        is_nested = any(frame.closer == ")" for frame in self.frames)
        continues = False
        while self.position < len(self.text):
            found = _LINE.match(self.text, self.position)
            line = found.group() if found else ""
            content = line.lstrip("\t") if strips else line
            is_end = content == delimiter
            if not continues and (is_end or (is_nested and content.startswith(f"{delimiter})"))):
                self._skip(start, self.position, Place.HERE_DOCUMENT)
                self.position += len(line) - len(content) + len(delimiter) + is_end
                return
            backslashes = len(line) - len(line.rstrip("\\"))
            continues = not is_quoted and backslashes % 2 == 1
            self.position += len(line) + 1
        self._skip(start, len(self.text), Place.HERE_DOCUMENT)

    def _read_operator(self, frame: Frame, character: str) -> None:
        if character in "<>" and self.text.startswith("(", self.position + 1):
            self._word(frame).add_expansion()
            self._push(Kind.COMMANDS, f"{character}(", closer=")")
        elif frame.kind is Kind.CONDITION:
            self._end_word(frame)
            frame.words.append(None)
            self.position += 1
        elif frame.kind is Kind.ITEMS:
            self._read_items_operator(frame, character)
        elif character == "(":
            self._read_parenthesis(frame)
        elif character == ")":
            self._close_commands(frame)
        else:
            self._read_command_operator(frame)

    def _read_items_operator(self, frame: Frame, character: str) -> None:
        if character == "(":
            self._word(frame).add_expansion()
            self._push(Kind.ITEMS, "(", closer=")")
            return
        self._end_word(frame)
        self.position += 1
        if character == ")":
            self.frames.pop()

    def _read_command_operator(self, frame: Frame) -> None:
        redirection = _REDIRECTION.match(self.text, self.position)
        if redirection is not None:
            word = frame.word
            if word is not None and word.is_bare and _DESCRIPTOR.fullmatch(word.text or ""):
                frame.word = None
            self._end_word(frame)
            frame = self.frames[-1]
            frame.redirection = redirection.group()
            self.position = redirection.end()
            return
        separator = _SEPARATOR.match(self.text, self.position)
        found = separator.group() if separator else ";"
        self._end_word(frame)
        frame = self.frames[-1]
        self.position += len(found)
        frame.redirection = None
        if frame.kind is Kind.COMMANDS:
            self._misplace_all(take_separator(frame, found))

    def _read_parenthesis(self, frame: Frame) -> None:
        word, before = frame.word, self.text[self.position - 1 : self.position]
        if word is not None:
            is_list = word.assigns and before == "="
            if is_list or (before in "?*+@!" and word.text != "!"):
                word.add_expansion()
                self._push(Kind.ITEMS, "(", closer=")")
                return
            self._end_word(frame)
        if frame.expect is Expect.PATTERN:
            self.position += 1
        elif self.text.startswith("((", self.position) and frame.expect in {
            Expect.COMMAND,
            Expect.LOOP_NAME,
        }:
            frame.expect = Expect.COMMAND
            self._push(Kind.ARITHMETIC, "((", closer="))")
        else:
            for each in frame.words:
                for hole in each.holes if each is not None else ():
                    self._misplace(hole, Place.FUNCTION.message, Place.FUNCTION.hint)
            frame.words = []
            frame.expect = Expect.COMMAND
            self._push(Kind.COMMANDS, "(", closer=")")

    def _close_commands(self, frame: Frame) -> None:
        self._end_word(frame)
        frame = self.frames[-1]
        frame.redirection = None
        self.position += 1
        if frame.kind is not Kind.COMMANDS:
            return
        if frame.expect is Expect.PATTERN:
            frame.expect = Expect.COMMAND
            return
        self._misplace_all(end_command(frame))
        if frame.closer:
            self.frames.pop()

    def _end_word(self, frame: Frame) -> None:
        """The word that was being read, if any, is complete."""
        word, frame.word = frame.word, None
        if word is None:
            return
        redirection, frame.redirection = frame.redirection, None
        if redirection is not None:
            if redirection in {"<<", "<<-"}:
                written = self.text[word.start : self.position]
                delimiter = written if word.text is None else word.text
                self.documents.append((delimiter, redirection == "<<-", not word.is_bare))
        elif frame.kind is Kind.CONDITION:
            self._take_condition_word(frame, word)
        elif frame.kind is Kind.COMMANDS:
            self._take_command_word(frame, word)

    def _take_condition_word(self, frame: Frame, word: Word) -> None:
        if word.is_bare and word.text == "]]":
            self._misplace_all(check_condition(frame.words))
            self.frames.pop()
        else:
            frame.words.append(word)

    def _take_command_word(self, frame: Frame, word: Word) -> None:
        if frame.expect is Expect.COMMAND:
            if word.is_bare and word.text == "[[":
                self._enter(Frame(Kind.CONDITION, word.start, "[["))
                return
            if word.is_empty and len(word.holes) == 1 == len(word.own_holes):
                self.placements[word.holes[0]].is_command = True
        self._misplace_all(take_word(frame, word))

    def _read_hole(self, place: Place | None) -> None:
        """An expression; `place` where what stands before it already rules it out."""
        index = self._add_hole(self.position)
        self.position += 1
        frame = self.frames[-1]
        if index in self.raw_holes:
            self._outer_word().add_expansion()
            return
        place = place or self._place(frame)
        if place is not None:
            self._outer_word().add_expansion()
            self._misplace(index, place.message, place.hint)
            return
        self._place_hole(self.placements[index], frame, self._word(frame))
        for each in self.frames:
            if each.word is not None:
                each.word.add_hole(index, is_own=each is frame)

    def _place(self, frame: Frame) -> Place | None:
        """Why an expression just read may not stand where it does."""
        if frame.kind in _REFUSING:
            return _REFUSING[frame.kind]
        for each in self.frames:
            if each.kind in _CALCULATED:
                return _REFUSING[each.kind]
        if frame.redirection in {"<<", "<<-"}:
            return Place.DELIMITER
        if frame.redirection in {">&", "<&"}:
            return Place.DESCRIPTOR
        text, at, word = self.text, self.position, frame.word
        if word is not None and word.has_brace:
            before = text[max(at - 3, 0) : at - 1]
            if before == ".." or text.startswith("..", at):
                return Place.SEQUENCE
        if frame.kind is Kind.COMMANDS and frame.expect is Expect.COMMAND:
            so_far = "" if word is None else "".join(word.cooked)
            is_name = not frame.redirection and _NAME_START.fullmatch(so_far) is not None
            if is_name and _ASSIGNS_BEHIND.match(text, at):
                return Place.VARIABLE
        return None

    def _place_hole(self, placement: Placement, frame: Frame, word: Word) -> None:
        following = self.text[self.position : self.position + 1]
        in_commands = frame.kind is Kind.COMMANDS
        is_target = frame.redirection is not None
        if (
            frame.kind is Kind.CONDITION
            or (following and following in "<>~")
            or word.has_brace
            or word.has_bracket
            or word.has_open_tilde
            or word.ends_in_name
        ):
            placement.inline = Inline.NEVER
        elif (
            in_commands
            and not is_target
            and not word.assigns
            and frame.expect in {Expect.COMMAND, Expect.PATTERN}
        ):
            placement.inline = Inline.GUARDED
        is_option_place = frame.kind is Kind.ITEMS or (
            in_commands
            and (frame.redirection != "<<<" if is_target else frame.expect in _OPTION_PLACES)
        )
        placement.starts_word = word.is_empty and is_option_place
        placement.follows_expressions = placement.starts_word and bool(word.own_holes)

    def _word(self, frame: Frame) -> Word:
        """The word being read in a frame; a new one where none is."""
        if frame.word is None:
            frame.word = Word(self.position)
            if frame.kind is Kind.COMMANDS and frame.redirection is None:
                assignment = _ASSIGNMENT.match(self.text, self.position)
                is_place = frame.expect in {Expect.COMMAND, Expect.ARGUMENT}
                frame.word.assigns = is_place and assignment is not None
        return frame.word

    def _outer_word(self) -> Word:
        """The word around this place, however deep in quotes and braces it is."""
        return self._word(next(each for each in reversed(self.frames) if each.kind in _TOKENS))

    def _quote(self, text: str) -> None:
        self._outer_word().add_quoted(text)

    def _push(self, kind: Kind, opener: str, *, closer: str = "") -> None:
        """Enters what `opener` opens and goes on behind it."""
        self._enter(Frame(kind, self.position, opener, closer))
        self.position += len(opener)

    def _enter(self, frame: Frame) -> None:
        if len(self.frames) >= _DEEPEST:
            message = f"the script is nested more than {_DEEPEST} deep"
            self._fault(frame.start, len(frame.opener), "too-deep", message, None)
            raise _TooDeepError
        self.frames.append(frame)

    def _add_hole(self, position: int) -> int:
        self.hole_positions.append(position)
        self.placements.append(Placement())
        return len(self.placements) - 1

    def _skip(self, start: int, end: int, place: Place | None) -> None:
        """Goes to `end` over text in which an expression has no business."""
        at = self.text.find(HOLE, start, end)
        while at >= 0:
            index = self._add_hole(at)
            if place is not None:
                self._misplace(index, place.message, place.hint)
            at = self.text.find(HOLE, at + 1, end)
        self.position = end

    def _misplace_all(self, misplaced: Iterable[Misplaced]) -> None:
        for hole, message, hint in misplaced:
            self._misplace(hole, message, hint)

    def _misplace(self, hole: int, message: str, hint: str) -> None:
        """Says once what is wrong with the place of an expression."""
        if hole not in self.raw_holes and hole not in self.refused:
            self.refused.add(hole)
            at = self.hole_positions[hole]
            self._fault(at, 1, "misplaced-expression", message, hint)

    def _unclosed(self, start: int, opener: str) -> None:
        """Says so, and takes back what only followed from it."""
        self.is_cut = True
        is_quote = opener[-1] in "'\"`"
        code = "unclosed-quote" if is_quote else "unclosed"
        message = (
            f"the quote `{opener}` is never closed" if is_quote else f"`{opener}` is never closed"
        )
        self.faults = [fault for fault in self.faults if fault.position < start]
        self._fault(start, len(opener), code, message, None)

    def _fault(self, position: int, length: int, code: str, message: str, hint: str | None) -> None:
        self.faults.append(Fault(position, length, code, message, hint))

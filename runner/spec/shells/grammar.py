"""Where a word stands in a list of commands: as a command's name, an argument, a pattern, ...

It knows words and operators, not characters. Of bash's grammar it follows what decides how a word
is read; whether the script is right is for bash to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.spec.shells.code import Misplaced, check_command
from runner.spec.shells.posix_places import PosixPlace
from runner.spec.shells.words import Expect, Frame, Word

# Behind each of these a command starts; `-p` is that of `time`, since no command starts with `-`.
_COMMAND_FOLLOWS = frozenset(
    {"if", "then", "elif", "else", "fi", "while", "until", "do", "done"}
    | {"!", "{", "}", "time", "coproc", "-p", "--"}
)
RESERVED = _COMMAND_FOLLOWS | {"case", "esac", "for", "select", "function", "in", "[[", "]]"}

_AFTER_WORD = {
    Expect.FUNCTION_NAME: Expect.COMMAND,
    Expect.LOOP_NAME: Expect.LOOP_IN,
    Expect.CASE_SUBJECT: Expect.CASE_IN,
}
_NAMES = {Expect.FUNCTION_NAME: PosixPlace.FUNCTION, Expect.LOOP_NAME: PosixPlace.VARIABLE}


def take_word(frame: Frame, word: Word) -> Iterator[Misplaced]:
    """What a word that has ended changes in the frame of its commands."""
    bare = word.text if word.is_bare else None
    match frame.expect:
        case Expect.COMMAND:
            _take_first(frame, word, bare)
        case Expect.ARGUMENT:
            frame.words.append(word)
        case Expect.FUNCTION_NAME | Expect.LOOP_NAME:
            place = _NAMES[frame.expect]
            for hole in word.holes:
                yield hole, place.message, place.hint
            frame.expect = _AFTER_WORD[frame.expect]
        case Expect.CASE_SUBJECT:
            frame.expect = _AFTER_WORD[frame.expect]
        case Expect.LOOP_IN:
            frame.expect = Expect.LOOP_ITEM if bare == "in" else Expect.COMMAND
        case Expect.LOOP_ITEM:
            pass
        case Expect.CASE_IN:
            frame.open_cases += 1
            start_pattern(frame)
        case Expect.PATTERN:
            if bare == "esac" and not frame.pattern_begun:
                _end_case(frame)
            frame.pattern_begun = True


def take_separator(frame: Frame, separator: str) -> Iterator[Misplaced]:
    """What `;`, `&`, `|`, a newline or the like changes; the word before it has been taken."""
    if frame.expect is Expect.PATTERN:
        return
    if separator == "\n" and frame.expect in {Expect.LOOP_IN, Expect.CASE_IN}:
        return
    yield from end_command(frame)
    if frame.open_cases and separator in {";;", ";&", ";;&"}:
        start_pattern(frame)


def end_command(frame: Frame) -> Iterator[Misplaced]:
    """Looks at the command whose words are complete, and starts the next."""
    words = [word for word in frame.words if word is not None]
    frame.words = []
    frame.is_prefixed = False
    frame.expect = Expect.COMMAND
    yield from check_command(words)


def start_pattern(frame: Frame) -> None:
    """The next word is a pattern of a `case`, or its `esac`."""
    frame.expect = Expect.PATTERN
    frame.pattern_begun = False


def _take_first(frame: Frame, word: Word, bare: str | None) -> None:
    match None if frame.is_prefixed else bare:
        case "for" | "select":
            frame.expect = Expect.LOOP_NAME
        case "case":
            frame.expect = Expect.CASE_SUBJECT
        case "function":
            frame.expect = Expect.FUNCTION_NAME
        case "esac":
            _end_case(frame)
        case _:
            if word.assigns:
                frame.is_prefixed = True
            elif frame.is_prefixed or bare not in _COMMAND_FOLLOWS:
                frame.words = [word]
                frame.expect = Expect.ARGUMENT


def _end_case(frame: Frame) -> None:
    frame.open_cases = max(frame.open_cases - 1, 0)
    frame.expect = Expect.COMMAND

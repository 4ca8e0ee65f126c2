"""`batch-run __complete SHELL WORD...`: what a shell asks while somebody types.

The answer's first line says what the shell is to offer by itself (`nothing`, `specs`, `files`,
`folders`); each further line is a word and, behind a tab, its meaning. It never fails and says
nothing on standard error: a terminal in which somebody types is no place for that.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from runner.cli.completion.offers import find_offers, matching
from runner.cli.completion.wanted import Kind, Offer, Wanted, find_wanted
from runner.cli.world import World
from runner.errors import ExitCode

_BY_THE_SHELL = {
    Kind.SPEC: "specs",
    Kind.FILE: "files",
    Kind.PRICES: "files",
    Kind.FOLDER: "folders",
}
_SEPARATORS = frozenset({"=", ":"})
_LONGEST_MEANING = 100


def answer(words: Sequence[str], world: World) -> ExitCode:
    """Prints what the last word may be."""
    shell, given = (words[0], [*words[1:]]) if words else ("", [])
    if shell == "bash":
        given = _as_typed(given)
    wanted = find_wanted(given or [""])
    offers = matching(find_offers(wanted, world.working_directory), wanted.typed)
    world.print(_by_the_shell(wanted))
    # bash takes what is before a `=` for a word of its own.
    kept = "" if shell == "bash" else wanted.kept
    for each in offers:
        world.print(f"{kept}{each.word}\t{_one_line(each)}")
    return ExitCode.SUCCESS


def _by_the_shell(wanted: Wanted) -> str:
    return _BY_THE_SHELL.get(wanted.kind, "nothing")


def _as_typed(words: Sequence[str]) -> list[str]:
    """The words of bash without their quotes, and whole: it cuts them at `=` and `:`."""
    whole: list[str] = []
    glue = False
    for word in words:
        if word in _SEPARATORS and whole:
            whole[-1] += word
            glue = True
        elif glue:
            whole[-1] += _unquoted(word)
            glue = False
        else:
            whole.append(_unquoted(word))
    return whole


def _unquoted(word: str) -> str:
    for closed in (word, f"{word}'", f'{word}"'):
        try:
            return "".join(shlex.split(closed))
        except ValueError:  # a quote that is still open
            continue
    return word


def _one_line(offer: Offer) -> str:
    """The meaning without what could steer a terminal."""
    shown = (each if each.isprintable() else " " for each in offer.meaning)
    text = " ".join("".join(shown).split())
    return text if len(text) <= _LONGEST_MEANING else f"{text[: _LONGEST_MEANING - 3]}..."

"""What the shell lexer gathers: words, the nesting around them, and how each expression is passed.

It knows nothing of characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto

_NAME_PART = re.compile(r"[A-Za-z0-9_]*", re.ASCII)


class Inline(Enum):
    """When a value that is a plain word may stand in the script as it is."""

    ALWAYS = auto()
    GUARDED = auto()  # where a reserved word or an assignment would be read as one
    NEVER = auto()


@dataclass(slots=True)
class Placement:
    """How one expression's value is passed.

    `starts_word`: a leading `-` would make it an option. `follows_expressions`: it starts the word
    only where the expressions before it are empty. `is_command`: it alone is a command's name.
    `is_word`: it alone is a word among others, so that a list may give several, or none.
    `calculated`: the variable that it is assigned to, where the script calculates with that.
    """

    inline: Inline = Inline.ALWAYS
    starts_word: bool = False
    follows_expressions: bool = False
    is_command: bool = False
    is_word: bool = False
    calculated: str | None = None


@dataclass(slots=True)
class Word:
    """A word that is being read. `holes` counts the expressions in it, nested ones included."""

    start: int
    assigns: bool = False
    cooked: list[str] = field(default_factory=list)  # without its quotes
    is_dynamic: bool = False
    is_bare: bool = True  # no quotes, escapes or expansions: it can be a reserved word
    is_empty: bool = True  # nothing but expressions so far
    could_be_name: bool = True  # of a variable, as far as it goes
    has_brace: bool = False
    has_bracket: bool = False
    has_open_tilde: bool = False
    ends_in_name: bool = False
    holes: list[int] = field(default_factory=list)
    own_holes: list[int] = field(default_factory=list)
    before_hole: str | None = None
    variables: list[str] = field(default_factory=list)  # that it expands

    @property
    def text(self) -> str | None:
        """What the word stands for; None where that is known only as the script runs."""
        return None if self.is_dynamic or self.holes else "".join(self.cooked)

    @property
    def is_hole(self) -> bool:
        """Whether it is one expression and nothing else."""
        return self.is_empty and not self.is_dynamic and len(self.holes) == 1 == len(self.own_holes)

    def add_bare(self, text: str) -> None:
        """Unquoted characters without a meaning of their own to the lexer."""
        self.cooked.append(text)
        self.is_empty = self.ends_in_name = False
        self.could_be_name = self.could_be_name and _NAME_PART.fullmatch(text) is not None
        self.has_brace = self.has_brace or "{" in text
        self.has_bracket = self.has_bracket or "[" in text
        _, tilde, behind = text.rpartition("~")
        if tilde or "/" in text:
            self.has_open_tilde = "/" not in behind and (bool(tilde) or self.has_open_tilde)

    def add_quoted(self, text: str) -> None:
        """The text of quotes or an escape."""
        self.cooked.append(text)
        self.is_bare = self.is_empty = self.ends_in_name = self.could_be_name = False

    def add_expansion(self, *, ends_in_name: bool = False) -> None:
        """Something whose text is not known."""
        self.is_dynamic = True
        self.is_bare = self.is_empty = self.could_be_name = False
        self.ends_in_name = ends_in_name

    def add_hole(self, index: int, *, is_own: bool) -> None:
        """An expression in the word, or in something nested in it."""
        if not self.holes:
            self.before_hole = None if self.is_dynamic else "".join(self.cooked)
        self.holes.append(index)
        if is_own:
            self.own_holes.append(index)
            self.is_bare = self.ends_in_name = False


class Kind(Enum):
    """What a frame reads."""

    COMMANDS = auto()
    ITEMS = auto()  # of a list, or of an extended pattern
    CONDITION = auto()  # [[ ... ]]
    DOUBLE_QUOTES = auto()
    PARAMETER = auto()  # ${...}
    ARITHMETIC = auto()
    SUBSCRIPT = auto()


class Expect(Enum):
    """What the next word of a list of commands is."""

    COMMAND = auto()
    ARGUMENT = auto()
    LOOP_NAME = auto()
    LOOP_IN = auto()
    LOOP_ITEM = auto()
    FUNCTION_NAME = auto()
    CASE_SUBJECT = auto()
    CASE_IN = auto()
    PATTERN = auto()


@dataclass(slots=True)
class Frame:
    """One level of nesting, opened by the text `opener` at `start` (empty: the script itself)."""

    kind: Kind
    start: int
    opener: str = ""
    closer: str = ""
    depth: int = 0
    is_list: bool = False  # of ITEMS: of a variable, not a pattern's
    expect: Expect = Expect.COMMAND
    is_prefixed: bool = False  # by an assignment or a redirection: no reserved word can follow
    open_cases: int = 0
    pattern_begun: bool = False
    redirection: str | None = None
    word: Word | None = None
    loop_name: str | None = None
    words: list[Word | None] = field(default_factory=list)  # None: an operator of a condition

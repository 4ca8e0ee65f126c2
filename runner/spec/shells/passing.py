"""Values on their way into a command: as text, or of a list as the texts of its items.

It knows nothing of shells but what they say through a `Language`, and nothing of places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from runner.spec.shells.language import Language
from runner.spec.templates.expression import Expression
from runner.spec.templates.fault import TemplateError, TemplateFault
from runner.spec.templates.lookup import Scope
from runner.spec.templates.template import text_of
from runner.spec.templates.values import NoValueError, describe, keeps_sign, to_text

_Made = TypeVar("_Made")


def word_of(
    expression: Expression, scope: Scope, language: Language, *, starts_word: bool = False
) -> str:
    """The text of a value; one that starts a word is kept from being read as an option.

    Raises `TemplateError`, also where the shell has no way to take the text.
    """
    value = expression.evaluate(scope)
    text = value if type(value) is str else text_of(expression, scope)
    starts_word = starts_word and not keeps_sign(value)
    return _locate(expression, lambda: _checked(text, language, starts_word=starts_word))


def words_of(expression: Expression, scope: Scope, language: Language) -> tuple[str, ...]:
    """The texts of a value that is a word of its own: of a list, one for each item.

    A mapping with a key `path`, as in a list of files, stands as its path. Raises `TemplateError`.
    """
    value = expression.evaluate(scope)
    if isinstance(value, str) or not isinstance(value, Sequence):
        return (word_of(expression, scope, language, starts_word=True),)
    return _locate(expression, lambda: tuple(_items(value, language)))


def value_fault(expression: Expression, error: NoValueError) -> TemplateFault:
    """What a shell has against a value, at the expression."""
    return expression.fault("bad-value", error.message, error.hint)


def is_list(expression: Expression, scope: Scope) -> bool:
    """Whether the value is a list, so that it may be several words, or none."""
    value = expression.evaluate(scope)
    return isinstance(value, Sequence) and not isinstance(value, str)


def _items(values: Sequence[object], language: Language) -> Iterator[str]:
    for number, value in enumerate(values, start=1):
        item = value["path"] if isinstance(value, Mapping) and "path" in value else value
        if item is None or (isinstance(item, (Mapping, Sequence)) and not isinstance(item, str)):
            message = f"item {number} of the list is {describe(item)}, which is no word"
            raise NoValueError(message, "a list of texts, numbers or files gives a word for each")
        yield _checked(to_text(item), language, starts_word=not keeps_sign(item))


def _checked(text: str, language: Language, *, starts_word: bool) -> str:
    language.check(text)
    return language.guard(text) if starts_word else text


def _locate(expression: Expression, make: Callable[[], _Made]) -> _Made:
    try:
        return make()
    except NoValueError as error:
        raise TemplateError((value_fault(expression, error),)) from error

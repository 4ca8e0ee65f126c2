"""The filters of expressions, `{{ value | filter(argument) }}`: a closed table, all of it ours.

It knows nothing of syntax or shells. Every filter refuses what it cannot take, and every result is
bounded in size before it is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from runner.frozen import dataclass
from runner.spec.templates.list_filters import (
    greatest_item,
    least_item,
    map_items,
    reverse_items,
    sort_items,
    split_text,
    sum_items,
    unique_items,
)
from runner.spec.templates.values import (
    NoValueError,
    bounded,
    check_length,
    describe,
    is_number,
    to_text,
)

_WIDEST_PAD = 1000
_MOST_DIGITS = 15
_ATTRIBUTE = frozenset({"attribute"})
_TITLE_WORD = re.compile(r"[^\s\-(\[{<]+")
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,20}\s*", re.ASCII)
_FLOAT = re.compile(
    r"\s*[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?\s*",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, how many arguments it takes, and which by name."""

    apply: Callable[..., object]
    least: int = 0
    most: int = 0
    keywords: frozenset[str] = frozenset()


def split_name(path: str) -> tuple[str, str, str]:
    """A path's folder (`""` or ending in `/`), stem and extension (`""` or starting with `.`).

    Only the last extension counts (`a.b.mp4`), and a leading dot starts none (`.bashrc`).
    """
    folder, slash, name = path.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    if not stem:
        return folder + slash, name, ""
    return folder + slash, stem, dot + extension


def _text(value: object, name: str) -> str:
    if isinstance(value, str):
        return str(value)
    raise NoValueError(f"`{name}` takes text, not {describe(value)}", "as text: `| string`")


def _number(value: object, name: str) -> int | float:
    if is_number(value):
        assert isinstance(value, (int, float))
        return bounded(value)
    raise NoValueError(f"`{name}` takes a number, not {describe(value)}")


def _count(value: object, name: str, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    raise NoValueError(f"`{name}` takes an integer from 0 to {most}")


def _stem(value: object) -> str:
    return split_name(_text(value, "stem"))[1]


def _ext(value: object) -> str:
    return split_name(_text(value, "ext"))[2]


def _dir(value: object) -> str:
    return _text(value, "dir").rpartition("/")[0]


def _basename(value: object) -> str:
    return _text(value, "basename").rpartition("/")[2]


def _replace_ext(value: object, extension: object) -> str:
    folder, stem, _ = split_name(_text(value, "replace_ext"))
    new = _text(extension, "replace_ext")
    if new and not new.startswith("."):
        new = f".{new}"
    check_length(len(folder) + len(stem) + len(new))
    return f"{folder}{stem}{new}"


def _pad(value: object, width: object) -> str:
    return to_text(value).zfill(_count(width, "pad", _WIDEST_PAD))


def _lower(value: object) -> str:
    text = _text(value, "lower")
    check_length(len(text))
    return text.lower()


def _upper(value: object) -> str:
    text = _text(value, "upper")
    check_length(len(text))
    return text.upper()


def _capitalize(value: object) -> str:
    text = _text(value, "capitalize")
    check_length(len(text))
    return text.capitalize()


def _title(value: object) -> str:
    """Each word with a capital first and small letters behind; `it's` is one word."""
    text = _text(value, "title")
    check_length(len(text))
    return _TITLE_WORD.sub(lambda word: word[0][:1].upper() + word[0][1:].lower(), text)


def _urlencode(value: object) -> str:
    """Percent-encoded as in the path of a URL: `/` stays."""
    text = to_text(value)
    check_length(len(text))
    try:
        encoded = quote(text)
    except UnicodeEncodeError as error:
        raise NoValueError("`urlencode` takes text that is Unicode") from error
    check_length(len(encoded))
    return encoded


def _replace(value: object, old: object, new: object) -> str:
    text, old, new = (_text(each, "replace") for each in (value, old, new))
    check_length(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _trim(value: object) -> str:
    return _text(value, "trim").strip()


def _int(value: object) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(bounded(int(value)))
    if is_number(value):
        assert isinstance(value, (int, float))
        return int(bounded(int(bounded(value))))
    raise NoValueError(f"`int` cannot read {_show(value)} as an integer")


def _float(value: object) -> float:
    if isinstance(value, str) and _FLOAT.fullmatch(value):
        return float(bounded(float(value)))
    if is_number(value):
        assert isinstance(value, (int, float))
        return float(bounded(value))
    raise NoValueError(f"`float` cannot read {_show(value)} as a number")


def _show(value: object) -> str:
    if not isinstance(value, str):
        return describe(value)
    return repr(value if len(value) <= 40 else f"{value[:37]}...")


def _length(value: object) -> int:
    if isinstance(value, (str, Mapping, Sequence)):
        return len(value)
    raise NoValueError(f"`length` cannot count {describe(value)}")


def _first(value: object) -> object:
    return _at(value, 0, "first")


def _last(value: object) -> object:
    return _at(value, -1, "last")


def _at(value: object, index: int, name: str) -> object:
    if not isinstance(value, Sequence):
        raise NoValueError(f"`{name}` takes a list or text, not {describe(value)}")
    if not value:
        raise NoValueError(f"`{name}` finds nothing: the {_noun(value)} is empty")
    item: object = value[index]
    return item


def _noun(value: object) -> str:
    return "text" if isinstance(value, str) else "list"


def _join(value: object, separator: object = "") -> str:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise NoValueError(f"`join` takes a list, not {describe(value)}")
    between = _text(separator, "join")
    texts = [to_text(item) for item in value]
    check_length(sum(map(len, texts)) + len(between) * max(len(texts) - 1, 0))
    return between.join(texts)


def _round(value: object, digits: object = 0) -> int | float:
    number = _number(value, "round")
    places = _count(digits, "round", _MOST_DIGITS)
    return bounded(round(number, places) if places else round(number))


def _abs(value: object) -> int | float:
    return bounded(abs(_number(value, "abs")))


FILTERS: Mapping[str, Filter] = {
    "stem": Filter(_stem),
    "ext": Filter(_ext),
    "dir": Filter(_dir),
    "basename": Filter(_basename),
    "replace_ext": Filter(_replace_ext, 1, 1),
    "pad": Filter(_pad, 1, 1),
    "lower": Filter(_lower),
    "upper": Filter(_upper),
    "capitalize": Filter(_capitalize),
    "title": Filter(_title),
    "urlencode": Filter(_urlencode),
    "replace": Filter(_replace, 2, 2),
    "trim": Filter(_trim),
    "int": Filter(_int),
    "float": Filter(_float),
    "string": Filter(to_text),
    "length": Filter(_length),
    "first": Filter(_first),
    "last": Filter(_last),
    "join": Filter(_join, 0, 1),
    "split": Filter(split_text, 0, 1),
    "map": Filter(map_items, keywords=_ATTRIBUTE),
    "sort": Filter(sort_items, keywords=_ATTRIBUTE | {"reverse"}),
    "unique": Filter(unique_items, keywords=_ATTRIBUTE),
    "reverse": Filter(reverse_items),
    "min": Filter(least_item, keywords=_ATTRIBUTE),
    "max": Filter(greatest_item, keywords=_ATTRIBUTE),
    "sum": Filter(sum_items, keywords=_ATTRIBUTE),
    "round": Filter(_round, 0, 1),
    "abs": Filter(_abs),
}

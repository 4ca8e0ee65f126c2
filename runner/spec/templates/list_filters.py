"""The filters of lists: `sort`, `unique`, `reverse`, `min`, `max`, `sum`, `map` and `split`.

It knows nothing of syntax or shells. `attribute` is a key of mappings, never an attribute of a
Python object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from runner.spec.templates.values import NoValueError, bounded, calculate, describe, is_number


def map_items(value: object, *, attribute: object = None) -> tuple[object, ...]:
    """What each mapping of a list has under the key `attribute`."""
    if not isinstance(attribute, str):
        raise NoValueError("`map` takes a key: `| map(attribute='path')`")
    return tuple(_keys(_items(value, "map"), "map", attribute))


def sort_items(
    value: object, *, attribute: object = None, reverse: object = False
) -> tuple[object, ...]:
    """The list in order: texts by their characters, numbers by size; equals keep theirs."""
    items = _items(value, "sort")
    keys = _comparable(items, "sort", attribute)
    order = sorted(range(len(items)), key=keys.__getitem__, reverse=_flag(reverse, "sort"))
    return tuple(items[index] for index in order)


def unique_items(value: object, *, attribute: object = None) -> tuple[object, ...]:
    """The list without what came before; upper and lower case are different."""
    items = _items(value, "unique")
    keys = _keys(items, "unique", attribute)
    found: dict[tuple[bool, object], object] = {}
    for key, item in zip(keys, items, strict=True):
        if not isinstance(key, (str, int, float)):
            raise NoValueError(f"`unique` cannot compare {describe(key)}", _BY_KEY)
        found.setdefault((isinstance(key, bool), key), item)
    return tuple(found.values())


def reverse_items(value: object) -> object:
    """The list, or the text, from its end to its start."""
    return value[::-1] if isinstance(value, str) else _items(value, "reverse")[::-1]


def least_item(value: object, *, attribute: object = None) -> object:
    """The first of the least items."""
    return _extreme(value, "min", attribute, min)


def greatest_item(value: object, *, attribute: object = None) -> object:
    """The first of the greatest items."""
    return _extreme(value, "max", attribute, max)


def sum_items(value: object, *, attribute: object = None) -> object:
    """The numbers of a list added up; 0 of an empty one."""
    total: object = 0
    for number in _keys(_items(value, "sum"), "sum", attribute):
        if not is_number(number):
            raise NoValueError(f"`sum` takes numbers, not {describe(number)}")
        total = calculate("+", total, number)
    return total


def split_text(value: object, separator: object = None) -> tuple[str, ...]:
    """The parts of a text between separators, by default between white space."""
    if not isinstance(value, str):
        raise NoValueError(f"`split` takes text, not {describe(value)}")
    if separator is not None and not (isinstance(separator, str) and separator):
        raise NoValueError("`split` takes a text that is not empty to split at")
    return tuple(value.split(separator))


_BY_KEY = "of mappings, name a key: `attribute='name'`"


def _items(value: object, name: str) -> tuple[object, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise NoValueError(f"`{name}` takes a list, not {describe(value)}")
    return tuple(value)


def _keys(items: Iterable[object], name: str, attribute: object) -> list[object]:
    if attribute is None:
        return list(items)
    if not isinstance(attribute, str):
        raise NoValueError(f"`{name}` takes the name of a key as its `attribute`")
    keys: list[object] = []
    for number, item in enumerate(items, start=1):
        if not isinstance(item, Mapping):
            raise NoValueError(f"item {number} is {describe(item)}, which has no key `{attribute}`")
        if attribute not in item:
            raise NoValueError(f"item {number} has no key `{attribute}`")
        keys.append(item[attribute])
    return keys


def _comparable(items: Sequence[object], name: str, attribute: object) -> list[str | int | float]:
    keys = _keys(items, name, attribute)
    texts = [key for key in keys if isinstance(key, str)]
    if len(texts) == len(keys):
        return list(texts)
    numbers = [
        bounded(key) for key in keys if isinstance(key, (int, float)) and not isinstance(key, bool)
    ]
    if len(numbers) == len(keys):
        return list(numbers)
    strange = next((key for key in keys if not (isinstance(key, str) or is_number(key))), None)
    if strange is None and None not in keys:
        raise NoValueError(f"`{name}` cannot compare texts with numbers")
    raise NoValueError(f"`{name}` cannot compare {describe(strange)}", _BY_KEY)


def _extreme(
    value: object,
    name: str,
    attribute: object,
    choose: Callable[..., int],
) -> object:
    items = _items(value, name)
    if not items:
        raise NoValueError(f"`{name}` finds nothing: the list is empty")
    keys = _comparable(items, name, attribute)
    return items[choose(range(len(items)), key=keys.__getitem__)]


def _flag(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    raise NoValueError(f"`{name}` takes true or false, not {describe(value)}")

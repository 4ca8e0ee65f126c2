"""Print the most frequent words of a text, and where this was counted.

Words are what white space separates, without punctuation at both ends; case counts. Words of one
frequency stand in the order of their first occurrence.
"""

import argparse
import os
import string
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SOURCES = (
    ("Node", "AZ_BATCH_NODE_ID"),
    ("Task", "AZ_BATCH_TASK_ID"),
    ("Job", "AZ_BATCH_JOB_ID"),
    ("Pool", "AZ_BATCH_POOL_ID"),
)


def is_punctuation(character: str) -> bool:
    """ASCII's punctuation (signs such as `$` and `+` count), and Unicode's."""
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def strip_punctuation(text: str) -> str:
    """The text without punctuation at both ends."""
    start, end = 0, len(text)
    while start < end and is_punctuation(text[start]):
        start += 1
    while end > start and is_punctuation(text[end - 1]):
        end -= 1
    return text[start:end]


def read_words(path: Path) -> Iterator[str]:
    """The words of a UTF-8 file, with or without a byte order mark, a line in memory at a time."""
    with path.open(encoding="utf-8-sig") as lines:
        for line in lines:
            for word in line.split():
                stripped = strip_punctuation(word)
                if stripped:
                    yield stripped


def main() -> None:
    """Counts the words of one file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("number", type=int, help="how many words to print")
    arguments = parser.parse_args()
    # The node's locale need not be UTF-8; the result always is.
    sys.stdout.reconfigure(encoding="utf-8")
    for word, count in Counter(read_words(arguments.file)).most_common(arguments.number):
        print(f"{word}\t{count}")
    print("-" * 30)
    for name, variable in SOURCES:
        print(f"{name}: {os.environ[variable]}")


if __name__ == "__main__":
    main()

"""How programs of Windows cut a command line into arguments, written from its description.

Source: "Parsing C command-line arguments", Microsoft C runtime: two backslashes before a quote are
one, an odd one makes the quote a character, and two quotes within quotes are one.
"""

from __future__ import annotations


def split_arguments(line: str) -> list[str]:
    """The arguments behind the program's name, which has to be a plain word."""
    arguments: list[str] = []
    current: str | None = None
    in_quotes = False
    at = 0
    while at < len(line):
        character = line[at]
        if character == "\\":
            end = at
            while line[end : end + 1] == "\\":
                end += 1
            count = end - at
            at = end
            if line[end : end + 1] == '"':
                current = (current or "") + "\\" * (count // 2)
                if count % 2:
                    current += '"'
                    at += 1
            else:
                current = (current or "") + "\\" * count
            continue
        if character == '"':
            current = current or ""
            if in_quotes and line[at + 1 : at + 2] == '"':
                current += '"'
                at += 1
            else:
                in_quotes = not in_quotes
        elif character in " \t" and not in_quotes:
            if current is not None:
                arguments.append(current)
            current = None
        else:
            current = (current or "") + character
        at += 1
    return [*arguments, current][1:] if current is not None else arguments[1:]

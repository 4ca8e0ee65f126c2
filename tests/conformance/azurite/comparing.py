"""Tells two services' answers apart, aspect by aspect.

It knows nothing of which differences are expected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from tests.conformance.azurite.asking import (
    Answer,
    Service,
    read_content,
    read_error,
    select_headers,
)
from tests.conformance.azurite.scenarios import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One aspect in which two answers differ; None where one has it not."""

    where: str
    """`story/number of the step`."""
    aspect: str
    """`status`, `code`, `error <element>`, `header <name>`, `xml <path>` or `content`."""
    ours: str | None
    azurites: str | None


def play(service: Service, steps: tuple[Step, ...], container: str) -> list[Answer]:
    """The answers to a story, with a container of its own that is removed at the end."""
    known = {"c": container, "endpoint": service.endpoint}
    known["read"] = service.sas(f"{container}/b", sr="b", sp="r")
    assert service.ask("PUT", container, "restype=container").status == 201
    answers = []
    for step in steps:
        answer = service.ask(
            step.method,
            _fill(step.path, known),
            _fill(step.query, known),
            headers={name: _fill(value, known) for name, value in step.headers.items()},
            body=_fill(step.body, known).encode(),
            auth=_sign(service, _fill(step.auth, known)),
        )
        for header, name in step.keep.items():
            known[name] = answer.headers.get(header, "missing")
        answers.append(answer)
    service.ask("DELETE", container, "restype=container")
    return answers


def compare(where: str, ours: Answer, azurites: Answer) -> Iterator[Difference]:
    """All aspects in which the answers differ."""
    yield from _compare_texts(where, "status", str(ours.status), str(azurites.status))
    yield from _compare_texts(where, "code", ours.code, azurites.code)
    yield from _compare_all(where, "error", read_error(ours), read_error(azurites))
    our_headers, their_headers = select_headers(ours), select_headers(azurites)
    for headers in (our_headers, their_headers):
        headers.pop("x-ms-error-code", None)
    if (ours.status >= 400) == (azurites.status >= 400):
        yield from _compare_all(where, "header", our_headers, their_headers)
        yield from _compare_contents(where, ours, azurites)


def _compare_contents(where: str, ours: Answer, azurites: Answer) -> Iterator[Difference]:
    mine, others = Counter(read_content(ours)), Counter(read_content(azurites))
    kinds = {line.partition("=")[0] for line in (mine - others) + (others - mine)}
    for kind in sorted(kinds):
        left = sorted(line for line in mine.elements() if line.partition("=")[0] == kind)
        right = sorted(line for line in others.elements() if line.partition("=")[0] == kind)
        yield Difference(
            where=where,
            aspect=f"xml {kind}" if kind != "content" else "content",
            ours=", ".join(line.partition("=")[2] for line in left) or None,
            azurites=", ".join(line.partition("=")[2] for line in right) or None,
        )


def _compare_all(
    where: str, aspect: str, ours: dict[str, str], azurites: dict[str, str]
) -> Iterator[Difference]:
    for name in sorted(ours.keys() | azurites.keys()):
        yield from _compare_texts(where, f"{aspect} {name}", ours.get(name), azurites.get(name))


def _compare_texts(
    where: str, aspect: str, ours: str | None, azurites: str | None
) -> Iterator[Difference]:
    if ours != azurites:
        yield Difference(where=where, aspect=aspect, ours=ours, azurites=azurites)


def _fill(text: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _sign(service: Service, auth: str) -> str:
    kind, _, rest = auth.partition(":")
    if kind == "sas":
        resource, _, fields = rest.partition(":")
        return service.sas(resource, **dict(parse_qsl(fields, keep_blank_values=True)))
    if kind == "account":
        return service.account_sas(**dict(parse_qsl(rest)))
    return auth

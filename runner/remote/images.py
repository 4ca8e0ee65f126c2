"""Finds an image in the service's list of supported ones.

It must not know how the list came, nor what the image is for.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from runner.errors import UsageError
from runner.frozen import dataclass
from runner.spec.model.pool import Image

_NEAR_ONES = 3
# Capabilities (REST: SupportedImage) are words without a closed list.
_RUNS_CONTAINERS = "dockercompatible"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Supported:
    name: str
    agent: str
    is_verified: bool
    runs_containers: bool


def find_node_agent(answers: Iterable[Mapping[str, Any]], image: Image, *, containers: bool) -> str:
    """The node agent of an image, found without regard to case, by a verified entry if there is.

    `UsageError` with near ones where the image is not in the list, or cannot run `containers`.
    """
    wanted = _name(image.publisher, image.offer, image.sku)
    listed = [_read(answer) for answer in answers]
    matching = [each for each in listed if each.name.lower() == wanted.lower()]
    if not matching:
        raise UsageError(
            f"image `{wanted}` is not in the service's list of supported images",
            hint=_suggest("did you mean", wanted, listed),
        )
    if containers:
        matching = [each for each in matching if each.runs_containers]
        if not matching:
            raise UsageError(
                f"image `{wanted}` cannot run containers",
                hint=_suggest(
                    "images that can:", wanted, [each for each in listed if each.runs_containers]
                ),
            )
    return min(matching, key=lambda each: not each.is_verified).agent


def _suggest(words: str, wanted: str, listed: Iterable[_Supported]) -> str | None:
    names = {each.name.lower(): each.name for each in listed}
    # Where an image has to be another one, any is better than none.
    cutoff = 0.0 if words.endswith(":") else 0.6
    near = difflib.get_close_matches(wanted.lower(), names, n=_NEAR_ONES, cutoff=cutoff)
    if not near:
        return None
    end = "" if words.endswith(":") else "?"
    return f"{words} {', '.join(f'`{names[name]}`' for name in near)}{end}"


def _read(answer: Mapping[str, Any]) -> _Supported:
    reference = answer["imageReference"]
    capabilities = {str(each).lower() for each in answer.get("capabilities") or ()}
    verification = answer.get("verificationType")
    return _Supported(
        name=_name(reference.get("publisher"), reference.get("offer"), reference.get("sku")),
        agent=str(answer["nodeAgentSKUId"]),
        is_verified=str(getattr(verification, "value", verification)).lower() == "verified",
        runs_containers=_RUNS_CONTAINERS in capabilities,
    )


def _name(publisher: str | None, offer: str | None, sku: str | None) -> str:
    return f"{publisher}/{offer}/{sku}"

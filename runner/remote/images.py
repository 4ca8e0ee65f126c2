"""Finds an image in the service's list of supported ones.

It must not know how the list came, nor what the image is for.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from runner.errors import UsageError
from runner.remote.answers import read_time
from runner.run.diagnosis.answers import SupportedImage
from runner.spec.model.pool import Image

_NEAR_ONES = 3
# Capabilities (REST: SupportedImage) are words without a closed list.
_RUNS_CONTAINERS = "dockercompatible"


def find_node_agent(answers: Iterable[Mapping[str, Any]], image: Image, *, containers: bool) -> str:
    """The node agent of an image; `UsageError` as of `find_image`."""
    return find_image(answers, image, containers=containers).agent


def find_image(
    answers: Iterable[Mapping[str, Any]], image: Image, *, containers: bool
) -> SupportedImage:
    """The entry of an image, found without regard to case, a verified one if there is.

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
        matching = [each for each in matching if _runs_containers(each)]
        if not matching:
            raise UsageError(
                f"image `{wanted}` cannot run containers",
                hint=_suggest(
                    "images that can:", wanted, [each for each in listed if _runs_containers(each)]
                ),
            )
    return min(matching, key=lambda each: not each.is_verified)


def _runs_containers(image: SupportedImage) -> bool:
    return _RUNS_CONTAINERS in image.capabilities


def _suggest(words: str, wanted: str, listed: Iterable[SupportedImage]) -> str | None:
    names = {each.name.lower(): each.name for each in listed}
    # Where an image has to be another one, any is better than none.
    cutoff = 0.0 if words.endswith(":") else 0.6
    near = difflib.get_close_matches(wanted.lower(), names, n=_NEAR_ONES, cutoff=cutoff)
    if not near:
        return None
    end = "" if words.endswith(":") else "?"
    return f"{words} {', '.join(f'`{names[name]}`' for name in near)}{end}"


def _read(answer: Mapping[str, Any]) -> SupportedImage:
    reference = answer["imageReference"]
    verification, end = answer.get("verificationType"), answer.get("batchSupportEndOfLife")
    return SupportedImage(
        name=_name(reference.get("publisher"), reference.get("offer"), reference.get("sku")),
        agent=str(answer["nodeAgentSKUId"]),
        is_verified=str(getattr(verification, "value", verification)).lower() == "verified",
        capabilities=frozenset(str(each).lower() for each in answer.get("capabilities") or ()),
        end_of_support=None if end is None else read_time(str(end)),
    )


def _name(publisher: str | None, offer: str | None, sku: str | None) -> str:
    return f"{publisher}/{offer}/{sku}"

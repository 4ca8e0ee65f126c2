"""The operations on tags: those of a blob, and the search for blobs by theirs.

It must not know how a request was routed here.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.emulator.blob.core import blobs
from runner.emulator.blob.core.containers import find_container
from runner.emulator.blob.core.records import Blob, Metadata
from runner.emulator.blob.core.refusals import (
    INVALID_XML_DOCUMENT,
    MISSING_REQUIRED_QUERY_PARAMETER,
    RefusedError,
    query_refused,
)
from runner.emulator.blob.core.tagqueries import (
    CONTAINER,
    Condition,
    ConditionError,
    holds,
    name_tags,
    parse_condition,
)
from runner.emulator.blob.operations.call import Call, read_conditions
from runner.emulator.blob.operations.documents import element, name_element, write_tags
from runner.emulator.blob.operations.pages import read_page_request, write_marker, xml_response
from runner.emulator.blob.operations.trees import read_tree
from runner.emulator.server.http import Response


async def get_tags(call: Call) -> Response:
    """Get Blob Tags."""
    conditions = read_conditions(call.request.headers)
    blob = blobs.read_blob(call.state, call.key, conditions, call.clock())
    return xml_response(write_tags(blob.tags))


async def set_tags(call: Call) -> Response:
    """Set Blob Tags."""
    tree = await read_tree(call.request, "Tags")
    found = tree.find("TagSet") if tree is not None else None
    if found is None:
        raise RefusedError(INVALID_XML_DOCUMENT)
    tags: Metadata = tuple((tag.read("Key"), tag.read("Value")) for tag in found.children)
    conditions = read_conditions(call.request.headers)
    blobs.set_tags(call.state, call.key, tags, conditions, call.clock())
    return Response(status=204)


async def find_blobs(call: Call) -> Response:
    """Find Blobs by Tags, of the account and of one container."""
    text = call.query.get("where")
    if not text:
        details = (("QueryParameterName", "where"),)
        raise RefusedError(MISSING_REQUIRED_QUERY_PARAMETER, details=details)
    try:
        condition = parse_condition(text)
    except ConditionError as error:
        raise query_refused("where", text, f"The expression cannot be read: {error}.") from error
    asked = read_page_request(call, known_includes=frozenset())
    found: list[Blob] = []
    more: str | None = None
    for blob in _walk(call, condition, asked.start):
        if len(found) == asked.maximum:
            more = f"{blob.key.container}/{blob.key.blob}"
            break
        found.append(blob)
    named = name_tags(condition)
    items = "".join(_write_found(blob, named) for blob in found)
    return xml_response(
        f'<EnumerationResults ServiceEndpoint="{call.endpoint}/">'
        f"{element('Where', text)}<Blobs>{items}</Blobs>"
        f"{element('NextMarker', write_marker(more))}</EnumerationResults>"
    )


def _walk(call: Call, condition: Condition, start: str) -> Iterator[Blob]:
    catalogue = call.state.catalogue
    container = call.target.container
    if container:
        find_container(call.state, container)
    names = [container] if container else list(catalogue.container_names())
    first_container, _, first_blob = start.partition("/")
    for name in names:
        if name < first_container:
            continue
        for blob_name in catalogue.blob_names(name):
            if name == first_container and blob_name < first_blob:
                continue
            blob = catalogue.blob(name, blob_name)
            if blob is None or not blob.tags:
                continue
            if holds(condition, {**dict(blob.tags), CONTAINER: name}):
                yield blob


def _write_found(blob: Blob, named: frozenset[str]) -> str:
    # Only the tags that the expression names are given back.
    tags = tuple((name, value) for name, value in blob.tags if name in named)
    return (
        f"<Blob>{name_element('Name', blob.key.blob)}"
        f"<ContainerName>{blob.key.container}</ContainerName>{write_tags(tags)}</Blob>"
    )

"""The settings and the statistics of the account's Blob service.

Logging, metrics and CORS rules are kept and given back, and nothing else. It must not know how a
request was routed here.
"""

from __future__ import annotations

from runner.emulator.blob.core.records import Settings, SettingsKey
from runner.emulator.blob.core.refusals import (
    INVALID_XML_DOCUMENT,
    INVALID_XML_NODE_VALUE,
    RefusedError,
    not_implemented,
)
from runner.emulator.blob.operations.call import Call, format_date
from runner.emulator.blob.operations.documents import DECLARATION, element
from runner.emulator.blob.operations.trees import Node, read_tree
from runner.emulator.server.http import Response

_OFF = "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy>"
_METRICS = f"<Version>1.0</Version><Enabled>false</Enabled>{_OFF}"
# What a new StorageV2 account answers: nothing logged, nothing kept, no rules.
_DEFAULTS = {
    "Logging": "<Logging><Version>1.0</Version><Delete>false</Delete><Read>false</Read>"
    f"<Write>false</Write>{_OFF}</Logging>",
    "HourMetrics": f"<HourMetrics>{_METRICS}</HourMetrics>",
    "MinuteMetrics": f"<MinuteMetrics>{_METRICS}</MinuteMetrics>",
    "Cors": "<Cors />",
    "DefaultServiceVersion": "",
    "DeleteRetentionPolicy": "<DeleteRetentionPolicy><Enabled>false</Enabled>"
    "</DeleteRetentionPolicy>",
    "StaticWebsite": "<StaticWebsite><Enabled>false</Enabled></StaticWebsite>",
}
# What would change how other requests are answered.
_EFFECTIVE = ("DeleteRetentionPolicy", "StaticWebsite")
_MAXIMUM_RULES = 5


async def get_properties(call: Call) -> Response:
    """Get Blob Service Properties."""
    kept = call.state.catalogue.settings()
    sections = {**_DEFAULTS, **(dict(kept.sections) if kept else {})}
    text = f"<StorageServiceProperties>{''.join(sections.values())}</StorageServiceProperties>"
    return _xml(text)


async def set_properties(call: Call) -> Response:
    """Set Blob Service Properties; a section that is not given stays as it is."""
    tree = await read_tree(call.request, "StorageServiceProperties")
    if tree is None:
        raise RefusedError(INVALID_XML_DOCUMENT)
    kept = call.state.catalogue.settings()
    sections = dict(kept.sections) if kept else {}
    for node in tree.children:
        if node.name not in _DEFAULTS:
            raise RefusedError(INVALID_XML_DOCUMENT)
        _check(node)
        sections[node.name] = _write(node)
    call.state.catalogue.put(Settings(key=SettingsKey(), sections=tuple(sections.items())))
    return Response(status=202)


async def get_stats(call: Call) -> Response:
    """Get Blob Service Stats: the second region is this machine too."""
    return _xml(
        "<StorageServiceStats><GeoReplication><Status>live</Status>"
        f"<LastSyncTime>{format_date(call.clock())}</LastSyncTime>"
        "</GeoReplication></StorageServiceStats>"
    )


def _check(node: Node) -> None:
    enabled = node.read("Enabled").lower()
    if node.name in _EFFECTIVE and enabled == "true":
        raise not_implemented(f"`{node.name}`")
    if node.name == "Cors" and len(node.children) > _MAXIMUM_RULES:
        details = (("XmlNodeName", "Cors"), ("XmlNodeValue", str(len(node.children))))
        raise RefusedError(INVALID_XML_NODE_VALUE, details=details)


def _write(node: Node) -> str:
    if not node.children:
        return element(node.name, node.text.strip())
    return f"<{node.name}>{''.join(map(_write, node.children))}</{node.name}>"


def _xml(text: str) -> Response:
    return Response(
        status=200,
        headers=(("Content-Type", "application/xml"),),
        body=(DECLARATION + text).encode("utf-8"),
    )

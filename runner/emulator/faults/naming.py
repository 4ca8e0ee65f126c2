"""What a request asks for, by the names that rules use: `create_task_collection`, `put_blob`.

It must not know any rule. Names of Batch are those of its table; names of Blob Storage are those of
its REST reference in lower case, with `_` between the words.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.emulator.batch.core.refusal import RefusedError as BatchRefusedError
from runner.emulator.batch.operations.routing import Routes
from runner.emulator.batch.operations.table import OLDER_OPERATIONS, OPERATIONS
from runner.emulator.blob.access.target import parse_target
from runner.emulator.blob.core.refusals import RefusedError as BlobRefusedError
from runner.emulator.blob.operations.table import OPERATIONS as BLOB_OPERATIONS
from runner.emulator.blob.operations.table import find_operation
from runner.emulator.server.accounts import Kind
from runner.emulator.server.http import Request

_ROUTES = Routes((*OPERATIONS, *OLDER_OPERATIONS))


def _name_in_rules(operation: str) -> str:
    return operation.lower().replace(" ", "_")


NAMES: Mapping[Kind, frozenset[str]] = {
    Kind.BATCH: frozenset(each.name for each in (*OPERATIONS, *OLDER_OPERATIONS)),
    Kind.BLOB: frozenset(map(_name_in_rules, BLOB_OPERATIONS)),
}
"""What the operations of each service are called."""


def name_operation(kind: Kind, request: Request) -> str:
    """The name of the operation, "" where the service has none such."""
    return _name_of_batch(request) if kind is Kind.BATCH else _name_of_blob(request)


def _name_of_batch(request: Request) -> str:
    try:
        return _ROUTES.find(request.method, request.address.resource).operation.name
    except BatchRefusedError:
        return ""


def _name_of_blob(request: Request) -> str:
    query: dict[str, str] = {}
    for name, value in request.query:
        query.setdefault(name.lower(), value)
    try:
        target = parse_target(request.address.resource)
        operation = find_operation(request.method, target.level, query, request.headers)
    except BlobRefusedError:
        return ""
    return _name_in_rules(operation.name)

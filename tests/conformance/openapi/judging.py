"""Holds an exchange against every document that speaks of its version.

It must not know which client asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.conformance.openapi.exchange import Exchange
from tests.conformance.openapi.findings import Fault
from tests.conformance.openapi.reference import Reference
from tests.conformance.openapi.responses import check_response
from tests.conformance.openapi.superset import is_allowed


@dataclass(slots=True, kw_only=True)
class Judge:
    """Collects what is wrong with exchanges, and which operations succeeded or were refused."""

    reference: Reference
    faults: list[str] = field(default_factory=list)
    succeeded: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def judge(self, seen: Exchange) -> None:
        """One exchange more."""
        operation = self.reference.newest.find(seen.method, seen.path)
        title = f"{seen.method} {seen.path}" if operation is None else operation.title
        for surface in self.reference.surfaces_for(seen.version):
            for finding in check_response(seen, surface, self.reference.codes):
                if finding.fault is Fault.OPERATION_UNKNOWN:
                    finding = replace(finding, place=title)
                if not is_allowed(finding, surface.version):
                    self.faults.append(
                        f"{seen.method} {seen.path} {seen.status} ({surface.version}): {finding}"
                    )
        if operation is not None:
            (self.succeeded if seen.succeeded else self.refused).add(operation.name)

"""Where answers of the service differ from its documents: all that is allowed, with its reason.

It must not know how a response is checked.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.conformance.openapi.findings import Fault, Finding

_WIRE = "2025-06-01"
_DOCUMENTS = ("2024-02-01.19.0", "2024-07-01.20.0")
_OLDER = ("2024-02-01.19.0",)

_NODE = "/pools/{poolId}/nodes/{nodeId}"
_TASK = "/jobs/{jobId}/tasks/{taskId}"
_LISTS = (
    "GET /applications",
    "GET /jobs",
    "GET /jobs/{jobId}/jobpreparationandreleasetaskstatus",
    "GET /jobs/{jobId}/tasks",
    "GET /jobschedules",
    "GET /jobschedules/{jobScheduleId}/jobs",
    "GET /pools",
    "GET /pools/{poolId}/nodes",
    "GET /poolusagemetrics",
    "GET /supportedimages",
    f"GET {_NODE}/extensions",
    f"GET {_NODE}/files",
    f"GET {_TASK}/files",
    f"GET {_TASK}/subtasksinfo",
)
_UNVERSIONED = (
    "GET /applications/{applicationId}",
    "GET /jobs/{jobId}/taskcounts",
    "POST /jobs/{jobId}/addtaskcollection",
    "POST /pools/{poolId}/evaluateautoscale",
    f"GET {_NODE}",
    f"GET {_NODE}/extensions/{{extensionName}}",
    f"GET {_NODE}/remoteloginsettings",
    f"POST {_NODE}/deallocate",
    f"POST {_NODE}/disablescheduling",
    f"POST {_NODE}/enablescheduling",
    f"POST {_NODE}/reboot",
    f"POST {_NODE}/reimage",
    f"POST {_NODE}/start",
    f"POST {_NODE}/uploadbatchservicelogs",
    f"POST {_NODE}/users",
    f"PUT {_NODE}/users/{{userName}}",
)
_FILES = tuple(
    f"{method} {owner}/files/{{filePath}}" for method in ("GET", "HEAD") for owner in (_NODE, _TASK)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Findings that are none: one fault at some places, seen with some surfaces or with all."""

    fault: Fault
    places: frozenset[str]
    reason: str
    surfaces: tuple[str, ...] = ()

    def covers(self, finding: Finding, surface: str) -> bool:
        """Whether it is this that was found."""
        return (
            finding.fault is self.fault
            and finding.place in self.places
            and (not self.surfaces or surface in self.surfaces)
        )


def _headers(titles: tuple[str, ...], *names: str) -> frozenset[str]:
    return frozenset(f"{title}: {name}" for title in titles for name in names)


ALLOWANCES = (
    Allowance(
        fault=Fault.HEADER_MISSING,
        places=_headers((*_LISTS, *_UNVERSIONED), "etag", "last-modified"),
        reason="on record: only pools, jobs, job schedules, tasks and what changes them have them",
    ),
    Allowance(
        fault=Fault.HEADER_MISSING,
        places=_headers(_FILES, "etag", "ocp-creation-time"),
        reason="on record: files have no ETag, and only those of Windows nodes a creation time",
    ),
    Allowance(
        fault=Fault.HEADER_MISSING,
        places=_headers(_FILES, "content-length"),
        reason="on record: a file may be sent in chunks",
    ),
    Allowance(
        fault=Fault.HEADER_MISSING,
        places=_headers((f"GET {_TASK}", f"POST {_TASK}/reactivate"), "dataserviceid"),
        reason="on record: these two do not have it",
    ),
    Allowance(
        fault=Fault.PROPERTY_MISSING,
        places=frozenset({"UserAccount.password"}),
        reason="on record: secrets are not given back",
    ),
    Allowance(
        fault=Fault.PROPERTY_MISSING,
        places=frozenset({"ApplicationSummary.displayName", "BatchApplication.displayName"}),
        reason="on record: an application that was given no name has none",
    ),
    Allowance(
        fault=Fault.PROPERTY_MISSING,
        places=frozenset({"BatchNode.lastBootTime"}),
        reason="on record: a node that has not started yet has none",
        surfaces=(_WIRE,),
    ),
    Allowance(
        fault=Fault.OPERATION_UNKNOWN,
        places=frozenset({f"POST {_NODE}/deallocate", f"POST {_NODE}/start"}),
        reason="new in 2024-07-01.20.0",
        surfaces=_OLDER,
    ),
    Allowance(
        fault=Fault.PROPERTY_UNKNOWN,
        places=frozenset({"NodeCounts.deallocated", "NodeCounts.deallocating"}),
        reason="new in 2024-07-01.20.0",
        surfaces=_OLDER,
    ),
    Allowance(
        fault=Fault.WORD_UNKNOWN,
        places=frozenset({"ComputeNode.state"}),
        reason="new in 2024-07-01.20.0: `deallocating` and `deallocated`",
        surfaces=_OLDER,
    ),
    Allowance(
        fault=Fault.PROPERTY_UNKNOWN,
        places=frozenset(
            {
                "ComputeNode.ipv6Address",
                "ComputeNodeGetRemoteLoginSettingsResult.ipv6RemoteLoginIPAddress",
                "ComputeNodeGetRemoteLoginSettingsResult.ipv6RemoteLoginPort",
            }
        ),
        reason="new in 2025-06-01",
        surfaces=_DOCUMENTS,
    ),
)


def is_allowed(finding: Finding, surface: str) -> bool:
    """Whether a finding is one of the differences above."""
    return any(allowance.covers(finding, surface) for allowance in ALLOWANCES)

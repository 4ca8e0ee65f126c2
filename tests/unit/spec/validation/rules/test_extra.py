"""What `extra` may add, and that it changes nothing that the language says."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
pool:
  image: debian 12
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
  extra: {resizeTimeout: PT20M}
job:
  extra: {displayName: nightly}
tasks:
  one:
    command: echo
    extra: {affinityInfo: {affinityId: here}}
"""
POOL, JOB, STEP = "resizeTimeout: PT20M", "displayName: nightly", "affinityInfo: {affinityId: here}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (POOL, POOL),
        (POOL, "metadata: [{name: team, value: maps}, {name: batchrun, value: x}, 7, {name: []}]"),
        (
            POOL,
            (
                "virtualMachineConfiguration: {osDisk: {caching: readonly}, dataDisks: []},"
                " networkConfiguration: {endpointConfiguration: {inboundNATPools: []},"
                " publicIPAddressConfiguration: {ipFamilies: [ipv4]}}, displayName: x"
            ),
        ),
        (JOB, "allowTaskPreemption: true, networkConfiguration: {subnetId: x}, constraints: {}"),
        (
            STEP,
            (
                "userIdentity: {autoUser: {scope: task}}, containerSettings:"
                " {containerHostBatchBindMounts: [{source: Shared}]}, constraints: {later: 1}"
            ),
        ),
    ],
)
def test_what_the_language_lacks_may_be_added(old: str, new: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == []


SET = "cannot stand in `extra`: it is set already"
BY_ITSELF = "take it away: a run sets it by itself"


@pytest.mark.parametrize(
    ("old", "new", "place", "name", "hint"),
    [
        (STEP, "commandLine: rm -rf x", "13:13", "commandLine", "use `command`"),
        (STEP, "CommandLine: rm -rf x", "13:13", "CommandLine", "use `command`"),
        (STEP, "id: same", "13:13", "id", BY_ITSELF),
        (STEP, "displayName: x", "13:13", "displayName", BY_ITSELF),
        (STEP, "outputFiles: []", "13:13", "outputFiles", "use `outputs`"),
        (STEP, "constraints: {retentionTime: P1D}", "13:27", "retentionTime", "use `retention`"),
        (
            STEP,
            "userIdentity: {autoUser: {scope: task, elevationLevel: admin}}",
            "13:52",
            "elevationLevel",
            "use `run_as`",
        ),
        (
            STEP,
            'containerSettings: {imageName: "x:1"}',
            "13:33",
            "imageName",
            "use `container.image`",
        ),
        (
            JOB,
            "constraints: {maxWallClockTime: P365D}",
            "9:25",
            "maxWallClockTime",
            "use `limits.duration`",
        ),
        (
            JOB,
            "poolInfo: {autoPoolSpecification: {keepAlive: true}}",
            "9:11",
            "poolInfo",
            "use `pool`",
        ),
        (
            JOB,
            "jobPreparationTask: {commandLine: x}",
            "9:11",
            "jobPreparationTask",
            "use `job.preparation`",
        ),
        (JOB, "jobManagerTask: {commandLine: x}", "9:11", "jobManagerTask", "use `command`"),
        (JOB, "metadata: []", "9:11", "metadata", "use `job.metadata`"),
        (JOB, "onAllTasksComplete: noaction", "9:11", "onAllTasksComplete", BY_ITSELF),
        (POOL, "startTask: {commandLine: x}", "7:11", "startTask", "use `pool.start_task`"),
        (
            POOL,
            "targetDedicatedNodes: 99",
            "7:11",
            "targetDedicatedNodes",
            "use `pool.nodes.dedicated`",
        ),
        (
            POOL,
            "virtualMachineConfiguration: {containerConfiguration: {type: criCompatible}}",
            "7:41",
            "containerConfiguration",
            "use `pool.container_images`",
        ),
    ],
)
def test_what_the_language_says_may_not_be_changed(
    old: str, new: str, place: str, name: str, hint: str
) -> None:
    assert facts_of(edited(SPEC, old, new)) == [
        (f"{place} extra-property", f"`{name}` {SET}", hint)
    ]


@pytest.mark.parametrize(
    ("old", "new", "fact"),
    [
        (
            STEP,
            "constraints: null, affinityInfo: null",
            (
                "13:13 extra-property",
                "`constraints` would take the place of what the run sets below it",
                "write a mapping with the properties that the language lacks",
            ),
        ),
        (
            POOL,
            "virtualMachineConfiguration: x",
            (
                "7:11 extra-property",
                "`virtualMachineConfiguration` would take the place of what the run sets below it",
                "write a mapping with the properties that the language lacks",
            ),
        ),
        (
            POOL,
            "metadata: null",
            (
                "7:11 extra-property",
                "`metadata` would take the place of the run's own metadata",
                "write a list: `metadata: [{name: team, value: maps}]`",
            ),
        ),
        (
            POOL,
            "Metadata: []",
            (
                "7:11 extra-property",
                "`Metadata` would take the place of the run's own metadata",
                "write a list: `metadata: [{name: team, value: maps}]`",
            ),
        ),
        (
            POOL,
            "metadata: [{name: team, value: x}, {value: x, name: pool}]",
            (
                "7:63 metadata",
                "the metadata `pool` is set by the run itself",
                "give it another name",
            ),
        ),
    ],
)
def test_nothing_is_replaced_as_a_whole(
    old: str, new: str, fact: tuple[str, str, str | None]
) -> None:
    assert facts_of(edited(SPEC, old, new)) == [fact]


def test_all_that_is_wrong_is_said_at_once() -> None:
    spec = edited(
        SPEC, STEP, "requiredSlots: 2, constraints: {maxTaskRetryCount: -1}, dependsOn: {}"
    )
    assert facts_of(spec) == [
        ("13:13 extra-property", f"`requiredSlots` {SET}", "use `slots`"),
        ("13:45 extra-property", f"`maxTaskRetryCount` {SET}", "use `retries`"),
        ("13:69 extra-property", f"`dependsOn` {SET}", "use `needs`"),
    ]

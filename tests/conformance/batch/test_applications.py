"""Application packages through azure-batch 15.1, on an emulator that has some."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

import pytest
from azure.batch import BatchClient, models

from tests.conformance.batch.asking import POLL, auto_pool, completed, machine, refused
from tests.conformance.batch.variants import MAIN, open_client
from tests.conformance.endpoints import Emulator, start_emulator
from tests.conformance.openapi.judging import Judge

JOB = "packed"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An account with one application, and two more pools or jobs than none."""
    folder = tmp_path_factory.mktemp("applications")
    (folder / "tool").mkdir()
    (folder / "tool" / "name").write_text("A tool")
    (folder / "tool" / "default").write_text("1.5")
    with zipfile.ZipFile(folder / "tool" / "1.5.zip", "w") as archive:
        archive.writestr("words.txt", "from the package\n")
    with start_emulator("--applications", str(folder), "--quota", "pools=2") as running:
        yield running


@pytest.fixture
def client(emulator: Emulator, judge: Judge | None) -> Iterator[BatchClient]:
    """The account's client."""
    with open_client(MAIN, emulator, judge) as opened:
        yield opened


def reference(version: str | None) -> models.BatchApplicationPackageReference:
    """A package of the tool."""
    return models.BatchApplicationPackageReference(application_id="tool", version=version)


def test_applications_are_listed(client: BatchClient) -> None:
    (listed,) = client.list_applications()
    one = client.get_application("TOOL")
    assert (one.id, one.display_name, one.versions) == ("tool", "A tool", ["1.5"])
    assert (listed.id, listed.versions) == (one.id, one.versions)
    assert refused(lambda: client.get_application("other")) == (404, "ApplicationNotFound")


def test_a_task_finds_its_package(client: BatchClient) -> None:
    client.create_job(models.BatchJobCreateOptions(id=JOB, pool_info=auto_pool()))
    for name, version in (("default", None), ("named", "1.5"), ("missing", "9")):
        variable = "$AZ_BATCH_APP_PACKAGE_tool" + ("" if version is None else "_1_5")
        client.create_task(
            JOB,
            models.BatchTaskCreateOptions(
                id=name,
                command_line=f"/bin/sh -c 'cat {variable}/words.txt'",
                application_package_references=[reference(version)],
            ),
        )
    for name in ("default", "named"):
        completed(client, JOB, name)
        content = client.download_task_file(JOB, name, "stdout.txt")
        assert b"".join(content) == b"from the package\n"
    info = completed(client, JOB, "missing").execution_info
    assert info is not None
    assert info.exit_code is None
    assert info.failure_info is not None
    assert info.failure_info.code == "ApplicationPackageError"
    client.begin_delete_job(JOB, **POLL).wait()


def test_a_pool_is_refused_a_missing_package(client: BatchClient) -> None:
    pool = models.BatchPoolCreateOptions(
        id="pool",
        vm_size="standard_d2s_v5",
        virtual_machine_configuration=machine(),
        application_package_references=[reference("9")],
    )
    invalid = (409, "InvalidApplicationPackageReferences")
    assert refused(lambda: client.create_pool(pool)) == invalid


def test_a_job_says_why_it_has_no_pool(client: BatchClient) -> None:
    info = auto_pool()
    assert info.auto_pool_specification is not None
    assert info.auto_pool_specification.pool is not None
    info.auto_pool_specification.pool.application_package_references = [reference("9")]
    client.create_job(models.BatchJobCreateOptions(id="packless", pool_info=info))
    execution = client.get_job("packless").execution_info
    assert execution is not None
    error = execution.scheduling_error
    assert error is not None
    assert error.code == "InvalidApplicationPackageReferencesInAutoPool"
    client.begin_delete_job("packless", **POLL).wait()


def test_quotas_are_kept(client: BatchClient) -> None:
    for name in ("first", "second"):
        client.create_pool(
            models.BatchPoolCreateOptions(
                id=name, vm_size="standard_d2s_v5", virtual_machine_configuration=machine()
            )
        )
    third = models.BatchPoolCreateOptions(
        id="third", vm_size="standard_d2s_v5", virtual_machine_configuration=machine()
    )
    assert refused(lambda: client.create_pool(third)) == (409, "PoolQuotaReached")
    client.create_job(models.BatchJobCreateOptions(id="poolless", pool_info=auto_pool()))
    execution = client.get_job("poolless").execution_info
    assert execution is not None
    assert execution.scheduling_error is not None
    assert execution.scheduling_error.code == "AutoPoolCreationFailedWithQuotaReached"
    client.begin_delete_job("poolless", **POLL).wait()
    for name in ("first", "second"):
        client.begin_delete_pool(name, **POLL).wait()

"""What pools may be given: networks, mounts, containers, packages; and that secrets are dropped."""

from __future__ import annotations

from typing import Any

import pytest

from runner.emulator.batch.core.limits import Limits
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.bodies.pool import decode_pool
from runner.emulator.batch.operations.bodies.poolchanges import patch_pool
from runner.emulator.batch.operations.images import IMAGES

MACHINE = {
    "imageReference": {"publisher": "debian", "offer": "debian-12", "sku": "12"},
    "nodeAgentSKUId": "batch.node.debian 12",
}
ENDPOINT = {
    "name": "ssh",
    "protocol": "tcp",
    "backendPort": 8080,
    "frontendPortRangeStart": 1000,
    "frontendPortRangeEnd": 1100,
}


def pool(**properties: Any) -> Any:
    """The document of a pool with these properties."""
    body = {"id": "p", "vmSize": "x", "virtualMachineConfiguration": MACHINE, **properties}
    return decode_pool(body, Limits())[1].document


def why_not(**properties: Any) -> dict[str, str]:
    """The values of an invalid property."""
    with pytest.raises(RefusedError) as caught:
        pool(**properties)
    assert caught.value.reason is Reason.PROPERTY_INVALID
    return dict(caught.value.details)


def with_endpoints(*endpoints: dict[str, Any]) -> dict[str, Any]:
    return {"endpointConfiguration": {"inboundNATPools": list(endpoints)}}


def test_a_network_is_kept_as_it_is() -> None:
    rule = {
        "priority": 150,
        "access": "deny",
        "sourceAddressPrefix": "*",
        "sourcePortRanges": ["*"],
    }
    network = {
        "dynamicVNetAssignmentScope": "none",
        "subnetId": "/subscriptions/s/subnets/n",
        **with_endpoints({**ENDPOINT, "networkSecurityGroupRules": [rule]}),
        "publicIPAddressConfiguration": {"provision": "nopublicipaddresses"},
        "enableAcceleratedNetworking": True,
    }
    assert pool(networkConfiguration=network)["networkConfiguration"] == network


@pytest.mark.parametrize(
    ("network", "name", "value", "reason"),
    [
        (
            {"publicIPAddressConfiguration": {"provision": "none"}},
            "provision",
            "none",
            "The value is not one of: batchmanaged, usermanaged, nopublicipaddresses",
        ),
        (
            {"publicIPAddressConfiguration": {"ipAddressIds": ["a"]}},
            "ipAddressIds",
            "a",
            "ipAddressIds needs the provision usermanaged",
        ),
        (
            with_endpoints({**ENDPOINT, "backendPort": 29876}),
            "backendPort",
            "29876",
            "The port is reserved",
        ),
        (
            with_endpoints({**ENDPOINT, "frontendPortRangeEnd": 999}),
            "frontendPortRangeEnd",
            "999",
            "The range ends before it starts",
        ),
        (
            with_endpoints({**ENDPOINT, "frontendPortRangeEnd": 50_000}),
            "frontendPortRangeStart",
            "1000",
            "The ports 50000 to 55000 are reserved",
        ),
        (
            with_endpoints(ENDPOINT, {**ENDPOINT, "backendPort": 1}),
            "name",
            "ssh",
            "Another endpoint has this name",
        ),
        (
            with_endpoints(ENDPOINT, {**ENDPOINT, "name": "b"}),
            "backendPort",
            "8080",
            "Another endpoint has this port",
        ),
    ],
)
def test_networks_that_no_node_could_have(
    network: dict[str, Any], name: str, value: str, reason: str
) -> None:
    assert why_not(networkConfiguration=network) == {
        "PropertyName": name,
        "PropertyValue": value,
        "Reason": reason,
    }
    with pytest.raises(RefusedError):
        patch_pool({"networkConfiguration": network}, {}, Limits(), empty=True)


def test_what_of_a_pool_may_be_changed_only_while_it_is_empty() -> None:
    document = pool()
    for changes in (
        {"displayName": "x"},
        {"vmSize": "y"},
        {"taskSlotsPerNode": 4},
        {"taskSchedulingPolicy": {"nodeFillType": "pack"}},
        {"virtualMachineConfiguration": MACHINE},
        {"enableInterNodeCommunication": True},
        {"upgradePolicy": {"mode": "manual"}},
    ):
        (name,) = changes
        with pytest.raises(RefusedError) as caught:
            patch_pool(changes, document, Limits(), empty=False)
        assert caught.value.reason is Reason.OPERATION_INVALID_NOW
        assert caught.value.details == (
            ("Reason", f"The property {name} can be changed only while the pool is empty"),
        )
        assert name in patch_pool(changes, document, Limits(), empty=True)
    metadata = [{"name": "a", "value": "b"}]
    assert (
        patch_pool({"metadata": metadata}, document, Limits(), empty=False)["metadata"] == metadata
    )


def test_the_secrets_of_mounts_are_not_kept() -> None:
    blob = {"accountName": "a", "containerName": "c", "relativeMountPath": "in/put"}
    cifs = {"username": "u", "source": "//h/s", "relativeMountPath": "share"}
    files = {"accountName": "a", "azureFileUrl": "https://x", "relativeMountPath": "files"}
    nfs = {"source": "h:/x", "relativeMountPath": "nfs", "mountOptions": "-o ro"}
    given = [
        {"azureBlobFileSystemConfiguration": {**blob, "sasKey": "secret"}},
        {"cifsMountConfiguration": {**cifs, "password": "secret"}},
        {"azureFileShareConfiguration": {**files, "accountKey": "secret"}},
        {"nfsMountConfiguration": nfs},
    ]
    assert pool(mountConfiguration=given)["mountConfiguration"] == [
        {"azureBlobFileSystemConfiguration": blob},
        {"cifsMountConfiguration": cifs},
        {"azureFileShareConfiguration": files},
        {"nfsMountConfiguration": nfs},
    ]


@pytest.mark.parametrize("path", ["/abs", "..", "a/../../b", "../x"])
def test_a_mount_stays_below_the_folder_of_mounts(path: str) -> None:
    mount = {"nfsMountConfiguration": {"source": "h:/x", "relativeMountPath": path}}
    assert why_not(mountConfiguration=[mount])["PropertyName"] == "relativeMountPath"


def test_a_mount_has_one_kind_and_one_secret() -> None:
    assert why_not(mountConfiguration=[{}]) == {
        "PropertyName": "mountConfiguration",
        "PropertyValue": "",
        "Reason": (
            "Exactly one of azureBlobFileSystemConfiguration, nfsMountConfiguration,"
            " cifsMountConfiguration and azureFileShareConfiguration is required"
        ),
    }
    blob = {"accountName": "a", "containerName": "c", "relativeMountPath": "in"}
    both = {**blob, "accountKey": "k", "sasKey": "s"}
    assert why_not(mountConfiguration=[{"azureBlobFileSystemConfiguration": both}]) == {
        "PropertyName": "azureBlobFileSystemConfiguration",
        "PropertyValue": "accountKey, sasKey",
        "Reason": "Exactly one of accountKey, sasKey and identityReference is required",
    }


def test_containers_registries_users_and_packages_are_kept_without_secrets() -> None:
    registry = {"username": "u", "registryServer": "h"}
    containers = {"type": "dockerCompatible", "containerImageNames": ["ubuntu"]}
    user = {"name": "u", "elevationLevel": "admin", "linuxUserConfiguration": {"uid": 1}}
    packages = [{"applicationId": "blender", "version": "4.1"}, {"applicationId": "ffmpeg"}]
    shown = pool(
        virtualMachineConfiguration={
            **MACHINE,
            "containerConfiguration": {
                **containers,
                "containerRegistries": [{**registry, "password": "secret"}],
            },
        },
        userAccounts=[
            {
                **user,
                "password": "secret",
                "linuxUserConfiguration": {"uid": 1, "sshPrivateKey": "secret"},
            }
        ],
        applicationPackageReferences=packages,
        enableInterNodeCommunication=True,
        taskSchedulingPolicy={"nodeFillType": "pack"},
    )
    assert shown["virtualMachineConfiguration"]["containerConfiguration"] == {
        **containers,
        "containerRegistries": [registry],
    }
    assert shown["userAccounts"] == [user]
    assert shown["applicationPackageReferences"] == packages
    assert shown["enableInterNodeCommunication"] is True
    assert shown["taskSchedulingPolicy"] == {"nodeFillType": "Pack"}


def test_a_custom_image_is_named_by_its_resource() -> None:
    image = (
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/x/images/y"
        "/versions/1.0.0"
    )
    machine = {**MACHINE, "imageReference": {"virtualMachineImageId": image}}
    assert pool(virtualMachineConfiguration=machine)["virtualMachineConfiguration"] == machine
    wrong = {**MACHINE, "imageReference": {"virtualMachineImageId": "y"}}
    assert why_not(virtualMachineConfiguration=wrong) == {
        "PropertyName": "virtualMachineImageId",
        "PropertyValue": "y",
        "Reason": "The specified resource id must be of the format /subscriptions/{subscriptionId}"
        "/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/images/{imageName},"
        " /subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers"
        "/Microsoft.Compute/galleries/{galleryName}/images/{galleryImageName}/versions"
        "/{galleryImageVersionName}, or /subscriptions/{subscriptionId}/resourceGroups"
        "/{resourceGroupName}/providers/Microsoft.Compute/galleries/{galleryName}/images"
        "/{galleryImageName}",
    }


def test_a_node_has_at_most_four_slots_for_each_core() -> None:
    assert pool(vmSize="standard_d2s_v5", taskSlotsPerNode=8)["taskSlotsPerNode"] == 8
    assert why_not(vmSize="standard_d2s_v5", taskSlotsPerNode=9) == {
        "PropertyName": "taskSlotsPerNode",
        "PropertyValue": "9",
        "Reason": "The value is more than 8, which is four times the cores of the vmSize",
    }
    # Of a size that is not known so many as any node may have.
    assert pool(taskSlotsPerNode=256)["taskSlotsPerNode"] == 256


def test_images_that_are_no_longer_listed_are_still_taken() -> None:
    reference = {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS"}
    agent = "batch.node.ubuntu 18.04"
    machine = {"imageReference": reference, "nodeAgentSKUId": agent}
    document = pool(virtualMachineConfiguration=machine)
    assert document["virtualMachineConfiguration"]["imageReference"] == {
        **reference,
        "version": "latest",
    }
    assert all(image.agent != agent for image in IMAGES)
    machine = {"imageReference": reference, "nodeAgentSKUId": "batch.node.ubuntu 22.04"}
    assert why_not(virtualMachineConfiguration=machine) == {
        "PropertyName": "imageReference",
        "PropertyValue": "Canonical UbuntuServer 18.04-LTS",
        "Reason": "The image is not in the list of supported images",
    }


def test_what_is_filled_in_for_windows() -> None:
    machine = {
        "imageReference": {
            "publisher": "MicrosoftWindowsServer",
            "offer": "WindowsServer",
            "sku": "2022-datacenter",
        },
        "nodeAgentSKUId": "batch.node.windows amd64",
    }
    accounts = [
        {"name": "a", "password": "secret"},
        {
            "name": "b",
            "password": "secret",
            "windowsUserConfiguration": {"loginMode": "interactive"},
        },
    ]
    document = pool(virtualMachineConfiguration=machine, userAccounts=accounts)
    assert document["userAccounts"] == [
        {
            "name": "a",
            "elevationLevel": "nonadmin",
            "windowsUserConfiguration": {"loginMode": "batch"},
        },
        {
            "name": "b",
            "elevationLevel": "nonadmin",
            "windowsUserConfiguration": {"loginMode": "interactive"},
        },
    ]

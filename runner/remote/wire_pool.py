"""The body of a pool, as the REST reference (2025-06-01) names things.

A pure function of the request; it must not know the SDK, nor what the service answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from typing_extensions import assert_never

from runner.remote.pool_formula import EVALUATION_INTERVAL, pool_formula
from runner.remote.wire_parts import (
    application,
    command_part,
    duration,
    elevation,
    identity,
    resource,
    with_extra,
)
from runner.run.services import NodeCommandRequest, PoolRequest
from runner.spec.model.pool import (
    Autoscale,
    BlobMount,
    CifsMount,
    FileShareMount,
    Image,
    Mount,
    Network,
    NfsMount,
    NodeFill,
    PublicAddresses,
    Registry,
)
from runner.spec.model.terms import SecretName

_Secrets = Mapping[SecretName, str]


def pool_body(request: PoolRequest) -> dict[str, Any]:
    """A pool, as an auto-pool's specification; with an `id` it is the body of `POST /pools`."""
    pool, secrets = request.pool, request.secrets
    body: dict[str, Any] = {
        "virtualMachineConfiguration": _virtual_machine(request),
        "vmSize": pool.vm_size,
        **_size(request),
        "taskSlotsPerNode": pool.task_slots_per_node,
    }
    if pool.node_fill is not NodeFill.SPREAD:
        body["taskSchedulingPolicy"] = {"nodeFillType": pool.node_fill.value}
    if request.start_task is not None:
        body["startTask"] = _start_task(request.start_task)
    if pool.mounts:
        body["mountConfiguration"] = [_mount(mount, secrets) for mount in pool.mounts]
    if pool.network is not None:
        body["networkConfiguration"] = _network(pool.network)
    if pool.users:
        body["userAccounts"] = [
            {
                "name": user.name,
                "password": secrets[user.password],
                "elevationLevel": elevation(user.elevation),
            }
            for user in pool.users
        ]
    if pool.inter_node_communication:
        body["enableInterNodeCommunication"] = True
    if pool.applications:
        body["applicationPackageReferences"] = list(map(application, pool.applications))
    return with_extra(body, pool.extra, request.metadata)


def _virtual_machine(request: PoolRequest) -> dict[str, Any]:
    pool = request.pool
    body: dict[str, Any] = {
        "imageReference": {
            "publisher": pool.image.publisher,
            "offer": pool.image.offer,
            "sku": pool.image.sku,
            "version": pool.image.version,
        }
        if isinstance(pool.image, Image)
        else {"virtualMachineImageId": pool.image.id},
        "nodeAgentSKUId": request.node_agent,
    }
    if request.runs_containers:
        containers: dict[str, Any] = {"type": "dockerCompatible"}
        if pool.container_images:
            containers["containerImageNames"] = list(pool.container_images)
        if pool.registries:
            containers["containerRegistries"] = [
                _registry(registry, request.secrets) for registry in pool.registries
            ]
        body["containerConfiguration"] = containers
    return body


def _size(request: PoolRequest) -> dict[str, Any]:
    size = request.pool.size
    if isinstance(size, Autoscale):
        return _autoscale(size.formula, size.interval)
    if request.created is not None:
        return _autoscale(pool_formula(size, created=request.created), EVALUATION_INTERVAL)
    return {
        "targetDedicatedNodes": size.dedicated,
        "targetLowPriorityNodes": size.spot,
    }


def _autoscale(formula: str, interval: timedelta) -> dict[str, Any]:
    return {
        "enableAutoScale": True,
        "autoScaleFormula": formula,
        "autoScaleEvaluationInterval": duration(interval),
    }


def _start_task(request: NodeCommandRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        **command_part(request.command),
        "userIdentity": identity(request.run_as),
        "maxTaskRetryCount": request.retries,
        "waitForSuccess": request.wait_for_success,
    }
    if request.resources:
        body["resourceFiles"] = [resource(each) for each in request.resources]
    return body


def _registry(registry: Registry, secrets: _Secrets) -> dict[str, Any]:
    return {
        "registryServer": registry.server,
        "username": registry.user,
        "password": secrets[registry.password],
    }


def _mount(mount: Mount, secrets: _Secrets) -> dict[str, Any]:
    """One of the four kinds; blobfuse alone has a name of its own for its options."""
    match mount.source:
        case BlobMount() as blob:
            body = {
                "accountName": blob.account,
                "containerName": blob.container,
                "relativeMountPath": mount.path,
            }
            if blob.key is not None:
                body["accountKey"] = secrets[blob.key]
            if blob.sas is not None:
                body["sasKey"] = secrets[blob.sas]
            if mount.options:
                body["blobfuseOptions"] = mount.options
            return {"azureBlobFileSystemConfiguration": body}
        case FileShareMount() as share:
            name = "azureFileShareConfiguration"
            body = {
                "accountName": share.account,
                "azureFileUrl": share.url,
                "accountKey": secrets[share.key],
            }
        case NfsMount() as nfs:
            name = "nfsMountConfiguration"
            body = {"source": nfs.source}
        case CifsMount() as cifs:
            name = "cifsMountConfiguration"
            body = {
                "username": cifs.user,
                "source": cifs.source,
                "password": secrets[cifs.password],
            }
        case _:
            assert_never(mount.source)
    body["relativeMountPath"] = mount.path
    if mount.options:
        body["mountOptions"] = mount.options
    return {name: body}


def _network(network: Network) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if network.subnet is not None:
        body["subnetId"] = network.subnet
    match network.public_addresses:
        case PublicAddresses.BATCH:
            pass
        case PublicAddresses.NONE:
            body["publicIPAddressConfiguration"] = {"provision": "nopublicipaddresses"}
        case ids:
            body["publicIPAddressConfiguration"] = {
                "provision": "usermanaged",
                "ipAddressIds": list(ids),
            }
    if network.accelerated:
        body["enableAcceleratedNetworking"] = True
    return body

"""A pool as data: secrets by their names alone.

It knows nothing of tasks.
"""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_never

from runner.plan.model import NodeCommandPlan
from runner.report.extra import shown_extra
from runner.report.step_as_json import application_as_json, node_command_as_json, seconds
from runner.run.pools.making import GRACE, IDLE
from runner.spec.model.pool import (
    Autoscale,
    BlobMount,
    CifsMount,
    CustomImage,
    ExistingPool,
    FileShareMount,
    FixedNodes,
    Image,
    Mount,
    Network,
    NewPool,
    NfsMount,
    Pool,
    PublicAddresses,
    Registry,
)


def pool_as_json(pool: Pool, start_task: NodeCommandPlan | None) -> dict[str, Any]:
    """The pool that a job is given, or the one that it runs in."""
    match pool:
        case ExistingPool():
            return {"existing": pool.id, "os": pool.os.value}
        case NewPool():
            return _new_pool(pool, start_task)
        case _:
            assert_never(pool)


def _new_pool(pool: NewPool, start_task: NodeCommandPlan | None) -> dict[str, Any]:
    return {
        "image": _image(pool.image),
        "os": pool.os.value,
        "vm_size": pool.vm_size,
        **_size(pool.size),
        "gives_back": _gives_back(pool),
        "task_slots_per_node": pool.task_slots_per_node,
        "node_fill": pool.node_fill.value,
        "start_task": None if start_task is None else node_command_as_json(start_task),
        "node_retries": pool.node_retries,
        "packages": list(pool.packages),
        "container_images": list(pool.container_images),
        "registries": [_registry(each) for each in pool.registries],
        "mounts": [_mount(each) for each in pool.mounts],
        "network": None if pool.network is None else _network(pool.network),
        "users": [
            {
                "name": user.name,
                "rights": user.elevation.value,
                "password_secret": user.password,
            }
            for user in pool.users
        ],
        "inter_node_communication": pool.inter_node_communication,
        "applications": [application_as_json(each) for each in pool.applications],
        "keep_seconds": seconds(pool.keep),
        "extra": shown_extra(pool.extra),
    }


def _image(image: Image | CustomImage) -> dict[str, Any]:
    if isinstance(image, CustomImage):
        return {"id": image.id, "node_agent": image.node_agent}
    return {
        "publisher": image.publisher,
        "offer": image.offer,
        "sku": image.sku,
        "version": image.version,
        "alias": image.alias,
    }


def _size(size: FixedNodes | Autoscale) -> dict[str, Any]:
    if isinstance(size, Autoscale):
        return {
            "autoscale": size.formula,
            "interval_seconds": size.interval.total_seconds(),
            "scenario": size.scenario,
        }
    return {
        "dedicated_nodes": size.dedicated,
        "spot_nodes": size.spot,
        "fallback": None
        if size.fallback is None
        else {
            "dedicated_nodes": size.fallback.dedicated,
            "after_preemptions": size.fallback.after_preemptions,
            "wait_seconds": seconds(size.fallback.wait),
        },
    }


def _gives_back(pool: NewPool) -> dict[str, Any] | None:
    """When the service takes the nodes, whoever is there; None where something else says it."""
    if pool.keep is not None or isinstance(pool.size, Autoscale):
        return None
    return {"idle_seconds": seconds(IDLE), "earliest_seconds": seconds(GRACE)}


def _registry(registry: Registry) -> dict[str, Any]:
    return {
        "server": registry.server,
        "user": registry.user,
        "password_secret": registry.password,
    }


def _mount(mount: Mount) -> dict[str, Any]:
    source: dict[str, Any]
    match mount.source:
        case BlobMount():
            blob = mount.source
            source = {
                "blob": {
                    "account": blob.account,
                    "container": blob.container,
                    "key_secret": blob.key,
                    "sas_secret": blob.sas,
                }
            }
        case FileShareMount():
            share = mount.source
            source = {
                "file_share": {
                    "account": share.account,
                    "url": share.url,
                    "key_secret": share.key,
                }
            }
        case NfsMount():
            source = {"nfs": {"source": mount.source.source}}
        case CifsMount():
            cifs = mount.source
            source = {
                "cifs": {
                    "source": cifs.source,
                    "user": cifs.user,
                    "password_secret": cifs.password,
                }
            }
        case _:
            assert_never(mount.source)
    return {"path": mount.path, **source, "options": mount.options}


def _network(network: Network) -> dict[str, Any]:
    addresses = network.public_addresses
    return {
        "subnet": network.subnet,
        "public_addresses": addresses.value
        if isinstance(addresses, PublicAddresses)
        else list(addresses),
        "accelerated": network.accelerated,
    }

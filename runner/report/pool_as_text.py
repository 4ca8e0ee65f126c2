"""A pool for a person: its nodes, and what is out of the ordinary about them.

It knows nothing of tasks; of a secret it shows the name and where its value goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runner.report.as_text import plural, printable
from runner.report.extra import extra_as_text
from runner.report.secret_uses import mount_source, secret_uses
from runner.run.pools.making import GRACE, IDLE
from runner.spec.model.pool import (
    ExistingPool,
    Fallback,
    FixedNodes,
    Image,
    Network,
    NewPool,
    NodeFill,
    Pool,
    PublicAddresses,
)


def pool_lines(pool: Pool) -> Iterator[str]:
    """The nodes in one line, then a line for each thing that the spec adds to them."""
    if isinstance(pool, ExistingPool):
        yield f"pool: {pool.id}, which exists and stays"
        return
    yield _nodes(pool)
    yield from map(printable, _features(pool))


def _nodes(pool: NewPool) -> str:
    image = (
        f"{pool.image.publisher} {pool.image.offer} {pool.image.sku} {pool.image.version}"
        if isinstance(pool.image, Image)
        else pool.image.id
    )
    nodes = (
        f"{pool.size.dedicated} dedicated and {pool.size.spot} spot nodes"
        if isinstance(pool.size, FixedNodes)
        else "autoscaled nodes"
    )
    slots = plural(pool.task_slots_per_node, "task slot")
    return f"pool: {nodes} of {pool.vm_size}, {slots} each; image {image}"


def _fallback(fallback: Fallback) -> Iterator[str]:
    """When other nodes come in the place of the spot nodes."""
    occasions = ["where these are refused"]
    if fallback.after_preemptions is not None:
        occasions.append(f"after {plural(fallback.after_preemptions, 'preemption')}")
    if fallback.wait is not None:
        occasions.append(f"after {_minutes(fallback.wait)} without any")
    yield (
        f"  {plural(fallback.dedicated, 'dedicated node')} in the place of the spot nodes:"
        f" {', '.join(occasions)}"
    )


def _features(pool: NewPool) -> Iterator[str]:
    if not isinstance(pool.size, FixedNodes):
        named = "formula" if pool.size.scenario is None else pool.size.scenario
        yield f"  autoscale: {named}, every {_minutes(pool.size.interval)}"
    elif pool.keep is None:
        yield (
            f"  the service takes the nodes once no task has been pending for {_minutes(IDLE)},"
            f" {_minutes(GRACE)} after it made the pool at the earliest"
        )
    if isinstance(pool.size, FixedNodes) and pool.size.fallback is not None:
        yield from _fallback(pool.size.fallback)
    if pool.node_fill is NodeFill.PACK:
        yield "  node fill: pack"
    if pool.packages:
        yield f"  packages: {', '.join(pool.packages)}"
    for image in pool.container_images:
        yield f"  container image: {image}"
    for registry in pool.registries:
        yield f"  registry: {registry.server} as user {registry.user}"
    for mount in pool.mounts:
        options = f", options {mount.options}" if mount.options else ""
        yield f"  mount: {mount.path} from {mount_source(mount)}{options}"
    if pool.network is not None:
        yield f"  network: {_network(pool.network)}"
    for user in pool.users:
        yield f"  user: {user.name}, {user.elevation.value}"
    for secret, use in secret_uses(pool):
        yield f"  secret {secret} → {use}"
    if pool.inter_node_communication:
        yield "  nodes reach each other"
    for application in pool.applications:
        yield f"  application: {application.id} {application.version or '(default version)'}"
    if pool.keep is not None:
        yield f"  kept for {_minutes(pool.keep)} after the run, for the next one"
    if pool.extra:
        yield f"  extra {extra_as_text(pool.extra)}"


def _minutes(length: timedelta) -> str:
    return f"{length / timedelta(minutes=1):g} min"


def _network(network: Network) -> str:
    parts = [] if network.subnet is None else [f"subnet {network.subnet}"]
    if network.public_addresses is PublicAddresses.NONE:
        parts.append("no public addresses")
    elif isinstance(network.public_addresses, tuple):
        parts.append(f"public addresses {', '.join(network.public_addresses)}")
    if network.accelerated:
        parts.append("accelerated")
    return ", ".join(parts) or "as usual"

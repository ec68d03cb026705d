"""The DDS domains that this process has open; peers of one process on one domain share it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from cyclonedds.core import DDSException, Entity
from cyclonedds.domain import Domain

from hand_pose_ros.live.dds.network import MAX_DOMAIN_ID, Discovery, DiscoveryError


@dataclass
class _OpenDomain:
    domain: Domain
    configuration: str
    users: int = 0


_open: dict[int, _OpenDomain] = {}
_lock = threading.Lock()


def acquire_domain(domain_id: int, discovery: Discovery) -> None:
    """Open a domain, or share it; to be followed by one `release_domain`.

    :raises DiscoveryError: the id is out of range, the configuration is refused, or the process has that domain open otherwise
    """
    if not 0 <= domain_id <= MAX_DOMAIN_ID:
        raise DiscoveryError(f"domain id {domain_id} is not from 0 to {MAX_DOMAIN_ID}: set ROS_DOMAIN_ID or --domain-id")
    xml = discovery.xml()
    with _lock:
        if domain_id not in _open:
            try:
                _open[domain_id] = _OpenDomain(Domain(domain_id, xml or None), xml)
            except DDSException as error:
                raise DiscoveryError(f"cyclonedds refuses the configuration {xml!r}: {error}") from error
        elif _open[domain_id].configuration != xml:
            raise DiscoveryError(f"domain {domain_id} is already open in this process with another discovery range")
        _open[domain_id].users += 1


def release_domain(domain_id: int) -> None:
    """Close the domain when this was its last user."""
    with _lock:
        entry = _open[domain_id]
        entry.users -= 1
        if entry.users == 0:
            del _open[domain_id]
            delete(entry.domain)


def delete(entity: Entity) -> None:
    """Delete a cyclonedds entity, and with it all below it, now.

    cyclonedds deletes in `__del__` alone, and not even there when the garbage collector finds the object in a cycle.
    """
    entity.__del__()

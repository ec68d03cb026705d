"""Which machines the node looks for: the command line, CYCLONEDDS_URI or ROS 2's variables, as cyclonedds configuration."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass

RANGES = ("localhost", "subnet", "system_default")
_SIOCGIFFLAGS, _SIOCGIFADDR = 0x8913, 0x8915  # Linux
_IFF_UP, _IFF_LOOPBACK, _IFF_RUNNING = 0x1, 0x8, 0x40
MAX_DOMAIN_ID = 232  # above, the ports that DDS derives from it end


class DiscoveryError(ValueError):
    """A domain or discovery range that cannot be used; the text says why."""


@dataclass(frozen=True)
class Discovery:
    """Where other participants are looked for.

    :param range: "localhost" (this machine only), "subnet" (multicast) or "system_default" (cyclonedds' own default)
    :param static_peers: machines that are asked directly, names or addresses
    :param configuration: cyclonedds XML or a file:// address that replaces all of it (CYCLONEDDS_URI)
    """

    range: str = "localhost"
    static_peers: tuple[str, ...] = ()
    configuration: str = ""

    @classmethod
    def from_environment(cls, chosen_range: str | None = None) -> Discovery:
        """What the caller chose, else CYCLONEDDS_URI, else ROS_AUTOMATIC_DISCOVERY_RANGE, else this machine only.

        ROS_STATIC_PEERS are added where CYCLONEDDS_URI does not decide.
        Unlike ROS 2, the default is this machine only: a node that is tried out is not on the network of a whole laboratory.
        :raises DiscoveryError: a range that does not exist
        """
        peers = tuple(p for p in os.environ.get("ROS_STATIC_PEERS", "").split(";") if p)
        if chosen_range:
            return cls(_checked(chosen_range, "--discovery-range"), peers)
        if os.environ.get("CYCLONEDDS_URI"):
            return cls("system_default", (), os.environ["CYCLONEDDS_URI"])
        if os.environ.get("ROS_LOCALHOST_ONLY") == "1":
            return cls("localhost", peers)
        named = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "")
        return cls(_checked(named, "ROS_AUTOMATIC_DISCOVERY_RANGE") if named else "localhost", peers)

    def xml(self) -> str:
        """The configuration for cyclonedds; "subnet" as ROS 2's rmw_cyclonedds has it.

        "localhost" finds nothing but this machine's participants, and is found by those that look on this machine only as well as
        by those with ROS 2's default range. The latter live on the network card's address, and messages that reach an
        interface which is not in the list are ignored: so both lo and the card are in it. They do not look here by
        themselves, so this side announces itself every second.
        """
        if self.configuration or self.range == "system_default":
            return self.configuration
        local = self.range == "localhost"
        interfaces = ""
        if local:
            card = '<NetworkInterface autodetermine="true" multicast="false"/>' if _has_network() else ""
            interfaces = f'<Interfaces><NetworkInterface name="lo" multicast="false"/>{card}</Interfaces>'
        peers = "".join(f'<Peer address="{peer}"/>' for peer in (("127.0.0.1",) if local else ()) + self.static_peers)
        return (
            "<CycloneDDS><Domain>"
            f"<General>{interfaces}<AllowMulticast>{'false' if local else 'default'}</AllowMulticast></General>"
            "<Discovery><ParticipantIndex>auto</ParticipantIndex><MaxAutoParticipantIndex>32</MaxAutoParticipantIndex>"
            f"{'<SPDPInterval>1s</SPDPInterval>' if local else ''}<Peers>{peers}</Peers></Discovery>"
            "</Domain></CycloneDDS>"
        )

    def __str__(self) -> str:
        if self.configuration:
            return f"as CYCLONEDDS_URI says ({self.configuration})"
        where = {"localhost": "this machine only", "subnet": "the local network", "system_default": "cyclonedds' default"}[
            self.range
        ]
        return where + (f" and {', '.join(self.static_peers)}" if self.static_peers else "")


def domain_id_from_environment() -> int:
    """ROS_DOMAIN_ID, or 0.

    :raises DiscoveryError: it is no number
    """
    text = os.environ.get("ROS_DOMAIN_ID") or "0"
    try:
        return int(text)
    except ValueError:
        raise DiscoveryError(f"ROS_DOMAIN_ID is {text!r}: set it to a number from 0 to {MAX_DOMAIN_ID}") from None


def _checked(name: str, source: str) -> str:
    range_ = name.lower()
    if range_ not in RANGES:
        raise DiscoveryError(f"{source} is {name!r}: use one of {', '.join(RANGES)}")
    return range_


def _has_network() -> bool:
    """Whether an interface besides lo is up and has an IPv4 address (Linux)."""
    import fcntl  # here, so that `hand-pose node` can say elsewhere that it runs on Linux only

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                flags = struct.unpack_from("H", fcntl.ioctl(sock, _SIOCGIFFLAGS, request), 16)[0]
                fcntl.ioctl(sock, _SIOCGIFADDR, request)  # OSError without an address
            except OSError:
                continue
            if flags & _IFF_UP and flags & _IFF_RUNNING and not flags & _IFF_LOOPBACK:
                return True
    return False

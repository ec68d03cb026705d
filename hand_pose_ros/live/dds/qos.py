"""Quality of service in cyclonedds' terms, with what ROS 2 needs on top."""

from __future__ import annotations

from cyclonedds.qos import Policy, Qos
from cyclonedds.util import duration

from hand_pose_ros.live.topics import QosProfile

# Ids of the DDS standard (2.2.3) as they stand in the incompatible-QoS status.
_POLICY_NAMES = {
    2: "durability",
    3: "presentation",
    4: "deadline",
    5: "latency budget",
    6: "ownership",
    8: "liveliness",
    10: "partition",
    11: "reliability",
    12: "destination order",
    23: "data representation",
    24: "type consistency",
}


def to_dds(profile: QosProfile, type_hash: str = "") -> Qos:
    """The DDS policies of a ROS 2 endpoint.

    :param type_hash: "RIHS01_..." of the type; without it rclpy warns about every endpoint
    """
    policies = [
        Policy.Reliability.Reliable(duration(milliseconds=100)) if profile.reliable else Policy.Reliability.BestEffort,
        Policy.Durability.TransientLocal if profile.transient_local else Policy.Durability.Volatile,
        Policy.History.KeepLast(profile.depth),
        Policy.DataRepresentation(use_cdrv0_representation=True),  # ROS 2 reads XCDR1 only
        Policy.WriterDataLifecycle(autodispose=False),
    ]
    if profile.transient_local:
        policies.append(
            Policy.DurabilityService(
                cleanup_delay=0,
                history=Policy.History.KeepLast(profile.depth),
                max_samples=-1,
                max_instances=-1,
                max_samples_per_instance=-1,
            )
        )
    if type_hash:
        policies.append(Policy.Userdata(f"typehash={type_hash};".encode()))
    return Qos(*policies)


def policy_name(policy_id: int) -> str:
    """The name of the policy that did not fit."""
    return _POLICY_NAMES.get(policy_id, f"number {policy_id}")

"""Quality of service in rclpy's terms, and what to say when two ends do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind

from hand_pose_ros.live.topics import QosProfile

try:
    from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks


def to_rclpy(profile: QosProfile) -> QoSProfile:
    """The same profile for rclpy."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=profile.depth,
        reliability=ReliabilityPolicy.RELIABLE if profile.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if profile.transient_local else DurabilityPolicy.VOLATILE,
    )


def of_rclpy(profile: QoSProfile) -> QosProfile:
    """What an endpoint was made with, in our terms, for the log."""
    return QosProfile(
        profile.depth,
        profile.reliability == ReliabilityPolicy.RELIABLE,
        profile.durability == DurabilityPolicy.TRANSIENT_LOCAL,
    )


def publisher_events(logger: Any, topic: str, profile: QosProfile) -> PublisherEventCallbacks:
    """Logs every subscriber that cannot be served."""

    def incompatible(event: Any) -> None:
        logger.warning(
            f"{topic}: a subscriber asks for a {_policy(event)} that this publisher does not offer ({profile}): it gets nothing"
        )

    return PublisherEventCallbacks(incompatible_qos=incompatible)


def subscription_events(logger: Any, topic: str, profile: Callable[[], QosProfile]) -> SubscriptionEventCallbacks:
    """Logs every publisher that cannot be heard.

    :param profile: what the subscription has after its overrides, which is known only once it is made
    """

    def incompatible(event: Any) -> None:
        policy = _policy(event)
        logger.warning(
            f"{topic}: a publisher does not offer the {policy} that is asked for here ({profile()}): nothing of it arrives; "
            f"change the publisher, or the parameter qos_overrides.{topic}.subscription.{policy}"
        )

    return SubscriptionEventCallbacks(incompatible_qos=incompatible)


def _policy(event: Any) -> str:
    return qos_policy_name_from_kind(event.last_policy_kind).lower()

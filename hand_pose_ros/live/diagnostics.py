"""diagnostic_msgs/DiagnosticArray of the node, after the conventions of diagnostic_updater.

Two statuses. "<node>: hands" has keys that tools may rely on: rate_hz, age_ms, hands, frames, dropped, late, errors,
publish_errors, invalid_depth_share, backend, model, engine (what a user should know of it, for example that it is being
built), `<stage>_ms` for every stage (medians of the period): wait (from arrival to being taken up), decode, localize, crop,
network, track, build, and with a target_frame transform; and `detections`, `color`, `transform` and `overlay` where in use, and
`joint_angles`: how far, in the mean of the last frame with a hand, its joints are from those that the published angles stand for.
"<node>: <depth topic> topic status" has the keys of diagnostic_updater's FrequencyStatus.

A camera that is silent is a warning after one period and an error after STALE_AFTER_S.
"""

from __future__ import annotations

from typing import Any

from hand_pose_ros.live.statistics import Snapshot
from hand_pose_ros.messages.library import MessageLibrary, make_header

OK, WARN, ERROR = 0, 1, 2
MOSTLY_INVALID = 0.95  # share of a depth image's pixels
STALE_AFTER_S = 5.0


def diagnostic_array(
    library: MessageLibrary,
    snapshot: Snapshot,
    *,
    node: str,
    topic: str,
    backend: str,
    model: str,
    engine: str,
    now_ns: int,
    status: str = "",
) -> Any:
    """The statuses of one period.

    :param node: the node's name without its slash
    :param topic: of the depth image, after remapping
    :param engine: what the engine says of itself, or ""
    :param now_ns: the node's clock; diagnostics are stamped when they are made
    :param status: what the node was told to do instead of looking for hands ("disabled"), or ""
    """
    level, message = (OK, status) if status else judge(snapshot)
    values = {
        "rate_hz": f"{snapshot.rate_hz:.1f}",
        "age_ms": f"{snapshot.age_ms:.1f}",
        "hands": str(snapshot.hands),
        "frames": str(snapshot.frames_total),
        "dropped": str(snapshot.dropped_total),
        "late": str(snapshot.late_total),
        "errors": str(snapshot.errors_total),
        "publish_errors": str(snapshot.publish_errors_total),
        "invalid_depth_share": f"{snapshot.invalid_share:.3f}",
        "backend": backend,
        "model": model,
        "engine": engine,
        **snapshot.states,
        **{f"{stage}_ms": f"{milliseconds:.3f}" for stage, milliseconds in snapshot.stage_ms.items()},
    }
    frequency = (OK, status) if status else _frequency(snapshot)
    statuses = [
        _status(library, f"{node}: hands", model, (level, message), values),
        _status(library, f"{node}: {topic} topic status", model, frequency, _events(snapshot)),
    ]
    return library.make("diagnostic_msgs/msg/DiagnosticArray", header=make_header(library, now_ns, ""), status=statuses)


def _status(library: MessageLibrary, name: str, hardware: str, judged: tuple[int, str], values: dict[str, str]) -> Any:
    level, message = judged
    pairs = [library.make("diagnostic_msgs/msg/KeyValue", key=key, value=value) for key, value in values.items()]
    return library.make(
        "diagnostic_msgs/msg/DiagnosticStatus", level=level, name=name, message=message, hardware_id=hardware, values=pairs
    )


def _frequency(snapshot: Snapshot) -> tuple[int, str]:
    """As FrequencyStatus without a desired frequency, but a pause shorter than STALE_AFTER_S is no error yet."""
    if snapshot.frames:
        return OK, f"{snapshot.rate_hz:.1f} Hz"
    return ERROR if snapshot.silent_s >= STALE_AFTER_S else WARN, "No events recorded."


def _events(snapshot: Snapshot) -> dict[str, str]:
    return {
        "Events in window": str(snapshot.frames),
        "Events since startup": str(snapshot.frames_total),
        "Duration of window (s)": f"{snapshot.seconds:f}",
        "Actual frequency (Hz)": f"{snapshot.rate_hz:f}",
    }


def judge(snapshot: Snapshot) -> tuple[int, str]:
    """Level and one line."""
    if snapshot.errors:
        return ERROR if not snapshot.frames else WARN, snapshot.last_error
    if snapshot.publish_errors:
        return WARN, f"{snapshot.publish_errors} message(s) could not be published, the last: {snapshot.last_publish_error}"
    if snapshot.late and not snapshot.frames:
        text = "left out: stamps not newer than the one before (does the driver set header.stamp? is the topic published twice?)"
        return WARN, f"all {snapshot.late} images of the last {snapshot.seconds:.1f} s {text}"
    if not snapshot.frames and snapshot.silent_s >= STALE_AFTER_S:
        return ERROR, f"no depth image with its camera info for {snapshot.silent_s:.1f} s"
    if not snapshot.frames:
        return WARN, f"no depth image with its camera info in the last {snapshot.seconds:.1f} s"
    if snapshot.problems:
        return WARN, f"{max(snapshot.problems.values())} of {snapshot.frames} images: {snapshot.last_problem}"
    if snapshot.invalid_share >= MOSTLY_INVALID:
        return WARN, f"{snapshot.invalid_share:.0%} of the depth image is invalid"
    return OK, f"{snapshot.rate_hz:.1f} Hz, {snapshot.hands} hand{'' if snapshot.hands == 1 else 's'}"

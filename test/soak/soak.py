"""Does the node hold a camera's pace for hours? Plays 640x480 depth images to it and watches its memory, drops and latency.

    python test/soak/soak.py --minutes 10                  # the node without ROS
    python test/soak/soak.py --minutes 10 --ros            # hand_pose_node, with a workspace sourced

The node is a process of its own, on this machine only. The images are the package's recording, again and again, stamped when
they are sent.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import struct
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from cameras import dds_rig, ros_rig
from process_watch import ProcessWatch, slope_mb_per_hour

from hand_pose_ros.bags.source import open_source
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE, DIAGNOSTICS
from hand_pose_ros.messages.library import stamp_fields
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.metrics import latency_figures
from hand_pose_ros.share import DEMO_RECORDING, find

# CDR of a message that begins with a std_msgs/Header: four bytes of encapsulation, then the stamp.
STAMP_AT, STAMP = 4, struct.Struct("<iI")
FRAMES = 150  # of the recording, kept in memory; played forth and back, so that the hand never jumps
LAST_ANSWER_S = 2.0
END_S = 10.0  # memory at the end: its mean over the last ten seconds


class Soak:
    """Sends the frames and notes when each was answered."""

    def __init__(self) -> None:
        self.library = RosbagsLibrary()
        self.sent = 0
        self.latency_ms: list[float] = []
        self.dropped_in_node = 0
        self._open: set[int] = set()

    def heard_hands(self, cdr: bytes) -> None:
        """On the listener's thread."""
        now = time.time_ns()
        sec, nanosec = STAMP.unpack_from(cdr, STAMP_AT)
        stamp = sec * 1_000_000_000 + nanosec
        if stamp in self._open:
            self._open.discard(stamp)
            self.latency_ms.append((now - stamp) / 1e6)

    def heard_diagnostics(self, cdr: bytes) -> None:
        """On the listener's thread."""
        for status in self.library.deserialize(cdr, DIAGNOSTICS.typename).status:
            self.dropped_in_node = int({pair.key: pair.value for pair in status.values}.get("dropped", self.dropped_in_node))

    def frames(self) -> list[tuple[bytearray, bytearray]]:
        """(image, camera info) as CDR, whose stamps are still to be set."""
        frames = []
        with closing(open_source(find(DEMO_RECORDING), self.library)) as source:
            for frame, _ in zip(source.frames(), range(FRAMES)):
                messages = ((frame.image, DEPTH_IMAGE), (frame.info, CAMERA_INFO))
                frames.append(tuple(bytearray(self.library.serialize(message, spec.typename)) for message, spec in messages))
        return frames + frames[-2:0:-1]

    def play(self, frames: list[tuple[bytearray, bytearray]], send: Any, seconds: float, rate_hz: float) -> None:
        """Every frame at its time, for so long."""
        began = time.monotonic()
        for index in range(round(seconds * rate_hz)):
            time.sleep(max(0.0, began + index / rate_hz - time.monotonic()))
            stamp = time.time_ns()
            fields = stamp_fields(stamp)
            for cdr in frames[index % len(frames)]:
                STAMP.pack_into(cdr, STAMP_AT, fields["sec"], fields["nanosec"])
            self._open.add(stamp)
            self.sent += 1
            send(*map(bytes, frames[index % len(frames)]))
        deadline = time.monotonic() + LAST_ANSWER_S
        while self._open and time.monotonic() < deadline:
            time.sleep(0.01)

    def restart_counts(self) -> None:
        """After the warm-up."""
        self.sent, self.latency_ms = 0, []
        self._open.clear()


def soak(options: argparse.Namespace) -> dict[str, Any]:
    """Run it; the figures as --json writes them."""
    run, rig = Soak(), ros_rig if options.ros else dds_rig
    frames = run.frames()
    model = options.model or str(Parameters().model_path())
    with contextlib.ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "node.log"
        node = stack.enter_context(rig(model, options.domain_id, log, run.heard_hands, run.heard_diagnostics))
        run.play(frames, node.send, options.warm_up_s, options.rate)
        dropped_before = run.dropped_in_node
        run.restart_counts()
        with ProcessWatch(node.pid) as watch:
            run.play(frames, node.send, options.minutes * 60, options.rate)
        time.sleep(1.1)  # for the last diagnostics, which count what the node dropped
    return figures(run, watch, options, dropped_before)


def figures(run: Soak, watch: ProcessWatch, options: argparse.Namespace, dropped_before: int) -> dict[str, Any]:
    """What was seen after the warm-up. MB are 1e6 bytes of resident memory; a CPU share of 1 is one core."""
    seconds, megabytes = np.array(watch.seconds), np.array(watch.megabytes)
    if not len(seconds):
        raise SystemExit("the node ended during the warm-up")
    return {
        "transport": "rclpy" if options.ros else "dds",
        "minutes": options.minutes,
        "rate_hz": options.rate,
        "sent": run.sent,
        "answered": len(run.latency_ms),
        "not_answered": run.sent - len(run.latency_ms),
        "dropped_by_the_node": run.dropped_in_node - dropped_before,
        "memory_start_mb": round(float(megabytes[0]), 1),
        "memory_end_mb": round(float(megabytes[seconds > seconds[-1] - END_S].mean()), 1),
        "memory_slope_mb_per_hour": round(slope_mb_per_hour(seconds, megabytes), 2),
        "cpu_share": round(watch.cpu_share, 3),
        **latency_figures("latency", run.latency_ms),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run, print and, if asked, write the figures; 1 where the node ended or answered nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long, after the warm-up (%(default)s)")
    parser.add_argument("--rate", type=float, default=30.0, metavar="HZ", help="images a second (%(default)s)")
    parser.add_argument("--warm-up-s", type=float, default=20.0, help="seconds before anything is counted (%(default)s)")
    parser.add_argument("--ros", action="store_true", help="hand_pose_node of the sourced workspace, not the node without ROS")
    parser.add_argument("--model", default="", help="model file (.onnx); default: the one that comes with the package")
    parser.add_argument("--domain-id", type=int, default=93, help="DDS domain (%(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args(arguments)
    found = soak(options)
    width = max(map(len, found)) + 2
    print("\n".join(f"{name.replace('_', ' '):<{width}}{value!s:>10}" for name, value in found.items()))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0 if found["answered"] and not np.isnan(found["cpu_share"]) else 1


if __name__ == "__main__":
    sys.exit(main())

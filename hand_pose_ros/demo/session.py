"""The camera's and the listener's side of the demo: plays a recording in real time and keeps what the node answers."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from hand_pose_ros.bags.source import Source, SourceFrame, playable
from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.demo.ahead import read_ahead
from hand_pose_ros.demo.errors import DemoError
from hand_pose_ros.demo.node_process import NodeProcess
from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE, DIAGNOSTICS, HANDS, OUTPUTS, QosProfile, TopicSpec
from hand_pose_ros.messages.library import make_header, stamp_ns
from hand_pose_ros.messages.read_hands import joints_of
from hand_pose_ros.scoring.matching import KnownHand
from hand_pose_ros.skeleton import HAND21

if TYPE_CHECKING:
    from hand_pose_ros.live.dds.peer import DdsPeer

READY_TIMEOUT_S = 60.0
LAST_ANSWER_TIMEOUT_S = 2.0
READ_AHEAD_FRAMES = 30
MUST_SEE = 0.3  # a known hand of which less can be seen need not be found
_EVERYTHING = QosProfile(depth=1000)  # a listener that misses nothing while it is busy


@dataclass
class SentFrame:
    """One frame that was sent.

    :param recorded_ns, stamp_ns: the image's stamp in the recording, and as sent
    :param true: its hands as they are known, joints in the order of hand21; None where they are not known
    :param hardly_seen: its other known hands: they need not be found, and are no part of `true`
    :param answer: the HandPoseArray of that stamp, None while there is none
    :param latency_ms: from the image's stamp to the arrival of the answer
    """

    name: str
    recorded_ns: int
    stamp_ns: int
    true: list[KnownHand] | None = None
    hardly_seen: list[KnownHand] = field(default_factory=list)
    answer: Any = None
    latency_ms: float = float("nan")


@dataclass
class Session:
    """Everything that was sent and came back.

    :param stage_ms: stage -> the median of every second of the run, from /diagnostics
    :param truth_known: the recording has known joints
    """

    frames: list[SentFrame] = field(default_factory=list)
    stage_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    truth_known: bool = False


def known_hand(message: Any) -> KnownHand:
    """A HandPose, known or found, for the score."""
    return KnownHand(int(message.id), int(message.side), joints_of(message, HAND21))


def _hardly_seen(message: Any) -> bool:
    """A known hand's presence is how much of it can be seen, 0 where nobody has said it."""
    return 0 < message.presence < MUST_SEE


class Player:
    """Talks to a node.

    :param peer: this side's participant
    :param writer: everything that the node publishes is recorded here
    """

    def __init__(self, peer: DdsPeer, node: NodeProcess, writer: BagWriter) -> None:
        self.session = Session()
        self._peer, self._node, self._writer = peer, node, writer
        self._library = peer.library
        self._waiting: dict[int, SentFrame] = {}
        self._answers = 0
        self._images = peer.publisher(DEPTH_IMAGE.name, DEPTH_IMAGE.typename, DEPTH_IMAGE.qos)
        self._infos = peer.publisher(CAMERA_INFO.name, CAMERA_INFO.typename, CAMERA_INFO.qos)
        self._hands = [self._listen(spec) for spec in OUTPUTS]

    def _listen(self, spec: TopicSpec) -> Any:
        topic = self._peer.name.topic(spec.name)
        self._writer.add_topic(topic, spec.typename, transient_local=spec.qos.transient_local)
        qos = QosProfile(_EVERYTHING.depth, spec.qos.reliable, spec.qos.transient_local)
        return self._peer.subscribe(
            spec.name, spec.typename, lambda cdr, received_ns: self._received(spec, topic, cdr, received_ns), qos, raw=True
        )

    def _received(self, spec: TopicSpec, topic: str, cdr: bytes, received_ns: int) -> None:
        """On the peer's thread."""
        self._writer.write(topic, received_ns, cdr)
        if spec is HANDS:
            message = self._library.deserialize(cdr, spec.typename)
            self._answers += 1
            frame = self._waiting.pop(stamp_ns(message.header), None)
            if frame is not None:
                frame.answer = message
                frame.latency_ms = (received_ns - frame.stamp_ns) / 1e6
        elif spec is DIAGNOSTICS and self.session.frames:
            for status in self._library.deserialize(cdr, spec.typename).status:
                for item in status.values:
                    if item.key.endswith("_ms") and item.key != "age_ms":
                        self.session.stage_ms[item.key.removesuffix("_ms")].append(float(item.value))

    def wait_until_ready(self, first: SourceFrame) -> None:
        """Wait until the node has found this side, this side the node, and it answers the first frame, as of a camera that runs.

        :raises DemoError: it ended, or did not answer in time
        """
        deadline = time.monotonic() + READY_TIMEOUT_S
        subscribed = False
        while not self._answers:
            self._node.check()
            if time.monotonic() > deadline:
                seen = "subscribes to the camera but does not answer" if subscribed else "does not subscribe to the camera"
                raise DemoError(
                    f"after {READY_TIMEOUT_S:.0f} s the node {seen}; the end of {self._node.log}:\n{self._node.last_lines()}"
                )
            subscribed = self._images.subscribers > 0 and self._infos.subscribers > 0
            if subscribed:
                self._send(first)
            time.sleep(0.05)

    def play(self, source: Source, period_s: float) -> None:
        """Send every frame at its time, stamped with the time of sending, then wait for the last answers.

        :param period_s: seconds from one image to the next
        :raises DemoError: the node ended
        """
        started = time.monotonic()
        frames = read_ahead(playable(source), READ_AHEAD_FRAMES)
        for index, frame in enumerate(tqdm(frames, total=source.count, unit="frame", desc="live", disable=None)):
            due = started + index * period_s
            time.sleep(max(0.0, due - time.monotonic()))
            sent = SentFrame(frame.name, stamp_ns(frame.image.header), time.time_ns())
            self.session.frames.append(sent)
            self._waiting[sent.stamp_ns] = sent
            self._send(frame, sent.stamp_ns)
            self._node.check()
        self._peer.wait_for(lambda: not self._waiting, LAST_ANSWER_TIMEOUT_S)
        self.session.truth_known = bool(source.truth)
        for sent in self.session.frames:
            known = source.truth.get(sent.recorded_ns)
            if known is not None:
                sent.true = [known_hand(hand) for hand in known.hands if not _hardly_seen(hand)]
                sent.hardly_seen = [known_hand(hand) for hand in known.hands if _hardly_seen(hand)]

    def _send(self, frame: SourceFrame, stamp: int | None = None) -> None:
        image, info = frame.image, frame.info
        header = make_header(self._library, time.time_ns() if stamp is None else stamp, image.header.frame_id)
        image.header = info.header = header
        self._infos.publish(info)
        self._images.publish(image)

"""The node without its transport: messages in, messages out, one worker thread that owns the engine.

A transport calls `on_camera_info` and `on_image` from any thread and gets lists of (topic, message) on the worker's thread. Only
the newest frame waits: when the network is slower than the camera, older frames are dropped and counted. What is wrong with one
frame is logged and counted, and the node lives on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hand_pose_ros.geometry.camera import CameraError
from hand_pose_ros.geometry.depth import DepthError
from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.live.diagnostics import diagnostic_array
from hand_pose_ros.live.outputs import OutputBuilder
from hand_pose_ros.live.pairing import Pair, Pairing
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.slot import NewestSlot
from hand_pose_ros.live.statistics import Statistics
from hand_pose_ros.live.throttle import Throttle
from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE, DIAGNOSTICS, MODEL, TopicSpec
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.library import MessageLibrary, stamp_ns
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.types import DepthFrame, FrameResult

log = logging.getLogger(__name__)

Outputs = list[tuple[TopicSpec, Any]]

# A frame that is older than the one before by less is late and left out; by more, time was set back (a recording began again).
LATE_FRAME_NS = 100_000_000
LOG_PERIOD_S = 5.0
_IDLE_S = 0.1  # how often diagnostics are thought of while no frame comes
_SAMPLED = 4  # every so many rows and columns, to tell the share of invalid pixels


class HandPoseApp:
    """Depth images and camera infos to hands.

    :param parameters: values of the node's parameters
    :param library: makes the messages
    :param publish: called on the worker's thread with what one frame gives
    :param load_engine: loads the model; called on the worker's thread, which alone uses the engine
    :param topic_name: what a topic is called after remapping, for the log
    :param node_name: for diagnostics
    :param where: what the transport listens on, for the log
    """

    def __init__(
        self,
        parameters: Parameters,
        library: MessageLibrary,
        publish: Callable[[Outputs], None],
        load_engine: Callable[[], Engine],
        *,
        topic_name: Callable[[str], str] = str,
        node_name: str = "hand_pose",
        where: str = "",
    ) -> None:
        self.parameters = parameters
        self._library, self._publish, self._load_engine = library, publish, load_engine
        self._node_name = node_name
        self._image_topic, self._info_topic = topic_name(DEPTH_IMAGE.name), topic_name(CAMERA_INFO.name)
        self._pairing = Pairing(self._image_topic, self._info_topic, where)
        self._pairing_lock = threading.Lock()
        self._slot: NewestSlot[Pair] = NewestSlot()
        self._statistics = Statistics()
        self._throttle = Throttle(LOG_PERIOD_S)
        self._stopping, self._ready = threading.Event(), threading.Event()
        self._failure: BaseException | None = None
        self._last_stamp_ns: int | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Load the model and begin to answer; returns when the model is loaded.

        :raises ModelError: the model cannot be used
        """
        self._thread = threading.Thread(target=self._run, name="hand-pose", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def stop(self) -> None:
        """End the worker after the frame it is at."""
        self._stopping.set()
        self._slot.wake()
        if self._thread is not None:
            self._thread.join()

    def on_camera_info(self, info: Any) -> None:
        """A sensor_msgs/CameraInfo came in."""
        with self._pairing_lock:
            pair = self._pairing.add_info(info)
        if pair is not None:
            self._slot.put(pair)

    def on_image(self, image: Any, received_ns: int) -> None:
        """A sensor_msgs/Image came in at `received_ns` (wall clock)."""
        with self._pairing_lock:
            pair = self._pairing.add_image(image, received_ns)
        if pair is not None:
            self._slot.put(pair)

    def _run(self) -> None:
        try:
            engine = self._load_engine()
            self._pipeline = Pipeline(engine, self.parameters.pipeline_settings())
        except Exception as error:  # told to the caller of start
            self._failure = error
            return
        finally:
            self._ready.set()
        self._outputs = OutputBuilder(self._library, self.parameters, engine.card.name)
        self._send([(MODEL, self._library.make("std_msgs/msg/String", data=engine.card.to_json()))])
        period_began = time.monotonic()
        while not self._stopping.is_set():
            pair = self._slot.take(_IDLE_S)
            if pair is not None:
                self._answer(pair)
            now = time.monotonic()
            if now - period_began >= self.parameters.diagnostics_period_s:
                self._send_diagnostics(now - period_began, engine)
                period_began = now
            with self._pairing_lock:
                line = self._pairing.report(now)
            if line:
                log.warning("%s", line)

    def _answer(self, pair: Pair) -> None:
        """One frame; nothing that is wrong with it gets out of here."""
        stamp = stamp_ns(pair.image.header)
        if self._last_stamp_ns is not None and stamp <= self._last_stamp_ns:
            if self._last_stamp_ns - stamp < LATE_FRAME_NS:
                self._statistics.add_late()
                if self._throttle.allow("late"):
                    log.warning(
                        "%s: a frame is left out: its stamp is not newer than the one before (published twice? stamp not set?)",
                        self._image_topic,
                    )
                return
            seconds = (self._last_stamp_ns - stamp) / 1e9
            log.info("%s: time went back by %.1f s (a recording began again?): tracking starts anew", self._image_topic, seconds)
            self._pipeline.reset()
        self._last_stamp_ns = stamp
        try:
            self._process(pair)
        except DepthError as error:
            self._complain(f"{self._image_topic}: {error}")
        except CameraError as error:
            self._complain(f"{self._info_topic}: {error}")
        except Exception as error:  # the next frame may be fine
            self._complain(f"{self._image_topic}: a frame could not be answered: {error!r}", trace=True)
            self._pipeline.reset()

    def _process(self, pair: Pair) -> None:
        waited_ms = max(time.time_ns() - pair.received_ns, 0) / 1e6
        begin = time.perf_counter()
        scale = self.parameters.depth_scale or None
        frame = depth_frame(pair.image, pair.info, rectified=self.parameters.rectified, depth_scale=scale)
        decode_ms = (time.perf_counter() - begin) * 1e3
        result = self._pipeline.process(frame)
        begin = time.perf_counter()
        messages = self._outputs.build(result)
        build_ms = (time.perf_counter() - begin) * 1e3
        self._send(messages)
        self._count(frame, result, {"wait": waited_ms, "decode": decode_ms, **result.stage_ms, "build": build_ms})

    def _count(self, frame: DepthFrame, result: FrameResult, stage_ms: dict[str, float]) -> None:
        age_ms = (time.time_ns() - frame.stamp_ns) / 1e6
        sample = frame.depth[::_SAMPLED, ::_SAMPLED]
        invalid = 1.0 - np.count_nonzero(sample) / sample.size
        result = FrameResult(result.stamp_ns, result.frame_id, result.hands, stage_ms)
        self._statistics.add_frame(result, age_ms=age_ms, invalid_share=invalid)
        if invalid == 1.0 and not frame.depth.any() and self._throttle.allow("no depth"):
            log.warning(
                "%s: not one valid pixel (all 0 or NaN): is the lens covered, the projector on, the scene in the camera's range?",
                self._image_topic,
            )
        if not frame.frame_id and self._throttle.allow("no frame"):
            log.warning(
                "%s: its frame_id is empty, so no TF frames are published: set the camera driver's frame_id", self._image_topic
            )

    def _complain(self, text: str, *, trace: bool = False) -> None:
        self._statistics.add_error(text)
        if self._throttle.allow(text):
            log.warning("%s", text, exc_info=trace)

    def _send_diagnostics(self, seconds: float, engine: Engine) -> None:
        snapshot = self._statistics.close_period(seconds, self._slot.dropped)
        name, model = self._node_name, engine.card.name
        message = diagnostic_array(self._library, snapshot, node=name, backend=engine.backend, model=model, now_ns=time.time_ns())
        self._send([(DIAGNOSTICS, message)])

    def _send(self, messages: Outputs) -> None:
        try:
            self._publish(messages)
        except Exception:  # a transport that is going down must not end the worker
            if self._throttle.allow("publish"):
                log.exception("messages could not be published")

"""The node without its transport: messages in, messages out, one worker thread that owns the engine.

A transport calls `on_camera_info` and `on_image` from any thread and gets lists of (topic, message) on the worker's thread. Only
the newest frame waits: when the network is slower than the camera, older frames are dropped and counted. What is wrong with one
frame is logged and counted, and the node lives on.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from hand_pose_ros.geometry.camera import CameraError
from hand_pose_ros.geometry.depth import DepthError
from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.live.diagnostics import diagnostic_array
from hand_pose_ros.live.order import FrameOrder, Order
from hand_pose_ros.live.pairing import Pair, Pairing
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.slot import NewestSlot
from hand_pose_ros.live.statistics import Statistics
from hand_pose_ros.live.step import FrameStep
from hand_pose_ros.live.throttle import Throttle
from hand_pose_ros.live.topics import CAMERA_INFO, COMPRESSED_DEPTH, DIAGNOSTICS, MODEL, TopicSpec, depth_input
from hand_pose_ros.messages.depth_input import compressed_depth_image
from hand_pose_ros.messages.library import MessageLibrary, stamp_ns
from hand_pose_ros.perception.types import DepthFrame, FrameResult

log = logging.getLogger(__name__)

Outputs = list[tuple[TopicSpec, Any]]

LOG_PERIOD_S = 5.0
_IDLE_S = 0.1  # how often diagnostics are thought of while no frame comes
_SAMPLED = 4  # every so many rows and columns, to tell the share of invalid pixels


class HandPoseApp:
    """Depth images and camera infos to hands.

    :param parameters: values of the node's parameters
    :param library: makes the messages
    :param publish: called on the worker's thread with each message; what it raises costs that message alone
    :param load_engine: loads the model; called on the worker's thread, which alone uses the engine
    :param topic_name: what a topic is called after remapping, for the log
    :param node_name: for diagnostics
    :param where: what the transport listens on, for the log
    :param clock_ns: the clock that the images are stamped by, for their age and for the stamp of diagnostics
    """

    def __init__(
        self,
        parameters: Parameters,
        library: MessageLibrary,
        publish: Callable[[TopicSpec, Any], None],
        load_engine: Callable[[], Engine],
        *,
        topic_name: Callable[[str], str] = str,
        node_name: str = "hand_pose",
        where: str = "",
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.parameters = parameters
        self._library, self._publish, self._load_engine = library, publish, load_engine
        self._topic_name, self._node_name, self._where, self._clock_ns = topic_name, node_name, where, clock_ns
        self._image = depth_input(parameters.depth_transport, topic_name)
        self._image_topic, self._info_topic = topic_name(self._image.name), topic_name(CAMERA_INFO.name)
        self._status = ""
        self._pairing = Pairing(self._image_topic, self._info_topic, where)
        self._pairing_lock = threading.Lock()
        self._slot: NewestSlot[Pair] = NewestSlot()
        self._tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._statistics = Statistics()
        self._throttle = Throttle(LOG_PERIOD_S)
        self._stopping, self._ready = threading.Event(), threading.Event()
        self._failure: BaseException | None = None
        self._order = FrameOrder()
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

    def set_parameters(self, parameters: Parameters) -> None:
        """Other values from the next frame on; those that are read only stay as they were at the start."""
        self._between_frames(lambda: self._take_over(parameters))

    def reset_tracking(self) -> None:
        """Forget the hands before the next frame: they are searched for anew and get other ids."""
        self._between_frames(self._reset)

    def set_enabled(self, enabled: bool, status: str = "disabled") -> None:
        """Whether images are answered; without, the model stays loaded, and diagnostics say `status`.

        What came before is forgotten: camera infos, an image that waits, the hands.
        """
        with self._pairing_lock:
            self._status = "" if enabled else status
            self._pairing = Pairing(self._image_topic, self._info_topic, self._where)
            self._slot.take(0)
        self._between_frames(self._reset)

    def on_camera_info(self, info: Any) -> None:
        """A sensor_msgs/CameraInfo came in."""
        with self._pairing_lock:
            pair = None if self._status else self._pairing.add_info(info)
        if pair is not None:
            self._slot.put(pair)

    def on_image(self, image: Any, received_ns: int) -> None:
        """A sensor_msgs/Image (CompressedImage if `depth_transport` says so) came in at `received_ns` (wall clock)."""
        if self._image.typename == COMPRESSED_DEPTH.typename:
            try:
                image = compressed_depth_image(image)
            except DepthError as error:
                text = f"{self._image_topic}: {error}"
                self._between_frames(lambda: self._complain(text))
                return
        with self._pairing_lock:
            pair = None if self._status else self._pairing.add_image(image, received_ns)
        if pair is not None:
            self._slot.put(pair)

    def _run(self) -> None:
        try:
            engine = self._load_engine()
            self._step = FrameStep(engine, self._library, self.parameters)
        except Exception as error:  # told to the caller of start
            self._failure = error
            return
        finally:
            self._ready.set()
        self._send([(MODEL, self._library.make("std_msgs/msg/String", data=engine.card.to_json()))])
        period_began = time.monotonic()
        while not self._stopping.is_set():
            pair = self._slot.take(_IDLE_S)
            while not self._tasks.empty():
                self._guarded("a request could not be carried out", self._tasks.get())
            if pair is not None and not self._status:  # it may have been taken just before the node was disabled
                self._answer(pair)
            now = time.monotonic()
            if now - period_began >= self.parameters.diagnostics_period_s:
                self._guarded("diagnostics could not be made", self._send_diagnostics, now - period_began, engine)
                period_began = now
            with self._pairing_lock:
                line = None if self._status else self._pairing.report(now)
            if line:
                log.warning("%s", line)

    def _guarded(self, what: str, action: Callable[..., None], *arguments: Any) -> None:
        """Do what is no frame; a fault in it does not end the worker, without which the node would be there but mute."""
        try:
            action(*arguments)
        except Exception as error:
            self._complain(f"{what}: {error!r}", trace=True)

    def _between_frames(self, task: Callable[[], None]) -> None:
        """Let the worker, which alone uses pipeline and statistics, do it."""
        self._tasks.put(task)
        self._slot.wake()

    def _take_over(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._step.configure(parameters)

    def _reset(self) -> None:
        self._step.reset()

    def _answer(self, pair: Pair) -> None:
        """One frame; nothing that is wrong with it gets out of here."""
        order = self._order.next(stamp_ns(pair.image.header))
        if order is Order.LATE:
            self._statistics.add_late()
            if self._throttle.allow("late"):
                log.warning(
                    "%s: a frame is left out: its stamp is not newer than the one before (published twice? stamp not set?)",
                    self._image_topic,
                )
            return
        if order is Order.SET_BACK:
            seconds = self._order.behind_ns / 1e9
            log.info("%s: time went back by %.1f s (a recording began again?): tracking starts anew", self._image_topic, seconds)
            self._step.reset()
        try:
            self._process(pair)
        except DepthError as error:
            self._complain(f"{self._image_topic}: {error}")
        except CameraError as error:
            self._complain(f"{self._info_topic}: {error}")
        except Exception as error:  # the next frame may be fine
            self._complain(f"{self._image_topic}: a frame could not be answered: {error!r}", trace=True)
            self._step.reset()

    def _process(self, pair: Pair) -> None:
        waited_ms = max(time.time_ns() - pair.received_ns, 0) / 1e6
        depth, result, messages = self._step.run(pair.image, pair.info)
        self._send(messages)
        self._count(depth, result, waited_ms)

    def _count(self, frame: DepthFrame, result: FrameResult, waited_ms: float) -> None:
        age_ms = (self._clock_ns() - frame.stamp_ns) / 1e6
        sample = frame.depth[::_SAMPLED, ::_SAMPLED]
        invalid = 1.0 - np.count_nonzero(sample) / sample.size
        result = replace(result, stage_ms={"wait": waited_ms, **result.stage_ms})
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
        message = diagnostic_array(
            self._library,
            snapshot,
            node=self._node_name,
            backend=engine.backend,
            model=engine.card.name,
            now_ns=self._clock_ns(),
            status=self._status,
        )
        self._send([(DIAGNOSTICS, message)])

    def _send(self, messages: Outputs) -> None:
        for spec, message in messages:
            try:
                self._publish(spec, message)
            except Exception as error:  # one subscriber that hangs must not cost the others their messages
                text = f"{self._topic_name(spec.name)}: {error!r}"
                self._statistics.add_publish_error(text)
                if self._throttle.allow(f"publish {spec.name}"):
                    log.warning("a message could not be published on %s", text, exc_info=True)

"""The node without its transport: messages in, messages out, one worker thread that owns the engine.

A transport subscribes to what `inputs` lists, hands each message over from any thread, and is given each message to publish with
its topic on the worker's thread (the overlay on a thread of its own). Only the newest frame waits: when the network is slower
than the camera, older frames are dropped and counted. What is wrong with one frame is logged and counted, and the node lives on.
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
from hand_pose_ros.live.color import ColorImages
from hand_pose_ros.live.detections import Detections, Regions
from hand_pose_ros.live.diagnostics import diagnostic_array
from hand_pose_ros.live.order import FrameOrder, Order
from hand_pose_ros.live.overlay import OverlayThread
from hand_pose_ros.live.pairing import Pair, Pairing
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.pictures import Pictures, PlainPictures
from hand_pose_ros.live.run_info import describe_run
from hand_pose_ros.live.slot import NewestSlot
from hand_pose_ros.live.statistics import Statistics
from hand_pose_ros.live.step import Answered, FrameStep
from hand_pose_ros.live.throttle import Throttle
from hand_pose_ros.live.topics import (
    CAMERA_INFO,
    COLOR_IMAGE,
    COLOR_INFO,
    COMPRESSED_DEPTH,
    DETECTIONS,
    DIAGNOSTICS,
    MODEL,
    OVERLAY,
    RUN_INFO,
    TopicSpec,
    depth_input,
)
from hand_pose_ros.live.transforms import TransformLookup, no_transforms
from hand_pose_ros.messages.color_input import ColorError
from hand_pose_ros.messages.depth_input import compressed_depth_image
from hand_pose_ros.messages.library import MessageLibrary, stamp_ns
from hand_pose_ros.perception.types import PixelRegion

log = logging.getLogger(__name__)

Outputs = list[tuple[TopicSpec, Any]]
Callback = Callable[[Any, int], None]  # a message, and when it came (wall clock, nanoseconds)

LOG_PERIOD_S = 5.0
COLOR_WAIT_S = 0.05  # a colour image may come that much after its depth image
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
    :param listened: whether someone listens to a topic now, for what is made only then
    :param lookup: transforms between frames
    :param pictures: converts colour images and overlays
    :param cancelled: asked several times a second while the detector's TensorRT plan is waited for; True gives it up
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
        listened: Callable[[TopicSpec], bool] = lambda _: False,
        lookup: TransformLookup = no_transforms,
        pictures: Pictures | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.parameters = parameters
        self._library, self._publish, self._load_engine = library, publish, load_engine
        self._topic_name, self._node_name, self._where, self._clock_ns = topic_name, node_name, where, clock_ns
        self._listened, self._lookup, self._pictures = listened, lookup, pictures or PlainPictures(library)
        self._cancelled = cancelled
        self._detections = Detections(topic_name(DETECTIONS.name)) if parameters.use_detections else None
        self._color = ColorImages(topic_name(COLOR_IMAGE.name)) if parameters.overlay_color else None
        self._overlay: OverlayThread | None = None
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

    def inputs(self) -> list[tuple[TopicSpec, Callback]]:
        """What to subscribe to and who takes the messages, the depth image last; from `start` on always the same."""
        inputs: list[tuple[TopicSpec, Callback]] = []
        if self._detections:
            inputs.append((DETECTIONS, self._detections.add))
        if self._color:
            inputs += [(COLOR_INFO, self._color.add_info), (COLOR_IMAGE, self._color.add_image)]
        return [*inputs, (CAMERA_INFO, lambda info, _: self.on_camera_info(info)), (self._image, self.on_image)]

    def start(self) -> None:
        """Load the model and begin to answer; returns when the model is loaded.

        :raises ModelError: the model cannot be used
        :raises BuildCancelled: `cancelled`, or what `load_engine` asks, returned True
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
        for recent in (self._detections, self._color):
            if recent:
                recent.clear()
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
            try:
                self._step = FrameStep(engine, self._library, self.parameters, self._lookup, self._cancelled)
            except BaseException:
                engine.close()
                raise
            if self._step.needs_color and self._color is None:
                self._color = ColorImages(self._topic_name(COLOR_IMAGE.name))
        except Exception as error:  # told to the caller of start
            self._failure = error
            return
        finally:
            self._ready.set()
        try:
            self._work(engine)
        finally:
            if self._overlay:
                self._overlay.stop()
            self._step.close()
            engine.close()

    def _work(self, engine: Engine) -> None:
        """Answer frames until `stop`."""
        self._send([(MODEL, self._library.make(MODEL.typename, data=engine.card.to_json()))])
        self._guarded("the run could not be described", self._describe_run, engine)
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

    def _describe_run(self, engine: Engine) -> None:
        """What this run is made with, so that a recording of it can be repeated."""
        self._run_info = describe_run(
            self.parameters, engine, needs_color=self._step.needs_color, node=self._node_name, topic_name=self._topic_name
        )
        self._tell_run()

    def _tell_run(self) -> None:
        self._send([(RUN_INFO, self._library.make(RUN_INFO.typename, data=self._run_info.to_json()))])

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
        self._run_info = replace(self._run_info, parameters=parameters)
        self._tell_run()

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
            if self._throttle.allow("set back"):
                text = "%s: time went back by %.1f s (a recording began again?): tracking starts anew"
                log.info(text, self._image_topic, self._order.behind_ns / 1e9)
            self._step.reset()
        try:
            self._process(pair)
        except DepthError as error:
            self._complain(f"{self._image_topic}: {error}")
        except CameraError as error:
            self._complain(f"{self._info_topic}: {error}")
        except ColorError as error:
            self._complain(f"{self._color.topic}: {error}")
        except Exception as error:  # the next frame may be fine
            self._complain(f"{self._image_topic}: a frame could not be answered: {error!r}", trace=True)
            self._step.reset()

    def _process(self, pair: Pair) -> None:
        waited_ms = max(time.time_ns() - pair.received_ns, 0) / 1e6
        regions = self._regions(pair)
        color = self._color_of(pair.image) if self._step.needs_color else None
        answered = self._step.run(pair.image, pair.info, regions, color)
        self._send(answered.messages)
        if self._listened(OVERLAY):
            self._draw(answered)
        else:
            self._statistics.drop_state("overlay")
        self._count(answered, waited_ms)

    def _regions(self, pair: Pair) -> tuple[PixelRegion, ...] | None:
        """Where to look for new hands in an image; None: everywhere."""
        if self._detections is None:
            return None
        header = pair.image.header
        regions: Regions = self._detections.at(stamp_ns(header), header.frame_id, self.parameters.detections_max_age_s)
        self._note("detections", regions.state, regions.problem)
        return regions.regions

    def _color_of(self, image: Any) -> Any | None:
        """The colour image that the model is to see with a depth image."""
        found = self._color.at(stamp_ns(image.header), COLOR_WAIT_S)
        if found is None:
            text = "%s: no image of the depth image's moment, and the model sees colour: no hands are found (is it published?)"
            self._note("color", "missing", text % self._color.topic)
        else:
            self._note("color", "found", "")
        return found

    def _note(self, name: str, state: str, problem: str) -> None:
        """What a frame found of an optional input, for diagnostics, and for the log where it is a problem."""
        self._statistics.add_state(name, state, problem)
        if problem and self._throttle.allow(f"problem {name}"):
            log.warning("%s", problem)

    def _draw(self, answered: Answered) -> None:
        if self._overlay is None:
            self._overlay = OverlayThread(
                self._pictures,
                self._color if self.parameters.overlay_color else None,
                self._lookup,
                lambda message: self._publish(OVERLAY, message),
                lambda text: self._between_frames(lambda: self._note("overlay", text, text)),
            )
        self._statistics.add_state("overlay", "drawn")
        self._overlay.offer(answered.depth, answered.result)

    def _count(self, answered: Answered, waited_ms: float) -> None:
        frame, result = answered.depth, answered.result
        if self.parameters.target_frame:
            self._note("transform", "missing" if answered.problem else "found", answered.problem)
        if np.isfinite(self._step.angle_error_m):
            self._statistics.add_state("joint_angles", f"{self._step.angle_error_m * 1e3:.1f} mm from the joints")
        age_ms = (self._clock_ns() - frame.stamp_ns) / 1e6
        sample = frame.depth[::_SAMPLED, ::_SAMPLED]
        invalid = 1.0 - np.count_nonzero(sample) / sample.size
        published = () if answered.problem else result.hands
        result = replace(result, hands=published, stage_ms={"wait": waited_ms, **result.stage_ms})
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
        if self._status:
            self._statistics.rest()
        snapshot = self._statistics.close_period(seconds, self._slot.dropped)
        message = diagnostic_array(
            self._library,
            snapshot,
            node=self._node_name,
            topic=self._image_topic,
            backend=engine.backend,
            model=engine.card.name,
            engine=engine.status,
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

"""`hand_pose_node`: the lifecycle node.

configure: parameters, model, publishers. activate: subscriptions. deactivate: none, the model stays. cleanup: the model is
freed. What goes wrong in a transition is logged, the transition fails, and the node is in the state before.

Images come on the executor's thread; the app's worker alone uses the engine and publishes.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Any

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSPolicyKind
from rclpy.qos_overriding_options import QoSOverridingOptions
from std_srvs.srv import SetBool, Trigger

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.app import HandPoseApp
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.ros.library import RclpyLibrary, message_class
from hand_pose_ros.live.ros.parameters import NodeParameters
from hand_pose_ros.live.ros.pictures import best_pictures
from hand_pose_ros.live.ros.qos import of_rclpy, publisher_events, subscription_events, to_rclpy
from hand_pose_ros.live.ros.transforms import Transforms
from hand_pose_ros.live.topics import ALL_OUTPUTS, DIAGNOSTICS, MODEL, RUN_INFO, TopicSpec
from hand_pose_ros.live.transforms import no_transforms

DEFAULT_NAME = "hand_pose"
# Published while the node is inactive, too.
_ALWAYS = (MODEL, RUN_INFO, DIAGNOSTICS)
# rclpy's default ones are without durability.
_OVERRIDES = (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY, QoSPolicyKind.DURABILITY)
_INACTIVE, _DISABLED = "inactive", "disabled by ~/set_enabled"


class HandPoseNode(LifecycleNode):
    """Depth images and camera infos in, hands out."""

    def __init__(self) -> None:
        super().__init__(DEFAULT_NAME)
        self._declared = NodeParameters(self, self._parameters_changed)
        self._app: HandPoseApp | None = None
        self._outgoing: dict[str, Any] = {}
        self._incoming: list[Any] = []
        self._transforms: Transforms | None = None
        self._active, self._enabled = False, True
        self.create_service(Trigger, "~/reset_tracking", self._reset_tracking)
        self.create_service(SetBool, "~/set_enabled", self._set_enabled)
        name = self.get_fully_qualified_name()
        self.get_logger().info(f"unconfigured; `ros2 lifecycle set {name} configure`, then activate (the launch file does both)")

    def close(self) -> None:
        """End the worker and free everything; harmless when there is nothing."""
        self._declared.configured = self._active = False
        self._stop_listening()
        if self._app is not None:
            self._app.stop()
            self._app = None
        if self._transforms is not None:
            self._transforms.close()
            self._transforms = None
        for name, publisher in self._outgoing.items():
            always = any(spec.name == name for spec in _ALWAYS)
            (self.destroy_publisher if always else self.destroy_lifecycle_publisher)(publisher)
        self._outgoing = {}

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Parameters, publishers, model."""
        if not self._attempt("configure", self._configure):
            self.close()
            return TransitionCallbackReturn.FAILURE
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscriptions."""
        if self._enabled and not self._attempt("activate", self._listen):
            self._stop_listening()
            return TransitionCallbackReturn.FAILURE
        self._active = True
        self._tell_app()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """No subscriptions; the model stays."""
        self._stop_listening()
        self._active = False
        self._tell_app()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The model is freed."""
        result = super().on_cleanup(state)
        self.close()
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """As cleanup, for good."""
        result = super().on_shutdown(state)
        self.close()
        return result

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """A transition ended with an exception: back to unconfigured."""
        self.close()
        return super().on_error(state)

    def _LifecycleNodeMixin__on_change_state(self, request: ChangeState.Request, response: ChangeState.Response) -> Any:
        """The service. Up to Jazzy's rclpy 7.1.3 a transition that the state does not have ends the process (ros2/rclpy#1209)."""
        try:
            return super()._LifecycleNodeMixin__on_change_state(request, response)
        except RuntimeError as error:  # rclpy's RCLError
            if not self.context.ok():  # the signal to end came meanwhile
                raise
            self.get_logger().error(f"transition {request.transition.id} is not possible now: {error}")
            response.success = False
            return response

    def _attempt(self, transition: str, action: Callable[[], None]) -> bool:
        try:
            action()
        except Exception as error:
            # The package's own errors and the system's tell the user what to mend; all others are faults, with their traceback.
            expected = isinstance(error, OSError) or type(error).__module__.startswith(("hand_pose_ros.", "rclpy."))
            text = str(error) if expected else traceback.format_exc()
            self.get_logger().error(f"{transition} failed: {text}")
            return False
        return True

    def _configure(self) -> None:
        parameters = self._declared.current()
        library = RclpyLibrary()
        for spec in ALL_OUTPUTS:
            self._outgoing[spec.name] = self._create_output(spec)
        if parameters.target_frame or parameters.overlay_color:
            own = tuple(f"{parameters.frame_prefix}hand_{slot}/" for slot in range(parameters.max_hands))
            self._transforms = Transforms(self, own)

        def shut_down() -> bool:
            return not self.context.ok()

        self._app = HandPoseApp(
            parameters,
            library,
            self._publish,
            lambda: load_engine(
                parameters.model_path(),
                parameters.backend,
                parameters.threads,
                parameters.engine_settings(),
                shut_down,
            ),
            cancelled=shut_down,
            topic_name=self.resolve_topic_name,
            node_name=self.get_fully_qualified_name().lstrip("/"),
            where=f"domain {self.context.get_domain_id()}",
            clock_ns=lambda: self.get_clock().now().nanoseconds,
            listened=self._listened,
            lookup=self._transforms.lookup if self._transforms else no_transforms,
            pictures=best_pictures(library),
        )
        self._app.set_enabled(False, _INACTIVE)
        self._app.start()
        self._declared.configured = True
        self.get_logger().info(f"publishes {', '.join(publisher.topic_name for publisher in self._outgoing.values())}")

    def _create_output(self, spec: TopicSpec) -> Any:
        create = self.create_publisher if spec in _ALWAYS else self.create_lifecycle_publisher
        events = publisher_events(self.get_logger(), self.resolve_topic_name(spec.name), spec.qos)
        return create(message_class(spec.typename), spec.name, to_rclpy(spec.qos), event_callbacks=events)

    def _listen(self) -> None:
        for spec, callback in self._app.inputs():
            self._subscribe(spec, lambda message, callback=callback: callback(message, time.time_ns()))
        topics = " and ".join(subscription.topic_name for subscription in reversed(self._incoming))
        self.get_logger().info(f"listens to {topics}")
        for name in self._declared.unused_overrides():
            self.get_logger().warning(
                f"{name} changes nothing: write qos_overrides.TOPIC.subscription.POLICY, with {topics} for the topic and "
                "history, depth, reliability or durability for the policy"
            )

    def _subscribe(self, spec: TopicSpec, callback: Callable[[Any], None]) -> None:
        qos = to_rclpy(spec.qos)  # create_subscription writes the overrides into it
        topic = self.resolve_topic_name(spec.name)
        events = subscription_events(self.get_logger(), topic, lambda: of_rclpy(qos))
        overrides = QoSOverridingOptions(_OVERRIDES)
        subscription = self.create_subscription(
            message_class(spec.typename), spec.name, callback, qos, event_callbacks=events, qos_overriding_options=overrides
        )
        self._incoming.append(subscription)

    def _stop_listening(self) -> None:
        for subscription in self._incoming:
            self.destroy_subscription(subscription)
        self._incoming = []

    def _tell_app(self) -> None:
        self._app.set_enabled(self._active and self._enabled, _DISABLED if self._active else _INACTIVE)

    def _publish(self, spec: TopicSpec, message: Any) -> None:
        """On the worker's thread, the overlay on its own."""
        try:
            self._outgoing[spec.name].publish(message)
        except Exception:
            if self.context.ok():  # else everything is going down, and this worker with it
                raise

    def _listened(self, spec: TopicSpec) -> bool:
        """On the worker's thread."""
        try:
            return self._outgoing[spec.name].get_subscription_count() > 0
        except Exception:
            if self.context.ok():
                raise
            return False

    def _parameters_changed(self, parameters: Parameters) -> None:
        self._app.set_parameters(parameters)

    def _reset_tracking(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._app is not None
        response.message = "the next frame is searched anew" if response.success else "not configured: nothing is tracked"
        if response.success:
            self._app.reset_tracking()
        return response

    def _set_enabled(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success = True
        if request.data != self._enabled:
            if self._active and request.data:
                response.success = self._attempt("~/set_enabled", self._listen)
            elif self._active:
                self._stop_listening()
            if response.success:
                self._enabled = request.data
                if self._app is not None:
                    self._tell_app()
        state = "" if self._active else ", once the node is active"
        response.message = f"{'enabled' if self._enabled else 'disabled'}{state}" if response.success else "the log says why not"
        return response

"""What one frame's hands are published as."""

from __future__ import annotations

from typing import Any

from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.topics import HAND_MARKERS, HANDS, PALM_POSES, TRANSFORMS, TopicSpec
from hand_pose_ros.messages.builders import hand_pose_array, hand_transforms, palm_poses
from hand_pose_ros.messages.library import MessageLibrary
from hand_pose_ros.messages.markers import hand_markers
from hand_pose_ros.perception.types import FrameResult


class OutputBuilder:
    """Builds the messages of each frame; remembers which hands have markers, so that those of a hand that goes are deleted.

    :param model_id: name of the model, as in its card
    """

    def __init__(self, library: MessageLibrary, parameters: Parameters, model_id: str) -> None:
        self._library, self.parameters, self._model_id = library, parameters, model_id
        self._marked_slots: frozenset[int] = frozenset()

    def build(self, result: FrameResult) -> list[tuple[TopicSpec, Any]]:
        """(topic, message) of every output that is on; hands first, also when there are none.

        Without the image's frame there are no transforms, since they would have no parent.
        """
        library, parameters = self._library, self.parameters
        messages = [(HANDS, hand_pose_array(library, result, self._model_id))]
        if parameters.publish_tf and result.hands and result.frame_id:
            messages.append((TRANSFORMS, hand_transforms(library, result, parameters.frame_prefix)))
        if parameters.publish_markers:
            messages.append((HAND_MARKERS, hand_markers(library, result, self._marked_slots)))
            self._marked_slots = frozenset(hand.slot for hand in result.hands)
        if parameters.publish_palm_poses:
            messages.append((PALM_POSES, palm_poses(library, result)))
        return messages

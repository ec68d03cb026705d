"""Messages without ROS 2: the definitions and CDR of the rosbags package, and this package's own from msg/*.msg."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.base import normalize_fieldname

from hand_pose_ros.messages.library import MessageError
from hand_pose_ros.share import find

DISTROS = {"humble": Stores.ROS2_HUMBLE, "jazzy": Stores.ROS2_JAZZY}
OWN_TYPES = ("HandPose", "HandPoseArray", "HandGrasp", "HandGraspArray")
# vision_msgs 4 (Humble and later), as far as Detection2DArray needs it: the type stores have the common interfaces alone.
VISION_TYPES = {
    "Point2D": "float64 x\nfloat64 y",
    "Pose2D": "vision_msgs/Point2D position\nfloat64 theta",
    "BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y",
    "ObjectHypothesis": "string class_id\nfloat64 score",
    "ObjectHypothesisWithPose": "ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose",
    "Detection2D": "std_msgs/Header header\nObjectHypothesisWithPose[] results\nBoundingBox2D bbox\nstring id",
    "Detection2DArray": "std_msgs/Header header\nDetection2D[] detections",
}
# Defaults that a definition itself gives; the type store knows the fields alone.
_OWN_DEFAULTS = {"geometry_msgs/msg/Quaternion": {"w": 1.0}}
_DTYPES = {"byte": np.uint8, "char": np.uint8, "bool": np.bool_}


def default_distro() -> str:
    """The ROS 2 release to speak: ROS_DISTRO where it is one of `DISTROS`, else "jazzy"."""
    name = os.environ.get("ROS_DISTRO", "")
    return name if name in DISTROS else "jazzy"


class RosbagsLibrary:
    """`MessageLibrary` of one ROS 2 release.

    :param distro: "humble" or "jazzy" (which also speaks to every later one); default as `default_distro`
    """

    def __init__(self, distro: str | None = None) -> None:
        self.distro = distro or default_distro()
        if self.distro not in DISTROS:
            raise ValueError(f"unknown ROS 2 release {distro!r}: use one of {', '.join(DISTROS)}")
        self.typestore = get_typestore(DISTROS[self.distro])
        definitions: dict[str, Any] = {}
        for name in OWN_TYPES:
            definitions.update(
                get_types_from_msg(find(f"msg/{name}.msg").read_text(encoding="utf-8"), f"hand_pose_ros/msg/{name}")
            )
        for name, text in VISION_TYPES.items():
            definitions.update(get_types_from_msg(text, f"vision_msgs/msg/{name}"))
        self.typestore.register(definitions)
        self._makers: dict[str, Callable[[dict[str, Any]], Any]] = {}

    def make(self, typename: str, **fields: Any) -> Any:
        """See `MessageLibrary.make`.

        :raises MessageError: unknown type or field
        """
        maker = self._makers.get(typename)
        if maker is None:
            maker = self._makers[typename] = self._maker(typename)
        return maker(fields)

    def serialize(self, message: Any, typename: str) -> memoryview:
        """See `MessageLibrary.serialize`."""
        return self.typestore.serialize_cdr(message, typename)

    def deserialize(self, data: bytes | memoryview, typename: str) -> Any:
        """See `MessageLibrary.deserialize`."""
        try:
            return self.typestore.deserialize_cdr(data, typename)
        except (SerdeError, IndexError, KeyError) as error:
            raise MessageError(f"{len(data)} bytes are no {typename}: {error}") from error

    def _maker(self, typename: str) -> Callable[[dict[str, Any]], Any]:
        if typename not in self.typestore.fielddefs:
            raise MessageError(f"unknown message type {typename!r} (ROS 2 {self.distro})")
        cls = self.typestore.types[typename]
        defaults: dict[str, Callable[[], Any]] = {}
        dtypes: dict[str, type] = {}
        own = _OWN_DEFAULTS.get(typename, {})
        for raw_name, (kind, detail) in self.typestore.fielddefs[typename][1]:
            name = normalize_fieldname(raw_name)
            dtype = _numeric(detail[0]) if kind in (Nodetype.ARRAY, Nodetype.SEQUENCE) else None
            if dtype is not None:
                dtypes[name] = dtype
            defaults[name] = (lambda value=own[name]: value) if name in own else self._default(kind, detail, dtype)

        def make(fields: dict[str, Any]) -> Any:
            if len(fields) != len(defaults):
                for name, default in defaults.items():
                    if name not in fields:
                        fields[name] = default()
            for name, dtype in dtypes.items():
                fields[name] = np.asarray(fields[name], dtype).reshape(-1)
            try:
                return cls(**fields)
            except TypeError:
                wrong = sorted(set(fields) - set(defaults))
                raise MessageError(f"{typename} has no field {', '.join(wrong)}; it has {', '.join(defaults)}") from None

        return make

    def _default(self, kind: Nodetype, detail: Any, dtype: type | None) -> Callable[[], Any]:
        if kind == Nodetype.BASE:
            value = {"string": "", "wstring": "", "bool": False, "float32": 0.0, "float64": 0.0}.get(detail[0], 0)
            return lambda: value
        if kind == Nodetype.NAME:
            return lambda: self.make(detail)
        length = detail[1] if kind == Nodetype.ARRAY else 0
        if dtype is not None:
            return lambda: np.zeros(length, dtype)
        element_kind, element = detail[0]
        one = self._default(element_kind, element, None)
        return lambda: [one() for _ in range(length)]


def _numeric(element: tuple[Nodetype, Any]) -> type | None:
    """The dtype of a numeric array's elements, None for strings and messages."""
    kind, detail = element
    if kind != Nodetype.BASE or detail[0] in ("string", "wstring"):
        return None
    return _DTYPES.get(detail[0]) or np.dtype(detail[0]).type

"""`MessageLibrary` of rclpy's generated message classes."""

from __future__ import annotations

import array
import importlib
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message, serialize_message

from hand_pose_ros.messages.library import MessageError

_DTYPES = {
    "float": np.float32,
    "double": np.float64,
    "octet": np.uint8,
    **{f"{sign}int{bits}": np.dtype(f"{sign}int{bits}").type for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
_SEQUENCE = re.compile(r"sequence<(\w+)(?:, \d+)?>")
_ARRAY = re.compile(r"(\w+)\[\d+\]")


class RclpyLibrary:
    """Messages of the ROS 2 installation that is sourced."""

    def make(self, typename: str, **fields: Any) -> Any:
        """See `MessageLibrary.make`.

        :raises MessageError: unknown type or field
        """
        cls, converters = _plan(typename)
        for name in fields.keys() & converters.keys():
            fields[name] = converters[name](fields[name])
        unknown = fields.keys() - cls.get_fields_and_field_types().keys()  # the class itself would leave them out in silence
        if unknown:
            known = ", ".join(cls.get_fields_and_field_types())
            raise MessageError(f"{typename} has no field {', '.join(sorted(unknown))}; it has {known}")
        return cls(**fields)

    def serialize(self, message: Any, typename: str) -> bytes:
        """See `MessageLibrary.serialize`."""
        return serialize_message(message)

    def deserialize(self, data: bytes | memoryview, typename: str) -> Any:
        """See `MessageLibrary.deserialize`; damage is found as far as the middleware looks for it."""
        try:
            return deserialize_message(bytes(data), message_class(typename))
        except Exception as error:  # of the pybind module, which does not export its type
            raise MessageError(f"{len(data)} bytes are no {typename}: {error}") from error


def message_class(typename: str) -> type:
    """The class of "sensor_msgs/msg/Image".

    :raises MessageError: its package is not installed, or has no such message
    """
    return _plan(typename)[0]


@cache
def _plan(typename: str) -> tuple[type, dict[str, Callable[[Any], Any]]]:
    """The class and what turns values into what its C conversion takes, by field."""
    package, _, name = typename.replace("/msg/", "/").partition("/")
    try:
        cls = getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        raise MessageError(f"message type {typename!r} is not installed ({error}): install {package} and source it") from error
    converters = {field: _converter(kind) for field, kind in cls.get_fields_and_field_types().items()}
    return cls, {field: converter for field, converter in converters.items() if converter}


def _converter(kind: str) -> Callable[[Any], Any] | None:
    if kind == "octet":
        return lambda value: bytes([int(value)])
    if kind in ("float", "double"):
        return float  # numpy's float32 is none
    if kind in _DTYPES:
        return int
    sequence, fixed = _SEQUENCE.fullmatch(kind), _ARRAY.fullmatch(kind)
    if sequence and sequence[1] in _DTYPES and sequence[1] != "octet":
        dtype = np.dtype(_DTYPES[sequence[1]])
        typecode = {"int64": "q", "uint64": "Q"}.get(dtype.name, dtype.char)
        return lambda values: array.array(typecode, np.ascontiguousarray(values, dtype).tobytes())
    if fixed and fixed[1] in _DTYPES and fixed[1] != "octet":
        dtype = np.dtype(_DTYPES[fixed[1]])
        return lambda values: np.array(values, dtype).reshape(-1)
    return None

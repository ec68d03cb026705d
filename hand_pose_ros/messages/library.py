"""What the builders ask of a message library, so that they need not know which one makes the messages."""

from __future__ import annotations

from typing import Any, Protocol


class MessageLibrary(Protocol):
    """Makes messages and turns them into CDR bytes and back.

    Type names are ROS 2 ones with their kind ("sensor_msgs/msg/Image"); messages have the fields of their definition.
    """

    def make(self, typename: str, **fields: Any) -> Any:
        """A new message; fields that are not given have ROS's defaults (zero, empty, or the definition's own).

        Numeric arrays may be given as numpy arrays or lists.
        """

    def serialize(self, message: Any, typename: str) -> bytes | memoryview:
        """CDR with its four-byte header, as it goes over the wire and into bags."""

    def deserialize(self, data: bytes | memoryview, typename: str) -> Any:
        """The message in CDR bytes.

        :raises MessageError: the bytes are no such message
        """


class MessageError(ValueError):
    """Bytes or fields that do not make the message they are said to be."""


def stamp_fields(stamp_ns: int) -> dict[str, int]:
    """Nanoseconds since the epoch as the fields of builtin_interfaces/msg/Time."""
    sec, nanosec = divmod(int(stamp_ns), 1_000_000_000)
    return {"sec": sec, "nanosec": nanosec}


def stamp_ns(header: Any) -> int:
    """The stamp of a std_msgs/msg/Header in nanoseconds."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


def make_header(library: MessageLibrary, stamp_nanoseconds: int, frame_id: str) -> Any:
    """A std_msgs/msg/Header."""
    time = library.make("builtin_interfaces/msg/Time", **stamp_fields(stamp_nanoseconds))
    return library.make("std_msgs/msg/Header", stamp=time, frame_id=frame_id)

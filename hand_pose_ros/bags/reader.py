"""Reads rosbag2 recordings, MCAP and SQLite, whole or cut off: topics, and messages as CDR bytes."""

from __future__ import annotations

import logging
import shlex
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rosbags.rosbag2 import Reader

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.natural import natural_key
from hand_pose_ros.bags.salvage import SalvagedMcap
from hand_pose_ros.messages.library import MessageError, MessageLibrary

log = logging.getLogger(__name__)
STORAGE_SUFFIXES = (".mcap", ".db3")


class RawMessage(NamedTuple):
    """One recorded message: its topic, type, the time it was recorded (ns), and its CDR bytes."""

    topic: str
    typename: str
    stamp_ns: int
    cdr: bytes


class BagReader:
    """A rosbag2 recording, as a context manager.

    An MCAP recording that was cut off (a kill, a full disk) is read as far as it goes, and a warning says so. One in SQLite whose
    newest messages lie in a write-ahead log is refused: only SQLite can put them back.

    :param path: the recording's folder, or one of its .mcap or .db3 files
    :ivar types: topic -> type name
    :ivar counts: topic -> number of messages
    :raises BagError: no such path, no recording, or nothing in it can be read
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.types: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self._parts: list[Reader | SalvagedMcap] = _open(self.path)
        for part in self._parts:
            if isinstance(part, SalvagedMcap):
                self.types.update(part.types)
                self.counts.update(part.counts)
            else:
                self.types.update({c.topic: c.msgtype for c in part.connections})
                for connection in part.connections:
                    self.counts[connection.topic] += connection.msgcount

    def __enter__(self) -> BagReader:
        return self

    def __exit__(self, *exception: object) -> None:
        for part in self._parts:
            if isinstance(part, Reader):
                part.close()

    def topics_of(self, typename: str) -> list[str]:
        """The topics of that type that have messages, sorted."""
        return sorted(topic for topic, its in self.types.items() if its == typename and self.counts[topic])

    def messages(self, topics: Collection[str]) -> Iterator[RawMessage]:
        """The messages of those topics in the order of recording; ends early, with a warning, where the recording is damaged."""
        for part in self._parts:
            yield from _salvaged(part, topics) if isinstance(part, SalvagedMcap) else _indexed(part, topics)

    def read(self, topics: Collection[str], library: MessageLibrary) -> Iterator[tuple[RawMessage, Any]]:
        """As `messages`, each with what its bytes say; damaged ones are left out, with a warning."""
        for raw in self.messages(topics):
            if (message := read_message(raw, library, self.path)) is not None:
                yield raw, message


def read_message(raw: RawMessage, library: MessageLibrary, path: Path) -> Any | None:
    """The message; None, with a warning that names the recording and the topic, where it is damaged."""
    try:
        return library.deserialize(raw.cdr, raw.typename)
    except MessageError as error:
        log.warning("%s: a message on %s is damaged and left out: %s", path, raw.topic, error)
        return None


def is_bag(path: Path) -> bool:
    """Whether that path is, by its names, a rosbag2 recording or one of its files."""
    if path.is_dir():
        return (path / "metadata.yaml").exists() or bool(_storage_files(path))
    return path.suffix in STORAGE_SUFFIXES


def _storage_files(folder: Path) -> list[Path]:
    return sorted((p for p in folder.iterdir() if p.suffix in STORAGE_SUFFIXES and p.is_file()), key=natural_key)


def _open(path: Path) -> list[Reader | SalvagedMcap]:
    if not path.exists():
        raise BagError(f"recording {path} does not exist")
    if path.suffix == ".bag":
        converted = path.with_suffix("")
        raise BagError(f"{path} is a ROS 1 recording: convert it with `rosbags-convert --src {path} --dst {converted}`")
    if not is_bag(path):
        raise BagError(f"{path} is no rosbag2 recording: give a folder with metadata.yaml, or a .mcap or .db3 file")
    files = _storage_files(path) if path.is_dir() else [path]
    for file in files:
        _refuse_log(file)
    if not path.is_dir():
        return [_open_file(path)]
    if (path / "metadata.yaml").exists():
        try:
            return [_opened(path)]
        except Exception as error:  # rosbags raises what its YAML, SQLite, and struct parsers raise
            if not files:
                raise BagError(f"recording {path} cannot be read: {error}") from error
            log.warning("recording %s: %s; reading its files one by one", path, error)
    else:
        log.warning("recording %s has no metadata.yaml (it was not finished); reading its files one by one", path)
    parts, errors = [], []
    for file in files:
        try:
            parts.append(_open_file(file))
        except BagError as error:
            errors.append(error)
    if not parts:
        raise errors[0]
    for error in errors:
        log.warning("%s; left out", error)
    return parts


def _refuse_log(path: Path) -> None:
    """The rosbags library looks at no write-ahead log, and would read a .db3 file as if its newest messages were not there."""
    log_file = path.with_name(path.name + "-wal")
    if path.suffix == ".db3" and log_file.exists() and log_file.stat().st_size:
        command = f"sqlite3 {shlex.quote(str(path))} 'PRAGMA wal_checkpoint(TRUNCATE)'"
        raise BagError(
            f"{log_file} holds messages that are not in {path} yet: its recorder still runs, or was killed. When it has ended, "
            f"put them there: {command}"
        )


def _open_file(path: Path) -> Reader | SalvagedMcap:
    try:
        return _opened(path)
    except Exception as error:  # as above: a damaged file makes the parsers fail in many ways
        salvaged = SalvagedMcap(path) if path.suffix == ".mcap" else None
        if salvaged is None or not salvaged.counts:
            raise BagError(
                f"{path} cannot be read ({error}) and holds no message that can be saved: copy it again if the copy was cut, "
                "or record it again"
            ) from error
        log.warning(
            "%s is cut off or damaged (%s): reading the %d messages before that place",
            path,
            salvaged.damage or error,
            sum(salvaged.counts.values()),
        )
        return salvaged


def _opened(path: Path) -> Reader:
    reader = Reader(path)
    reader.open()
    return reader


def _salvaged(part: SalvagedMcap, topics: Collection[str]) -> Iterator[RawMessage]:
    return (RawMessage(*record) for record in part.messages(topics))


def _indexed(part: Reader, topics: Collection[str]) -> Iterator[RawMessage]:
    connections = [c for c in part.connections if c.topic in topics]
    if not connections:
        return
    messages, count = part.messages(connections), 0
    while True:
        try:
            connection, stamp_ns, cdr = next(messages)
        except StopIteration:
            return
        except Exception as error:  # damaged bytes make the parsers fail in many ways; what came before is good
            log.warning("%s is damaged after %d messages (%s): the rest is left out", part.path, count, error)
            return
        count += 1
        yield RawMessage(connection.topic, connection.msgtype, stamp_ns, cdr)

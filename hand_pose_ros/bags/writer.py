"""Writes rosbag2 recordings in MCAP (metadata version 8, which Humble and everything newer read) from a thread of its own.

What was handed over is on the disk about a second later, chunk by chunk, so that a kill loses no more than that; leaving the
`with` block finishes the recording whatever happened inside.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.metadata import FileSpan, TopicMetadata, embedded, qos_profile, write_metadata
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

MAX_FILE_BYTES = 1 << 30
FLUSH_INTERVAL_S = 1.0
QUEUE_LENGTH = 256  # messages; `write` waits when the disk is that far behind, nothing is dropped
_COMPRESSION = {"none": CompressionType.NONE, "zstd": CompressionType.ZSTD, "lz4": CompressionType.LZ4}


@dataclass
class _File:
    """One MCAP file of the recording, while it is being written."""

    path: Path
    writer: McapWriter
    stream: object
    channels: dict[str, int] = field(default_factory=dict)
    schemas: dict[str, int] = field(default_factory=dict)
    start_ns: int = 2**63 - 1
    end_ns: int = 0
    counts: Counter[str] = field(default_factory=Counter)


class BagWriter:
    """A new rosbag2 recording.

    :param path: its folder, which must not exist
    :param library: knows every type that is written
    :param compression: of the chunks: "none", "zstd" or "lz4"
    :param max_file_bytes: a new file is begun when one is larger
    :raises BagError: the folder exists or cannot be made
    """

    def __init__(
        self, path: Path | str, library: RosbagsLibrary, *, compression: str = "none", max_file_bytes: int = MAX_FILE_BYTES
    ) -> None:
        self.path = Path(path)
        self._typestore, self._distro = library.typestore, library.distro
        self._compression = _COMPRESSION[compression]
        self._max_file_bytes = max_file_bytes
        self._topics: dict[str, TopicMetadata] = {}
        self._finished: list[FileSpan] = []
        self._file: _File | None = None
        self._failure: BaseException | None = None
        try:
            self.path.mkdir(parents=True)
        except OSError as error:
            raise BagError(f"cannot make a folder for the recording: {error}: name a new folder that can be written") from error
        self._queue: queue.Queue[tuple[str, int, bytes] | None] = queue.Queue(QUEUE_LENGTH)
        self._thread = threading.Thread(target=self._run, name=f"write {self.path.name}")
        self._thread.start()

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def add_topic(self, topic: str, typename: str, *, transient_local: bool = False) -> None:
        """Announce a topic ("/hands") and its type ("hand_pose_ros/msg/HandPoseArray"), before its first message."""
        qos = qos_profile(transient_local=transient_local)
        self._topics[topic] = TopicMetadata(topic, typename, self._typestore.hash_rihs01(typename), qos)

    def write(self, topic: str, stamp_ns: int, cdr: bytes | memoryview) -> None:
        """Hand over one serialised message; it is written later, by the thread.

        :raises BagError: what was handed over before could not be written (disk full, folder gone), it is closed,
            or there is no such topic or time
        """
        self._raise_failure()
        if not self._thread.is_alive():
            raise BagError(f"recording {self.path} is closed: nothing more can be written to it")
        if topic not in self._topics:
            raise BagError(f"topic {topic} was not announced to {self.path}: call add_topic first")
        if not 0 <= stamp_ns < 2**63:
            raise BagError(f"time {stamp_ns} ns of a message on {topic} cannot be recorded: it is not from 1970 to 2262")
        self._queue.put((topic, stamp_ns, bytes(cdr)))

    def close(self) -> None:
        """Write what is left, finish the files and metadata.yaml. May be called again.

        :raises BagError: something could not be written
        """
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            disk = isinstance(self._failure, OSError)
            remedy = "free space or name another folder" if disk else "it ends before that message"
            raise BagError(f"recording {self.path} could not be written: {self._failure}: {remedy}") from self._failure

    def _run(self) -> None:
        """The thread: write until None comes (or the program ends), then finish. After a failure, only empty the queue."""
        flushed_at = time.monotonic()
        while True:
            try:
                item = self._queue.get(timeout=FLUSH_INTERVAL_S)
            except queue.Empty:
                item = () if threading.main_thread().is_alive() else None
            try:
                if item is None:
                    self._finish_file()
                    write_metadata(self.path, list(self._topics.values()), self._finished, self._distro)
                    return
                if item and self._failure is None:
                    self._write(*item)
                if self._file and self._failure is None and time.monotonic() - flushed_at > FLUSH_INTERVAL_S:
                    self._file.writer.flush()
                    flushed_at = time.monotonic()
            except Exception as error:  # struct, zstd and mcap have kinds of their own; whoever writes must hear of any
                self._failure = self._failure or error
                if item is None:
                    return

    def _write(self, topic: str, stamp_ns: int, cdr: bytes) -> None:
        file = self._file or self._begin_file()
        if topic not in file.channels:
            file.channels[topic] = self._register(file, self._topics[topic])
        file.writer.add_message(file.channels[topic], stamp_ns, cdr, stamp_ns)
        self._topics[topic].count += 1
        file.counts[topic] += 1
        file.start_ns, file.end_ns = min(file.start_ns, stamp_ns), max(file.end_ns, stamp_ns)
        if file.stream.tell() > self._max_file_bytes:
            self._finish_file()

    def _begin_file(self) -> _File:
        path = self.path / f"{self.path.name}_{len(self._finished)}.mcap"
        stream = path.open("wb")
        writer = McapWriter(stream, compression=self._compression)
        writer.start(profile="ros2", library="hand_pose_ros")
        self._file = _File(path, writer, stream)
        return self._file

    def _register(self, file: _File, topic: TopicMetadata) -> int:
        if topic.typename not in file.schemas:
            definition, _ = self._typestore.generate_msgdef(topic.typename, ros_version=2)
            file.schemas[topic.typename] = file.writer.register_schema(topic.typename, "ros2msg", definition.encode())
        metadata = {"offered_qos_profiles": topic.qos, "topic_type_hash": topic.type_hash}
        return file.writer.register_channel(topic.name, "cdr", file.schemas[topic.typename], metadata)

    def _finish_file(self) -> None:
        file, self._file = self._file, None
        if file is None:
            if self._finished:
                return
            file, self._file = self._begin_file(), None  # a recording without a message is still one that opens
        count = sum(file.counts.values())
        span = FileSpan(file.path.name, file.start_ns if count else 0, file.end_ns, count)
        topics = [replace(topic, count=file.counts[topic.name]) for topic in self._topics.values()]
        with file.stream:
            file.writer.add_metadata("rosbag2", embedded(topics, span, self._distro))
            file.writer.finish()
        self._finished.append(span)

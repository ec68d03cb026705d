"""metadata.yaml of a rosbag2 recording, version 8."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

VERSION = 8  # version 9 lists the QoS in a form that Humble cannot read

_QOS = """\
- history: 1
  depth: 10
  reliability: 1
  durability: {durability}
  deadline: {{sec: 9223372036, nsec: 854775807}}
  lifespan: {{sec: 9223372036, nsec: 854775807}}
  liveliness: 1
  liveliness_lease_duration: {{sec: 9223372036, nsec: 854775807}}
  avoid_ros_namespace_conventions: false"""


@dataclass
class TopicMetadata:
    """One topic: its type, the type's RIHS01 hash, offered QoS (YAML text) and how many messages were written."""

    name: str
    typename: str
    type_hash: str
    qos: str
    count: int = 0


@dataclass(frozen=True)
class FileSpan:
    """One finished file: its name, the stamps of its first and last message, and how many it holds."""

    name: str
    start_ns: int
    end_ns: int
    count: int


def qos_profile(*, transient_local: bool) -> str:
    """Reliable, keep the last 10, transient local (latched) or volatile, as rosbag2 writes it up to version 8."""
    return _QOS.format(durability=1 if transient_local else 2)


def write_metadata(folder: Path, topics: list[TopicMetadata], files: list[FileSpan], distro: str) -> None:
    """Write metadata.yaml of the MCAP files in that folder, whole or not at all."""
    partial = folder / "metadata.yaml.part"
    content = {"rosbag2_bagfile_information": information(topics, files, distro)}
    partial.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    partial.replace(folder / "metadata.yaml")


def embedded(topics: list[TopicMetadata], file: FileSpan, distro: str) -> dict[str, str]:
    """The metadata record "rosbag2" of one file, by which ROS 2 reads it alone, without metadata.yaml."""
    return {"serialized_metadata": yaml.safe_dump(information(topics, [file], distro), sort_keys=False)}


def information(topics: list[TopicMetadata], files: list[FileSpan], distro: str) -> dict[str, Any]:
    """What metadata.yaml says of those files; `distro` is the ROS 2 release whose types they hold."""
    spans = [f for f in files if f.count]
    start = min((f.start_ns for f in spans), default=0)
    end = max((f.end_ns for f in spans), default=0)
    return {
        "version": VERSION,
        "storage_identifier": "mcap",
        "relative_file_paths": [f.name for f in files],
        "duration": {"nanoseconds": end - start},
        "starting_time": {"nanoseconds_since_epoch": start},
        "message_count": sum(f.count for f in files),
        "topics_with_message_count": [_topic(t) for t in topics],
        "compression_format": "",
        "compression_mode": "",
        "files": [
            {
                "path": f.name,
                "starting_time": {"nanoseconds_since_epoch": f.start_ns},
                "duration": {"nanoseconds": f.end_ns - f.start_ns if f.count else 0},
                "message_count": f.count,
            }
            for f in files
        ],
        "custom_data": None,
        "ros_distro": distro,
    }


def _topic(topic: TopicMetadata) -> dict[str, object]:
    described = {
        "name": topic.name,
        "type": topic.typename,
        "serialization_format": "cdr",
        "offered_qos_profiles": topic.qos,
        "type_description_hash": topic.type_hash,
    }
    return {"topic_metadata": described, "message_count": topic.count}

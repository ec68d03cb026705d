"""Reads an MCAP file without its index, record by record: what is left of a recording that was cut off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader


class SalvagedMcap:
    """The readable beginning of a cut or damaged MCAP file.

    :param path: the file
    :ivar types: topic -> type name
    :ivar counts: topic -> messages that can be read
    :ivar damage: why reading ended, "" where the file is whole
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.types: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.damage = ""
        for topic, typename, _, _ in self._records():
            self.types[topic] = typename
            self.counts[topic] += 1

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, str, int, bytes]]:
        """(topic, type name, log time in ns, CDR) of those topics, in the file's order."""
        return (record for record in self._records() if record[0] in topics)

    def _records(self) -> Iterator[tuple[str, str, int, bytes]]:
        schemas: dict[int, str] = {}
        channels: dict[int, tuple[str, str]] = {}
        with self.path.open("rb") as stream:
            records = StreamReader(stream).records
            while True:
                try:
                    record = next(records)
                except StopIteration:
                    return
                except Exception as error:  # whatever the library trips over in damaged bytes, the part before it is good
                    self.damage = f"{type(error).__name__} {error}".strip()
                    return
                if isinstance(record, Schema):
                    schemas[record.id] = record.name
                elif isinstance(record, Channel):
                    channels[record.id] = (record.topic, schemas.get(record.schema_id, ""))
                elif isinstance(record, Message) and record.channel_id in channels:
                    yield (*channels[record.channel_id], record.log_time, record.data)

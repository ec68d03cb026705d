"""DDS types that carry CDR bytes as they are.

Messages are made into CDR by the message library, so the DDS layer needs of each type only its structure (the C layer checks
every sample against it). That is some 40 times faster than cyclonedds' own Python serialisation of an image.
"""

from __future__ import annotations

from typing import Any

from cyclonedds.idl import IdlStruct, make_idl_struct, types
from rosbags.interfaces import Nodetype
from rosbags.typesys.store import Typestore

# Declared as uint8, peers on cyclonedds 0.10 crash on the type object; as byte they do not. Same CDR.
_OCTET = getattr(types, "byte", types.uint8)
_BASE = {
    "bool": bool,
    "byte": _OCTET,
    "char": _OCTET,
    "uint8": _OCTET,
    "string": str,
    **{
        name: getattr(types, name)
        for name in ("int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
    },
}


class CdrTypes:
    """The DDS types of one type store, made when first asked for."""

    def __init__(self, typestore: Typestore) -> None:
        self._typestore = typestore
        self._types: dict[str, type[IdlStruct]] = {}

    def get(self, typename: str) -> type[IdlStruct]:
        """The DDS type of "sensor_msgs/msg/Image"; its samples have their CDR bytes as `cdr`."""
        if typename not in self._types:
            self._types[typename] = self._make(typename)
        return self._types[typename]

    def sample(self, typename: str, cdr: bytes) -> IdlStruct:
        """A sample that goes out as these bytes (with the four-byte CDR header)."""
        cls = self.get(typename)
        out = cls.__new__(cls)
        out.cdr = cdr
        return out

    def _make(self, typename: str) -> type[IdlStruct]:
        package, kind, name = typename.split("/")
        fields = {field: self._field(*description) for field, description in self._typestore.fielddefs[typename][1]}
        cls = make_idl_struct(f"{name}_", f"{package}::{kind}::dds_::{name}_", fields, dataclassify=False)
        # Overridden on the class itself: cyclonedds looks these up there, a base class in between is not seen.
        cls.serialize = _serialize
        cls.deserialize = classmethod(_deserialize)
        cls.deserialize_key = classmethod(_deserialize)
        return cls

    def _field(self, kind: Nodetype, detail: Any) -> Any:
        if kind == Nodetype.NAME:
            return self.get(detail)
        if kind == Nodetype.BASE:
            base, bound = detail
            return types.bounded_str[bound] if base == "string" and bound else _BASE[base]
        element = self._field(*detail[0])
        if kind == Nodetype.ARRAY:
            return types.array[element, detail[1]]
        return types.sequence[element, detail[1]] if detail[1] else types.sequence[element]


def _serialize(self: Any, buffer: Any = None, endianness: Any = None, use_version_2: Any = None) -> bytes:
    return self.cdr


def _deserialize(cls: type[IdlStruct], data: bytes, has_header: bool = True, use_version_2: Any = None) -> IdlStruct:
    out = cls.__new__(cls)
    out.cdr = data
    return out

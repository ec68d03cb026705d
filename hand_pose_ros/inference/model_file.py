"""What an ONNX file says of itself, read without ONNX Runtime or the onnx package.

TensorRT's parser gives neither the model card nor the names of the file's dimensions, and a robot that runs TensorRT needs no
other library for models. So the few fields are read here: an ONNX file is a protobuf message, that is, a row of numbered fields
whose values are integers or byte strings (field numbers: onnx.proto of the ONNX project).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hand_pose_ros.inference.model_card import METADATA_KEY, ModelCard, ModelError

REMEDY = "export the model again with `hand-pose-train export`"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# onnx.proto's TensorProto.DataType, those that inputs and outputs of a model may have
_DTYPES = {1: "float32", 2: "uint8", 4: "uint16", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64", 16: "bfloat16"}


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of a graph.

    :param dtype: NumPy's name of its type, "?" if it is none that models here have
    :param shape: a number, or the name of a dimension that varies ("?" without a name)
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]

    @property
    def shape_text(self) -> str:
        """For example "(N, 1, 96, 96)"."""
        return f"({', '.join(map(str, self.shape))})"


@dataclass(frozen=True)
class ModelFile:
    """The card and the graph's ends of one file; what is in between is a back end's business."""

    card: ModelCard
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def read_model_file(path: str | Path) -> ModelFile:
    """Read card, inputs and outputs of a file.

    :raises ModelError: no file, no ONNX model, no card, or a card that cannot be used
    """
    path = Path(path)
    try:
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise ModelError(f"model {path} cannot be read ({error}): name an .onnx file") from error
    try:
        metadata, inputs, outputs = _model(content)
    except (ValueError, IndexError) as error:
        raise ModelError(f"model {path} is no ONNX model ({error}): copy it again if it was cut short, else {REMEDY}") from error
    return ModelFile(read_card(path, metadata), inputs, outputs)


def read_card(path: Path, metadata: dict[str, str]) -> ModelCard:
    """The card in a file's metadata.

    :raises ModelError: there is none, or it cannot be used
    """
    text = metadata.get(METADATA_KEY)
    if text is None:
        raise ModelError(
            f"model {path} has no model card (metadata {METADATA_KEY!r}), so its crop and joints are unknown: {REMEDY}"
        )
    return ModelCard.from_json(text, f"model {path}")


def _model(content: memoryview) -> tuple[dict[str, str], tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    metadata: dict[str, str] = {}
    graph = None
    for number, value in _fields(content):
        if number == 7:
            graph = _message(value)
        elif number == 14:
            entry = dict(_fields(_message(value)))
            metadata[_text(entry.get(1, b""))] = _text(entry.get(2, b""))
    if graph is None:
        raise ValueError("there is no graph in it")
    inputs, outputs, constants = [], [], set()
    for number, value in _fields(graph):
        if number == 5:
            constants.update(_text(name) for field, name in _fields(_message(value)) if field == 8)
        elif number in (11, 12):
            (inputs if number == 11 else outputs).append(_tensor(_message(value)))
    # Old files list their weights among the inputs.
    return metadata, tuple(i for i in inputs if i.name not in constants), tuple(outputs)


def _tensor(value_info: memoryview) -> TensorSpec:
    fields = dict(_fields(value_info))
    tensor_type = dict(_fields(_message(dict(_fields(_message(fields.get(2, b"")))).get(1, b""))))
    shape = [_dimension(_message(dim)) for number, dim in _fields(_message(tensor_type.get(2, b""))) if number == 1]
    return TensorSpec(_text(fields.get(1, b"")), _DTYPES.get(tensor_type.get(1, 0), "?"), tuple(shape))


def _dimension(dim: memoryview) -> int | str:
    fields = dict(_fields(dim))
    return fields[1] if 1 in fields else _text(fields.get(2, b"")) or "?"


def _fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(number, value) of each field of a message.

    :raises ValueError: it is no message
    """
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
        else:
            if kind == _BYTES:
                size, at = _varint(content, at)
            elif kind in (_FIXED64, _FIXED32):
                size = 8 if kind == _FIXED64 else 4
            else:
                raise ValueError(f"byte {at} begins no field")
            if size > len(content) - at:
                raise ValueError(f"a field of {size} bytes ends beyond the file")
            value, at = content[at : at + size], at + size
        yield number, value


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError(f"byte {at} begins no number")


def _message(value: int | bytes | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number lies where a message belongs")
    return memoryview(value)


def _text(value: int | bytes | memoryview) -> str:
    return bytes(_message(value)).decode()

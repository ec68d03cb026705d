"""Just enough of a binary glTF (GLB) reader for one skinned mesh."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_MAGIC = 0x46546C67
_DTYPES = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@dataclass(frozen=True)
class SkinnedMesh:
    """A mesh in its bind pose.

    :param vertices: (V, 3) metres
    :param faces: (F, 3) vertex numbers, counter-clockwise from outside
    :param joint_names: one name a bone
    :param bind: (B, 4, 4) bone to mesh transforms in the bind pose
    :param weights: (V, B) skinning weights, each row sums to 1
    """

    vertices: np.ndarray
    faces: np.ndarray
    joint_names: tuple[str, ...]
    bind: np.ndarray
    weights: np.ndarray


def read_skinned_mesh(path: str | Path) -> SkinnedMesh:
    """The first mesh and skin of a .glb file.

    :raises ValueError: no GLB file
    """
    raw = Path(path).read_bytes()
    magic, _version, _length = struct.unpack_from("<3I", raw)
    if magic != _MAGIC:
        raise ValueError(f"{path} is no binary glTF file: take the .glb of the package's assets")
    (json_length,) = struct.unpack_from("<I", raw, 12)
    gltf = json.loads(raw[20 : 20 + json_length])
    start = 20 + json_length + 8

    def accessor(number: int) -> np.ndarray:
        described = gltf["accessors"][number]
        width = _WIDTHS[described["type"]]
        offset = start + gltf["bufferViews"][described["bufferView"]].get("byteOffset", 0) + described.get("byteOffset", 0)
        flat = np.frombuffer(raw, _DTYPES[described["componentType"]], described["count"] * width, offset)
        return flat.reshape(-1, width)

    primitive, skin = gltf["meshes"][0]["primitives"][0], gltf["skins"][0]
    attributes = primitive["attributes"]
    bones = [gltf["nodes"][i] for i in skin["joints"]]
    picked, picked_weights = accessor(attributes["JOINTS_0"]), accessor(attributes["WEIGHTS_0"])
    weights = np.zeros((len(picked), len(bones)))
    np.add.at(weights, (np.arange(len(picked))[:, None], picked), picked_weights)
    inverse_bind = accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
    return SkinnedMesh(
        vertices=accessor(attributes["POSITION"]).astype(float),
        faces=accessor(primitive["indices"]).reshape(-1, 3).astype(np.int32),
        joint_names=tuple(b["name"] for b in bones),
        bind=np.linalg.inv(inverse_bind.astype(float)),
        weights=weights,
    )

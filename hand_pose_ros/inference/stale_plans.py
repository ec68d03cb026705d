"""Plans that nothing on this machine will load again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hand_pose_ros.inference.cuda_device import CudaDevice, find_device
from hand_pose_ros.inference.engine_cache import Entry
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.plan_key import SCHEMA, file_sha256, this_platform
from hand_pose_ros.inference.tensorrt_library import FLAVOURS, find_tensorrt

_MOST_DEVICES = 64


@dataclass(frozen=True)
class Machine:
    """What plans are loaded with here.

    :param versions: of the TensorRT libraries that can be imported, by flavour
    :param devices: the GPUs that can be used; none where that cannot be told
    """

    versions: dict[str, str]
    devices: tuple[CudaDevice, ...]


def this_machine() -> Machine:
    """Look for libraries and GPUs."""
    versions, devices = {}, []
    for flavour in FLAVOURS:
        try:
            versions[flavour] = find_tensorrt([flavour]).version
        except ModelError:
            continue
    for index in range(_MOST_DEVICES):
        try:
            devices.append(find_device(index))
        except ModelError:
            break
    return Machine(versions, tuple(devices))


def stale_reason(entry: Entry, machine: Machine) -> str:
    """Why a plan will not be loaded here again, "" if it may be. What cannot be told counts for the plan."""
    key = entry.key
    if key.schema != SCHEMA:
        return "made by another version of hand_pose_ros"
    if key.platform != this_platform():
        return f"made for {key.platform}"
    version = machine.versions.get(key.flavour, key.version)
    if version != key.version:
        return f"{key.flavour} is {version} now"
    here = {(d.name, d.compute_capability, d.driver) for d in machine.devices}
    if key.gpu and here and (key.gpu, key.compute_capability, key.driver) not in here:
        return "made for another GPU or driver"
    try:
        changed = file_sha256(Path(entry.model)) != key.model_sha256
    except OSError:
        return "its model file is gone"
    return "its model file has changed" if changed else ""

"""What scenes consist of: hands with their labels, meshes, planes; and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numba import njit

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.synthetic import primitives, views
from hand_pose_training.synthetic.renderer import Window, ZBuffer

HIDDEN_M = 0.05  # a joint so far behind a surface is hidden by more than the flesh around it
_OWN_M = 0.06  # skin of a hand's mesh that is farther from every joint is the forearm's


class Companion(IntEnum):
    """What shares the crop with the hand."""

    NONE = 0
    OBJECT = 1  # held
    SECOND_HAND = 2


@dataclass(frozen=True)
class SceneSettings:
    """What scenes are drawn.

    :param negatives: share of scenes whose focus is no hand
    :param any_roll: share of views with any roll of the image; the others roll by less than about 40 degrees
    :param right_hands: share of right hands
    :param distance_m: range of the hand's distance
    :param held_out: people (hands and bodies) and families of objects, and so grasps, that training never draws
    :param view, companion: of every scene; None draws them
    :param uniform_distance: distances uniform in their range; otherwise near ones come more often
    """

    negatives: float = 0.05
    any_roll: float = 0.5
    right_hands: float = 0.5
    distance_m: tuple[float, float] = (0.25, 1.5)
    held_out: bool = False
    view: views.View | None = None
    companion: Companion | None = None
    uniform_distance: bool = False


@dataclass(frozen=True)
class SceneHand:
    """One labelled hand.

    :param joints: (21, 3) metres in the camera's frame
    :param elbow: (3,) end of its forearm
    :param occupies: index of its mesh in the scene
    """

    joints: np.ndarray
    right: bool = True
    holds_object: bool = False
    elbow: np.ndarray = field(default_factory=lambda: np.zeros(3))
    occupies: int = 0


@dataclass
class Scene:
    """What the camera sees, metres in its optical frame.

    :param hands: all hands; where one is present the first is the subject
    :param focus: (3,) where a perfect localiser would centre the crop: the mean of the joints, or a thing that is no hand
    :param present: the focus is a hand
    :param on_surface: the subject rests on something
    :param meshes: (vertices, faces, cull) as `ZBuffer.draw_mesh` takes them
    :param materials: of each mesh: "skin", "cloth" or "thing"
    :param planes: (normal, distance) as `ZBuffer.draw_plane` takes them
    """

    camera: Camera
    hands: list[SceneHand]
    focus: np.ndarray
    present: bool = True
    view: views.View = views.View.ANY
    companion: Companion = Companion.NONE
    on_surface: bool = False
    meshes: list[tuple[np.ndarray, np.ndarray, int]] = field(default_factory=list)
    materials: list[str] = field(default_factory=list)
    planes: list[tuple[np.ndarray, float]] = field(default_factory=list)

    @property
    def subject(self) -> SceneHand | None:
        """The hand at the focus."""
        return self.hands[0] if self.present and self.hands else None

    @property
    def joints(self) -> np.ndarray:
        """(21, 3) of the subject, zeros without one."""
        return self.subject.joints if self.subject else np.zeros((21, 3))

    @property
    def right(self) -> bool:
        """Whether the subject is a right hand; True without one."""
        return self.subject.right if self.subject else True

    @property
    def holds_object(self) -> bool:
        """Whether the subject holds something."""
        return self.subject.holds_object if self.subject else False

    def render(self, window: Window) -> ZBuffer:
        """What the camera sees in a window of its image."""
        buffer = ZBuffer(self.camera, window)
        for mesh in self.meshes:
            buffer.draw_mesh(*mesh)
        for plane in self.planes:
            buffer.draw_plane(*plane)
        return buffer

    def hidden_joints(self, buffer: ZBuffer, hand: int = 0) -> int:
        """How many joints of a hand lie outside the rendered window or well behind something that is not the hand itself.

        The fingers of a fist that is seen from its back are not hidden: the hand is in full view. The forearm, from a little
        behind the wrist, and any sleeve are not the hand.
        """
        joints = self.hands[hand].joints
        pixels = np.floor(self.camera.project(joints) + 0.5).astype(int) - (buffer.window.x0, buffer.window.y0)
        inside = ((pixels >= 0) & (pixels < (buffer.window.width, buffer.window.height))).all(axis=1)
        outside, behind = len(joints) - int(inside.sum()), inside.copy()
        x, y = pixels[inside].T
        behind[inside] = buffer.inverse_depth[y, x] * (joints[inside, 2] - HIDDEN_M) > 1
        if not behind.any():
            return outside
        alone = ZBuffer(self.camera, buffer.window)
        alone.draw_mesh(*self.meshes[self.hands[hand].occupies])
        x, y = pixels[behind].T
        nearest = buffer.inverse_depth[y, x]
        surface = joints[behind] / (joints[behind, 2] * nearest)[:, None]
        own = (alone.inverse_depth[y, x] == nearest) & (_gaps(surface, joints).min(axis=1) < _OWN_M)
        return outside + int((~own).sum())

    def add(
        self, mesh: primitives.Mesh, rotation: np.ndarray, position: np.ndarray, cull: int = 1, material: str = "thing"
    ) -> None:
        """Add a closed mesh, turned and then moved; cull as `ZBuffer.draw_mesh`, -1 for a mirrored mesh."""
        vertices, faces = mesh
        self.meshes.append((_moved(vertices, rotation, position), faces, cull))
        self.materials.append(material)


@njit(cache=True, nogil=True)
def _moved(vertices, rotation, position):
    """vertices @ rotation.T + position in a fraction of the time."""
    out = np.empty((len(vertices), 3))
    for v in range(len(vertices)):
        x, y, z = vertices[v]
        for i in range(3):
            out[v, i] = rotation[i, 0] * x + rotation[i, 1] * y + rotation[i, 2] * z + position[i]
    return out


def _gaps(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N, M) distances of points (N, 3) and (M, 3)."""
    return np.sqrt(((points[:, None] - others) ** 2).sum(axis=-1))

"""Whole scenes: a hand with its forearm before a camera, what it holds, and what is behind, beside and in front of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.synthetic import primitives, views
from hand_pose_training.synthetic.arm import elbow, forearm_mesh, sleeve_mesh
from hand_pose_training.synthetic.grasp import sample_grasp
from hand_pose_training.synthetic.hand_mesh import FOREARM, PosedHand, hand_model, posed_hand
from hand_pose_training.synthetic.poses import bone_angles, sample_pose
from hand_pose_training.synthetic.renderer import Window, ZBuffer
from hand_pose_training.synthetic.shape import sample_shape

OBJECT_SHARE, SECOND_HAND_SHARE, OCCLUDER_SHARE, SLEEVE_SHARE = 0.22, 0.12, 0.04, 0.35

HIDDEN_M = 0.05  # a joint so far behind a surface is hidden by more than the hand's own flesh


@dataclass
class Scene:
    """What the camera sees, metres in its optical frame.

    :param meshes: (vertices, faces, cull) as `ZBuffer.draw_mesh` takes them
    :param materials: of each mesh: "skin", "cloth" or "thing"
    :param planes: (normal, distance) as `ZBuffer.draw_plane` takes them
    :param joints: (21, 3) of the hand, zeros where there is none
    :param elbow: (3,) end of the hand's forearm, zeros where there is none
    :param focus: (3,) where a perfect localiser would centre the crop: the mean of the joints, or a thing that is no hand
    """

    camera: Camera
    joints: np.ndarray
    focus: np.ndarray
    present: bool = True
    right: bool = True
    holds_object: bool = False
    view: views.View = views.View.ANY
    elbow: np.ndarray = field(default_factory=lambda: np.zeros(3))
    meshes: list[tuple[np.ndarray, np.ndarray, int]] = field(default_factory=list)
    materials: list[str] = field(default_factory=list)
    planes: list[tuple[np.ndarray, float]] = field(default_factory=list)

    def render(self, window: Window) -> ZBuffer:
        """What the camera sees in a window of its image."""
        buffer = ZBuffer(self.camera, window)
        for mesh in self.meshes:
            buffer.draw_mesh(*mesh)
        for plane in self.planes:
            buffer.draw_plane(*plane)
        return buffer

    def hidden_joints(self, buffer: ZBuffer) -> int:
        """How many joints lie outside the rendered window or well behind something else."""
        pixels = np.floor(self.camera.project(self.joints) + 0.5).astype(int) - (buffer.window.x0, buffer.window.y0)
        inside = ((pixels >= 0) & (pixels < (buffer.window.width, buffer.window.height))).all(axis=1)
        x, y = pixels[inside].T
        behind = buffer.inverse_depth[y, x] * (self.joints[inside, 2] - HIDDEN_M) > 1
        return len(self.joints) - int(inside.sum()) + int(behind.sum())

    def add(
        self, mesh: primitives.Mesh, rotation: np.ndarray, position: np.ndarray, cull: int = 1, material: str = "thing"
    ) -> None:
        """Add a closed mesh, turned and then moved; cull as `ZBuffer.draw_mesh`, -1 for a mirrored mesh."""
        vertices, faces = mesh
        self.meshes.append((vertices @ rotation.T + position, faces, cull))
        self.materials.append(material)


def sample_scene(rng: np.random.Generator, negatives: float, any_roll: float, right_hands: float = 0.5) -> Scene:
    """A random scene.

    :param negatives: share of scenes whose focus is no hand
    :param any_roll: as `views.sample_rotation`
    :param right_hands: share of right hands
    """
    camera, view = views.sample_camera(rng), views.sample_view(rng)
    middle = views.sample_position(rng, camera)
    present = rng.random() >= negatives
    handless = not present and rng.random() < 0.7
    scene = Scene(camera, np.zeros((21, 3)), middle, present, view=view)
    if not handless:
        _add_hand(scene, rng, middle, any_roll, right_hands)
    _add_surroundings(scene, rng, middle, view)
    if not present:
        _refocus(scene, rng, middle, handless)
    return scene


def _add_hand(scene: Scene, rng: np.random.Generator, middle: np.ndarray, any_roll: float, right_hands: float) -> None:
    shape, right = sample_shape(rng), rng.random() < right_hands
    held = None
    if rng.random() < OBJECT_SHARE:
        pose, held = sample_grasp(rng, shape)
    else:
        pose = sample_pose(rng)
    hand = posed_hand(bone_angles(pose), shape, right=right)
    rotation = views.sample_rotation(rng, scene.view, hand.bone_rotations[FOREARM][:, 2], any_roll)
    position = middle - rotation @ hand.joints.mean(axis=0)
    scene.add((hand.vertices, hand_model().faces), rotation, position, 1 if right else -1, "skin")
    scene.joints = hand.joints @ rotation.T + position
    scene.focus, scene.right, scene.holds_object = middle, right, held is not None
    if held is not None:
        vertices, faces = held.mesh()
        scene.add((vertices if right else vertices * (1, 1, -1), faces), rotation, position, 1 if right else -1)
    scene.elbow = _add_arm(scene, rng, hand, shape[FOREARM], rotation, position)


def _add_arm(
    scene: Scene, rng: np.random.Generator, hand: PosedHand, scale: np.ndarray, rotation: np.ndarray, position: np.ndarray
) -> np.ndarray:
    """Add forearm, perhaps a sleeve and an upper arm; returns the elbow (3,)."""
    scene.add(forearm_mesh(hand, scale, rng), rotation, position, material="skin")
    if rng.random() < SLEEVE_SHARE:
        scene.add(sleeve_mesh(hand, scale, rng), rotation, position, material="cloth")
    end = rotation @ elbow(hand, scale) + position
    if rng.random() < 0.5:
        upper = views.random_rotation(rng)
        if upper[2, 1] < 0:
            upper[:, :2] *= -1  # away from the camera
        arm = primitives.ellipsoid(np.array([0.05, 0.16, 0.05]))
        scene.add(arm, upper, end + upper[:, 1] * 0.13, material="cloth")
    return end


def _add_surroundings(scene: Scene, rng: np.random.Generator, middle: np.ndarray, view: views.View) -> None:
    body = {views.View.FACING: 0.65, views.View.EGOCENTRIC: 0.1, views.View.OVERHEAD: 0.05, views.View.ANY: 0.3}[view]
    table = {views.View.FACING: 0.15, views.View.EGOCENTRIC: 0.55, views.View.OVERHEAD: 0.85, views.View.ANY: 0.35}[view]
    if rng.random() < body:
        _add_body(scene, rng, middle)
    if rng.random() < table:
        normal = _nearly_facing(rng)
        if view is not views.View.OVERHEAD:
            normal[1] -= rng.uniform(0.2, 1.6)
        _add_plane(scene, normal, rng.exponential(0.07) if rng.random() < 0.85 else 0.0)
    if rng.random() < 0.6:
        _add_plane(scene, _nearly_facing(rng), 0.05 + rng.exponential(0.6))
    if rng.random() < 0.5:
        for _ in range(rng.integers(1, 5)):
            _add_clutter(scene, rng, middle)
    if rng.random() < SECOND_HAND_SHARE:
        _add_second_hand(scene, rng, middle)
    if scene.present and rng.random() < OCCLUDER_SHARE:
        _add_occluder(scene, rng, middle)


def _add_body(scene: Scene, rng: np.random.Generator, middle: np.ndarray) -> None:
    turn = _about_y(rng.normal() * 0.4)
    torso = middle + np.array([rng.normal() * 0.18, rng.normal() * 0.18 + 0.08, 0.22 + rng.exponential(0.2)])
    half = np.array([0.2, 0.34, 0.12]) * rng.uniform(0.85, 1.15)
    scene.add(primitives.ellipsoid(half), turn, torso, material="cloth")
    head = torso + np.array([0.03 * rng.normal(), -half[1] - 0.10, -0.02 + 0.03 * rng.normal()])
    scene.add(primitives.ellipsoid(np.array([0.075, 0.115, 0.095])), turn, head, material="skin")
    nose = primitives.ellipsoid(np.array([0.012, 0.025, 0.02]))
    scene.add(nose, turn, head + turn @ (0, 0.01, -0.098), material="skin")


def _nearly_facing(rng: np.random.Generator) -> np.ndarray:
    """(3,) a direction about along the optical axis, not normalised."""
    return rng.normal(size=3) * (0.25, 0.25, 0) + np.array([0.0, 0.0, 1.0])


def _add_plane(scene: Scene, normal: np.ndarray, gap: float) -> None:
    """A plane behind everything of the hand drawn so far, at least `gap` away from it."""
    normal = normal / np.linalg.norm(normal)
    farthest = (scene.meshes[0][0] @ normal).max() if scene.meshes else scene.focus @ normal
    if farthest + gap > 0.08:
        scene.planes.append((normal, farthest + gap))


def _add_clutter(scene: Scene, rng: np.random.Generator, middle: np.ndarray) -> None:
    side = rng.normal(size=3)
    side[2] = abs(side[2])
    side *= rng.uniform(0.16, 0.4) / np.linalg.norm(side)
    scene.add(_any_solid(rng, 0.01, 0.09), views.random_rotation(rng), middle + side)


def _any_solid(rng: np.random.Generator, low: float, high: float) -> primitives.Mesh:
    kind, half = rng.integers(3), rng.uniform(low, high, size=3)
    if kind == 0:
        return primitives.box(2 * half)
    if kind == 1:
        return primitives.cylinder(half[0], 3 * half[1])
    return primitives.ellipsoid(half)


def _add_second_hand(scene: Scene, rng: np.random.Generator, middle: np.ndarray) -> None:
    shape, right = sample_shape(rng), rng.random() < 0.5
    hand = posed_hand(bone_angles(sample_pose(rng)), shape, right=right)
    rotation = views.sample_rotation(rng, scene.view, hand.bone_rotations[FOREARM][:, 2], 0.5)
    side = rng.normal(size=3) * (1, 1, 0.5)
    side *= rng.uniform(0.15, 0.28) / np.linalg.norm(side)
    position = middle + side - rotation @ hand.joints.mean(axis=0)
    scene.add((hand.vertices, hand_model().faces), rotation, position, 1 if right else -1, "skin")
    _add_arm(scene, rng, hand, shape[FOREARM], rotation, position)


def _add_occluder(scene: Scene, rng: np.random.Generator, middle: np.ndarray) -> None:
    """A bar in front that hides a part of the hand."""
    angle = rng.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle), 0.0])
    across = np.array([along[1], -along[0], 0.0])
    rotation = np.stack([across, along, np.array([0.0, 0.0, 1.0])], axis=1)
    half = np.array([rng.uniform(0.004, 0.016), 0.15, rng.uniform(0.004, 0.03)])
    position = middle * (1 - rng.uniform(0.09, 0.2) / middle[2]) + across * 0.035 * rng.normal() + along * rng.normal() * 0.08
    scene.add(primitives.box(2 * half), rotation, position)


def _refocus(scene: Scene, rng: np.random.Generator, middle: np.ndarray, handless: bool) -> None:
    """Look at something that is no hand."""
    scene.joints = np.zeros((21, 3))
    if not handless:
        scene.focus = scene.elbow
        return
    if rng.random() < 0.5 or not scene.meshes:
        scene.add(_any_solid(rng, 0.015, 0.1), views.random_rotation(rng), middle)
        scene.focus = middle
        return
    vertices = scene.meshes[rng.integers(len(scene.meshes))][0]
    scene.focus = vertices[rng.integers(len(vertices))]


def _about_y(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])

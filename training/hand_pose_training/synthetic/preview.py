"""`hand-pose-train synth`: look at the synthetic data, or write the sequence of the demo as a recording."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from hand_pose_ros.skeleton import HAND21, finger_of
from hand_pose_ros.viz.depth_colour import depth_picture
from hand_pose_ros.viz.draw import FINGER_COLOURS, draw_text
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings
from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.scene import Companion, SceneSettings, sample_frame_scene
from hand_pose_training.synthetic.sensor import sample_sensor, sense
from hand_pose_training.synthetic.sensor_page import sensor_page
from hand_pose_training.synthetic.sensors.optics import SensorKind
from hand_pose_training.synthetic.views import View

COLUMNS, FULL_FRAMES = 10, 5
_ROWS = [(view, companion) for view in View for companion in Companion]
ROW_KINDS = len(_ROWS) + 1
CROP_SCALE = 2  # picture pixels a crop pixel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train synth`."""
    parser.add_argument(
        "--preview",
        type=Path,
        metavar="FILE.png",
        help="write crops of every view and companion, and whole frames",
    )
    parser.add_argument("--sensors", type=Path, metavar="FILE.png", help="write the same hands as each kind of sensor sees them")
    parser.add_argument(
        "--real", type=Path, metavar="DIR", help="beside --sensors: crops of 16-bit depth PNGs with a camera.yaml"
    )
    parser.add_argument("--color", action="store_true", help="the preview's crops in colour")
    parser.add_argument(
        "--recording", type=Path, metavar="DIR", help="write the demo's sequence as an MCAP recording, a new folder"
    )
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default 1)")
    parser.add_argument(
        "--rows", type=int, default=ROW_KINDS, help=f"rows of crops in the preview, of another kind each (default {ROW_KINDS})"
    )
    parser.add_argument("--seconds", type=float, default=10.5, help="length of the recording (default 10.5)")
    parser.add_argument("--hands", type=int, choices=(1, 2), default=2, help="hands in the recording (default 2)")


def run(args: argparse.Namespace) -> int:
    """Write what was asked for.

    :raises ValueError: nothing was asked for, or a file cannot be written
    """
    if not args.preview and not args.sensors and not args.recording:
        raise ValueError("nothing to do: give --preview FILE.png, --sensors FILE.png or --recording DIR")
    if args.preview:
        if args.rows < 1:
            raise ValueError(f"--rows {args.rows}: at least 1")
        _write(args.preview, preview(args.seed, args.rows, args.color))
        print(f"{args.preview}: {args.rows * COLUMNS} crops of seed {args.seed} and {FULL_FRAMES} whole frames")
    if args.sensors:
        _write(args.sensors, sensor_page(args.seed, args.real))
        print(f"{args.sensors}: the same hands of seed {args.seed} by every kind of sensor")
    if args.recording:
        from hand_pose_training.synthetic.recording import write_recording
        from hand_pose_training.synthetic.sequence import HandSequence
        from hand_pose_training.synthetic.two_hands import demo_sequence

        sequence = (HandSequence if args.hands == 1 else demo_sequence)(args.seed, args.seconds)
        size = write_recording(args.recording, sequence)
        print(f"{args.recording}: {len(sequence)} frames, {size / 1e6:.1f} MB")
    return 0


def _write(path: Path, picture: np.ndarray) -> None:
    if path.suffix.lower() != ".png" or not path.parent.is_dir() or not cv2.imwrite(str(path), picture):
        raise ValueError(f"cannot write {path}: name a .png file in a folder that exists")


class _Page(SyntheticCrops):
    """Crops in rows, every row of one view and companion; the last kind of row is of crops without a hand."""

    def drawn(self, i: int) -> tuple[SceneSettings, SensorKind | None]:
        """What the scene of crop i is drawn from."""
        settings, kind = super().drawn(i)
        row = i // COLUMNS % ROW_KINDS
        if row == len(_ROWS):
            return replace(settings, negatives=1.0), kind
        view, companion = _ROWS[row]
        return replace(settings, negatives=0.0, view=view, companion=companion), kind


def preview(seed: int, rows: int, color: bool = False) -> np.ndarray:
    """A BGR picture: `rows` rows of crops with their joints, then a row of whole frames (depth in any case)."""
    crops = _Page(seed, rows * COLUMNS, SyntheticSettings(color=color))
    tiles = [crop_picture(crops[i]) for i in range(len(crops))]
    for row in range(min(rows, ROW_KINDS)):
        label = f"{_ROWS[row][0].name} {_ROWS[row][1].name}".lower().replace("_", " ") if row < len(_ROWS) else "no hand"
        draw_text(tiles[row * COLUMNS], [label], corner=(3, 31))
    grid = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    width = grid[0].shape[1] // FULL_FRAMES
    grid.append(np.hstack([_frame_picture(seed, i, width) for i in range(FULL_FRAMES)]))
    return np.vstack(grid)


def crop_picture(sample: dict[str, np.ndarray]) -> np.ndarray:
    """One crop, of depth (near is bright, background black) or colour, with bones in their finger's colour, distance and kind."""
    if "rgb_crop" in sample:
        image = (255 * sample["rgb_crop"][::-1].transpose(1, 2, 0)).astype(np.uint8)
    else:
        depth = sample["depth_crop"][0]
        image = cv2.cvtColor(np.where(depth < 1, 60 + 97.5 * (1 - depth), 0).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    picture = cv2.resize(image, None, fx=CROP_SCALE, fy=CROP_SCALE, interpolation=cv2.INTER_NEAREST)
    if sample["present"]:
        _draw_bones(picture, (sample["joints"][:, :2] + 1) / 2 * len(picture) - 0.5)
        kind = ("right" if sample["right_side"] else "left") + (" object" if sample["object"] else "")
    else:
        kind = "no hand"
    draw_text(picture, [f"{float(sample['distance_m']):.2f} m"], corner=(3, 15))
    draw_text(picture, [kind], corner=(3, len(picture) - 6))
    return picture


def _frame_picture(seed: int, i: int, width: int) -> np.ndarray:
    """A whole image, 3:4, with the bones of all hands."""
    rng = np.random.default_rng((seed, i))
    scene = sample_frame_scene(rng, SceneSettings())
    camera = scene.camera
    window, columns, rows = Window.of_image(camera), np.arange(camera.width), np.arange(camera.height)
    depth = sense(scene.render(window).inverse_depth, window, columns, rows, sample_sensor(rng, camera.fx), rng)
    picture = depth_picture(depth, camera.fx)
    for hand in scene.hands:
        _draw_bones(picture, camera.project(hand.joints))
    return cv2.resize(picture, (width, width * 3 // 4), interpolation=cv2.INTER_AREA)


def _draw_bones(picture: np.ndarray, pixels: np.ndarray) -> None:
    """Bones of joints at these pixels (21, 2), in place."""
    points = np.round(np.clip(pixels, -1e4, 1e4)).astype(int).tolist()
    for parent, child in HAND21.bone_indices:
        cv2.line(picture, points[parent], points[child], FINGER_COLOURS[finger_of(HAND21.joint_names[child])], 1, cv2.LINE_AA)

"""`hand-pose-train synth`: look at the synthetic data, or write the sequence of the demo as a recording."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from hand_pose_ros.skeleton import HAND21, finger_of
from hand_pose_ros.viz.depth_colour import depth_picture
from hand_pose_ros.viz.draw import FINGER_COLOURS, draw_text
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings
from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.sensor import sample_sensor, sense

COLUMNS, FULL_FRAMES = 10, 5
CROP_SCALE = 2  # picture pixels a crop pixel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train synth`."""
    parser.add_argument(
        "--preview", type=Path, metavar="FILE.png", help="write a grid of crops with their joints, and some whole frames"
    )
    parser.add_argument("--color", action="store_true", help="the preview's crops in colour")
    parser.add_argument(
        "--recording", type=Path, metavar="DIR", help="write the demo's sequence as an MCAP recording, a new folder"
    )
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default 1)")
    parser.add_argument("--rows", type=int, default=6, help="rows of crops in the preview (default 6)")
    parser.add_argument("--seconds", type=float, default=11.0, help="length of the recording (default 11)")


def run(args: argparse.Namespace) -> int:
    """Write what was asked for.

    :raises ValueError: nothing was asked for, or a file cannot be written
    """
    if not args.preview and not args.recording:
        raise ValueError("nothing to do: give --preview FILE.png or --recording DIR")
    if args.preview:
        if args.rows < 1:
            raise ValueError(f"--rows {args.rows}: at least 1")
        picture = preview(args.seed, args.rows, args.color)
        if (
            args.preview.suffix.lower() != ".png"
            or not args.preview.parent.is_dir()
            or not cv2.imwrite(str(args.preview), picture)
        ):
            raise ValueError(f"cannot write {args.preview}: name a .png file in a folder that exists")
        print(f"{args.preview}: {args.rows * COLUMNS} crops of seed {args.seed} and {FULL_FRAMES} whole frames")
    if args.recording:
        from hand_pose_training.synthetic.recording import write_recording
        from hand_pose_training.synthetic.sequence import HandSequence

        sequence = HandSequence(args.seed, args.seconds)
        size = write_recording(args.recording, sequence)
        print(f"{args.recording}: {len(sequence)} frames, {size / 1e6:.1f} MB")
    return 0


def preview(seed: int, rows: int, color: bool = False) -> np.ndarray:
    """A BGR picture: `rows` rows of crops with their joints, then a row of whole frames (depth in any case)."""
    crops = SyntheticCrops(seed, rows * COLUMNS, SyntheticSettings(color=color))
    tiles = [crop_picture(crops[i]) for i in range(len(crops))]
    grid = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    width = grid[0].shape[1] // FULL_FRAMES
    grid.append(np.hstack([_frame_picture(crops, i % len(crops), width) for i in range(FULL_FRAMES)]))
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


def _frame_picture(crops: SyntheticCrops, i: int, width: int) -> np.ndarray:
    """The whole image of sample i, 3:4, with its crop's window."""
    crop, scene, _, rng = crops.scene(i)
    camera = scene.camera
    window = Window.of_image(camera)
    columns, rows = np.arange(camera.width), np.arange(camera.height)
    depth = sense(scene.render(window).inverse_depth, window, columns, rows, sample_sensor(rng, camera.fx), rng)
    picture = depth_picture(depth, camera.fx)
    low, high = (np.round(crop.center_px + sign * crop.half_px).astype(int).tolist() for sign in (-1, 1))
    cv2.rectangle(picture, low, high, (80, 220, 255), 2)
    if scene.present:
        _draw_bones(picture, camera.project(scene.joints))
    return cv2.resize(picture, (width, width * 3 // 4), interpolation=cv2.INTER_AREA)


def _draw_bones(picture: np.ndarray, pixels: np.ndarray) -> None:
    """Bones of joints at these pixels (21, 2), in place."""
    points = np.round(np.clip(pixels, -1e4, 1e4)).astype(int).tolist()
    for parent, child in HAND21.bone_indices:
        cv2.line(picture, points[parent], points[child], FINGER_COLOURS[finger_of(HAND21.joint_names[child])], 1, cv2.LINE_AA)
